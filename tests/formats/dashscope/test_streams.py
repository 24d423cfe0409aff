import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from tests.formats.dashscope.wire import (
    FIXTURES,
    HEADING,
    asked,
    chat,
    data_of,
    fixture,
    folded,
    plain,
    read_stream,
    streamed,
)
from tokengate.core.errors import Unavailable, UpstreamFailed
from tokengate.core.fold import events_of
from tokengate.core.parts import Audio, Citation, Data, Image, Opaque, Text, Thinking, ToolCall, Url
from tokengate.core.reply import (
    Beside,
    Choice,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    Media,
    RefusalDelta,
    Reply,
    SearchResult,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.dashscope.replies import read_reply
from tokengate.formats.dashscope.stream_read import DashScopeStreamReader
from tokengate.formats.dashscope.stream_write import DashScopeStreamWriter

STREAMS = sorted(path for path in FIXTURES.glob("*.sse") if path.name != "error.sse")
USAGE = ReportedUsage(Usage(input=3, output=2), b"")


def pieces(path: Path) -> bool:
    """Say whether a fixture's events carry pieces."""
    return ".whole." not in path.name


def usage(events: list[Event]) -> Usage | None:
    last = events[-1]
    assert isinstance(last, Finish)
    return last.usage.usage if last.usage else None


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_the_sum_of_a_stream_is_the_whole_answer(path: Path):
    whole = read_reply((FIXTURES / f"{path.name.partition('.')[0]}.json").read_bytes())

    reply = folded(read_stream(path.read_bytes(), pieces=pieces(path)))

    assert plain(reply.choices) == plain(whole.choices)
    assert reply.searches == whole.searches
    assert (reply.usage and reply.usage.usage) == (whole.usage and whole.usage.usage)
    assert reply.id == whole.id


@pytest.mark.parametrize("path", [*STREAMS, FIXTURES / "error.sse"], ids=lambda path: path.name)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@settings(max_examples=25)
@given(data=st.data())
def test_a_stream_says_the_same_wherever_it_is_cut(path: Path, end: bytes, data: st.DataObject):
    stream = path.read_bytes().replace(b"\n", end)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))

    assert read_stream(stream, *cuts, pieces=pieces(path)) == read_stream(path.read_bytes(), pieces=pieces(path))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_blank_lines_between_events_are_not_needed(path: Path):
    stream = path.read_bytes()

    without = re.sub(rb"\n+", b"\n", stream)

    assert read_stream(without, pieces=pieces(path)) == read_stream(stream, pieces=pieces(path))


def test_every_event_is_told_as_soon_as_its_line_is_whole():
    stream = fixture("message.sse")
    first = stream.index(b"\n", stream.index(b"data:")) + 1

    events = DashScopeStreamReader().feed(stream[:first])

    assert events[1:] == [TextDelta(0, 0, "你好")]


def test_comments_marks_and_data_over_several_lines_are_read():
    data = json.dumps(data_of(fixture("message.sse"))[-1], indent=1, ensure_ascii=False)
    stream = "\ufeff: ping\n\nretry: 10\nid: 1\nevent: result\n"
    stream += "".join(f"data: {line}\n" for line in data.splitlines())

    events = read_stream(stream.encode())

    assert isinstance(events[-2], Stop)
    assert isinstance(events[-1], Finish)


@pytest.mark.parametrize(
    "stream",
    [
        fixture("error.sse"),
        fixture("error.sse").replace(b"event:error", b"event: error"),
        fixture("error.sse").replace(b"event:error\n", b""),
        b"data: " + json.dumps(json.loads(fixture("error.json"))).encode() + b"\n\n",
        json.dumps(json.loads(fixture("error.json"))).encode(),
    ],
    ids=["error event", "with a blank", "result event", "data alone", "bare object"],
)
def test_an_error_ends_the_stream_in_whatever_form_it_comes(stream: bytes):
    events = read_stream(stream)

    failure = events[-1]
    assert isinstance(events[0], Start)
    assert isinstance(failure, Failure) and failure.kind == "error"
    assert "Range of max_tokens" in failure.message
    assert failure.raw is not None and json.loads(bytes(failure.raw))["code"] == "InvalidParameter"


