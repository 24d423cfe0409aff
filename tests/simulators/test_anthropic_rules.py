"""The simulated vendor refuses what Anthropic refuses, so that a test which passes means something."""

from typing import Any

import pytest

from tests.simulators.anthropic_rules import Rejected, check, sign

USER = {"role": "user", "content": "hi"}
CALL: dict[str, Any] = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "1"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
ENABLED = {"type": "enabled", "budget_tokens": 1024}


def request(*messages: Any, model: str = "claude-sonnet-4-5", **members: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 2000, "messages": list(messages or (USER,)), **members}


def said(role: str, *blocks: Any) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


@pytest.mark.parametrize(
    "body",
    [
        request(),
        request(USER, said("assistant", CALL), said("user", RESULT), tools=[TOOL]),
        request(USER, USER, said("assistant", {"type": "text", "text": "yes"}), temperature=1),
        request(thinking=ENABLED, temperature=1),
        request(model="claude-opus-4-7", thinking={"type": "adaptive"}, output_config={"effort": "xhigh"}),
        request(USER, {"role": "system", "content": "now"}, model="claude-opus-4-8"),
    ],
)
def test_what_is_right_is_taken(body: dict[str, Any]) -> None:
    check(body, beta=False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (request(seed=1), "seed: Extra inputs"),
        (request(temperature=1.2), "temperature"),
        (request(temperature=0.2, model="claude-opus-4-7"), "deprecated for this model"),
        (request(temperature=0.2, top_p=0.5), "cannot both"),
        (request(max_tokens="9"), "max_tokens"),
        (request(stop_sequences=["\n"]), "non-whitespace"),
        (request(said("assistant", {"type": "text", "text": "x"})), "first message"),
        (request(said("user", {"type": "text", "text": " "})), "non-whitespace text"),
        (request(said("user")), "non-empty content"),
        (request(said("user", CALL)), "does not match"),
        (request(USER, said("assistant", RESULT)), "does not match"),
        (request(USER, said("assistant", CALL), USER, tools=[TOOL]), "without `tool_result`"),
        (request(USER, said("assistant", CALL), said("user", {"type": "text", "text": "x"}, RESULT)), "without"),
        (request(said("user", RESULT)), "unexpected `tool_use_id`"),
        (request(USER, said("assistant", CALL, CALL), said("user", RESULT)), "unique"),
        (request(USER, said("assistant", {**CALL, "id": "a:b"})), "pattern"),
        (request(USER, {"role": "assistant", "content": "x "}), "trailing whitespace"),
        (request(USER, {"role": "assistant", "content": "x"}, model="claude-opus-4-6"), "prefill"),
        (request(USER, {"role": "system", "content": "x"}), "not supported on this model"),
        (request(said("user", *[{"type": "text", "text": "x", **MARK}] * 5)), "maximum of 4"),
        (request(said("user", *[{"type": "text", "text": "x", **MARK}] * 4), **MARK), "maximum of 4"),
        (request(thinking={**ENABLED, "budget_tokens": 1000}), "1024"),
        (request(thinking={**ENABLED, "budget_tokens": 2000}), "must be greater"),
        (request(thinking=ENABLED, temperature=0.5), "only be set to 1"),
        (request(thinking=ENABLED, tool_choice={"type": "any"}, tools=[TOOL]), "forces tool use"),
        (request(thinking={"type": "adaptive"}), "adaptive"),
        (request(thinking=ENABLED, model="claude-opus-4-7"), "not supported for this model"),
        (
            request(USER, said("assistant", CALL), said("user", RESULT), thinking=ENABLED, tools=[TOOL]),
            "must start with a thinking block",
        ),
        (
            request(USER, said("assistant", {"type": "thinking", "thinking": "x", "signature": sign("y")}), USER),
            "Invalid `signature`",
        ),
        (request(USER, said("assistant", {"type": "thinking", "thinking": "x"}), USER), "signature: Field required"),
        (request(tools=[{"name": "f", "input_schema": {}}]), "input_schema.type"),
        (request(tools=[TOOL, TOOL]), "unique"),
        (request(tool_choice={"type": "auto"}), "while providing tools"),
        (request(tool_choice={"type": "tool", "name": "g"}, tools=[TOOL]), "not found"),
        (
            request(
                said("user", {"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": ""}})
            ),
            "media_type",
        ),
    ],
)
def test_what_is_wrong_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        check(body, beta=False)


def test_a_count_has_no_output() -> None:
    body = request()

    with pytest.raises(Rejected, match="max_tokens"):
        check(body, beta=False, counting=True)
    del body["max_tokens"]
    check(body, beta=False, counting=True)
