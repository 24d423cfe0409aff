"""The lines of a streamed reply.

DashScope's events are told by their lines, not by the blank lines between them, which older gateways of the vendor
leave out. Line ends may be LF, CRLF or CR, and the stream may be cut anywhere.
"""

import re

from tokengate.core.errors import UpstreamFailed
from tokengate.core.sse import MAX_FRAME_BYTES

_BOM = b"\xef\xbb\xbf"
_line_end = re.compile(rb"\r\n|\n|\r").split


class Lines:
    """Holds back the unfinished line at the end of a stream, up to `limit_bytes`."""

    __slots__ = ("_begun", "_limit_bytes", "_rest")

    def __init__(self, limit_bytes: int = MAX_FRAME_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._rest = b""
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that are whole by now, without their ends. Raises UpstreamFailed for a line too long."""
        data = self._rest + chunk
        # A CR at the end may be half of a CRLF.
        half = data.endswith(b"\r")
        lines = _line_end(data[:-1] if half else data)
        rest = lines.pop()
        self._rest = rest + b"\r" if half else rest
        if len(self._rest) > self._limit_bytes:
            raise UpstreamFailed(
                f"The upstream sent an event of more than {self._limit_bytes} bytes.", kind="too_large"
            )
        return self._without_mark(lines)

    def close(self) -> list[bytes]:
        """Return the line that was never ended."""
        rest, self._rest = self._rest.rstrip(b"\r"), b""
        return self._without_mark([rest]) if rest else []

    def _without_mark(self, lines: list[bytes]) -> list[bytes]:
        if lines and not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        return lines
