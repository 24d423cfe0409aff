"""Streams as OpenAI's SDK accumulates them, whoever gave the events."""

import json
from typing import Any

import pytest
from msgspec import Raw
from openai.types.chat import ChatCompletionChunk

from tests.formats.openai.chats import read
from tokengate.core.chat import Chat
from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Audio, Citation, Data, Image, Opaque
from tokengate.core.reply import (
    BlockEnd,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Media,
    SearchResult,
    ServerTool,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    TokenLogprob,
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading
from tokengate.formats.openai.format import OPENAI_CHAT

USAGE = ReportedUsage(Usage(input=3, output=2), b"{}")
END = (Stop(0, FinishReason.STOP), Finish(USAGE))


def body(*events: Event, chat: Chat | None = None) -> bytes:
    writer = OPENAI_CHAT.stream_writer(Heading("req1", "our/model", 5), chat or read(stream=True))
    return b"".join(writer.write(event) for event in (Start(), *events))


def chunks(*events: Event, chat: Chat | None = None) -> list[dict[str, Any]]:
    """Return the chunks of a whole stream, each of which must be one to the SDK."""
    *frames, last = body(*events, *END, chat=chat).decode().removesuffix("\n\n").split("\n\n")
    assert last == "data: [DONE]"
    told = [json.loads(frame.removeprefix("data: ")) for frame in frames]
    for chunk in told:
        if b'"custom"' not in json.dumps(chunk).encode():  # for which the SDK has no type in chunks
            ChatCompletionChunk.model_validate(chunk)
    return told


def deltas(*events: Event, chat: Chat | None = None) -> list[dict[str, Any]]:
    """Return the deltas between the first chunk, which tells the role, and the last, which tells the reason."""
    first, *told, last = chunks(*events, chat=chat)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert last["choices"][0]["delta"] == {}
    return [choice["delta"] for chunk in told for choice in chunk["choices"]]


def test_every_chunk_is_headed_by_the_gateway() -> None:
    told = chunks(TextDelta(0, 0, "a"))

    assert {(chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in told} == {
        ("chatcmpl-req1", "chat.completion.chunk", 5, "our/model")
    }
    assert [choice["finish_reason"] for chunk in told for choice in chunk["choices"]] == [None, None, "stop"]
    assert all("usage" not in chunk for chunk in told)


def test_usage_comes_last_and_alone_when_it_was_asked_for() -> None:
    told = chunks(TextDelta(0, 0, "a"), chat=read(stream=True, stream_options={"include_usage": True}))

    assert [chunk["usage"] for chunk in told[:-1]] == [None] * 3
    assert told[-1]["choices"] == []
    assert told[-1]["usage"]["total_tokens"] == 5


def test_every_choice_begins_with_its_role() -> None:
    told = chunks(TextDelta(1, 0, "b"), TextDelta(0, 0, "a"), Stop(1, FinishReason.LENGTH))

    assert [(chunk["choices"][0]["index"], chunk["choices"][0]["delta"].get("role")) for chunk in told] == [
        (0, "assistant"), (1, "assistant"), (1, None), (0, None), (1, None), (0, None),
    ]  # fmt: skip


def test_calls_are_counted_without_other_blocks() -> None:
    told = deltas(
        TextDelta(0, 0, "Let me see."),
        BlockEnd(0, 0),
        ToolStart(0, 4, "c1", "f", "sig"),
        ToolDelta(0, 4, '{"a"'),
        ToolDelta(0, 4, ":1}"),
        BlockEnd(0, 4),
        ToolStart(0, 7, "c2", "g"),
        BlockEnd(0, 7),
    )

    assert [call for delta in told for call in delta.get("tool_calls", ())] == [
        {
            "index": 0,
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": ""},
            "extra_content": {"google": {"thought_signature": "sig"}},
        },
        {"index": 0, "function": {"arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ":1}"}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},  # a call without arguments is JSON, too
    ]


def test_a_caller_of_functions_hears_of_one() -> None:
    calls = ToolStart(0, 0, "c", "f"), ToolDelta(0, 0, "{}"), BlockEnd(0, 0), ToolStart(0, 1, "d", "g"), BlockEnd(0, 1)

    assert deltas(*calls, chat=read(stream=True, functions=[{"name": "f"}])) == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]


def test_a_custom_tools_text_is_opened_when_it_is_whole() -> None:
    chat = read(stream=True, tools=[{"type": "custom", "custom": {"name": "code"}}])

    wrapped = deltas(
        ToolStart(0, 0, "c", "code"), ToolDelta(0, 0, '{"input":"pri'), ToolDelta(0, 0, 'nt(1)"}'), BlockEnd(0, 0),
        chat=chat,
    )  # fmt: skip
    plain = deltas(
        ToolStart(0, 0, "c", "code", custom=True), ToolDelta(0, 0, "pri"), ToolDelta(0, 0, "nt(1)"), BlockEnd(0, 0),
        chat=chat,
    )  # fmt: skip

    head = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "code", "input": ""}}
    assert [delta["tool_calls"][0] for delta in wrapped] == [head, {"index": 0, "custom": {"input": "print(1)"}}]
    assert [delta["tool_calls"][0]["custom"]["input"] for delta in plain] == ["", "pri", "nt(1)"]


