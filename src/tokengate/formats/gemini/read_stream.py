"""Reads streams: server-sent events, or one JSON array that arrives piecewise.

Which of the two it is, the first character tells. An error may stand in either, or all by itself.
"""

import re

from tokengate.core.errors import UpstreamFailed
from tokengate.core.reply import Event
from tokengate.core.sse import FrameBuffer, data_of, split_frames
from tokengate.core.usage import ReportedUsage
from tokengate.formats.gemini.chunks import ChunkReader

MAX_CHUNK_BYTES = 64 * 1024 * 1024  # a chunk may hold a picture of 4096 x 4096 points in base64


class ReplyReader:
    """Reads one streamed reply; the bytes may be cut anywhere."""

    __slots__ = ("_array", "_chunks", "_frames", "_is_array", "_undecided", "usage")

    def __init__(self) -> None:
        self._chunks = ChunkReader()
        self._frames = FrameBuffer(MAX_CHUNK_BYTES)
        self._array = ArrayBuffer(MAX_CHUNK_BYTES)
        self._undecided = True
        self._is_array = False
        self.usage: ReportedUsage | None = None  # the last that was reported

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that are whole by now. Raises UpstreamFailed."""
        if self._undecided:
            start = chunk.lstrip(b"\xef\xbb\xbf \t\r\n")
            if not start:
                return []
            self._undecided = False
            self._is_array = start[:1] in (b"[", b"{")
        events: list[Event] = []
        if self._is_array:
            for value in self._array.feed(chunk):
                events += self._chunks.read(value)
        else:
            whole = self._frames.feed(chunk)
            for frame in split_frames(whole) if whole else ():
                self._frame(frame, events)
        self.usage = self._chunks.usage
        return events

    def close(self) -> list[Event]:
        """Return the rest: a stream is whole when each candidate said why it ended."""
        events: list[Event] = []
        rest = self._frames.take_rest()
        cut = False
        try:
            if rest.strip():
                self._frame(rest, events)
        except UpstreamFailed:  # half a frame
            cut = True
        events += self._chunks.end(cut=cut)
        self.usage = self._chunks.usage
        return events

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        data = data_of(frame)
        if not data and frame.lstrip()[:1] in (b"[", b"{"):
            for value in ArrayBuffer(MAX_CHUNK_BYTES).feed(frame):  # an error that is no event
                events += self._chunks.read(value)
        elif data and data != b"[DONE]":
            events += self._chunks.read(data)


_MARKS = re.compile(rb'["{}\[\]]')


class ArrayBuffer:
    """Cuts the objects out of a JSON array, or of objects one after another, as they become whole."""

    __slots__ = ("_at", "_depth", "_held", "_limit_bytes", "_start", "_string")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held = bytearray()
        self._at = 0  # how far `_held` was looked at
        self._start = -1  # of the object that is open
        self._depth = 0  # inside that object
        self._string = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the objects that are whole by now. Raises UpstreamFailed when one grows past the limit."""
        held = self._held
        held += chunk
        found: list[bytes] = []
        while (mark := self._next_mark()) is not None:
            if held[mark] == 0x22:  # "
                self._string = True
            elif held[mark] in b"{[":
                if self._start >= 0:
                    self._depth += 1
                elif held[mark] == 0x7B:  # {
                    self._start, self._depth = mark, 1
            elif self._start >= 0:
                self._depth -= 1
                if not self._depth:
                    found.append(bytes(memoryview(held)[self._start : mark + 1]))
                    self._start = -1
        keep = self._start if self._start >= 0 else self._at
        if keep:
            del held[:keep]
            self._at -= keep
            self._start = 0 if self._start >= 0 else -1
        if len(held) > self._limit_bytes:
            raise UpstreamFailed(
                f"The upstream sent an event of more than {self._limit_bytes} bytes.", kind="too_large"
            )
        return found

    def _next_mark(self) -> int | None:
        """Return where the next bracket or string begins, skipping what is inside strings."""
        held = self._held
        if self._string:
            at = self._at
            while True:
                quote = held.find(b'"', at)
                slash = held.find(b"\\", at, quote if quote >= 0 else len(held))
                if slash >= 0:
                    if slash + 1 >= len(held):
                        self._at = slash
                        return None
                    at = slash + 2
                elif quote < 0:
                    self._at = len(held)
                    return None
                else:
                    self._at = quote + 1
                    self._string = False
                    break
        mark = _MARKS.search(held, self._at)
        if mark is None:
            self._at = len(held)
            return None
        self._at = mark.end()
        return mark.start()
