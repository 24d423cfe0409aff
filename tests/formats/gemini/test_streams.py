"""Streams: events and arrays, read and written."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.gemini.wire import HEADING, chat, chunks, fixture, stream, written
from tokengate.core.chat import Reasoning
from tokengate.core.errors import RateLimited, UpstreamFailed
from tokengate.core.fold import events_of
from tokengate.core.parts import Audio, Data, Text, Thinking, ToolCall
from tokengate.core.reply import (
    BlockEnd,
    Failure,
    Finish,
    FinishReason,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import Usage
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.gemini.read_stream import ArrayBuffer

NAMES = ["text", "thinking", "tools", "partial", "grounded", "image", "audio", "blocked", "code", "choices"]
SHOWN = chat(reasoning=Reasoning(shown=True))


def as_array(name: str) -> bytes:
    """The same stream as it comes without alt=sse."""
    frames = fixture(f"{name}.sse").replace(b"\r\n", b"\n").split(b"\n\n")
    values = [json.dumps(json.loads(frame[6:]), ensure_ascii=False).encode() for frame in frames if frame]
    return b"[" + b"\n,\r\n".join(values) + b"\n]\n"


@pytest.mark.parametrize("name", NAMES)
def test_an_array_says_what_the_events_say(name: str) -> None:
    assert stream(as_array(name)) == stream(fixture(f"{name}.sse"))


@given(st.sampled_from(NAMES), st.lists(st.integers(0, 5_000), max_size=9), st.booleans())
def test_bytes_may_be_cut_anywhere(name: str, cuts: list[int], array: bool) -> None:
    body = as_array(name) if array else fixture(f"{name}.sse")
    reader = GEMINI.stream_reader()
    ends = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]

    events = [event for start, end in pairwise(ends) for event in reader.feed(body[start:end])]

    assert [*events, *reader.close()] == stream(body)[1]


def test_usage_repeats_and_the_last_counts() -> None:
    reader = GEMINI.stream_reader()
    reader.feed(fixture("text.sse"))
    reader.close()

    assert reader.usage is not None and reader.usage.usage == Usage(input=8, output=9)


def test_usage_is_partial_until_every_candidate_ended() -> None:
    reader = GEMINI.stream_reader()
    begun, _, _ = fixture("choices.sse").split(b"\r\n\r\n")[:3]

    reader.feed(begun + b"\r\n\r\n")

    assert reader.usage is not None and reader.usage.partial
    reader.feed(fixture("choices.sse")[len(begun) + 4 :])
    assert not reader.usage.partial


def test_pieces_of_a_call_become_its_arguments() -> None:
    reply, _ = stream(fixture("partial.sse"))

    call = reply.choices[0].parts[0]
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == {
        "origin": "New York",
        "stops": [{"city": "Reykjavík"}, {"city": "Oslo"}],
        "bags": 2,
        "window": True,
        "note": None,
    }
    assert call.signature


def test_sound_that_came_in_pieces_is_whole() -> None:
    reply, _ = stream(fixture("audio.sse"))

    assert reply.choices[0].parts == GEMINI.read_reply(fixture("audio.reply.json")).choices[0].parts
    assert isinstance(reply.choices[0].parts[0], Audio)


def test_a_stream_without_a_reason_was_cut() -> None:
    first = fixture("text.sse").split(b"\r\n\r\n")[0] + b"\r\n\r\n"

    _, events = stream(first)

    assert isinstance(events[-1], Failure) and events[-1].kind == "cut"


def test_half_a_frame_is_a_cut() -> None:
    _, events = stream(fixture("text.sse")[:-40])

    assert isinstance(events[-1], Failure) and events[-1].kind == "cut"


def test_an_empty_stream_was_cut() -> None:
    assert [type(event) for event in stream(b"")[1]] == [Start, Failure]


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}\r\n\r\n',
        b'[{\n  "error": {\n    "code": 503,\n    "message": "Overloaded."\n  }\n}\n]\n',
        b'{"error": {"message": "Overloaded."}}',
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_error_may_come_in_any_shape(body: bytes, begun: bool) -> None:
    if begun and not body.startswith(b"["):
        body = fixture("text.sse").split(b"\r\n\r\n")[0] + b"\r\n\r\n" + body

    _, events = stream(body)

    last = events[-1]
    assert isinstance(last, Failure)
    assert (last.kind, last.message) == ("error", "Overloaded.")
    assert last.raw is not None and json.loads(bytes(last.raw))["message"] == "Overloaded."
    assert sum(isinstance(event, Start) for event in events) == 1


@pytest.mark.parametrize("body", [b"data: {]\r\n\r\n", b'data: {"candidates": {}}\n\n', b'[{"candidates": 1}]'])
def test_what_is_no_response_fails(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        stream(body)


def test_arguments_without_a_place_fail() -> None:
    def pieces(path: str) -> bytes:
        call = {"name": "f", "partialArgs": [{"jsonPath": path, "numberValue": 1}], "willContinue": True}
        return b"data: " + json.dumps({"candidates": [{"content": {"parts": [{"functionCall": call}]}}]}).encode()

    for path in ("$", "$[0]", "$.a[999999]", "$.a]", "$" + ".a" * 100):
        with pytest.raises(UpstreamFailed):
            stream(pieces(path) + b"\n\n")


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.lists(st.integers())), max_size=4))
def test_objects_are_cut_out_of_an_array(values: list[dict[str, object]]) -> None:
    body = json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass")
    whole, bytewise = ArrayBuffer(10_000), ArrayBuffer(10_000)

    assert [json.loads(one) for one in whole.feed(body)] == values
    assert [json.loads(one) for at in range(len(body)) for one in bytewise.feed(body[at : at + 1])] == values


def test_an_object_without_end_fails() -> None:
    with pytest.raises(UpstreamFailed):
        ArrayBuffer(100).feed(b'[{"a": "' + b"x" * 200)


# Writing


def test_each_delta_is_a_chunk_and_the_last_has_the_reason_and_usage() -> None:
    reply = GEMINI.read_reply(fixture("text.reply.json"))

    first, last = chunks(written(events_of(reply)))

    assert first == {
        "candidates": [
            {
                "content": {"parts": [{"text": "AI learns patterns — 数据 🙂 and predicts."}], "role": "model"},
                "index": 0,
            }
        ],
        "modelVersion": "my-model",
        "responseId": "reply-1",
    }
    assert last["candidates"] == [
        {"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0, "finishReason": "STOP"}
    ]
    assert last["usageMetadata"]["totalTokenCount"] == 17


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_may_be_written_again(name: str) -> None:
    reply, events = stream(fixture(f"{name}.sse"))

    again, _ = stream(written(events, SHOWN))

    assert [choice.parts for choice in again.choices] == [choice.parts for choice in reply.choices]
    assert [choice.finish for choice in again.choices] == [choice.finish for choice in reply.choices]
    assert again.usage and reply.usage
    assert again.usage.usage.output_total == reply.usage.usage.output_total
    assert again.searches == reply.searches


def test_a_call_is_said_when_it_is_whole() -> None:
    writer = GEMINI.stream_writer(HEADING, chat())
    pieces = [ToolStart(0, 0, "c1", "f"), ToolDelta(0, 0, '{"a":'), ToolDelta(0, 0, " 1}")]

    assert b"".join(map(writer.write, pieces)) == b""
    (chunk,) = chunks(writer.write(BlockEnd(0, 0)))
    assert chunk["candidates"][0]["content"]["parts"] == [{"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}}]


def test_a_call_is_said_before_what_follows_it() -> None:
    events = [Start(), ToolStart(0, 0, "c1", "f"), TextDelta(0, 1, "x"), Stop(0, FinishReason.TOOL_CALLS), Finish()]

    parts = [chunk["candidates"][0]["content"]["parts"] for chunk in chunks(written(events))]

    assert [[next(iter(part)) for part in each] for each in parts] == [["functionCall", "text"], ["text"]]


def test_hidden_thoughts_come_only_with_their_proof() -> None:
    events = [
        ThinkingDelta(0, 0, "Hm, "),
        ThinkingDelta(0, 0, "so."),
        ThinkingSignature(0, 0, "proof", "anthropic"),
        BlockEnd(0, 0),
        ThinkingDelta(0, 1, "secret"),
        BlockEnd(0, 1),
        TextDelta(0, 2, "Hi"),
        Stop(0, FinishReason.STOP),
        Finish(),
    ]

    reply, _ = stream(written(events))

    assert reply.choices[0].parts == (Thinking("Hm, so.", "proof", "anthropic"), Text("Hi"))


def test_hidden_thoughts_come_with_a_call_that_follows_them() -> None:
    events = [
        ThinkingDelta(0, 0, "Look "),
        ThinkingDelta(0, 0, "it up."),
        BlockEnd(0, 0),
        TextDelta(0, 1, "One moment."),
        ToolStart(0, 2, "c1", "f"),
        BlockEnd(0, 2),
        ToolStart(0, 3, "c2", "g"),
        Stop(0, FinishReason.TOOL_CALLS),
        Finish(),
    ]

    body = written(events)
    reply, _ = stream(body)

    text, thought, first, second = reply.choices[0].parts
    assert (text, thought) == (Text("One moment."), Thinking("Look it up."))
    assert isinstance(first, ToolCall) and isinstance(second, ToolCall)
    assert len(chunks(body)[1]["candidates"][0]["content"]["parts"]) == 2  # clients may keep the call's chunk alone


def test_a_stream_that_fails_says_so() -> None:
    error = RateLimited("Slow down.", retry_after_s=3)

    (said,) = chunks(GEMINI.stream_writer(HEADING, chat()).fail(error))

    assert said["error"]["code"] == 429 and said["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_sound_is_written_as_it_comes() -> None:
    reply, events = stream(fixture("audio.sse"))
    again, _ = stream(written(events))

    part = reply.choices[0].parts[0]
    assert isinstance(part, Audio) and isinstance(part.source, Data)
    assert again.choices[0].parts == reply.choices[0].parts
