"""HTTP/2 in clear text, with prior knowledge: h2 parses, this keeps the streams, the limits and the connection's life.

Each stream is a request of its own. Streams that the caller's windows or the network hold up take turns, a frame
each. What a caller may send is bounded by windows that open as the bodies are read.
"""

import asyncio
import contextlib
from typing import cast
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    PingReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from tokengate.web.http2_stream import Stream
from tokengate.web.request import Request
from tokengate.web.server import (
    HEAD_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    LINGER_S,
    MAX_HEAD_BYTES,
    READ_BUFFER_BYTES,
    WRITE_BUFFER_BYTES,
    Server,
    address_of,
)

MAX_STREAMS = 256  # open at once
_MAX_KEPT = 2 * MAX_STREAMS  # with those that the caller has reset and whose request has not ended yet
_CONNECTION_WINDOW_BYTES = 4 * READ_BUFFER_BYTES  # received and not read, all streams together
_MAX_UNSENT_BYTES = 16 * WRITE_BUFFER_BYTES  # answers to the caller's frames, which it does not take
_HEADER_TABLE_BYTES = 4_096  # of compressed reply headers, whatever more the caller offers
_WINDOW_FROM_START_BYTES = 65_535  # RFC 9113, section 6.9.2

# Callers reset streams to cancel, and ping or change settings now and then. At once, and then per second:
_RESETS = (2 * MAX_STREAMS, 50.0)
_ANSWERED = (512, 50.0)  # pings, settings and empty frames

_CONFIG = H2Configuration(
    client_side=False,
    header_encoding="latin-1",
    validate_outbound_headers=False,  # our own
    normalize_outbound_headers=False,
)
_SETTINGS = {
    SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
    SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
    SettingCodes.INITIAL_WINDOW_SIZE: READ_BUFFER_BYTES,
}


