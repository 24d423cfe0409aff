"""Claude Code's command line, scripted: the requests that version 2.1 was seen to send, and its way of reading streams.

To a model whose name it does not know it sends instructions behind the user's words, in a role that is a beta and that
not every model of Anthropic's takes. It asks every model to think if it likes, and takes an answer's last block for the
answer.
"""

import json
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.formats.anthropic.examples import CHATS, frames
from tests.judges.backends import ANTHROPIC, BACKENDS, DEEPSEEK, GEMINI, OPENAI, RESPONSES, Backend, Through, through

RECORDED: dict[str, Any] = json.loads(CHATS["claude-code"])
BETAS = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
    "mid-conversation-system-2026-04-07,effort-2025-11-24"
)
SKILLS = {"role": "system", "content": "The following skills are available for use with the Skill tool: none."}


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("claude-code")) as place:
        yield place


class ClaudeCode:
    """One conversation with a model."""

    def __init__(self, vendors: Through, backend: Backend) -> None:
        self._url = f"{vendors.url}/v1/messages?beta=true"
        self._key = vendors.key
        self._model = backend.thinking_model or backend.text_model
        self._knows = backend is ANTHROPIC
        self._turns: list[Any] = []

    def say(self, text: str) -> list[dict[str, Any]]:
        """Have the user say something; return the blocks of the answer."""
        reminder, _ = RECORDED["messages"][0]["content"]
        self._turns.append({"role": "user", "content": [reminder, {"type": "text", "text": text}]})
        if not self._knows:
            self._turns.append(SKILLS)
        return self._answered()

    def give(self, call: dict[str, Any], output: str) -> list[dict[str, Any]]:
        """Give back what a call came to."""
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": output, "is_error": False}
        self._turns.append({"role": "user", "content": [result]})
        return self._answered()

    def _answered(self) -> list[dict[str, Any]]:
        body = RECORDED | {"model": self._model, "messages": self._turns}
        headers = {"authorization": f"Bearer {self._key}", "anthropic-version": "2023-06-01", "anthropic-beta": BETAS}
        reply = httpx.post(self._url, json=body, headers=headers, timeout=30)
        assert reply.status_code == 200, reply.text
        events = frames(reply.content)
        assert events[-1]["type"] == "message_stop"
        blocks = _blocks(events)
        self._turns.append({"role": "assistant", "content": blocks})
        return blocks


def _blocks(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for event in events:
        match event:
            case {"type": "content_block_start", "content_block": block}:
                blocks.append(dict(block))
            case {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": text}}:
                blocks[-1]["input"] = (blocks[-1]["input"] or "") + text
            case {"type": "content_block_delta", "delta": delta}:
                for name in delta.keys() - {"type"}:
                    blocks[-1][name] = blocks[-1].get(name, "") + delta[name]
            case _:
                pass
    for block in blocks:
        if block["type"] == "tool_use":
            block["input"] = json.loads(block["input"] or "{}")
    return blocks


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_instructions_may_stand_behind_what_the_user_said(vendors: Through, backend: Backend) -> None:
    answer = ClaudeCode(vendors, backend).say("Hello there.")

    assert answer[-1]["type"] == "text" and answer[-1]["text"]


@pytest.mark.parametrize("backend", (ANTHROPIC, DEEPSEEK, GEMINI, OPENAI, RESPONSES), ids=lambda backend: backend.name)
def test_its_shell_is_called_in_three_rounds(vendors: Through, backend: Backend) -> None:
    claude = ClaudeCode(vendors, backend)
    for number in range(3):
        arguments = {"command": f"echo {number}"}
        spoken = json.dumps(arguments)
        wants = claude.say(f"\ncall Bash {spoken}" if backend is GEMINI else f"Bash({spoken})")
        (call,) = [block for block in wants if block["type"] == "tool_use"]
        answer = claude.give(call, f"alpha-{number}")

        assert (call["name"], call["input"]) == ("Bash", arguments)
        assert f"alpha-{number}" in answer[-1]["text"]
