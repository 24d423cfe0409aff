import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import UpstreamFailed
from tokengate.core.usage import Usage
from tokengate.formats.openai.stream import StreamLane, error_event

SEEDS = Path(__file__).parents[2] / "fixtures" / "seeds"
STREAMS = {path.stem: path.read_bytes() for path in sorted(SEEDS.glob("*-stream-*.sse"))}
MODELS = {"002-stream-1": "qwen2.5-14b-instruct", "004-stream-1": "qwen-vl-plus"}
USAGE = {"002-stream-1": Usage(input=20, output=7), "004-stream-1": Usage(input=1276, output=79)}


class Written:
    """Joins the texts that a lane hands on, each at its place."""

    def __init__(self) -> None:
        self.texts: dict[tuple[int, str], str] = {}

    def __call__(self, place: tuple[int, str], text: str) -> None:
        self.texts[place] = self.texts.get(place, "") + text


def lane(model: str = "m", *, include_usage: bool = False, write: Written | None = None, **options: Any) -> StreamLane:
    return StreamLane(model=model, include_usage=include_usage, write=write or Written(), **options)


def chunk(delta: dict[str, Any] | None = None, *, model: str = "m", **members: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    value = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": model, "choices": choices} | members
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def cut(body: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted({place % (len(body) + 1) for place in places}), len(body)]
    return [body[a:b] for a, b in pairwise(ends)]


def carried(lane: StreamLane, pieces: list[bytes]) -> bytes:
    return b"".join([*map(lane.feed, pieces), lane.close(), lane.end()])


def without_usage_chunk(body: bytes) -> bytes:
    return re.sub(rb'data: [^\n]*"choices":\[\],[^\n]*\n\n', b"", body)


# The recorded streams


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("include_usage", [True, False])
def test_a_stream_arrives_byte_for_byte(name: str, include_usage: bool):
    body = STREAMS[name]
    stream = lane(MODELS[name], include_usage=include_usage)

    received = carried(stream, [body])

    assert received == (body if include_usage else without_usage_chunk(body))
    assert stream.usage is not None and stream.usage.usage == USAGE[name]
    assert stream.finish_reasons == {0: "stop"}
    assert stream.done and stream.finished and stream.has_content and stream.error is None
    assert stream.forwarded_bytes == len(received) - len(b"data: [DONE]\n\n")


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("ours", ["ours", "我们的"])
def test_a_rename_changes_only_the_models_name(name: str, ours: str):
    body = STREAMS[name]
    renamed = body.replace(f'"model":"{MODELS[name]}"'.encode(), f'"model":"{ours}"'.encode())
    frames = [frame + b"\n\n" for frame in body.split(b"\n\n")[:-1]]

    assert carried(lane(ours, include_usage=True), [body]) == renamed
    assert carried(lane(ours, include_usage=True), frames) == renamed


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("model", ["qwen-vl-plus", "ours"])
@given(places=st.lists(st.integers(0, 10_000), max_size=12), name=st.sampled_from(sorted(STREAMS)), twice=st.booleans())
@settings(max_examples=40, deadline=None)
def test_cutting_anywhere_gives_the_same_bytes_and_usage(
    places: list[int], name: str, twice: bool, line_end: bytes, model: str
):
    body = STREAMS[name].replace(b"\n", line_end)
    if twice:
        places = places + [place + 1 for place in places]
    texts, texts_in_pieces = Written(), Written()
    whole = lane(model, write=texts)
    pieces = lane(model, write=texts_in_pieces)

    expected = carried(whole, [body])

    assert carried(pieces, cut(body, places)) == expected
    assert pieces.usage == whole.usage
    assert pieces.finish_reasons == whole.finish_reasons == {0: "stop"}
    assert pieces.forwarded_bytes == whole.forwarded_bytes
    whole.count()
    pieces.count()
    assert texts_in_pieces.texts == texts.texts != {}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_stream_in_single_bytes_is_the_same_stream(name: str, line_end: bytes):
    body = STREAMS[name].replace(b"\n", line_end)

    received = carried(lane("ours", include_usage=True), [bytes([byte]) for byte in body])

    assert received == carried(lane("ours", include_usage=True), [body])
    assert received == body.replace(f'"model":"{MODELS[name]}"'.encode(), b'"model":"ours"')


_damages = st.lists(
    st.tuples(st.integers(0, 10_000), st.binary(max_size=4) | st.sampled_from([b"\n\n", b'"', b"\\"])), max_size=4
)


@given(
    st.sampled_from(sorted(STREAMS)),
    _damages,
    st.lists(st.integers(0, 10_000), max_size=6),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_a_damaged_stream_never_raises(
    name: str, damages: list[tuple[int, bytes]], places: list[int], twins: bool, include_usage: bool
):
    body = STREAMS[name]
    for place, damage in damages:
        at = place % len(body)
        body = body[:at] + damage + body[at + len(damage) :]
    stream = lane("ours", include_usage=include_usage, twins=twins, usage_injected=True)

    received = b"".join([*map(stream.feed, cut(body, places)), stream.close()])

    assert len(received) <= len(body) + 1000
    assert b"data: [DONE]" not in received
    stream.count()


# Made-up streams, for what the recorded ones do not hold

_texts = st.text(max_size=8) | st.sampled_from(
    ["[DONE]", 'say "error"', "\\", '\\"', '"usage":{', "data: x", "\n\n", "你好", "😀", "a\\", '","model":"theirs"']
)
_fields = st.sampled_from(["content", "reasoning_content", "reasoning", "refusal"])
_extras = st.sampled_from([{}, {"usage": None}, {"obfuscation": "aB3"}, {"logprobs": None, "x": {"model": "theirs"}}])
_laters = st.sampled_from([{}, {"system_fingerprint": None}, {"x": {"y": [1]}}])


@st.composite
def made_streams(draw: st.DrawFn) -> tuple[list[dict[str, Any]], bytes]:
    """A stream's chunks, and the bytes of one way to write them."""
    extras = draw(_extras)
    later = draw(_laters)
    model_last = draw(st.booleans())
    chunks: list[dict[str, Any]] = []

    def add(choices: list[Any], **more: Any) -> None:
        head = {"id": "c1", "object": "chat.completion.chunk", "created": draw(st.sampled_from([7, 7, 7, 8]))}
        value = {"choices": choices} | extras | more
        chunks.append(value | head | {"model": "theirs"} | later if model_last else head | {"model": "theirs"} | value)

    add([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    for field, text in draw(st.lists(st.tuples(_fields, _texts), max_size=12)):
        add([{"index": 0, "delta": {field: text}, "finish_reason": None}])
    add([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    add([], usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5})
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    ascii_only = draw(st.booleans())
    lines = [json.dumps(value, ensure_ascii=ascii_only, separators=separators) for value in chunks]
    if draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines))), "")
    frames = [f"data: {line}\n\n" if line else ": keep-alive\n\n" for line in lines]
    return chunks, "".join([*frames, "data: [DONE]\n\n"]).encode("utf-8", "surrogatepass")


@given(
    made_streams(), st.lists(st.integers(0, 20_000), max_size=10), st.sampled_from(["theirs", "ours"]), st.booleans()
)
@settings(max_examples=300, deadline=None)
def test_the_fast_path_does_what_decoding_would(
    made: tuple[list[dict[str, Any]], bytes], places: list[int], ours: str, frame_by_frame: bool
):
    chunks, body = made
    written = Written()
    stream = lane(ours, write=written)
    pieces = [f + b"\n\n" for f in body.split(b"\n\n")[:-1]] if frame_by_frame else cut(body, places)

    received = carried(stream, pieces)

    datas = [frame[6:] for frame in received.split(b"\n\n") if frame.startswith(b"data: ")]
    assert datas.pop() == b"[DONE]"
    assert [json.loads(data) for data in datas] == [value | {"model": ours} for value in chunks[:-1]]
    deltas = [value["choices"][0]["delta"] for value in chunks[:-1]]
    expected = Written()
    for name, text in (member for delta in deltas for member in delta.items() if member[0] != "role"):
        expected((0, "reasoning_content" if name == "reasoning" else name), text)
    stream.count()
    assert stream.has_content is any(expected.texts.values())
    assert {place: text for place, text in written.texts.items() if text} == {
        place: text for place, text in expected.texts.items() if text
    }
    assert stream.usage is not None and stream.usage.usage == Usage(input=3, output=2)
    assert stream.finish_reasons == {0: "stop"}


def test_a_chunk_in_the_steady_state_is_the_same_object():
    written = Written()
    stream = lane(write=written)
    stream.feed(chunk({"role": "assistant", "content": ""}))
    stream.feed(chunk({"content": "a"}))
    second = chunk({"content": "b"})
    several = chunk({"content": "c"}) + chunk({"content": "d"})

    assert stream.feed(second) is second
    assert stream.feed(several) is several
    stream.count()
    assert written.texts[0, "content"] == "abcd"


def test_a_frame_leaves_with_its_last_byte():
    stream = lane()
    first = chunk({"content": "a"})

    assert stream.feed(first[:-1]) == b""
    assert stream.feed(first[-1:] + first[:50]) == first
    assert stream.feed(first[50:]) == first


def test_a_comment_keeps_its_place_before_the_frame_it_belongs_to():
    stream = lane()
    stream.feed(chunk({"content": "a"}) * 2)

    assert stream.feed(b": keep-alive\n") == b""
    assert stream.feed(chunk({"content": "b"})) == b": keep-alive\n" + chunk({"content": "b"})


@pytest.mark.parametrize(
    ("delta", "has_content"),
    [
        ({"role": "assistant", "content": ""}, False),
        ({"role": "assistant", "content": None, "tool_calls": None, "reasoning_content": ""}, False),
        ({"content": "x"}, True),
        ({"reasoning_content": "x"}, True),
        ({"reasoning": "x"}, True),
        ({"refusal": "x"}, True),
        ({"tool_calls": [{"index": 0, "function": {"name": "f"}}]}, True),
        ({"audio": {"data": "x"}}, True),
    ],
)
def test_content_is_told_from_a_role(delta: dict[str, Any], has_content: bool):
    stream = lane()

    stream.feed(chunk(delta))

    assert stream.has_content is has_content


def test_done_waits_for_the_end():
    stream = lane()

    forwarded = stream.feed(chunk({"content": "a"}) + b"data: [DONE]\n\n" + b": trailer\n\n")

    assert forwarded == chunk({"content": "a"})
    assert stream.done
    assert stream.feed(chunk({"content": "late"})) == b""
    assert stream.close() == b""
    assert stream.end() == b"data: [DONE]\n\n"


def test_text_that_only_looks_like_the_end_is_text():
    stream = lane()
    body = chunk({"content": "data: [DONE]"}) + chunk({"content": "[DONE]"}) + chunk({"content": 'an "error"'})

    assert stream.feed(body) == body
    assert not stream.done and stream.error is None


def test_a_stream_without_done_is_given_one():
    stream = lane()
    body = chunk({"content": "a"}, model="m") + chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "length"}])

    received = stream.feed(body) + stream.close()

    assert received == body
    assert stream.finished and not stream.done
    assert stream.end() == b"data: [DONE]\n\n"


