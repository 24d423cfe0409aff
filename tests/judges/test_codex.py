"""Codex's command line, scripted: the requests that version 0.169 was seen to send, and its way of reading streams.

The recorded request is its second of a turn, without the words of its prompts: what the user said, thinking, a call of
its shell and the result. It sends back every item of a stream as the item was when it was done.
"""

import json
import urllib.request
from collections.abc import Generator
from typing import Any

import pytest

from tests.formats.responses.samples import body_of, frames
from tests.judges.backends import ANTHROPIC, DEEPSEEK, GEMINI, OPENAI, RESPONSES, Backend, Through, through

RECORDED: dict[str, Any] = json.loads(body_of("codex-exec.request"))
BEFORE = 3  # the items of a turn before what the user said

each = pytest.mark.parametrize(
    "backend", (ANTHROPIC, DEEPSEEK, GEMINI, OPENAI, RESPONSES), ids=lambda backend: backend.name
)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("codex")) as place:
        yield place


class Codex:
    """One conversation with a model."""

    def __init__(self, vendors: Through, backend: Backend) -> None:
        self._url = f"{vendors.url}/v1/responses"
        self._key = vendors.key
        self._body = RECORDED | {"model": backend.thinking_model or backend.text_model}
        if not backend.thinking_model:
            self._body |= {"reasoning": None, "include": []}  # which OpenAI refuses for it
        self._written = "\ncall {name} {arguments}" if backend is GEMINI else "{name}({arguments})"
        self.items: list[Any] = RECORDED["input"][:BEFORE]

    def ask_for(self, name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """Have the user ask for a call; return the items of the answer."""
        text = self._written.format(name=name, arguments=json.dumps(arguments))
        said = RECORDED["input"][BEFORE] | {"content": [{"type": "input_text", "text": text}]}
        return self._turn(said)

    def give(self, call: dict[str, Any], output: str) -> list[dict[str, Any]]:
        """Give back what a call came to."""
        return self._turn({"type": "function_call_output", "call_id": call["call_id"], "output": output})

    def _turn(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        self.items.append(item)
        body = json.dumps(self._body | {"input": self.items}).encode()
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        headers |= {"accept": "text/event-stream", "x-codex-beta-features": "remote_compaction_v2"}
        with urllib.request.urlopen(urllib.request.Request(self._url, body, headers), timeout=30) as reply:
            events = frames(reply.read())
        assert events[-1]["type"] == "response.completed"
        assert events[-1]["response"]["usage"]["total_tokens"] > 0
        done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
        self.items += [{"content": None, "encrypted_content": None, **one} if _thought(one) else one for one in done]
        return done


def _thought(item: dict[str, Any]) -> bool:
    return item["type"] == "reasoning"


def _said(items: list[dict[str, Any]]) -> str:
    return "".join(part["text"] for item in items if item["type"] == "message" for part in item["content"])


@each
def test_its_shell_is_called_in_three_rounds(vendors: Through, backend: Backend) -> None:
    codex = Codex(vendors, backend)
    for number in range(3):
        arguments = {"cmd": f"echo {number}"}
        wants = codex.ask_for("exec_command", arguments)
        (call,) = [item for item in wants if item["type"] == "function_call"]
        answer = codex.give(call, f"Process exited with code {number}")

        assert (call["name"], json.loads(call["arguments"])) == ("exec_command", arguments)
        assert f"Process exited with code {number}" in _said(answer)


@each
def test_a_tool_in_a_namespace_is_called_also_where_there_are_none(vendors: Through, backend: Backend) -> None:
    codex = Codex(vendors, backend)

    wants = codex.ask_for("multi_agent_v1__close_agent", {"target": "nobody"})
    (call,) = [item for item in wants if item["type"] == "function_call"]
    answer = codex.give(call, "invalid agent id")

    assert (call["namespace"], call["name"]) == ("multi_agent_v1", "close_agent")
    assert json.loads(call["arguments"]) == {"target": "nobody"}
    assert "invalid agent id" in _said(answer)
