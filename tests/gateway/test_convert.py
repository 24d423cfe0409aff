"""A caller of one format and a backend of another: requests, replies and streams pass through the vocabulary."""

import json
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.parts import MODEL, backend, call, inner_of, json_of, target
from tokengate.catalog.tokens import Counted, estimate_tokens
from tokengate.core.errors import Unsupported, UpstreamFailed
from tokengate.core.usage import Usage, UsageSource
from tokengate.core.wire import Inlined
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.openai.format import OpenAIChat
from tokengate.gateway.adapt import adapt
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.anthropic import MESSAGES
from tokengate.gateway.call import Call
from tokengate.gateway.convert import Converted
from tokengate.gateway.gemini import generate
from tokengate.gateway.openai import CHAT_COMPLETIONS
from tokengate.gateway.operation import Operation
from tokengate.gateway.overlay import fixed_chat
from tokengate.gateway.route import Target
from tokengate.gateway.written import Written

CLAUDE = structs.replace(target(backend("claude"), model="claude-x"), formats={"anthropic": ANTHROPIC})
GPT = structs.replace(target(backend("gpt")), formats={"openai": OpenAIChat()})
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Hello there"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 4},
}
EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "there"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
)
STREAM = b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in EVENTS)


async def nothing_fetched(url: str, limit_bytes: int) -> Inlined:
    raise AssertionError("no address was named")


async def adapted(asked: dict[str, Any], to: Target = CLAUDE, cap: int | None = None) -> tuple[Adapter, Call]:
    body = json.dumps(asked).encode()
    one = call(body)
    return await adapt(one, to, body, cap, nothing_fetched), one


def data_of(sent: bytes) -> list[Any]:
    return [json.loads(frame[6:]) for frame in sent.split(b"\n\n") if frame.startswith(b"data: {")]


async def test_a_request_is_written_in_the_backends_format_under_its_name_of_the_model() -> None:
    adapter, _ = await adapted({**ASKED, "max_tokens": 5, "stop": ["."]})

    sent = json_of(adapter)
    assert isinstance(inner_of(adapter), Converted)
    assert adapter.path == "/v1/messages"
    assert adapter.headers["anthropic-version"]
    assert (sent["model"], sent["max_tokens"], sent["stop_sequences"]) == ("claude-x", 5, ["."])


@pytest.mark.parametrize(("asked", "affordable", "sent"), [(5, None, 5), (None, None, 64_000), (None, 300, 300)])
async def test_a_format_that_needs_a_cap_gets_the_models_own_maximum(
    asked: int | None, affordable: int | None, sent: int
) -> None:
    """As vendors do whose format may leave it out; what the wallet can pay comes first."""
    body = json.dumps({**ASKED, "max_tokens": asked}).encode()
    one = call(body)
    one.model = structs.replace(one.model, max_output=64_000)

    adapter = await adapt(one, CLAUDE, body, affordable, nothing_fetched)

    assert json_of(adapter)["max_tokens"] == sent


LEFT_OPEN: dict[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
    "generationConfig": {"thinkingConfig": {"thinkingBudget": -1}},
}


@pytest.mark.parametrize(
    ("operation", "asked", "to", "name"),
    [
        (MESSAGES, {**ASKED, "max_tokens": 9, "thinking": {"type": "adaptive"}}, GPT, "thinking"),
        (CHAT_COMPLETIONS, {**ASKED, "thinking": {"type": "adaptive"}}, CLAUDE, "reasoning_effort"),
        (generate("m", stream=False), LEFT_OPEN, GPT, "generationConfig.thinkingConfig"),
    ],
)
async def test_a_model_that_does_not_think_is_not_told_to_decide_how_much(
    operation: Operation, asked: dict[str, Any], to: Target, name: str
) -> None:
    body = json.dumps(asked).encode()
    one = call(body, operation=operation)
    one.model = structs.replace(one.model, capabilities=("工具调用",))

    adapter = await adapt(one, to, body, None, nothing_fetched)

    assert adapter.dropped == [name]
    assert not {"thinking", "reasoning_effort"} & json_of(adapter).keys()


async def test_a_model_without_a_stated_maximum_gets_the_formats_own() -> None:
    adapter, _ = await adapted(ASKED)

    assert json_of(adapter)["max_tokens"] == 4096


async def test_what_is_added_to_a_conversation_is_told() -> None:
    greeting = {"role": "assistant", "content": "How can I help?"}

    plain, plain_call = await adapted(ASKED)
    adapter, greeted = await adapted({**ASKED, "messages": [greeting, *ASKED["messages"]]})

    assert json_of(adapter)["messages"][0] == {"role": "user", "content": [{"type": "text", "text": "..."}]}
    assert (plain_call.added, plain.dropped) == ([], [])
    assert greeted.added == ["a user's turn '...' before the first message"]
    greeted.begin(CLAUDE)
    assert greeted.added == [], "what the next backend is told counts"


