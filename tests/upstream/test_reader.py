"""Replies byte by byte, without a network: what arrives when, what is beyond the limits, and which connection may
carry another request."""

import asyncio
import gc
from itertools import pairwise
from typing import cast

import pytest
from aiohttp.connector import Connection
from hypothesis import given
from hypothesis import strategies as st

from tokengate.upstream.reader import MAX_HEAD_BYTES, MAX_UNREAD_BYTES, Lost, ReplyReader, Unreadable

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-One: 1\r\nx-one: 2\r\n\r\nbody"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nbo\r\n2\r\ndy\r\n0\r\nx-trailer: 1\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"


class Handler:
    """The connector's protocol, as far as a reader needs it."""

    def __init__(self, transport: "Transport") -> None:
        self.transport = transport
        self.should_close = False
        self.lost: list[Exception | None] = []

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)

    def abort(self) -> None:
        self.transport.abort()


class Transport:
    """A connection that is told what arrives."""

    def __init__(self) -> None:
        self.reading = True
        self.aborted = False
        self.protocol: object = None

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_protocol(self) -> object:
        return self.protocol

    def set_protocol(self, protocol: object) -> None:
        self.protocol = protocol


class Lent:
    """A connection that the connector lends."""

    def __init__(self, handler: Handler) -> None:
        self.protocol = handler
        self.ended = ""

    def release(self) -> None:
        self.ended = "released"

    def close(self) -> None:
        self.ended = "closed"


class Wire:
    """A reader with a request under way, and both of its ends."""

    def __init__(self, *, has_body: bool = True) -> None:
        self.transport = Transport()
        self.handler = Handler(self.transport)
        self.lent = Lent(self.handler)
        self.reader, used = ReplyReader.of(cast(Connection, self.lent))
        assert not used
        self.reader.begin(has_body=has_body)

    def body_of(self, *pieces: bytes) -> bytes:
        taken = b""
        for piece in pieces:
            self.reader.data_received(piece)
            taken += self.reader.take()
        return taken


def failure_of(reader: ReplyReader) -> type[Exception] | None:
    try:
        reader.check()
    except Exception as error:
        return type(error)
    return None


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted({place % len(data) for place in places}), len(data)]
    return [data[a:b] for a, b in pairwise(bounds) if b > a]


@pytest.mark.parametrize("reply", [WHOLE, CHUNKED, INTERIM + WHOLE, INTERIM + CHUNKED])
@given(places=st.lists(st.integers(0, 400), max_size=12))
async def test_a_reply_is_the_same_however_it_is_cut(reply: bytes, places: list[int]) -> None:
    wire = Wire()

    body = wire.body_of(*cut(reply, places))

    assert (wire.reader.status, body, wire.reader.arrived, wire.reader.reusable) == (200, b"body", True, True)


@given(places=st.lists(st.integers(0, 400), max_size=12))
async def test_a_body_without_length_ends_with_the_connection_however_it_is_cut(places: list[int]) -> None:
    wire = Wire()

    body = wire.body_of(*cut(b"HTTP/1.1 200 OK\r\n\r\nall there is", places))
    assert not wire.reader.arrived
    wire.reader.connection_lost(None)

    assert (body, wire.reader.arrived, wire.reader.reusable) == (b"all there is", True, False)


@given(places=st.lists(st.integers(0, 400), max_size=12), noise=st.binary(min_size=1, max_size=60))
async def test_noise_never_passes_for_a_reply_that_may_be_followed_by_another(places: list[int], noise: bytes) -> None:
    wire = Wire()

    wire.body_of(*cut(noise, places))

    assert not wire.reader.reusable


async def test_headers_are_found_in_any_case_and_the_first_of_many_counts() -> None:
    wire = Wire()

    wire.body_of(WHOLE)

    assert wire.reader.headers["x-One"] == "1"
    assert wire.reader.headers.getall("X-ONE") == ["1", "2"]


