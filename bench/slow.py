"""Slow streams: a mock upstream that sends one chunk per 50 ms, and a client that reads many of them at once.

Both are plain protocols on one event loop each, so that one core carries a thousand streams of either end.

    python -m bench.slow serve PORT
    python -m bench.slow read URL STREAMS REQUEST_FILE      # the file holds headers and body as JSON; prints JSON
    python -m bench.slow leave URL STREAMS REQUEST_FILE     # as read, but every client leaves somewhere in its stream
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.mock import stream_events

CHUNKS = 200
CHUNK_EVERY_S = 0.05
SLOTS = 10  # streams are spread over ten instants within the 50 ms
CONNECTS_AT_ONCE = 100
READ_TIMEOUT_S = 120.0

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_READY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def _framed(event: str) -> bytes:
    data = event.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


_FRAMES = [_framed(event) for event in stream_events(CHUNKS)]
_FRAMES[-1] += b"0\r\n\r\n"


class SlowStream(asyncio.Protocol):
    """Answers each POST on the connection with a slow stream; a GET says that the mock is up."""

    def __init__(self, slots: list[set["SlowStream"]]) -> None:
        self._slots = slots
        self._slot: set[SlowStream] | None = None
        self._buffer = b""
        self._sent = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has transports of its own

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._buffer = b""
        assert self._transport is not None
        if head.startswith(b"GET "):
            self._transport.write(_READY)
            return
        self._transport.write(_HEAD)
        self._sent = 0
        self._slot = min(self._slots, key=len)
        self._slot.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._slot:
            self._slot.discard(self)

    def send_next(self) -> None:
        assert self._transport is not None
        self._transport.write(_FRAMES[self._sent])
        self._sent += 1
        if self._sent == len(_FRAMES) and self._slot:
            self._slot.discard(self)
            self._slot = None


class StreamReader(asyncio.Protocol):
    """Sends one request and reads its stream to the end; keeps counts, never the content."""

    def __init__(self, request: bytes, done: asyncio.Future[None], leave_after: int | None) -> None:
        self._request = request
        self._done = done
        self._leave_after = leave_after
        self._last = b""
        self._transport: asyncio.Transport | None = None
        self.status = 0
        self.events = 0
        self.complete = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has transports of its own
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.status:
            self.status = int(data[9:12]) if data.startswith(b"HTTP/1.1 ") else -1
        # A marker cut by the read's end is seen with the next read: fewer bytes are kept than the marker has.
        self.events += (self._last[-5:] + data).count(b"data: ")
        seen = self._last + data
        self._last = seen[-11:]
        ended = b"data: [DONE]" in seen
        left = self._leave_after is not None and self.events >= self._leave_after
        if ended or left or self.status != 200:
            self.complete = ended and self.status == 200
            assert self._transport is not None
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def serve(port: int) -> None:
    slots: list[set[SlowStream]] = [set() for _ in range(SLOTS)]
    server = await asyncio.get_running_loop().create_server(lambda: SlowStream(slots), "127.0.0.1", port, backlog=4096)
    async with server:
        tick_s = CHUNK_EVERY_S / SLOTS
        next_tick = time.monotonic()
        while True:
            for slot in slots:
                for stream in list(slot):
                    stream.send_next()
                next_tick += tick_s
                await asyncio.sleep(max(0.0, next_tick - time.monotonic()))


async def read(url: str, streams: int, headers: dict[str, str], body: str, leave: bool) -> dict[str, float]:
    """Open all streams, read each to its end or leave it anywhere, and return counts and rates."""
    leaving = random.Random(streams)
    request = http_request(url, headers, body.encode())
    address = urlsplit(url)
    assert address.hostname and address.port
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    readers: list[StreamReader] = []
    ends: list[asyncio.Future[None]] = []
    for first in range(0, streams, CONNECTS_AT_ONCE):
        connecting: list[Coroutine[Any, Any, Any]] = []
        for _ in range(first, min(first + CONNECTS_AT_ONCE, streams)):
            done = loop.create_future()
            reader = StreamReader(request, done, leaving.randrange(1, CHUNKS) if leave else None)
            readers.append(reader)
            ends.append(done)
            connecting.append(loop.create_connection(lambda r=reader: r, address.hostname, address.port))
        await asyncio.gather(*connecting)
    opened_s = time.monotonic() - started
    await asyncio.wait(ends, timeout=READ_TIMEOUT_S)
    seconds = time.monotonic() - started
    events = sum(reader.events for reader in readers)
    return {
        "streams": streams,
        "refused": sum(reader.status != 200 for reader in readers),
        "complete": sum(reader.complete and reader.events >= CHUNKS for reader in readers),
        "events": events,
        "opened_s": opened_s,
        "seconds": seconds,
        "events_per_s": events / seconds,
    }


def http_request(url: str, headers: dict[str, str], body: bytes) -> bytes:
    address = urlsplit(url)
    lines = [
        f"POST {address.path} HTTP/1.1",
        f"Host: {address.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def main(arguments: list[str]) -> None:
    match arguments:
        case ["serve", port]:
            uvloop.run(serve(int(port)))
        case ["read" | "leave" as word, url, streams, request_file]:
            request = json.loads(Path(request_file).read_text())
            counted = uvloop.run(read(url, int(streams), request["headers"], request["body"], word == "leave"))
            print(json.dumps(counted))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