async def test_what_the_format_cannot_say_is_named_as_the_caller_named_it() -> None:
    adapter, _ = await adapted({**ASKED, "seed": 7, "frequency_penalty": 1})

    assert sorted(adapter.dropped) == ["frequency_penalty", "seed"]
    with pytest.raises(Unsupported) as refusal:
        await adapted({**ASKED, "n": 2})
    assert refusal.value.param == "n"


async def test_a_lowered_cap_reaches_the_backend() -> None:
    adapter, _ = await adapted(ASKED, cap=9)

    assert json_of(adapter)["max_tokens"] == 9


async def test_a_whole_reply_is_the_callers_with_the_vendors_usage() -> None:
    adapter, _ = await adapted(ASKED)

    reply = adapter.whole(json.dumps(MESSAGE).encode())

    told = json.loads(reply.body)
    assert reply.has_content
    assert reply.usage is not None and reply.usage.usage == Usage(input=3, cache_read=2, output=4)
    assert told["model"] == "m" and told["object"] == "chat.completion"
    assert told["choices"][0]["message"]["content"] == "Hello there"
    assert told["choices"][0]["finish_reason"] == "stop"
    assert told["usage"]["prompt_tokens"] == 5 and told["usage"]["total_tokens"] == 9


async def test_a_reply_without_usage_shows_what_will_be_billed() -> None:
    adapter, _ = await adapted(ASKED)

    reply = adapter.whole(json.dumps({**MESSAGE, "usage": None}).encode())

    assert reply.usage is None and reply.texts == ("Hello there",)
    assert reply.write is not None
    told = json.loads(reply.write(Usage(input=7, output=3)))
    assert (told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == (7, 3)
    assert told["choices"][0]["message"]["content"] == "Hello there"


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_stream_is_the_callers_however_it_is_cut(size: int) -> None:
    adapter, _ = await adapted({**ASKED, "stream": True, "stream_options": {"include_usage": True}})
    written = Written(MODEL)
    lane = adapter.lane(written)

    sent = b"".join(lane.feed(STREAM[at : at + size]) for at in range(0, len(STREAM), size)) + lane.close()

    assert lane.has_content and lane.finished and lane.ended and lane.failure is None
    assert lane.usage is not None and lane.usage.usage == Usage(input=3, cache_read=2, output=4)
    assert b"[DONE]" not in sent, "the end waits for the bill"
    chunks = data_of(sent + lane.end(Usage(input=1)))
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text == "Hello there"
    assert {chunk["model"] for chunk in chunks} == {"m"} and len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[-1]["usage"]["total_tokens"] == 9
    assert lane.end().endswith(b"data: [DONE]\n\n")
    assert await written.count() == Counted(estimate_tokens("Hello there"), UsageSource.ESTIMATED)


async def test_a_stream_that_breaks_off_is_not_finished() -> None:
    adapter, _ = await adapted({**ASKED, "stream": True})
    lane = adapter.lane(Written(MODEL))

    lane.feed(STREAM[: STREAM.index(b"event: message_delta")])
    lane.close()

    assert lane.has_content and lane.ended and not lane.finished and lane.failure is None
    broken = UpstreamFailed("The backend's stream ended before the reply was whole.", kind="cut")
    assert data_of(lane.fail(broken))[0]["error"]["message"].startswith("The backend's stream")


async def test_an_error_inside_a_stream_is_the_vendors() -> None:
    adapter, _ = await adapted({**ASKED, "stream": True})
    lane = adapter.lane(Written(MODEL))

    lane.feed(b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n')

    assert lane.ended and not lane.finished
    assert lane.failure is not None and lane.failure.message == "Busy"


async def test_a_stream_that_got_too_long_ends_with_length() -> None:
    adapter, _ = await adapted({**ASKED, "stream": True, "stream_options": {"include_usage": True}})
    lane = adapter.lane(Written(MODEL))
    lane.feed(STREAM[: STREAM.index(b"event: content_block_stop")])

    chunks = data_of(lane.length_end(Usage(input=3, output=2)))

    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "length"
    assert chunks[-1]["usage"]["total_tokens"] == 5


async def test_what_the_catalogue_says_of_a_model_goes_over_the_callers_own() -> None:
    fixed = fixed_chat({"temperature": 0.5, "max_tokens": 3})
    adapter, _ = await adapted({**ASKED, "temperature": 1, "top_p": 0.9}, structs.replace(CLAUDE, fixed=fixed))

    sent = json_of(adapter)
    assert (sent["temperature"], sent["max_tokens"], sent["top_p"]) == (0.5, 3, 0.9)