def test_proofs_come_with_the_whole_text_that_they_prove() -> None:
    told = deltas(
        ThinkingDelta(0, 0, "Let me "),
        ThinkingDelta(0, 0, "think."),
        ThinkingSignature(0, 0, "s", "anthropic"),
        BlockEnd(0, 0),
        ThinkingSignature(0, 1, "d", "anthropic", redacted=True),
        BlockEnd(0, 1),
    )

    assert told == [
        {"reasoning_content": "Let me "},
        {"reasoning_content": "think."},
        {
            "reasoning_details": [
                {
                    "type": "reasoning.text",
                    "text": "Let me think.",
                    "signature": "s",
                    "format": "anthropic",
                    "index": 0,
                }
            ]
        },
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "d", "format": "anthropic", "index": 1}]},
    ]


def test_probabilities_wait_for_their_text() -> None:
    token = TokenLogprob("a", -1.0)
    told = chunks(LogprobsAdded(0, 0, (token,)), TextDelta(0, 0, "a"), TextDelta(0, 0, "b"))

    assert [bool(chunk["choices"][0]["logprobs"]) for chunk in told] == [False, True, False, False]


def test_sources_stand_where_they_are_in_the_whole_text() -> None:
    told = deltas(
        TextDelta(0, 0, "ab"),
        TextDelta(0, 1, "cde"),
        CitationAdded(0, 1, Citation("https://e", start=1, end=2)),
        CitationAdded(0, 1, Citation("https://f")),
    )

    assert [delta["annotations"][0]["url_citation"]["start_index"] for delta in told[2:]] == [3, 2]
    assert [delta["annotations"][0]["url_citation"]["end_index"] for delta in told[2:]] == [4, 5]


def test_media_and_what_was_found() -> None:
    events = (
        Media(0, 0, Audio(Data("", "AAAA"), id="a")),
        Media(0, 0, Audio(Data("", ""), transcript="hi")),
        Media(0, 1, Image(Data("image/png", "AA"))),
        ServerTool(0, 2, Opaque("anthropic", "web_search", Raw(b"{}"))),
    )
    told = body(*events, Stop(0, FinishReason.STOP), Finish(USAGE, (SearchResult("https://e", index=1),))).decode()

    assert deltas(*events) == [
        {"audio": {"id": "a", "data": "AAAA"}},
        {"audio": {"transcript": "hi"}},
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}, "index": 0}]},
    ]
    last = json.loads(told.rpartition("data: {")[2].partition("\n")[0].join(("{", "")))
    assert last["search_info"]["search_results"][0]["url"] == "https://e"


@pytest.mark.parametrize("last", ["event", "error"])
def test_a_stream_that_fails_ends_with_an_error_and_no_mark(last: str) -> None:
    writer = OPENAI_CHAT.stream_writer(Heading("req1", "m", 5), read(stream=True))
    writer.write(Start())

    told = (
        writer.write(Failure("error", "No.")) if last == "event" else writer.fail(UpstreamFailed("No.", kind="status"))
    )

    assert told.endswith(b"\n\n") and b"[DONE]" not in told
    error = json.loads(told.removeprefix(b"data: "))["error"]
    assert (error["message"], error["type"]) == ("No.", "upstream_error")
