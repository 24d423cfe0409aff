"""Streamed replies: the laws of a format, and the order that clients rely on."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, structs

from tests.formats.anthropic.examples import HEADING, REPLIES, STREAMS, cut, events, folded, frames
from tokengate.core.errors import InsufficientBalance, UpstreamFailed
from tokengate.core.fold import events_of
from tokengate.core.parts import Citation, Data, Image, Opaque, Part, Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import (
    BlockEnd,
    Choice,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Media,
    RefusalDelta,
    Reply,
    SearchResult,
    ServerTool,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.anthropic.replies import ending_in_words, read_reply
from tokengate.formats.anthropic.stream_read import StreamReader
from tokengate.formats.anthropic.stream_write import StreamWriter

FINISH = Finish(ReportedUsage(Usage(input=5, output=7), b"{}"))


def frame(type: str, **members: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **members})}\n\n".encode()


def start(**usage: Any) -> bytes:
    return frame("message_start", message={"id": "msg_1", "model": "m", "usage": usage})


def block(index: int, **content: Any) -> bytes:
    return frame("content_block_start", index=index, content_block=content)


def delta(index: int, **members: Any) -> bytes:
    return frame("content_block_delta", index=index, delta=members)


END = frame("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}) + frame("message_stop")


def without_bytes(reply: Reply) -> Reply:
    """Return a reply without what a stream's events do not say."""
    assert reply.usage is not None
    return structs.replace(reply, format="", usage=ReportedUsage(reply.usage.usage, b""))


# The laws


@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_stream_says_the_same_wherever_it_is_cut(name: str, places: list[int], line_end: str) -> None:
    data = STREAMS[name].replace(b"\n", line_end.encode())

    assert events(cut(data, places)) == events([STREAMS[name]])


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_adds_up_to_the_whole_reply(name: str) -> None:
    assert without_bytes(folded(events([STREAMS[name]])).reply()) == without_bytes(read_reply(REPLIES[name]))


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_one_start_and_one_end(name: str) -> None:
    read = events([STREAMS[name], STREAMS[name]])

    assert [type(event) for event in read if isinstance(event, Start | Finish | Failure)] == [Start, Finish]
    assert isinstance(read[0], Start) and isinstance(read[-1], Finish)


@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 4)), min_size=1, max_size=4),
)
def test_a_damaged_stream_ends_or_fails(name: str, changes: list[tuple[int, bytes, int]]) -> None:
    data = STREAMS[name]
    for place, new, removed in changes:
        at = place % len(data)
        data = data[:at] + new + data[at + removed :]

    try:
        read = events([data])
    except UpstreamFailed:
        return
    assert isinstance(read[0], Start) and isinstance(read[-1], Finish | Failure)


# What a vendor may leave out


def test_a_stream_that_is_cut_is_no_whole_reply() -> None:
    head, _, _ = STREAMS["tools"].partition(b"event: message_delta")

    assert isinstance(events([head])[-1], Failure)
    assert events([]) == [Start(), Failure("cut", "The upstream's stream ended before the reply was whole.")]


def test_a_stream_that_has_said_why_it_stopped_is_whole() -> None:
    head, _, _ = STREAMS["text"].partition(b"event: message_stop")

    assert folded(events([head])).finished
    assert folded(events([head.rstrip()])).finished


def test_an_error_inside_a_stream_is_its_end() -> None:
    error = frame("error", error={"type": "overloaded_error", "message": "Overloaded"})

    read = events([start() + error + block(0, type="text", text="x")])

    (_, data) = error.split(b"\ndata: ")
    assert read[1:] == [Failure("error", "Overloaded", Raw(data.strip()))]


def test_an_error_that_came_instead_of_a_stream_is_read() -> None:
    data = b'{"type":"error","error":{"type":"api_error","message":"Oops"},"request_id":"r"}'

    assert events([data]) == [Start(), Failure("error", "Oops", Raw(data))]


def test_an_error_without_words_is_kept_whole() -> None:
    assert events([frame("error")])[-1] == Failure("error", "The upstream sent an error.", Raw(b'{"type": "error"}'))