def test_a_stream_that_stops_short_is_not_finished():
    stream = lane()

    forwarded = stream.feed(chunk({"content": "a"}) + chunk({"content": "b"})[:40])

    assert forwarded + stream.close() == chunk({"content": "a"})
    assert not stream.finished


def test_every_choice_has_to_finish():
    stream = lane(choices=2)
    stream.feed(chunk(choices=[{"index": 1, "delta": {"content": "a"}, "finish_reason": "stop"}]))

    assert not stream.finished

    stream.feed(chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "length"}]))

    assert stream.finished
    assert stream.finish_reasons == {1: "stop", 0: "length"}


@pytest.mark.parametrize("cut_off", [1, 2])
def test_the_last_frame_needs_no_empty_line(cut_off: int):
    last = chunk(choices=[{"index": 0, "delta": {"content": "z"}, "finish_reason": "stop"}])
    stream = lane()
    ended = lane()

    assert stream.feed(last[:-cut_off]) == b""
    assert stream.close() == last
    assert ended.feed(last + b"data: [DONE]") == last
    assert ended.close() == b""
    assert ended.done and ended.end() == b"data: [DONE]\n\n"


def test_an_error_in_the_stream_waits_for_the_end_and_no_done_follows():
    event = b'data: {"error":{"message":"overloaded","type":"server_error","code":"busy"}}\n\n'
    stream = lane()

    forwarded = stream.feed(chunk({"content": "a"}) + event + b"data: [DONE]\n\n")

    assert forwarded == chunk({"content": "a"})
    assert stream.error is not None and stream.error.message == "overloaded" and stream.error.code == "busy"
    assert not stream.done
    assert stream.end() == event


