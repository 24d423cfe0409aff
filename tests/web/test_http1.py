import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncGenerator
from typing import NamedTuple

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import eventually
from tests.web.site import LIMIT_BYTES, Pipe, Site, connect, open_site
from tokengate.core.errors import BodyTooLarge, ClientGone
from tokengate.web.opening import Opening
from tokengate.web.request import Request
from tokengate.web.server import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, MAX_HEAD_BYTES, Server

HOST = b"host: a\r\n"


@pytest.fixture
async def site() -> AsyncGenerator[Site, None]:
    async with open_site() as site:
        yield site


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def read_reply(reader: asyncio.StreamReader, method: str = "GET") -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    if method == "HEAD" or status in (100, 204, 304):
        body = b""
    elif headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        assert await reader.readline() == b"\r\n"
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    return Reply(status, headers, body)


async def exchange(port: int, data: bytes) -> list[Reply]:
    """Send the bytes, and return every reply until the server closes."""
    replies: list[Reply] = []
    async with connect(port) as (reader, writer), asyncio.timeout(60):
        writer.write(data)
        while True:
            try:
                replies.append(await read_reply(reader))
            except asyncio.IncompleteReadError as error:
                assert not error.partial
                return replies


@pytest.mark.parametrize("host", ["a", "a.example:8700", "127.0.0.1", "[::1]:80", "", "xn--fiq228c.example"])
async def test_any_sound_host_will_do(site: Site, host: str) -> None:
    [reply] = await exchange(site.port, f"GET /describe HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())

    assert reply.status == 200


async def test_old_http_needs_no_host(site: Site) -> None:
    [reply] = await exchange(site.port, b"GET /describe HTTP/1.0\r\n\r\n")

    assert reply.status == 200


async def test_connection_is_kept_alive_between_requests(site: Site) -> None:
    async with connect(site.port) as (reader, writer):
        for number in range(3):
            writer.write(b"GET /describe?n=%d HTTP/1.1\r\n%b\r\n" % (number, HOST))
            reply = await read_reply(reader)

            assert reply.status == 200
            assert reply.body == b'{"method":"GET","path":"/describe","query":"n=%d"}' % number
            assert reply.headers["date"].endswith("GMT")
            assert "connection" not in reply.headers


async def test_pipelined_requests_are_answered_in_order(site: Site) -> None:
    @site.on("/slow")
    async def _slow(request: Request) -> None:
        await asyncio.sleep(0)
        await site.release.wait()
        request.json("slow")

    async with connect(site.port) as (reader, writer):
        writer.write(
            b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n"
            b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
            b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
            b"GET /describe HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        await eventually(lambda: len(site.seen) == 1)
        site.release.set()
        bodies = [(await read_reply(reader)).body for _ in range(4)]

    assert bodies[:3] == [b'"slow"', b"abc", b"de"]
    assert [path for _, path, _, _ in site.seen] == ["/slow", "/echo", "/echo", "/describe"]


async def test_pipelined_body_that_arrives_later_is_read(site: Site) -> None:
    site.handlers["/hold"] = site.hold

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n" + POST + b"content-length: 600000\r\n\r\n")
        await eventually(lambda: len(site.seen) == 1)
        writer.write(b"x" * 600_000)
        site.release.set()

        assert (await read_reply(reader)).status == 200
        assert (await read_reply(reader)).body == b"x" * 600_000


@pytest.mark.parametrize("size", [0, 1, 70_000, 300_000, 5_000_000])
async def test_body_of_any_size_arrives_with_its_head(site: Site, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"y" * (size % 256)

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (size, body))
        reply = await read_reply(reader)

    assert reply.body == body


async def test_chunked_upload_arrives_whole(site: Site) -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:
        for number in range(200):
            yield b"%03d" % number * 700

    async with httpx.AsyncClient(timeout=60) as client:
        reply = await client.post(f"http://127.0.0.1:{site.port}/echo", content=pieces())

    assert reply.content == b"".join([b"%03d" % number * 700 for number in range(200)])


async def test_caller_that_waits_for_100_continue_gets_it(site: Site) -> None:
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        interim = await read_reply(reader)
        writer.write(b"abc")
        reply = await read_reply(reader)

    assert (interim.status, reply.status, reply.body) == (100, 200, b"abc")


async def test_refusal_takes_the_place_of_100_continue(site: Site) -> None:
    head = b"POST /unknown HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"

    replies = await exchange(site.port, head)

    assert [(reply.status, reply.headers["connection"]) for reply in replies] == [(404, "close")]


async def test_http_1_0_is_closed_unless_it_asks_to_stay(site: Site) -> None:
    closed = await exchange(site.port, b"GET /describe HTTP/1.0\r\n\r\n")

    assert [reply.headers["connection"] for reply in closed] == ["close"]

    async with connect(site.port) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /describe HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            assert (await read_reply(reader)).headers["connection"] == "keep-alive"


async def test_stream_to_http_1_0_ends_with_the_connection(site: Site) -> None:
    @site.on("/stream")
    async def _stream(request: Request) -> None:
        request.open(200, [])
        await request.write(b"one")
        await request.write(b"two")

    [reply] = await exchange(site.port, b"GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")

    assert "transfer-encoding" not in reply.headers
    assert reply.body == b"onetwo"


async def test_stream_is_chunked_and_the_connection_goes_on(site: Site) -> None:
    @site.on("/stream")
    async def _stream(request: Request) -> None:
        request.open(200, [("content-type", "text/event-stream")])
        for piece in (b"one", b"", b"two"):
            await request.write(piece)

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        for _ in range(2):
            writer.write(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await read_reply(reader)).body == b"onetwo"


async def test_head_has_the_length_and_no_body(site: Site) -> None:
    @site.on("/stream")
    async def _stream(request: Request) -> None:
        request.open(200, [])
        await request.write(b"piece")

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        for line in (b"HEAD /describe", b"HEAD /stream", b"GET /describe"):
            writer.write(line + b" HTTP/1.1\r\nhost: a\r\n\r\n")
        head = await read_reply(reader, "HEAD")
        stream = await read_reply(reader, "HEAD")
        after = await read_reply(reader)

    assert int(head.headers["content-length"]) == len(b'{"method":"HEAD","path":"/describe","query":""}')
    assert stream.status == after.status == 200


async def test_no_content_has_neither_length_nor_body(site: Site) -> None:
    @site.on("/none")
    async def _none(request: Request) -> None:
        request.whole(204, [], b"")

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"OPTIONS /none HTTP/1.1\r\nhost: a\r\n\r\nGET /describe HTTP/1.1\r\nhost: a\r\n\r\n")
        none = await read_reply(reader)
        after = await read_reply(reader)

    assert none.status == 204
    assert "content-length" not in none.headers
    assert after.status == 200


async def test_connection_close_is_honoured(site: Site) -> None:
    [reply] = await exchange(site.port, b"GET /describe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")

    assert reply.headers["connection"] == "close"


async def test_refusal_before_the_body_arrived_reaches_the_caller(site: Site) -> None:
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"POST /unknown HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n" + b"x" * 1_000_000)
        reply = await read_reply(reader)
        writer.write(b"x" * 2_000_000)
        rest = await reader.read()

    assert (reply.status, reply.headers["connection"], rest) == (404, "close", b"")


