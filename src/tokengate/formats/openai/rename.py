"""The model's name in a stream's chunks, changed to what the caller called it.

Exact, and nearly free: the first chunk shows where the name lies, and chunks that agree with it byte for byte, up
to the name or from it on, have it at the same place.
"""

import msgspec

from tokengate.core.splice import Members


class ModelRename:
    """Renames the top-level `model` member in the frames of one stream."""

    __slots__ = ("_new", "_old", "_ours", "needed")

    def __init__(self, ours: str) -> None:
        self._ours = msgspec.json.encode(ours)
        self._old = b""
        self._new = b""
        self.needed = False  # whether the backend names the model otherwise, as its last name was

    def in_frame(self, frame: bytes, start: int, end: int) -> bytes:
        """Return a frame renamed; its one line of data lies from `start` to `end`."""
        old = self._old
        if old and frame.startswith(old):
            return self._new + frame[len(old) :] if self.needed else frame
        if old and frame.endswith(old):
            return frame[: -len(old)] + self._new if self.needed else frame
        data = frame[start:end]
        try:
            members = Members(data)
        except (ValueError, RecursionError):
            return frame
        if "model" not in members:
            return frame
        _, value_at, value_end = members.span("model")
        self.needed = data[value_at:value_end] != self._ours
        head, tail = frame[: start + value_at], frame[start + value_end :]
        if b'"choices"' not in head and frame.startswith(b"data:"):
            self._old, self._new = frame[: start + value_end], head + self._ours
        elif tail.endswith(b"\n\n") and next(iter(members)) != "model":
            # From the comma before the name on, this text closes one object more than it opens: in valid JSON that
            # ends with it, the object is the outermost one.
            comma_at = start + _end_before(members, "model")
            self._old, self._new = frame[comma_at:], head[comma_at:] + self._ours + tail
        else:
            self._old = b""
        return head + self._ours + tail if self.needed else frame

    def in_frames(self, frames: bytes) -> bytes | None:
        """Return whole frames renamed; None when one of them does not agree with what is known."""
        old = self._old
        if not old:
            return None
        if frames.find(b"\n\n") == len(frames) - 2:
            if frames.startswith(old):
                return self._new + frames[len(old) :]
            if frames.endswith(old):
                return frames[: -len(old)] + self._new
            return None
        pieces = frames.split(old)
        if len(pieces) - 1 != frames.count(b"\n\n"):
            return None
        return self._new.join(pieces)


def _end_before(members: Members, name: str) -> int:
    """Return where the member before this one, which is not the first, ends."""
    before = ""
    for other in members:
        if other == name:
            break
        before = other
    return members.span(before)[2]