def test_an_error_before_content_leaves_nothing_forwarded():
    stream = lane()

    assert stream.feed(b'data: {"error":{"message":"no"}}\n\n') == b""
    assert stream.forwarded_bytes == 0 and not stream.has_content and stream.error is not None


def test_a_null_error_is_none():
    stream = lane()
    body = chunk({"content": "a"}, error=None) * 2

    assert stream.feed(body) == body
    assert stream.error is None


REPORT = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}


def test_usage_in_a_chunk_with_choices_stays():
    stream = lane()
    body = chunk({"content": "a"}) + chunk({"content": "b"}, usage=REPORT)

    assert stream.feed(body) == body
    assert stream.usage is not None and stream.usage.usage == Usage(input=4, output=2)


def test_usage_that_only_the_gateway_asked_for_is_taken_out():
    stream = lane("ours", usage_injected=True)

    received = stream.feed(
        chunk({"content": "a"}, model="theirs") + chunk({"content": "b"}, model="theirs", usage=REPORT)
    )

    assert received == chunk({"content": "a"}, model="ours") + chunk({"content": "b"}, model="ours")
    assert stream.usage is not None


def test_the_last_usage_counts():
    stream = lane()
    later = REPORT | {"completion_tokens": 9}

    stream.feed(chunk({"content": "a"}, usage=REPORT) + chunk({"content": "b"}, usage=later) + chunk({}, usage=None))

    assert stream.usage is not None and stream.usage.usage.output == 9