async def test_body_a_little_over_the_limit_is_refused_readably(site: Site) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        reply = await client.post(f"http://127.0.0.1:{site.port}/echo", content=b"x" * (LIMIT_BYTES + 1))

    assert reply.status_code == 413
    assert isinstance(site.errors[0], BodyTooLarge)


async def test_body_far_over_the_limit_is_refused_without_reading_it(site: Site) -> None:
    [reply] = await exchange(site.port, b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 999999999999\r\n\r\nabc")

    assert (reply.status, reply.headers["connection"]) == (413, "close")


async def test_slow_head_is_closed(site: Site) -> None:
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /describe HTTP/1.1\r\nhost:")
        await eventually(lambda: len(site.server.connections) == 1)
        [connection] = site.server.connections
        now_s = site.server.loop.time()

        connection.check(now_s + HEAD_TIMEOUT_S - 1)
        assert site.server.connections
        await eventually(lambda: [connection] != list(site.server.connections))
        [connection] = site.server.connections
        connection.check(now_s + HEAD_TIMEOUT_S + 1)

        assert await reader.read() == b""


async def test_connection_that_says_nothing_is_closed(site: Site) -> None:
    async with connect(site.port) as (reader, _), asyncio.timeout(60):
        await eventually(lambda: len(site.server.connections) == 1)
        [connection] = site.server.connections
        connection.check(site.server.loop.time() + HEAD_TIMEOUT_S + 1)

        assert await _ended(reader)


async def test_idle_connection_is_closed_and_a_busy_one_is_not(site: Site) -> None:
    site.handlers["/hold"] = site.hold

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: bool(site.seen))
        [connection] = site.server.connections
        connection.check(site.server.loop.time() + 10 * IDLE_TIMEOUT_S)
        site.release.set()
        assert (await read_reply(reader)).status == 200
        connection.check(site.server.loop.time() + IDLE_TIMEOUT_S - 1)
        writer.write(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await read_reply(reader)).status == 200
        connection.check(site.server.loop.time() + IDLE_TIMEOUT_S + 1)

        assert await _ended(reader)


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /" + b"a" * MAX_HEAD_BYTES, id="target"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", id="header"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 5 * MAX_HEAD_BYTES, id="header without an end"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"a" * 5 * MAX_HEAD_BYTES, id="name without an end"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 6 + 3), id="many headers"),
        pytest.param(b"\r\n" * 5 * MAX_HEAD_BYTES, id="empty lines"),
    ],
)
async def test_oversized_head_is_refused(site: Site, head: bytes) -> None:
    [reply] = await exchange(site.port, head)

    assert reply.status == 431
    assert site.seen == []


