"""A caller of HTTP/2 that can misbehave."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, cast

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection, H2ConnectionStateMachine
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)

from tests.web.site import connect

Fields = list[tuple[str, str]]


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class _Patient(H2ConnectionStateMachine):
    """Goes on after a GOAWAY, as the protocol lets a caller do."""

    def process_input(self, input_: ConnectionInputs) -> list[Event]:
        if input_ in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY):
            return []
        return super().process_input(input_)


class Caller:
    """One connection. `greedy` opens the windows again for whatever arrives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.state_machine = _Patient()
        self.events: list[Event] = []
        self.greedy = True
        self.ended = False
        self._reader = reader
        self._writer = writer

    def flush(self) -> None:
        self._writer.write(self.h2.data_to_send())

    def raw(self, data: bytes) -> None:
        self._writer.write(data)

    def ask(
        self, path: str, *, method: str = "GET", headers: Fields | None = None, body: bytes = b"", more: bool = False
    ) -> int:
        """Begin a request; the body must fit into the windows."""
        stream_id = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path), *(headers or [])]
        self.h2.send_headers(stream_id, fields, end_stream=not body and not more)
        for start in range(0, len(body), 16_384):
            piece = body[start : start + 16_384]
            self.h2.send_data(stream_id, piece, end_stream=not more and start + 16_384 >= len(body))
        self.flush()
        return stream_id

    async def receive(self) -> None:
        """Read once."""
        data = await self._reader.read(65_536)
        if not data:
            self.ended = True
            self._writer.close()
            return
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, DataReceived) and self.greedy:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self.flush()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                assert not self.ended, "the server has closed the connection"
                await self.receive()

    async def end(self) -> None:
        """Read until the server closes."""
        async with asyncio.timeout(60):
            while not self.ended:
                try:
                    await self.receive()
                except ConnectionResetError:
                    self.ended = True

    async def reply(self, stream_id: int) -> Reply:
        await self.until(lambda: self.is_ended(stream_id))
        return self.reply_of(stream_id)

    def is_ended(self, stream_id: int) -> bool:
        return any(isinstance(event, StreamEnded) and event.stream_id == stream_id for event in self.events)

    def reply_of(self, stream_id: int) -> Reply:
        [head] = [e for e in self.events if isinstance(e, ResponseReceived) and e.stream_id == stream_id]
        headers = dict(cast(Fields, head.headers))
        return Reply(int(headers.pop(":status")), headers, self.body_of(stream_id))

    def body_of(self, stream_id: int) -> bytes:
        return b"".join([e.data for e in self.events if isinstance(e, DataReceived) and e.stream_id == stream_id])

    def informed(self, stream_id: int) -> bool:
        return any(isinstance(e, InformationalResponseReceived) and e.stream_id == stream_id for e in self.events)

    def reset_of(self, stream_id: int) -> int | None:
        for event in self.events:
            if isinstance(event, StreamReset) and event.stream_id == stream_id:
                return int(event.error_code)
        return None

    def goaway(self) -> tuple[int, int | None] | None:
        """Return the error code and the last stream."""
        for event in self.events:
            if isinstance(event, ConnectionTerminated):
                assert event.error_code is not None
                return int(event.error_code), event.last_stream_id
        return None


@asynccontextmanager
async def open_caller(port: int) -> AsyncGenerator[Caller, None]:
    async with connect(port) as (reader, writer):
        caller = Caller(reader, writer)
        caller.h2.initiate_connection()
        caller.flush()
        yield caller