def test_an_error_in_openais_shape_is_one_too():
    value = json.dumps(json.loads(fixture("error-model.json"))).encode()

    failure = read_stream(b"event:error\ndata:" + value + b"\n\n")[-1]

    assert isinstance(failure, Failure) and "not found" in failure.message


def test_an_error_after_content_ends_the_stream():
    begun = fixture("message.sse").partition(b"id:3")[0]

    events = read_stream(begun + fixture("error.sse") + fixture("message.sse"))

    assert [type(event) for event in events] == [Start, TextDelta, TextDelta, Failure]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_a_stream_that_is_cut_is_no_whole_one(path: Path):
    stream = path.read_bytes()

    failure = read_stream(stream[: len(stream) // 2], pieces=pieces(path))[-1]

    assert isinstance(failure, Failure) and failure.kind == "cut"


def test_an_empty_stream_is_a_cut_one():
    start, failure = read_stream(b"")

    assert isinstance(start, Start)
    assert isinstance(failure, Failure) and failure.kind == "cut"


def test_each_choices_usage_counts_once():
    assert usage(read_stream(fixture("choices.sse"))) == Usage(input=186, output=5)


def test_what_was_reported_last_is_known_while_the_stream_goes_on():
    reader = DashScopeStreamReader()
    begun, _, _ = fixture("multimodal.sse").partition(b"id:4")

    reader.feed(begun)

    assert reader.usage is not None
    assert reader.usage.usage == Usage(input=388, image_in=2503, output=4, reasoning=4)


@pytest.mark.parametrize(
    "stream",
    [
        b"data: {\n\n",
        b"data: 5\n\n",
        b'data: {"output": 5}\n\n',
        b'data: {"output": {"choices": 5}}\n\n',
        b'data: {"output": {"choices": [{"message": {"content": 5}}]}}\n\n',
        b'data: {"output": {"text": "\xff"}}\n\n',
    ],
)
def test_what_is_no_stream_of_this_format_is_the_upstreams_failure(stream: bytes):
    with pytest.raises(UpstreamFailed) as caught:
        read_stream(stream)

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("data", [b"data: ", b"data: {"])
def test_an_event_without_an_end_is_not_kept_for_ever(data: bytes):
    reader = DashScopeStreamReader()
    reader.feed(data)

    with pytest.raises(UpstreamFailed) as caught:
        for _ in range(40):
            reader.feed(b"x" * 40_000 if data == b"data: " else b" " * 40_000 + b"\n" + data)

    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
@settings(max_examples=25)
@given(data=st.data())
def test_a_mutated_stream_ends_or_is_the_upstreams_failure(path: Path, data: st.DataObject):
    stream = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(stream) - 1))
        end = min(len(stream), start + data.draw(st.integers(0, 12)))
        stream[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"\n", b"\r"]))

    try:
        events = read_stream(bytes(stream), pieces=pieces(path))
    except UpstreamFailed as error:
        assert error.kind in ("invalid", "too_large")
    else:
        assert sum(isinstance(event, Start) for event in events) == 1 and isinstance(events[0], Start)
        assert sum(isinstance(event, Finish | Failure) for event in events) == 1
        assert isinstance(events[-1], Finish | Failure)


ANSWER = Reply(
    choices=(
        Choice(
            parts=(
                Thinking("hm", "sig", "anthropic"),
                Text("ab"),
                ToolCall("c1", "f", '{"a":1}', "ts"),
                ToolCall("c2", "g", ""),
            ),
            finish=FinishReason.TOOL_CALLS,
        ),
    ),
    usage=USAGE,
    searches=(SearchResult("https://a.example", "A", index=1),),
)


def test_frames_are_framed_as_the_vendor_frames_them():
    stream = streamed(list(events_of(ANSWER)), asked(result_format="message", incremental_output=True))

    first, _, rest = stream.partition(b"\n\n")
    assert re.fullmatch(rb"id:1\nevent:result\n:HTTP_STATUS/200\ndata:\{.*\}", first)
    assert rest.startswith(b"id:2\n")
    assert b"[DONE]" not in stream
    assert {data["request_id"] for data in data_of(stream)} == {"req_our-id"}


