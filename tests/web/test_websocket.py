import asyncio
from collections.abc import AsyncGenerator

import pytest
from websockets.asyncio.client import connect as call
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode

from tests.support import eventually
from tests.web.http2_caller import open_caller
from tests.web.site import Pipe, Site, connect, open_site
from tokengate.web.opening import Opening
from tokengate.web.request import Request
from tokengate.web.server import LINGER_S
from tokengate.web.websocket import WebSocket, accept, is_handshake

LIMIT_BYTES = 1_000
HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Sockets:
    """Has `/socket` answer with what was said first."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.said: list[bytes] = []
        self.timeout_s = 5.0
        site.on("/socket")(self._answer)

    @property
    def open(self) -> list[WebSocket]:
        return [connection for connection in self.site.server.connections if isinstance(connection, WebSocket)]

    async def _answer(self, request: Request) -> None:
        socket = accept(request, LIMIT_BYTES) if is_handshake(request) else None
        if socket is None:
            request.json({"error": "not found"}, 404)
            return
        self.said.append(await socket.first(self.timeout_s))
        socket.send(b"you said: " + self.said[-1])
        socket.close(CloseCode.POLICY_VIOLATION, "that is all")


@pytest.fixture
async def sockets() -> AsyncGenerator[Sockets]:
    async with open_site() as site:
        yield Sockets(site)


def url_of(sockets: Sockets) -> str:
    return f"ws://127.0.0.1:{sockets.site.port}/socket"


@pytest.mark.parametrize("message", ["hello", b"hello", ["he", "", "llo"], [b"hel", b"lo"]])
async def test_first_message_is_answered_and_the_connection_closed(
    sockets: Sockets, message: str | bytes | list[str]
) -> None:
    async with asyncio.timeout(60), call(url_of(sockets), proxy=None) as caller:
        await caller.send(message)

        assert await caller.recv() == "you said: hello"
        with pytest.raises(ConnectionClosed):
            await caller.recv()

    assert (caller.close_code, caller.close_reason) == (CloseCode.POLICY_VIOLATION, "that is all")
    assert sockets.said == [b"hello"]
    await eventually(lambda: not sockets.site.server.connections)


async def test_handshake_is_answered_as_the_standard_says(sockets: Sockets) -> None:
    """The key and its proof are RFC 6455's example, section 1.3."""
    async with connect(sockets.site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(HANDSHAKE)

        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()

    status, *lines = head.rstrip().split("\r\n")
    assert status == "http/1.1 101 switching protocols"
    assert {"connection: upgrade", "upgrade: websocket"} < set(lines)
    assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in lines
    assert not [line for line in lines if line.startswith(("content-length", "transfer-encoding"))]


async def test_whoever_says_nothing_is_spoken_to(sockets: Sockets) -> None:
    sockets.timeout_s = 0.0

    async with asyncio.timeout(60), call(url_of(sockets), proxy=None) as caller:
        assert await caller.recv() == "you said: "


async def test_ping_is_answered_while_nothing_is_said(sockets: Sockets) -> None:
    async with asyncio.timeout(60), call(url_of(sockets), proxy=None) as caller:
        await (await caller.ping())


async def test_whoever_closes_says_nothing(sockets: Sockets) -> None:
    async with asyncio.timeout(60), call(url_of(sockets), proxy=None) as caller:
        await caller.close()

    assert caller.close_code == CloseCode.NORMAL_CLOSURE
    await eventually(lambda: sockets.said == [b""])


async def test_whoever_leaves_says_nothing(sockets: Sockets) -> None:
    async with connect(sockets.site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")

    await eventually(lambda: sockets.said == [b""])
    await eventually(lambda: not sockets.site.server.connections)


@pytest.mark.parametrize("message", ["x" * (LIMIT_BYTES + 1), ["x" * 600, "x" * 600]])
async def test_message_that_is_too_large_ends_the_connection(sockets: Sockets, message: str | list[str]) -> None:
    async with asyncio.timeout(60), call(url_of(sockets), proxy=None) as caller:
        await caller.send(message)

        with pytest.raises(ConnectionClosed):
            await caller.recv()

    assert caller.close_code == CloseCode.MESSAGE_TOO_BIG
    assert sockets.said == [b""]


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"\x81\x02hi", b"\xff" * 200_000])
async def test_what_is_no_websocket_ends_the_connection(sockets: Sockets, rubbish: bytes) -> None:
    async with connect(sockets.site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(rubbish)

        said = await reader.read()

    assert said.startswith(b"\x88") and said[2:4] == CloseCode.PROTOCOL_ERROR.to_bytes(2, "big")
    assert sockets.said == [b""]


async def test_whoever_does_not_close_in_turn_is_cut_off(sockets: Sockets) -> None:
    async with connect(sockets.site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(Frame(Opcode.TEXT, b"hello").serialize(mask=True))
        await reader.readuntil(b"that is all")
        [socket] = sockets.open

        now_s = asyncio.get_running_loop().time()
        socket.check(now_s + LINGER_S / 2)
        assert sockets.open
        socket.check(now_s + LINGER_S + 1)

        assert await reader.read() == b""
    await eventually(lambda: not sockets.open)


async def test_server_that_stops_says_so(sockets: Sockets) -> None:
    async with asyncio.timeout(60), call(url_of(sockets), proxy=None) as caller:
        sockets.site.server.stop_listening()

        with pytest.raises(ConnectionClosed):
            await caller.recv()

    assert caller.close_code == CloseCode.GOING_AWAY


@pytest.mark.parametrize(
    "request_",
    [
        HANDSHAKE.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\ncontent-length: 0\r\n\r\n"),
        HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        HANDSHAKE.replace(b"WebSocket", b"h2c"),
        HANDSHAKE.replace(b"upgrade: WebSocket\r\n", b""),
        HANDSHAKE.replace(b", Upgrade", b""),
        HANDSHAKE.replace(b": 13", b": 8"),
        HANDSHAKE.replace(b"==", b""),
        HANDSHAKE.replace(b"dGhl", b"dG\xe9l"),
        HANDSHAKE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZQ=="),
    ],
)
async def test_what_is_no_sound_handshake_is_a_request_like_others(sockets: Sockets, request_: bytes) -> None:
    async with connect(sockets.site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(request_)

        assert (await reader.readline()).split(b" ")[1] == b"404"


@pytest.mark.parametrize("more", [b"GET /describe HTTP/1.1\r\nhost: a\r\n\r\n", b"GET /desc", b"\x81\x80abcd"])
async def test_connection_with_something_else_on_it_stays_as_it_is(sockets: Sockets, more: bytes) -> None:
    """A caller may not speak WebSocket before it was told that the server does."""
    async with connect(sockets.site.port) as (reader, writer), asyncio.timeout(60):
        writer.write(HANDSHAKE + more)

        assert (await reader.readline()).split(b" ")[1] == b"404"

    assert not sockets.said


async def test_connection_of_http2_is_not_left(sockets: Sockets) -> None:
    key = [("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]

    async with open_caller(sockets.site.port) as caller:
        reply = await caller.reply(caller.ask("/socket", headers=key))

    assert reply.status == 404


async def test_whoever_pings_and_does_not_read_is_not_read_either() -> None:
    site = Site()
    site.server.loop = asyncio.get_running_loop()
    sockets = Sockets(site)
    pipe = Pipe(Opening(site.server))
    pipe.deliver(HANDSHAKE)
    await eventually(lambda: bool(sockets.open))
    [socket] = sockets.open
    ping = Frame(Opcode.PING, b"").serialize(mask=True)

    pipe.deliver(ping)
    answered = bytes(pipe.written)
    socket.pause_writing()
    pipe.deliver(ping)
    assert bytes(pipe.written) == answered
    socket.resume_writing()

    await eventually(lambda: len(pipe.written) > len(answered))
    socket.close(CloseCode.NORMAL_CLOSURE, "")
    await eventually(lambda: sockets.said == [b""])
