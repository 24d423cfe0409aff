import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.upstream.inflate import ENCODINGS, Inflater


def packed(encoding: str, data: bytes) -> bytes:
    return zlib.compress(data) if encoding == "deflate" else gzip.compress(data)


def unpacked(inflater: Inflater, *pieces: bytes) -> list[bytes]:
    found: list[bytes] = []
    for piece in pieces:
        inflater.put(piece)
        while step := inflater.take():
            found.append(step)
    inflater.end()
    return found


@given(encoding=st.sampled_from(sorted(ENCODINGS)), data=st.binary(max_size=400), place=st.integers(1, 20))
def test_what_was_compressed_comes_back_however_it_is_cut(encoding: str, data: bytes, place: int) -> None:
    body = packed(encoding, data)

    assert b"".join(unpacked(Inflater(encoding), body[:place], body[place:])) == data


def test_deflate_is_read_without_the_frame_that_some_leave_out() -> None:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = compressor.compress(b"hello") + compressor.flush()

    assert unpacked(Inflater("deflate"), body) == [b"hello"]


def test_a_bomb_comes_in_bounded_steps() -> None:
    steps = unpacked(Inflater("gzip"), gzip.compress(bytes(1_000_000)))

    assert max(map(len, steps)) <= 64 * 1024
    assert sum(map(len, steps)) == 1_000_000


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"hello")[:-1], b"not gzip", gzip.compress(b"hello") + b"more"],
    ids=["cut", "not gzip", "more behind it"],
)
def test_what_is_cut_or_broken_is_an_error(body: bytes) -> None:
    with pytest.raises(zlib.error):
        unpacked(Inflater("gzip"), body)


def test_an_empty_body_is_whole() -> None:
    assert unpacked(Inflater("gzip")) == []