async def test_oversized_trailer_is_refused(site: Site) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"

    [reply] = await exchange(site.port, head + b"x: y\r\n" * (MAX_HEAD_BYTES // 6))

    assert reply.status == 431
    assert isinstance(site.errors[0], ClientGone)


async def test_trailers_do_not_become_headers(site: Site) -> None:
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(POST + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nauthorization: Bearer x\r\n\r\n")
        await read_reply(reader)

    [(_, _, _, headers)] = site.seen
    assert headers == {"host": "a", "transfer-encoding": "chunked"}


POST = b"POST /echo HTTP/1.1\r\nhost: a\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"hello world\r\n\r\n", id="text"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", id="almost the preface"),
        pytest.param(b"GET /describe\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"GET /describe HTTP/2.0\r\n\r\n", id="HTTP/2.0 in words"),
        pytest.param(b"GET /describe HTTP/1.2\r\n\r\n", id="HTTP/1.2"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", id="CONNECT"),
        pytest.param(POST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", id="both lengths"),
        pytest.param(POST + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", id="both, reversed"),
        pytest.param(POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", id="two lengths"),
        pytest.param(POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc", id="the same length twice"),
        pytest.param(POST + b"content-length: 3, 3\r\n\r\nabc", id="a list of lengths"),
        pytest.param(POST + b"content-length: +3\r\n\r\nabc", id="a sign"),
        pytest.param(POST + b"content-length: 0x3\r\n\r\nabc", id="hexadecimal"),
        pytest.param(POST + b"content-length: 99999999999999999999999\r\n\r\nabc", id="a length beyond 64 bits"),
        pytest.param(POST + b"transfer-encoding: gzip\r\n\r\nabc", id="another coding"),
        pytest.param(POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="another coding, chunked"),
        pytest.param(POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", id="an unknown coding"),
        pytest.param(POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked is not last"),
        pytest.param(b"POST /echo HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", id="chunked HTTP/1.0"),
        pytest.param(b"GET /describe HTTP/1.1\nhost: a\n\n", id="bare LF"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\nx: b\r\n\r\n", id="bare LF between headers"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\rx: b\r\n\r\n", id="bare CR"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\r\n b\r\n\r\n", id="folded header"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost : a\r\n\r\n", id="space before the colon"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\0b\r\n\r\n", id="NUL"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n", id="header without a name"),
        pytest.param(b"GET /describe HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", id="two hosts"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", id="the same host twice"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a b\r\n\r\n", id="a blank in the host"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a/b\r\n\r\n", id="a path in the host"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: u@a\r\n\r\n", id="a user in the host"),
        pytest.param(b"GET /describe HTTP/1.1\r\nhost: a:b\r\n\r\n", id="a port that is no number"),
        pytest.param(b"GET /a\x01b HTTP/1.1\r\nhost: a\r\n\r\n", id="control character in the target"),
    ],
)
async def test_what_is_not_one_plain_request_is_refused(site: Site, data: bytes) -> None:
    [reply] = await exchange(site.port, data + b"GET /describe HTTP/1.1\r\nhost: a\r\nx-smuggled: 1\r\n\r\n")

    assert reply.status in (400, 431, 505)
    assert reply.headers["connection"] == "close"
    assert not any("x-smuggled" in headers for *_, headers in site.seen)
    assert site.bodies == []


@pytest.mark.parametrize(
    "chunks",
    [
        b"3 \r\nabc\r\n",
        b"3\nabc\n0\n\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"-1\r\n",
        b"fffffffffffffffff\r\n",
        b"0x3\r\nabc\r\n",
    ],
)
async def test_body_that_is_broken_on_the_way_is_refused(site: Site, chunks: bytes) -> None:
    [reply] = await exchange(site.port, POST + b"transfer-encoding: chunked\r\n\r\n" + chunks)

    assert reply.status == 400
    assert site.bodies == []


async def test_garbage_after_a_request_does_not_take_its_reply(site: Site) -> None:
    replies = await exchange(site.port, POST + b"content-length: 3\r\n\r\nabcgarbage\r\n\r\n")
    assert [reply.status for reply in replies] == [200, 400]

    replies = await exchange(
        site.port, b"GET /describe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n"
    )
    assert [reply.status for reply in replies] == [200]


async def test_broken_body_of_a_pipelined_request_does_not_take_the_reply_before(site: Site) -> None:
    site.handlers["/hold"] = site.hold
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n" + POST + b"transfer-encoding: chunked\r\n\r\nx\r\n")
        await eventually(lambda: bool(site.seen))
        site.release.set()

        assert (await read_reply(reader)).status == 200
        assert (await read_reply(reader)).status == 400
        assert await reader.read() == b""
    assert len(site.seen) == 1


async def test_wish_to_upgrade_is_ignored(site: Site) -> None:
    """As clients send it that prefer HTTP/2 and have not been told that the server speaks it."""
    wish = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(POST + wish + b"content-length: 3\r\n\r\nabc" + b"GET /describe HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await read_reply(reader)).body == b"abc"
        assert (await read_reply(reader)).status == 200
        writer.write(b"GET /describe HTTP/1.1\r\nhost: a\r\n" + wish + b"\r\n")
        assert (await read_reply(reader)).status == 200
        writer.write(POST + wish + b"transfer-encoding: chunked\r\n\r\n2\r\nab")
        writer.write(b"\r\n0\r\n\r\n")
        assert (await read_reply(reader)).body == b"ab"


async def test_absolute_target_is_a_path(site: Site) -> None:
    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET http://example.org/describe?a=b HTTP/1.1\r\nhost: a\r\n\r\n")

        assert (await read_reply(reader)).body == b'{"method":"GET","path":"/describe","query":"a=b"}'


async def test_reader_that_stops_makes_the_writer_wait(site: Site) -> None:
    written = 0

    @site.on("/flood")
    async def _flood(request: Request) -> None:
        nonlocal written
        request.open(200, [])
        for _ in range(4_000):
            await request.write(b"x" * 10_000)
            written += 10_000

    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        caller.connect(("127.0.0.1", site.port))
        caller.sendall(b"GET /flood HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: written > 0)
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.05)

        assert written < 8_000_000  # what the kernel keeps, and no more than 64 KiB here
        caller.setblocking(False)
        taken = 0
        while written < 40_000_000:
            taken += len(await asyncio.get_running_loop().sock_recv(caller, 1 << 20))
        assert taken > 20_000_000


async def test_upload_that_is_not_read_stops(site: Site) -> None:
    @site.on("/later")
    async def _later(request: Request) -> None:
        await site.release.wait()
        request.json(len(await request.body(LIMIT_BYTES)))

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"POST /later HTTP/1.1\r\nhost: a\r\ncontent-length: 30000000\r\n\r\n" + b"x" * 30_000_000)
        sent = -1
        while sent != (left := writer.transport.get_write_buffer_size()):
            sent = left
            await asyncio.sleep(0.05)
        assert left > 15_000_000

        site.release.set()
        assert (await read_reply(reader)).body == b"30000000"


async def test_caller_that_leaves_is_noticed(site: Site) -> None:
    site.handlers["/leave"] = site.leave
    async with connect(site.port) as (_, writer):
        writer.write(b"GET /leave HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: bool(site.seen))

    await eventually(lambda: site.departures == 1)
    await eventually(lambda: not site.server.connections)


@pytest.mark.parametrize("reset", [True, False])
async def test_write_to_a_caller_that_has_left_raises(site: Site, reset: bool) -> None:
    @site.on("/flood")
    async def _flood(request: Request) -> None:
        request.open(200, [])
        while True:
            await request.write(b"x" * 10_000)

    with socket.socket() as caller:
        caller.connect(("127.0.0.1", site.port))
        caller.sendall(b"GET /flood HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: bool(site.seen))
        await asyncio.sleep(0.02)
        if reset:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    await eventually(lambda: len(site.errors) == 1)
    assert isinstance(site.errors[0], ClientGone)


async def test_caller_that_leaves_while_sending_its_body_is_noticed(site: Site) -> None:
    async with connect(site.port) as (_, writer):
        writer.write(POST + b"content-length: 100\r\n\r\nabc")
        await eventually(lambda: bool(site.seen))

    await eventually(lambda: len(site.errors) == 1)
    assert isinstance(site.errors[0], ClientGone)


async def test_unanswered_request_is_broken_off(site: Site) -> None:
    @site.on("/silent")
    async def _silent(request: Request) -> None:
        pass

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /silent HTTP/1.1\r\nhost: a\r\n\r\n")

        assert await _ended(reader)


async def test_shut_lets_requests_end_and_closes_idle_connections(site: Site) -> None:
    site.handlers["/hold"] = site.hold
    async with connect(site.port) as (idle, first), connect(site.port) as (reader, writer), asyncio.timeout(60):
        first.write(b"GET /describe HTTP/1.1\r\nhost: a\r\n\r\n")
        await read_reply(idle)
        writer.write(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: len(site.seen) == 2)

        site.server.stop_listening()

        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", site.port)
        site.release.set()
        reply = await read_reply(reader)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await reader.read() == b""
        await eventually(lambda: not site.server.connections)


async def test_close_waits_for_the_last_bytes(site: Site) -> None:
    @site.on("/large")
    async def _large(request: Request) -> None:
        request.whole(200, [], b"x" * 20_000_000)

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: bool(site.seen))
        closing = asyncio.ensure_future(site.server.close(5))
        reply = await read_reply(reader)
        await closing

    assert len(reply.body) == 20_000_000


async def test_slow_reader_of_a_last_reply_is_not_idle(site: Site) -> None:
    @site.on("/large")
    async def _large(request: Request) -> None:
        request.whole(200, [], b"x" * 20_000_000)

    async with connect(site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        await eventually(lambda: bool(site.seen))
        [connection] = site.server.connections
        connection.check(site.server.loop.time() + IDLE_TIMEOUT_S + 1)

        assert len((await read_reply(reader)).body) == 20_000_000


REQUESTS = (
    b"GET /describe?a=b HTTP/1.1\r\nhost: x\r\naccept: a\r\naccept: b\r\n\r\n"
    b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\nhello world"
    b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nt: u\r\n\r\n"
    b"\r\nPOST /echo HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 3\r\n\r\nabc"
    b"HEAD /a%20b HTTP/1.1\r\nhost: a\r\n\r\n"
)


async def _converse(pieces: list[bytes], answers: int) -> tuple[Site, bytes]:
    site = Site()
    site.server.loop = asyncio.get_running_loop()
    pipe = Pipe(Opening(site.server))
    for number, piece in enumerate(pieces):
        pipe.deliver(piece)
        if number % 3 == 0:
            await asyncio.sleep(0)
    await eventually(lambda: pipe.written.count(b"HTTP/1.1 ") == answers)
    return site, bytes(pipe.written)


@settings(max_examples=150)
@given(cuts=st.lists(st.integers(1, len(REQUESTS) - 1), max_size=40, unique=True))
def test_however_the_bytes_are_cut_the_requests_are_the_same(cuts: list[int]) -> None:
    bounds = sorted({0, len(REQUESTS), *cuts})
    pieces = [REQUESTS[a:b] for a, b in itertools.pairwise(bounds)]

    site, _ = asyncio.run(_converse(pieces, 5))

    assert [(method, path, query) for method, path, query, _ in site.seen] == [
        ("GET", "/describe", "a=b"),
        ("POST", "/echo", ""),
        ("POST", "/echo", ""),
        ("POST", "/echo", ""),
        ("HEAD", "/a b", ""),
    ]
    assert site.seen[0][3] == {"host": "x", "accept": "a, b"}
    assert site.bodies == [b"hello world", b"hello world", b"abc"]


@settings(max_examples=300)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, len(REQUESTS)), st.binary(max_size=20)).map(
            lambda cut: REQUESTS[: cut[0]] + cut[1] + REQUESTS[cut[0] :]
        ),
    )
)
def test_no_bytes_make_the_connection_fail(data: bytes) -> None:
    async def receive() -> None:
        server = Server(_ignore, Opening)
        server.loop = asyncio.get_running_loop()
        Pipe(Opening(server)).deliver(data)
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(receive())


async def _ignore(request: Request) -> None:
    request.json("ok")