def test_events_that_are_new_are_nothing() -> None:
    noise = b": comment\n\n" + frame("ping") + frame("what_comes", index=0) + b"data: [DONE]\n\n"

    assert events([start() + noise + END + noise]) == events([start() + END])


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: 7\n\n", b"data: hello\n\n", b'data: {"type": 7}\n\n'])
def test_what_is_no_stream_fails(data: bytes) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        events([data])

    assert caught.value.kind == "invalid"


def test_a_tools_input_that_never_ends_is_cut_off() -> None:
    reader = StreamReader()
    reader.feed(start() + block(0, type="server_tool_use", id="s", name="web_search", input={}))
    piece = delta(0, type="input_json_delta", partial_json="x" * 500_000)

    with pytest.raises(UpstreamFailed) as caught:
        for _ in range(10):
            reader.feed(piece)

    assert caught.value.kind == "too_large"


def test_blocks_that_are_never_closed_are_counted() -> None:
    with pytest.raises(UpstreamFailed):
        events([b"".join(block(index, type="text", text="x") for index in range(2000))])


def test_a_tool_whose_arguments_came_at_its_start_has_them() -> None:
    read = events([start() + block(0, type="tool_use", id="t", name="f", input={"a": 1}) + END])

    assert folded(read).reply().choices[0].parts == (ToolCall("t", "f", '{"a": 1}'),)


def test_a_vendor_may_begin_with_a_delta() -> None:
    read = events([delta(0, type="text_delta", text="x") + delta(9, type="input_json_delta", partial_json="{") + END])

    assert folded(read).reply().choices[0].parts == (Text("x"),)


def test_blocks_that_say_nothing_are_there() -> None:
    data = start() + block(0, type="text", text="") + frame("content_block_stop", index=0)
    data += block(1, type="thinking", thinking="", signature="") + frame("content_block_stop", index=1)

    assert folded(events([data + END])).reply().choices[0].parts == (Text(""), Thinking(""))


def test_what_stands_at_a_blocks_start_is_read() -> None:
    cited = {"type": "web_search_result_location", "url": "https://x", "encrypted_index": "E"}
    data = start() + block(0, type="thinking", thinking="a", signature="EqQB")
    data += block(1, type="text", text="b", citations=[cited])

    thinking, text = folded(events([data + END])).reply().choices[0].parts

    assert thinking == Thinking("a", "EqQB", "anthropic")
    assert isinstance(text, Text) and text.citations[0].url == "https://x"


# Usage in two reports


@pytest.mark.parametrize(
    ("at_start", "at_end", "usage"),
    [
        ({"input_tokens": 9, "output_tokens": 1}, {"output_tokens": 5}, Usage(input=9, output=5)),
        ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 9, "output_tokens": 5}, Usage(input=9, output=5)),
        ({"input_tokens": 9}, {"input_tokens": 0, "output_tokens": 5}, Usage(input=9, output=5)),
        (
            {"input_tokens": 2, "cache_creation_input_tokens": 7, "cache_creation": {"ephemeral_1h_input_tokens": 7}},
            {"output_tokens": 5, "cache_creation_input_tokens": 7, "cache_read_input_tokens": None},
            Usage(input=2, cache_write_1h=7, output=5),
        ),
    ],
)
def test_the_larger_count_holds(at_start: dict[str, Any], at_end: dict[str, Any], usage: Usage) -> None:
    reader = StreamReader()
    reader.feed(start(**at_start) + frame("message_delta", delta={"stop_reason": "end_turn"}, usage=at_end))
    (_, finish) = reader.feed(frame("message_stop"))

    assert isinstance(finish, Finish) and finish.usage is reader.usage
    assert reader.usage is not None and reader.usage.usage == usage and not reader.usage.partial


def test_what_was_reported_before_a_stream_was_cut_is_known() -> None:
    reader = StreamReader()
    reader.feed(start(input_tokens=9, output_tokens=1))
    reader.close()

    assert reader.usage is not None and reader.usage.usage == Usage(input=9, output=1)
    assert reader.usage.partial


