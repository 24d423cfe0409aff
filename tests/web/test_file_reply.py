"""Which part of a file is asked for: RFC 9110, section 14."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.errors import BadRange
from tokengate.web.file_reply import range_of

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-99", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=999-", (999, 1000)),
        ("bytes=500-5000", (500, 1000)),
        ("bytes=-1", (999, 1000)),
        ("bytes=-1000", (0, 1000)),
        ("bytes=-2000", (0, 1000)),
        ("Bytes= 5-9 ", (5, 10)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=1-2,5-9", None),
        ("bytes=٣-٤", None),
        ("pages=1-2", None),
        ("bytes=0-" + "9" * 5000, None),
        ("", None),
    ],
)
def test_parts(asked: str, part: tuple[int, int] | None) -> None:
    assert range_of({"range": asked}, 1000, ETAG) == part


@pytest.mark.parametrize(("asked", "size_bytes"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-0", 0)])
def test_a_part_behind_the_end_is_refused_with_the_size(asked: str, size_bytes: int) -> None:
    with pytest.raises(BadRange) as caught:
        range_of({"range": asked}, size_bytes, ETAG)

    assert caught.value.size_bytes == size_bytes


@pytest.mark.parametrize(
    ("condition", "is_same"),
    [(ETAG, True), ('W/"abc"', False), ('"abd"', False), ("Sat, 21 Nov 2026 10:00:00 GMT", False), ("*", False)],
)
def test_a_part_of_a_file_that_has_changed_is_not_sent(condition: str, is_same: bool) -> None:
    part = range_of({"range": "bytes=0-9", "if-range": condition}, 1000, ETAG)

    assert part == ((0, 10) if is_same else None)


@given(
    asked=st.text(max_size=40) | st.from_regex(r"bytes=\d{0,6}-\d{0,6}", fullmatch=True),
    size_bytes=st.integers(0, 100_000),
)
def test_whatever_is_asked_for_lies_inside_the_file_and_is_what_was_meant(asked: str, size_bytes: int) -> None:
    try:
        part = range_of({"range": asked}, size_bytes, ETAG)
    except BadRange:
        part = ()

    body = range(size_bytes)
    meant = re.fullmatch(r"bytes=(\d*)-(\d*)", asked, re.ASCII)
    if part:
        start, end = part
        assert 0 <= start < end <= size_bytes
        if meant is not None and meant[1]:
            assert body[start:end] == (body[int(meant[1]) : int(meant[2]) + 1] if meant[2] else body[int(meant[1]) :])
        elif meant is not None:
            assert body[start:end] == body[max(0, size_bytes - int(meant[2])) :]
