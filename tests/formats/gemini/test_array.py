"""Streams without `alt=sse`: the events as one JSON array."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.gemini.wire import chunks, fixture, stream
from tokengate.core.errors import RateLimited
from tokengate.formats.gemini.array import ArrayWriter, write_array_error
from tokengate.formats.gemini.errors import write_error

NAMES = ["text", "tools", "image", "blocked", "choices"]


@given(st.sampled_from(NAMES), st.lists(st.integers(0, 5_000), max_size=9))
def test_an_array_has_the_events_as_elements(name: str, cuts: list[int]) -> None:
    body = fixture(f"{name}.sse")
    ends = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    writer = ArrayWriter()

    written = b"".join(writer.write(body[start:end]) for start, end in pairwise(ends)) + writer.end(b"")

    assert json.loads(written) == chunks(body.replace(b"\r\n", b"\n"))
    assert stream(written) == stream(body)


def test_what_has_arrived_is_an_array_but_for_its_end() -> None:
    writer = ArrayWriter()

    first = writer.write(b'data: {"a": 1}\n\n')
    more = writer.write(b': a comment\n\ndata: {"b": 2}\n\ndata: {"c"')

    assert json.loads(first + b"]") == [{"a": 1}]
    assert json.loads(first + more + b"]") == [{"a": 1}, {"b": 2}]
    assert json.loads(first + more + writer.end(b": 3}\n\n")) == [{"a": 1}, {"b": 2}, {"c": 3}]


@pytest.mark.parametrize("last", [b"", b": cost 0.01\n\n"])
def test_a_stream_without_events_is_an_empty_array(last: bytes) -> None:
    assert ArrayWriter().end(last) == b"[]"


def test_an_error_is_an_element_of_the_array() -> None:
    error = RateLimited("Slow down.", retry_after_s=3)

    assert json.loads(write_array_error(error, "req_1")) == [json.loads(write_error(error, "req_1"))]