def test_a_vendor_may_report_only_once() -> None:
    reader = StreamReader()
    end = frame("message_delta", delta={"stop_reason": "end_turn"}) + frame("message_stop")
    (_, finish) = reader.feed(start(input_tokens=9, output_tokens=4) + end)[-2:]

    assert isinstance(finish, Finish) and finish.usage is not None
    assert finish.usage.usage == Usage(input=9, output=4) and not finish.usage.partial


# For clients


def written(*said: Event) -> list[dict[str, Any]]:
    writer = StreamWriter(HEADING)
    return frames(b"".join(writer.write(event) for event in (Start(), *said, FINISH)))


def blocks_of(*said: Event) -> list[Any]:
    """Return what a client puts together: the blocks, each with the kinds of its deltas."""
    found: list[Any] = []
    for event in written(*said)[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(found)
                found.append([event["content_block"]["type"]])
            case "content_block_delta":
                found[event["index"]].append(next(value for name, value in event["delta"].items() if name != "type"))
            case _:
                found[event["index"]].append("stop")
    assert all(one[-1] == "stop" for one in found)
    return found


def test_events_come_in_the_vendors_order() -> None:
    sent = written(TextDelta(0, 0, "hi"), BlockEnd(0, 0), Stop(0, FinishReason.STOP, "stop", "END"))

    assert [event["type"] for event in sent] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert sent[0]["message"] == {
        "id": "msg_ours",
        "type": "message",
        "role": "assistant",
        "model": "my-model",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": None,
            "server_tool_use": None,
            "service_tier": None,
        },
    }
    assert sent[4] == {
        "type": "message_delta",
        "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        "usage": {
            "input_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": None,
            "server_tool_use": None,
        },
    }


def test_a_block_ends_when_another_begins() -> None:
    said = (ThinkingDelta(0, 0, "a"), TextDelta(0, 1, "b"), ThinkingDelta(0, 0, "c"), RefusalDelta(0, 2, "d"))

    assert blocks_of(*said) == [
        ["thinking", "a", "stop"],
        ["text", "b", "stop"],
        ["thinking", "c", "stop"],
        ["text", "d", "stop"],
    ]


def test_calls_that_are_told_in_turns_stay_apart() -> None:
    said = (
        TextDelta(0, 0, "both"),
        ToolStart(0, 1, "t1", "f"),
        ToolStart(0, 2, "t2", "f"),
        ToolDelta(0, 1, '{"a"'),
        ToolDelta(0, 2, "{}"),
        ToolDelta(0, 1, ":1}"),
        BlockEnd(0, 1),
    )

    assert blocks_of(*said) == [
        ["text", "both", "stop"],
        ["tool_use", '{"a"', ":1}", "stop"],
        ["tool_use", "{}", "stop"],
    ]


def test_proofs_stand_in_their_blocks() -> None:
    said = (
        ThinkingDelta(0, 0, "hm", summary=True),
        ThinkingSignature(0, 0, "gAAA", "responses", id="rs_1"),
        BlockEnd(0, 0),
        ThinkingSignature(0, 1, "EmwK", "anthropic", redacted=True),
        ToolStart(0, 2, "t", "f", signature="AxQ"),
        BlockEnd(0, 2),
    )

    assert blocks_of(*said) == [
        ["thinking", "hm", "responses#rs_1~:gAAA", "stop"],
        ["redacted_thinking", "stop"],
        ["thinking", "call:AxQ", "stop"],
        ["tool_use", "stop"],
    ]


def test_sealed_thinking_is_not_the_last_word() -> None:
    sealed = ThinkingSignature(0, 1, "AxQ", "gemini", redacted=True)
    said = (TextDelta(0, 0, "a"), sealed, BlockEnd(0, 1))

    assert blocks_of(*said) == [["text", "a", "stop"]]
    assert blocks_of(*said, TextDelta(0, 2, "b")) == [
        ["text", "a", "stop"],
        ["redacted_thinking", "stop"],
        ["text", "b", "stop"],
    ]
    assert blocks_of(sealed) == [["redacted_thinking", "stop"]]


def test_what_says_nothing_opens_no_block() -> None:
    said = (
        TextDelta(0, 0, ""),
        ThinkingDelta(0, 1, ""),
        ToolDelta(0, 5, "{}"),
        BlockEnd(0, 0),
        LogprobsAdded(0, 0, ()),
    )

    assert blocks_of(*said) == []


