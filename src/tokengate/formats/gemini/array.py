"""A stream for clients that ask without `alt=sse`: one JSON array whose elements arrive one after another.

Made from the stream's events, so both say the same; an event that says an error is an element, too, and what has
arrived up to any element is an array but for its bracket at the end.
"""

from typing import Final

from tokengate.core.errors import GatewayError
from tokengate.core.sse import FrameBuffer, data_of, split_frames
from tokengate.formats.gemini.errors import write_error
from tokengate.formats.gemini.read_stream import MAX_CHUNK_BYTES

ARRAY_TYPE: Final = "application/json; charset=UTF-8"


class ArrayWriter:
    """One stream. Its pieces may be cut anywhere."""

    __slots__ = ("_begun", "_frames")

    def __init__(self) -> None:
        self._frames = FrameBuffer(MAX_CHUNK_BYTES)
        self._begun = False

    def write(self, events: bytes) -> bytes:
        """Return the elements that are whole by now."""
        written: list[bytes] = []
        for frame in split_frames(self._frames.feed(events)):
            data = data_of(frame)
            if data:
                written += (b",\n" if self._begun else b"[", data)
                self._begun = True
        return b"".join(written)

    def end(self, events: bytes) -> bytes:
        """Return the last elements and the end of the array."""
        written = self.write(events)
        return written + (b"]" if self._begun else b"[]")


def write_array_error(error: GatewayError, request_id: str) -> bytes:
    """Return the body of an error before the first element: Google answers such clients with an array, too."""
    return b"[%b]" % write_error(error, request_id)