class Http2(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.h2 = H2Connection(_CONFIG)
        self.h2.state_machine = _OutlivesGoaway()
        self.h2.local_settings = Settings(client=False, initial_values=_SETTINGS)
        self.h2.decoder.max_header_list_size = MAX_HEAD_BYTES
        self._streams: dict[int, Stream] = {}
        self._blocked: dict[int, Stream] = {}  # have something to send
        self._paused = False  # the network takes no more for now
        self._closing = False  # no further request is taken
        self._ended = False  # nothing is read or written any more
        self._used = False
        self._since_s = 0.0  # when it became idle, or began to end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._client = address_of(self.transport)
        self._since_s = self.server.loop.time()
        self._resets = _Allowance(*_RESETS, self._since_s)
        self._answered = _Allowance(*_ANSWERED, self._since_s)
        self.server.connections.add(self)
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(_CONNECTION_WINDOW_BYTES - _WINDOW_FROM_START_BYTES)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)
        self._lose()

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            self._end()  # h2 has said why
            return
        calm = True
        for event in events:
            calm = self._take(event) and calm
        if not calm or self.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self.h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self._end()
            return
        self._send_blocked()
        self.flush()
        if self._closing and not self._streams:
            self._end()

    def eof_received(self) -> bool:
        return False  # the transport closes itself; connection_lost tells the streams

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send_blocked()

    # What the server asks for.

    def check(self, now_s: float) -> None:
        if self._ended:
            if now_s - self._since_s > LINGER_S:
                self.transport.abort()
        elif not self._streams:
            if now_s - self._since_s > (IDLE_TIMEOUT_S if self._used else HEAD_TIMEOUT_S):
                self.shut()
        else:
            for stream in list(self._streams.values()):
                stream.check(now_s)

    def shut(self) -> None:
        if self._closing:
            return
        self._closing = True
        self.h2.close_connection()
        self.flush()
        if not self._streams:
            self._ended = True
            self._since_s = self.server.loop.time()
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    # What the streams ask for.

    def flush(self) -> None:
        """Hand to the network what h2 has made."""
        data = self.h2.data_to_send()
        if data and not self._ended:
            self.transport.write(data)

    def send(self, stream: Stream) -> None:
        """Send what the stream has, as far as there is room, and the rest in its turn."""
        self._blocked[stream.id] = stream
        while not self._paused and stream.id in self._blocked and self._send_frame(stream):
            pass  # the others wait for their callers

    def reset(self, stream_id: int, code: ErrorCodes) -> None:
        """Break a stream off; nothing happens when it has been."""
        with contextlib.suppress(ProtocolError):
            self.h2.reset_stream(stream_id, code)
        self.flush()

    def give_room(self, stream_id: int, size_bytes: int) -> None:
        """Let the caller send as much again."""
        if size_bytes and not self._ended:
            self.h2.acknowledge_received_data(size_bytes, stream_id)
            self.flush()

    def drop(self, stream: Stream) -> None:
        """Forget a stream that has ended on both sides."""
        self._blocked.pop(stream.id, None)
        if self._streams.pop(stream.id, None) is not None and not self._streams and not self._ended:
            self._since_s = self.server.loop.time()
            if self._closing:
                self._end()

    def _take(self, event: Event) -> bool:
        """Act on what h2 found; False when there has been too much of it."""
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                stream = self._streams.get(event.stream_id)
                padding = event.flow_controlled_length - len(event.data)
                if stream is None:
                    self.give_room(event.stream_id, event.flow_controlled_length)
                else:
                    self.give_room(event.stream_id, padding)
                    stream.feed(event.data)
                return (
                    bool(event.data) or event.stream_ended is not None or self._answered.take(self.server.loop.time())
                )
            case StreamEnded():
                if (stream := self._streams.get(event.stream_id)) is not None:
                    stream.end()
            case StreamReset():
                if (stream := self._streams.get(event.stream_id)) is not None:
                    self._blocked.pop(stream.id, None)
                    stream.lose()
                return self._resets.take(self.server.loop.time())
            case PingReceived():
                return self._answered.take(self.server.loop.time())
            case RemoteSettingsChanged():
                if self.h2.encoder.header_table_size > _HEADER_TABLE_BYTES:
                    self.h2.encoder.header_table_size = _HEADER_TABLE_BYTES
                return self._answered.take(self.server.loop.time())
            case ConnectionTerminated():
                self._closing = True  # the caller has; it still reads the replies that it waits for
            case _:
                pass
        return True

    def _begin(self, event: RequestReceived) -> None:
        if self._closing or len(self._streams) >= _MAX_KEPT:
            self.reset(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        pseudo: dict[str, str] = {}
        headers: dict[str, str] = {}
        for name, value in cast(list[tuple[str, str]], event.headers):  # decoded, says the configuration
            if name.startswith(":"):
                pseudo[name] = value
            else:
                known = headers.get(name)
                if known is None:
                    headers[name] = value
                else:  # RFC 9113, section 8.2.3: a cookie's crumbs have a separator of their own
                    headers[name] = f"{known}; {value}" if name == "cookie" else f"{known}, {value}"
        if ":authority" in pseudo:
            headers.setdefault("host", pseudo[":authority"])
        method = pseudo[":method"]
        path, _, query = pseudo.get(":path", "").partition("?")
        stream = Stream(self, event.stream_id, method, expects=headers.get("expect", "").lower() == "100-continue")
        self._used = True
        self._streams[stream.id] = stream
        stream.request = Request(method, unquote(path), query, headers, self._client, stream)
        self.server.begin(stream.request)

    def _send_blocked(self) -> None:
        """Send for each stream that waits, a frame each in turn, until nothing more can go out."""
        moved = True
        while moved:
            moved = False
            for stream in list(self._blocked.values()):
                if self._paused:
                    return
                moved = self._send_frame(stream) or moved

    def _send_frame(self, stream: Stream) -> bool:
        if not stream.send_frame():
            return False
        if self._blocked.pop(stream.id, None) is not None and stream.unsent():
            self._blocked[stream.id] = stream  # comes last next time
        self.flush()  # tells whether the network takes more
        return True

    def _end(self) -> None:
        """Let the caller read what has been sent, then close; nothing that it still sends is read."""
        self.flush()
        self._since_s = self.server.loop.time()
        self._lose()
        if not self.transport.is_closing():
            self.transport.write_eof()

    def _lose(self) -> None:
        self._ended = self._closing = True
        self._blocked.clear()
        for stream in list(self._streams.values()):
            stream.lose()


class _OutlivesGoaway(H2ConnectionStateMachine):
    """After a GOAWAY of either side h2 says nothing more; the streams before it may end (RFC 9113, section 6.8)."""

    def process_input(self, input_: ConnectionInputs) -> list[Event]:
        if input_ in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY):
            return []
        return super().process_input(input_)


class _Allowance:
    """How often something may happen: so many times at once, and then so many times per second."""

    __slots__ = ("_at_once", "_left", "_per_s", "_since_s")

    def __init__(self, at_once: int, per_s: float, now_s: float) -> None:
        self._at_once = at_once
        self._per_s = per_s
        self._left = float(at_once)
        self._since_s = now_s

    def take(self, now_s: float) -> bool:
        """Count one; False when it is too much."""
        self._left = min(self._at_once, self._left + (now_s - self._since_s) * self._per_s) - 1
        self._since_s = now_s
        return self._left >= 0