def test_blocks_that_come_whole_are_whole() -> None:
    own = Opaque("anthropic", "x", Raw(b'{"type":"x","a":1}'))
    said = (
        TextDelta(0, 0, "see"),
        CitationAdded(0, 0, Citation("https://x")),
        ServerTool(0, 1, own),
        ServerTool(0, 2, Opaque("gemini", "y", Raw(b"{}"))),
        Media(0, 3, Image(Data("image/png", "AAAA"))),
    )

    assert [one[0] for one in blocks_of(*said)] == ["text", "x", "image"]


def test_only_the_first_choice_is_written() -> None:
    assert blocks_of(TextDelta(1, 0, "other"), TextDelta(0, 0, "this"), Stop(1, FinishReason.LENGTH)) == [
        ["text", "this", "stop"]
    ]


def test_a_failure_is_an_event_and_no_end() -> None:
    writer = StreamWriter(HEADING)

    assert writer.write(Failure("cut", "x")) == b""
    (event,) = frames(writer.fail(InsufficientBalance(needed_nano=2, available_nano=1)))
    assert (event["type"], event["error"]["type"]) == ("error", "billing_error")
    assert event["error"]["details"] == {"error_code": "insufficient_balance"}


_said = st.text(min_size=1, max_size=6)
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, _said, citations=st.lists(st.builds(Citation, _said), max_size=2).map(tuple)),
    st.builds(Thinking, _said),
    st.builds(Thinking, st.text(max_size=6), st.text("Eq=", min_size=1), st.just("anthropic")),
    st.builds(Thinking, st.just(""), _said, st.just("gemini"), st.just(True)),
    st.builds(
        ToolCall, _said, _said, st.sampled_from(["{}", '{"a":1}']), signature=st.sampled_from(["", "AxQ=", "a:b"])
    ),
    st.just(Opaque("anthropic", "bash_code", Raw(b'{"type":"bash_code","id":"s"}'))),
)


@given(st.lists(_parts, max_size=5), st.integers(0, 10**6))
def test_what_is_written_reads_as_the_same_reply(parts: list[Part], output: int) -> None:
    usage = ReportedUsage(Usage(input=3, cache_read=4, cache_write_5m=5, output=output, search=1), b"")
    choice = Choice(parts=tuple(parts), finish=FinishReason.TOOL_CALLS, native="tool_use")
    whole = Reply(id="msg_ours", model=HEADING.model, choices=(choice,), usage=usage)
    writer = StreamWriter(HEADING)

    read = events([b"".join(map(writer.write, events_of(whole)))])

    expected = structs.replace(whole, choices=(structs.replace(choice, parts=ending_in_words(choice.parts)),))
    assert without_bytes(folded(read).reply()) == expected


def test_a_refusal_in_words_is_a_text() -> None:
    writer = StreamWriter(HEADING)
    whole = Reply(choices=(Choice(parts=(Refusal("no"),), finish=FinishReason.CONTENT_FILTER),), usage=FINISH.usage)

    read = folded(events([b"".join(map(writer.write, events_of(whole)))])).reply()

    assert read.choices[0].parts == (Text("no"),) and read.choices[0].finish is FinishReason.CONTENT_FILTER


def test_pages_of_a_search_are_sources_of_the_last_text() -> None:
    end = Finish(FINISH.usage, (SearchResult("https://e.example/a", "A page", index=1),))
    said = (Start(), TextDelta(0, 0, "It is so."))
    named = CitationAdded(0, 0, Citation(url="https://e.example/b"))

    assert sources(*said, BlockEnd(0, 0), Stop(0, FinishReason.STOP), end) == ["https://e.example/a"]
    assert sources(*said, named, BlockEnd(0, 0), Stop(0, FinishReason.STOP), end) == ["https://e.example/b"]


def sources(*said: Event) -> list[str]:
    """Return the addresses that a stream cites."""
    writer = StreamWriter(HEADING)
    told = frames(b"".join(map(writer.write, said)))
    return [one["delta"]["citation"]["url"] for one in told if "citation" in one.get("delta", {})]