@pytest.mark.parametrize(
    "head",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_malformed_head_is_refused_and_ends_the_connection(head: bytes) -> None:
    wire = Wire()

    wire.reader.data_received(head)

    assert failure_of(wire.reader) is Unreadable
    assert wire.transport.aborted and not wire.reader.reusable


@pytest.mark.parametrize("step_bytes", [100, 1 << 20])
@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\nx-large: " + b"a" * (MAX_HEAD_BYTES + 100),
        b"HTTP/1.1 200 OK\r\n" + b"x-many: aaaaaaaa\r\n" * (MAX_HEAD_BYTES // 16),
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * (MAX_HEAD_BYTES // 8),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: " + b"a" * (MAX_HEAD_BYTES + 100),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"a" * (MAX_HEAD_BYTES + 100),
    ],
    ids=["header", "headers", "interim", "trailer", "extension"],
)
async def test_what_is_not_a_body_has_a_limit(flood: bytes, step_bytes: int) -> None:
    wire = Wire()

    for start in range(0, len(flood), step_bytes):
        if not wire.transport.aborted:
            wire.reader.data_received(flood[start : start + step_bytes])

    assert failure_of(wire.reader) is Unreadable
    assert wire.transport.aborted


async def test_reading_pauses_while_too_much_lies_unread() -> None:
    wire = Wire()
    piece = b"x" * (MAX_UNREAD_BYTES // 4)
    wire.reader.data_received(b"HTTP/1.1 200 OK\r\n\r\n")

    for _ in range(5):
        wire.reader.data_received(piece)
    assert not wire.transport.reading

    assert wire.reader.take() == piece * 5
    assert wire.transport.reading


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
async def test_more_than_the_reply_ends_the_connection_and_not_the_reply(apart: bool) -> None:
    wire = Wire()

    body = wire.body_of(WHOLE, WHOLE) if apart else wire.body_of(WHOLE + WHOLE)

    assert (body, wire.reader.arrived, wire.reader.reusable) == (b"body", True, False)
    assert failure_of(wire.reader) is None


async def test_a_connection_that_speaks_between_two_requests_is_closed() -> None:
    wire = Wire()
    wire.body_of(WHOLE)

    wire.reader.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")

    assert wire.transport.aborted and not wire.reader.reusable


async def test_a_connection_that_closes_between_two_requests_is_not_used_again() -> None:
    wire = Wire()
    wire.body_of(WHOLE)

    wire.reader.eof_received()

    assert not wire.reader.reusable


@pytest.mark.parametrize(
    ("reply", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n", True),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", False),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nmore", False),
    ],
)
async def test_a_reply_without_a_body_is_whole_at_once(reply: bytes, reusable: bool) -> None:
    wire = Wire()

    body = wire.body_of(reply)

    assert (body, wire.reader.arrived, wire.reader.reusable) == (b"", True, reusable)
    assert failure_of(wire.reader) is None


async def test_a_reply_to_head_has_no_body_whatever_length_it_names() -> None:
    wire = Wire(has_body=False)

    body = wire.body_of(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n")

    assert (wire.reader.status, body, wire.reader.arrived, wire.reader.reusable) == (200, b"", True, False)


@pytest.mark.parametrize(
    "half",
    [b"", b"HTTP/1.1 200 OK\r\ncont", WHOLE[:-1], CHUNKED[:-2], CHUNKED[: CHUNKED.index(b"dy")]],
    ids=["nothing", "head", "length", "trailer", "chunk"],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_ends_early_loses_the_reply_and_not_what_came_before(half: bytes, reset: bool) -> None:
    wire = Wire()
    if half:
        wire.reader.data_received(half)

    wire.reader.connection_lost(ConnectionResetError() if reset else None)

    assert b"body".startswith(wire.reader.take())
    assert not wire.reader.arrived
    assert wire.reader.answered is bool(half)
    assert failure_of(wire.reader) is Lost


async def test_a_body_without_length_that_ends_by_a_reset_did_not_end() -> None:
    wire = Wire()
    wire.reader.data_received(b"HTTP/1.1 200 OK\r\n\r\nsome")

    wire.reader.connection_lost(ConnectionResetError())

    assert (wire.reader.take(), wire.reader.arrived, failure_of(wire.reader)) == (b"some", False, Lost)


async def test_who_waits_is_woken_by_what_arrives_and_by_the_end() -> None:
    wire = Wire()

    head = wire.reader.news()
    wire.reader.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
    body = wire.reader.news()
    wire.reader.data_received(b"half")
    assert head.done() and body.done()
    end = wire.reader.news()
    wire.reader.connection_lost(None)

    await asyncio.gather(head, body, end)


async def test_the_connector_learns_of_the_end() -> None:
    wire = Wire()
    reset = ConnectionResetError()

    wire.reader.connection_lost(reset)

    assert wire.handler.lost == [reset]


async def test_release_gives_back_what_can_be_used_and_closes_the_rest() -> None:
    good, broken = Wire(), Wire()
    good.body_of(WHOLE)
    broken.body_of(WHOLE + b"x")

    for wire in (good, broken):
        wire.reader.release()
        wire.reader.release()

    assert (good.lent.ended, broken.lent.ended) == ("released", "closed")


async def test_a_connection_that_was_lent_before_keeps_its_reader() -> None:
    wire = Wire()
    wire.body_of(WHOLE)
    wire.reader.release()

    again = Lent(wire.handler)
    reader, used = ReplyReader.of(cast(Connection, again))

    assert (reader, used) == (wire.reader, True)
    reader.close()
    assert again.ended == "closed"


async def test_a_backend_that_speaks_before_it_is_asked_is_refused() -> None:
    handler = Handler(Transport())
    handler.should_close = True

    with pytest.raises(Unreadable):
        ReplyReader.of(cast(Connection, Lent(handler)))


async def test_a_lost_connection_is_free_without_the_cyclic_collector() -> None:
    def use_and_lose() -> None:
        wire = Wire()
        wire.body_of(WHOLE)
        wire.reader.begin(has_body=True)
        wire.reader.connection_lost(None)
        assert failure_of(wire.reader) is Lost
        wire.transport.protocol = None

    gc.collect()
    gc.disable()
    try:
        use_and_lose()
        assert gc.collect() == 0
    finally:
        gc.enable()