def test_a_stream_in_pieces_tells_what_is_new():
    events: list[Event] = [
        Start(),
        ThinkingDelta(0, 0, "hm"),
        TextDelta(0, 1, "a"),
        TextDelta(0, 1, ""),
        RefusalDelta(0, 2, "b"),
        ToolStart(0, 3, "c1", "f", "ts"),
        ToolDelta(0, 3, '{"a"'),
        ToolDelta(0, 3, ":1}"),
        Stop(0, FinishReason.TOOL_CALLS),
        Finish(USAGE),
    ]

    data = data_of(streamed(events, asked(result_format="message", incremental_output=True)))

    choices = [one["output"]["choices"][0] for one in data]
    assert [choice["finish_reason"] for choice in choices] == ["null"] * 6 + ["tool_calls"]
    assert [choice["message"]["content"] for choice in choices] == ["", "a", "b", "", "", "", ""]
    assert choices[0]["message"]["reasoning_content"] == "hm"
    calls = [choice["message"]["tool_calls"][0] for choice in choices if "tool_calls" in choice["message"]]
    assert [call["function"].get("name") for call in calls] == ["f", None, None]
    assert [call["function"]["arguments"] for call in calls] == ["", '{"a"', ":1}"]
    assert [call["id"] for call in calls] == ["c1", "", ""]
    assert data[-1]["usage"]["total_tokens"] == 5
    assert all(one["usage"] == {} for one in data[:-1])


def test_a_stream_of_wholes_tells_all_that_was_said():
    events: list[Event] = [
        Start(),
        ThinkingDelta(0, 0, "h"),
        ThinkingDelta(0, 0, "m"),
        TextDelta(0, 1, "a"),
        TextDelta(0, 1, "b"),
        ToolStart(0, 2, "c1", "f"),
        ToolDelta(0, 2, "{"),
        ToolDelta(0, 2, "}"),
        Stop(0, FinishReason.TOOL_CALLS),
        Finish(USAGE),
    ]

    data = data_of(streamed(events, asked(result_format="message")))

    messages = [one["output"]["choices"][0]["message"] for one in data]
    assert [message["content"] for message in messages] == ["", "", "a", "ab", "ab", "ab", "ab", "ab"]
    assert [message["reasoning_content"] for message in messages] == ["h", *["hm"] * 7]
    assert messages[-1]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}


@pytest.mark.parametrize(("incremental", "texts"), [(True, ["", "a", "b", ""]), (False, ["", "a", "ab", "ab"])])
def test_a_caller_of_the_text_form_gets_a_stream_of_text(incremental: bool, texts: list[str]):
    events: list[Event] = [
        Start(),
        ThinkingDelta(0, 0, "hm"),
        TextDelta(0, 1, "a"),
        TextDelta(0, 1, "b"),
        Stop(0, FinishReason.STOP),
        Finish(USAGE),
    ]

    data = data_of(streamed(events, asked(result_format="text", incremental_output=incremental)))

    assert [one["output"]["text"] for one in data] == texts
    thoughts = [one["output"].get("reasoning_content", "") for one in data]
    assert ("".join(thoughts) if incremental else thoughts[-1]) == "hm"
    assert data[-1]["output"]["finish_reason"] == "stop"


@pytest.mark.parametrize("incremental", [True, False])
def test_the_text_form_has_new_members_of_a_choice_in_its_events(incremental: bool):
    events: list[Event] = [
        Start(),
        Beside(0, "dashscope", {"message": Raw(b'{"x_mood":1}')}),
        TextDelta(0, 0, "a"),
        Beside(0, "dashscope", {"x_page": Raw(b"1")}, 0),
        TextDelta(0, 0, "b"),
        Media(0, 1, Image(Url("https://a.example/p.png"))),
        Beside(0, "dashscope", {"x_safe": Raw(b"true")}),
        Stop(0, FinishReason.STOP),
        Finish(USAGE),
    ]

    data = data_of(streamed(events, asked(result_format="text", incremental_output=incremental)))

    outputs = [one["output"] for one in data]
    assert [one["text"] for one in outputs] == (["a", "b", ""] if incremental else ["a", "ab", "ab"])
    assert [one.get("x_mood") for one in outputs] == ([1, None, None] if incremental else [1, 1, 1])
    assert [one.get("x_safe") for one in outputs] == [None, None, True]