def test_a_chunk_without_choices_and_usage_is_forwarded():
    stream = lane("m")
    filters = chunk(None, model="", prompt_filter_results=[{"index": 0}])

    forwarded = stream.feed(filters + chunk({"content": "a"}))

    assert forwarded == filters.replace(b'"model":""', b'"model":"m"') + chunk({"content": "a"})


def test_a_name_that_changes_on_the_way_is_renamed_all_the_same():
    stream = lane("ours")
    names = ["a", "a", "b", "a", "ours", "b", "b"]

    received = b"".join(stream.feed(chunk({"content": "x"}, model=name, obfuscation=name * 3)) for name in names[:4])

    assert received == b"".join(chunk({"content": "x"}, model="ours", obfuscation=name * 3) for name in names[:4])


def test_a_model_named_first_is_renamed_behind_an_event_line():
    frame = b'event: message\ndata: {"model":"theirs","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    stream = lane("ours")

    received = stream.feed(frame) + stream.feed(frame) + stream.feed(frame * 3)

    assert received == frame.replace(b"theirs", b"ours") * 5


def test_a_nested_model_keeps_its_name():
    stream = lane("ours")
    body = chunk({"content": "x"}, model="theirs", moderation={"model": "theirs"})

    received = stream.feed(body) + stream.feed(body) + stream.feed(body * 3)

    assert received == chunk({"content": "x"}, model="ours", moderation={"model": "theirs"}) * 5


