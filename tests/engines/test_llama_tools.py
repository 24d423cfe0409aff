"""Forced tool choice with a model that does not call tools by itself."""

import json
from typing import Any

import pytest

from tests.engines.support import CLOCK, WEATHER, chat, deltas, streamed, whole
from tokengate.core.errors import BadRequest
from tokengate.engines.llama import LlamaEngine

QUESTION = "What is the weather in Paris?"
NAMED = {"type": "function", "function": {"name": "get_weather"}}


def is_call(call: dict[str, Any]) -> bool:
    """Whether a tool call is one of the declared ones, with arguments that fit."""
    arguments = json.loads(call["function"]["arguments"])
    assert call["type"] == "function"
    assert call["id"].startswith("call_")
    if call["function"]["name"] == "get_weather":
        return set(arguments) == {"city"} and isinstance(arguments["city"], str)
    return call["function"]["name"] == "get_time" and arguments["zone"] in ("UTC", "CET")


def joined_call(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one call that a stream's parts make."""
    parts = [call for delta in deltas(chunks) for call in delta.get("tool_calls", ())]
    assert {part["index"] for part in parts} == {0}
    assert all(set(part) == {"index", "function"} for part in parts[1:])
    arguments = "".join(part["function"]["arguments"] for part in parts)
    return parts[0] | {"function": {"name": parts[0]["function"]["name"], "arguments": arguments}}


async def test_a_named_function_is_called(llama: LlamaEngine) -> None:
    asked: dict[str, Any] = {"tools": [WEATHER, CLOCK], "tool_choice": NAMED, "seed": 1, "max_tokens": 60}

    reply = await whole(llama, chat(QUESTION, **asked))
    chunks = await streamed(llama, chat(QUESTION, **asked, stream=True))

    choice = reply["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert len(choice["message"]["tool_calls"]) == 1
    assert is_call(choice["message"]["tool_calls"][0])
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "get_weather"
    streamed_call = joined_call(chunks)
    assert streamed_call["function"] == choice["message"]["tool_calls"][0]["function"]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert len(deltas(chunks)) > 4, "arguments stream as they are written"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_required_call_is_to_one_of_the_tools(llama: LlamaEngine, stream: bool) -> None:
    asked = chat(
        QUESTION,
        tools=[WEATHER, CLOCK],
        tool_choice="required",
        seed=1,
        max_tokens=120,
        temperature=1,
        stream=stream,
    )

    if stream:
        chunks = await streamed(llama, asked)
        call, finish = joined_call(chunks), chunks[-2]["choices"][0]["finish_reason"]
    else:
        choice = (await whole(llama, asked))["choices"][0]
        call, finish = choice["message"]["tool_calls"][0], choice["finish_reason"]

    assert is_call(call)
    assert finish == "tool_calls"


async def test_tools_that_must_not_be_called_are_left_out(llama: LlamaEngine) -> None:
    without = await whole(llama, chat(QUESTION))
    reply = await whole(llama, chat(QUESTION, tools=[WEATHER], tool_choice="none"))

    assert reply["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"]
    assert "tool_calls" not in reply["choices"][0]["message"]


async def test_a_call_cut_by_the_cap_says_length(llama: LlamaEngine) -> None:
    reply = await whole(llama, chat(QUESTION, tools=[WEATHER], tool_choice=NAMED, max_tokens=2))

    assert reply["choices"][0]["finish_reason"] == "length"


async def test_a_choice_of_an_unknown_function_is_refused(llama: LlamaEngine) -> None:
    unknown = {"type": "function", "function": {"name": "get_rich"}}

    with pytest.raises(BadRequest) as caught:
        await llama.send(chat(tools=[WEATHER], tool_choice=unknown))

    assert caught.value.param == "tool_choice"
