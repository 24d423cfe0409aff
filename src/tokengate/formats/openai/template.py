"""Chunks that differ from the last one only in one string, which is what nearly all of a stream is.

Such a chunk needs no look: it holds no usage, finish reason or error, its text is known without decoding, and the
model's name is where it was.
"""


class Template:
    """A frame around one text, as the backend sends it and as the caller gets it."""

    __slots__ = ("_between", "_between_out", "_head", "_head_out", "_tail", "_tail_out", "changes")

    def __init__(self, frame: bytes, out: bytes, text: bytes) -> None:
        """Take apart a frame, and the same frame as the caller gets it, around their member `text`.

        `text` is the member's JSON, such as `"content":"Hel"`. Raises ValueError when it is not in the frame
        exactly once.
        """
        self._head, self._tail = _around(frame, text)
        self._head_out, self._tail_out = _around(out, text)
        self._between = self._tail + self._head
        self._between_out = self._tail_out + self._head_out
        self.changes = frame != out

    def text_of_one(self, frame: bytes) -> bytes | None:
        """Return the text, in JSON's escapes, of a single frame of this kind; None for any other bytes.

        A text without a quotation mark ends where the tail begins, so the frame is valid JSON only if the rest is as
        it was.
        """
        head = self._head
        end = len(frame) - len(self._tail)
        if frame.startswith(head) and frame.find(b'"', len(head)) == end and frame.endswith(self._tail):
            return frame[len(head) : end]
        return None

    def texts_of(self, frames: bytes) -> list[bytes] | None:
        """Return the texts of frames all of which are of this kind; None when one is not."""
        if not frames.startswith(self._head) or not frames.endswith(self._tail):
            return None
        texts = frames[len(self._head) : -len(self._tail)].split(self._between)
        return None if b'"' in b"".join(texts) else texts

    def write(self, texts: list[bytes]) -> bytes:
        """Return the frames with these texts as the caller gets them."""
        return b"".join((self._head_out, self._between_out.join(texts), self._tail_out))


def _around(frame: bytes, text: bytes) -> tuple[bytes, bytes]:
    """Return what lies before and after the characters of the string that ends `text`."""
    at = frame.index(text)
    if frame.find(text, at + 1) >= 0:
        raise ValueError("the text is in the frame twice")
    start = at + text.index(b":") + 2
    return frame[:start], frame[at + len(text) - 1 :]