def test_declared_twins_are_added():
    stream = lane("ours", twins=True)

    received = stream.feed(chunk({"reasoning": "hm"}, model="theirs")) + stream.feed(
        chunk({"content": "x"}, model="theirs")
    )

    assert received == chunk({"reasoning": "hm", "reasoning_content": "hm"}, model="ours") + chunk(
        {"content": "x"}, model="ours"
    )


def test_reasoning_outside_is_the_providers_to_declare():
    report = REPORT | {"completion_tokens_details": {"reasoning_tokens": 5}}
    stream = lane(reasoning_outside=True)

    stream.feed(chunk(None, usage=report))

    assert stream.usage is not None and stream.usage.usage == Usage(input=4, output=2, reasoning=5)


def test_the_texts_of_a_stream_that_reports_no_usage_are_handed_on():
    written = Written()
    stream = lane(write=written)

    for text in ["Hel", "lo", ", wörld"]:
        stream.feed(chunk({"content": text}))

    stream.count()
    assert written.texts == {(0, "content"): "Hello, wörld"}


def test_the_texts_of_several_choices_are_texts_by_themselves():
    written = Written()
    stream = lane(write=written, choices=2)

    for text in ["Hel", "lo", " you"]:
        for index in (0, 1):
            stream.feed(chunk(choices=[{"index": index, "delta": {"content": text}, "finish_reason": None}]))

    stream.count()
    assert written.texts == {(0, "content"): "Hello you", (1, "content"): "Hello you"}


def test_a_frame_without_an_end_is_an_upstream_failure():
    stream = lane()

    with pytest.raises(UpstreamFailed):
        for _ in range(40):
            stream.feed(b"x" * 50_000)


# What the gateway writes itself


def test_a_cut_stream_ends_with_length_usage_and_done():
    stream = lane("ours", choices=2, include_usage=True)
    stream.feed(chunk({"content": "a"}, model="theirs"))
    stream.feed(chunk(model="theirs", choices=[{"index": 1, "delta": {}, "finish_reason": "stop"}]))

    frames = stream.length_end(Usage(input=3, cache_read=1, output=2)).split(b"\n\n")

    length, usage = json.loads(frames[0][6:]), json.loads(frames[1][6:])
    assert length == {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "ours",
        "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}],
    }
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] == 4 and usage["usage"]["total_tokens"] == 6
    assert frames[2:] == [b"data: [DONE]", b""]


@pytest.mark.parametrize("asked", [True, False])
def test_usage_that_the_backend_kept_to_itself_is_shown_to_who_asked(asked: bool):
    stream = lane("ours", include_usage=asked)
    stream.feed(chunk({"content": "a"}))

    frames = stream.end(Usage(input=3, output=2)).split(b"\n\n")

    assert frames[-2:] == [b"data: [DONE]", b""]
    assert [json.loads(frame[6:])["usage"]["total_tokens"] for frame in frames[:-2]] == ([5] if asked else [])


def test_a_cut_completion_ends_in_its_own_shape():
    stream = lane("m")
    stream.feed(b'data: {"id":"cmpl-1","object":"text_completion","created":1,"choices":[{"index":0,"text":"a"}]}\n\n')

    length = json.loads(stream.length_end().split(b"\n\n")[0][6:])

    assert stream.has_content
    assert length["object"] == "text_completion" and length["id"] == "cmpl-1"
    assert length["choices"] == [{"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}]


def test_an_error_event_is_what_sdks_raise_on():
    event = error_event("The upstream stopped.", "upstream_error", None)

    assert event == (
        b'data: {"error":{"message":"The upstream stopped.","type":"upstream_error","param":null,"code":null}}\n\n'
    )
