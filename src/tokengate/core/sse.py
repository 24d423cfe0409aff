"""Server-sent events as bytes: where frames end, and where their data lies.

Line ends may be LF, CRLF or CR, and a stream may be cut anywhere, also inside a character or between CR and LF.
Nothing is decoded: what goes in comes out byte for byte, only later.
"""

import re
from collections.abc import Iterator

from tokengate.core.errors import UpstreamFailed

MAX_FRAME_BYTES = 1 << 20  # a frame that is longer without an end is not a frame

_BOM = b"\xef\xbb\xbf"
# An empty line ends a frame. A CR that is the last byte so far may be half of a CRLF; only after another CR, as in a
# stream that knows no LF, is it taken for a line end at once: waiting would hold that stream's last frame back.
_frame_end = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))|\r\r\Z")
_lines = re.compile(rb"[^\r\n]+").finditer
_usual = re.compile(rb"(?:event:.*\n)?data: ?(.*)\n\n").fullmatch  # one line of data, and no CR in the frame


class FrameBuffer:
    """Holds back the unfinished frame at the end of a stream, up to `limit_bytes`."""

    __slots__ = ("_limit_bytes", "rest")

    def __init__(self, limit_bytes: int = MAX_FRAME_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self.rest = bytearray()  # what is held back

    def feed(self, chunk: bytes) -> bytes:
        """Return all whole frames that have arrived and were not returned before; empty when there is none.

        Raises UpstreamFailed when a frame grows past the limit.
        """
        rest = self.rest
        if not rest and chunk.endswith(b"\n\n"):
            return chunk
        seen = max(0, len(rest) - 3)  # a blank line is at most four bytes
        rest += chunk
        end = _last_frame_end(rest, seen)
        if len(rest) - end > self._limit_bytes:
            raise UpstreamFailed(
                f"The upstream sent an event of more than {self._limit_bytes} bytes.", kind="too_large"
            )
        if not end:
            return b""
        frames = bytes(memoryview(rest)[:end])
        del rest[:end]
        return frames

    def take_rest(self) -> bytes:
        """Return what is held back and forget it: the stream has ended."""
        rest = bytes(self.rest)
        self.rest.clear()
        return rest


def split_frames(frames: bytes) -> Iterator[bytes]:
    """Yield the frames of what a FrameBuffer returned, each with its blank line. Joined they are the argument."""
    at = 0
    if b"\r" in frames:
        for blank in _frame_end.finditer(frames):
            yield frames[at : blank.end()]
            at = blank.end()
    else:
        while (end := frames.find(b"\n\n", at) + 2) > 1:
            yield frames[at:end]
            at = end
    if at < len(frames):
        yield frames[at:]


def data_spans(frame: bytes) -> list[tuple[int, int]]:
    """Return where the values of a frame's `data` lines lie; empty for a comment."""
    usual = _usual(frame)
    if usual is not None and b"\r" not in frame:
        return [usual.span(1)]
    spans: list[tuple[int, int]] = []
    for line in _lines(frame):
        start, end = line.span()
        if frame.startswith(_BOM, start):
            start += 3
        if frame.startswith(b"data:", start, end):
            start += 6 if frame.startswith(b" ", start + 5, end) else 5
            spans.append((start, end))
        elif frame[start:end] == b"data":
            spans.append((end, end))
    return spans


def data_of(frame: bytes) -> bytes:
    """Return a frame's data, its lines joined by LF; empty for a comment."""
    usual = _usual(frame)
    if usual is not None and b"\r" not in frame:
        return usual[1]
    return b"\n".join([frame[start:end] for start, end in data_spans(frame)])


def write_frame(data: bytes) -> bytes:
    """Return a frame with this data, which must not contain a line end."""
    return b"data: %b\n\n" % data


def _last_frame_end(buffer: bytearray, start: int) -> int:
    if buffer.find(b"\r", start) < 0:
        return buffer.rfind(b"\n\n", start) + 2 if buffer.find(b"\n\n", start) >= 0 else 0
    end = 0
    for blank in _frame_end.finditer(buffer, start):
        end = blank.end()
    return end
