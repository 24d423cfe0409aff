"""The chunk law: cutting a stream anywhere gives the same frames, and no byte is lost."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import UpstreamFailed
from tokengate.core.sse import FrameBuffer, data_of, split_frames, write_frame

_values = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
_lines = st.one_of(
    _values.map(lambda value: "data: " + value),
    _values.map(lambda value: "data:" + value),
    _values.map(lambda value: ":" + value),
    _values.map(lambda value: "event: " + value),
    st.just("data"),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream with one kind of line end, and the data of its frames."""
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    frames = draw(st.lists(st.lists(_lines, min_size=1, max_size=3), max_size=5))
    text = "".join("".join(line + line_end for line in frame) + line_end for frame in frames)
    expected: list[bytes] = []
    for frame in frames:
        data = [line.removeprefix("data").removeprefix(":") for line in frame if line.startswith("data")]
        data = [value.removeprefix(" ") for value in data]
        expected.append("\n".join(data).encode())
    bom = b"\xef\xbb\xbf" if draw(st.booleans()) and expected else b""
    return bom + text.encode(), expected


def cut(body: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted({place % (len(body) + 1) for place in places}), len(body)]
    return [body[a:b] for a, b in pairwise(ends)]


def frames_of(pieces: list[bytes]) -> list[bytes]:
    buffer = FrameBuffer()
    frames: list[bytes] = []
    for piece in pieces:
        frames += split_frames(buffer.feed(piece))
    rest = buffer.take_rest()
    return [*frames, rest] if rest else frames


@given(streams(), st.lists(st.integers(0, 10_000), max_size=8))
@settings(max_examples=150, deadline=None)
def test_cutting_anywhere_gives_the_same_frames(stream: tuple[bytes, list[bytes]], places: list[int]):
    body, expected = stream

    frames = frames_of(cut(body, places))

    assert b"".join(frames) == body
    assert frames == frames_of([body])
    assert [data_of(frame) for frame in frames] == expected


@given(
    st.binary(max_size=200) | st.text("\r\nd:a", max_size=40).map(str.encode), st.lists(st.integers(0, 200), max_size=8)
)
@settings(max_examples=100, deadline=None)
def test_no_byte_is_lost_whatever_comes(body: bytes, places: list[int]):
    assert b"".join(frames_of(cut(body, places))) == body


def test_whole_frames_pass_as_the_same_object():
    chunk = b"data: 1\n\ndata: 2\n\n"

    assert FrameBuffer().feed(chunk) is chunk


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_frame_is_returned_with_its_last_byte(line_end: bytes):
    buffer = FrameBuffer()
    frame = b"data: 1" + line_end + line_end

    before = buffer.feed(frame[:-1])

    assert before == b""
    assert buffer.feed(frame[-1:]) == frame


def test_a_frame_without_an_end_is_refused():
    buffer = FrameBuffer(limit_bytes=100)
    buffer.feed(b"data: " + b"x" * 90)

    with pytest.raises(UpstreamFailed) as caught:
        buffer.feed(b"x" * 90)

    assert caught.value.kind == "too_large"


def test_a_megabyte_in_single_bytes_takes_linear_time():
    buffer = FrameBuffer()

    for _ in range(200_000):
        buffer.feed(b"x")

    assert buffer.feed(b"\n\n") == b"x" * 200_000 + b"\n\n"


def test_data_lines_are_joined_and_comments_are_empty():
    assert data_of(b"data: a\nid: 7\ndata:b\n\n") == b"a\nb"
    assert data_of(b": keep-alive\n\n") == b""
    assert data_of(b"\xef\xbb\xbfdata: a\n\n") == b"a"
    assert data_of(write_frame(b"{}")) == b"{}"