def test_what_proves_thinking_comes_with_the_last_event():
    events: list[Event] = [
        ThinkingDelta(0, 0, "h"),
        ThinkingDelta(0, 0, "m"),
        ThinkingSignature(0, 0, "sig", "anthropic"),
        TextDelta(0, 1, "a"),
        Stop(0, FinishReason.STOP),
        Finish(USAGE),
    ]

    data = data_of(streamed(events, asked(result_format="message", incremental_output=True)))

    messages = [one["output"]["choices"][0]["message"] for one in data]
    assert messages[-1]["reasoning_signature"] == "anthropic:sig"
    assert messages[-1]["reasoning_details"][0]["text"] == "hm"
    assert not any("reasoning_details" in message for message in messages[:-1])


def test_pictures_sound_and_our_own_blocks_are_entries_of_content():
    own = Opaque("dashscope", "box", Raw(b'{"box":[1]}'))
    parts = (Text("a"), Image(Url("https://a.example/p.png")), Audio(Data("audio/wav", "AAAA")), own)
    reply = Reply(choices=(Choice(parts=parts, finish=FinishReason.STOP),), usage=USAGE)

    for incremental in (True, False):
        data = data_of(streamed(list(events_of(reply)), asked(parts=True, incremental_output=incremental)))
        contents = [one["output"]["choices"][0]["message"]["content"] for one in data]
        media = [{"image": "https://a.example/p.png"}, {"audio": "data:audio/wav;base64,AAAA"}, {"box": [1]}]
        if incremental:
            assert contents == [[{"text": "a"}], *[[entry] for entry in media], []]
        else:
            assert contents[-1] == [{"text": "a"}, *media]


def test_several_choices_are_numbered_and_usage_comes_with_the_last():
    reply = read_reply(fixture("choices.json"))

    data = data_of(streamed(list(events_of(reply)), asked(result_format="message", incremental_output=True, n=2)))

    assert {one["output"]["choices"][0]["index"] for one in data} == {0, 1}
    assert [bool(one["usage"]) for one in data] == [False, False, False, True]


@pytest.mark.parametrize("incremental", [True, False])
@pytest.mark.parametrize("parts", [True, False])
def test_a_written_stream_is_read_again_the_same(incremental: bool, parts: bool):
    one = asked(result_format="message", incremental_output=incremental, parts=parts, logprobs=True)
    for name in ("message", "thinking", "tools", "search", "logprobs"):
        reply = read_reply(fixture(f"{name}.json"))

        again = folded(read_stream(streamed(list(events_of(reply)), one), pieces=incremental))

        assert plain(again.choices) == plain(reply.choices)
        assert again.searches == reply.searches
        assert reply.usage and again.usage and again.usage.usage == replace(reply.usage.usage)


def test_a_failure_is_an_error_event_with_its_status():
    writer = DashScopeStreamWriter(HEADING, chat())
    writer.write(TextDelta(0, 0, "a"))

    event = writer.fail(Unavailable("The upstream is gone."))

    assert event == (
        b"id:2\nevent:error\n:HTTP_STATUS/503\nstatus:503\n"
        b'data:{"code":"ServiceUnavailable","message":"The upstream is gone.","request_id":"req_our-id"}\n\n'
    )
    assert isinstance(read_stream(event)[-1], Failure)
    assert b"event:error" in writer.write(Failure("error", "no"))


def test_pages_that_a_text_cites_come_with_the_last_event():
    events: list[Event] = [
        Start(),
        TextDelta(0, 0, "So."),
        CitationAdded(0, 0, Citation(url="https://e.example/a", title="A")),
        Stop(0, FinishReason.STOP),
        Finish(ReportedUsage(Usage(output=1), b"{}")),
    ]

    told = data_of(streamed(events, asked()))

    assert [one["output"].get("search_info") is not None for one in told] == [False] * (len(told) - 1) + [True]
    assert told[-1]["output"]["search_info"]["search_results"][0]["title"] == "A"
