"""Chunks that differ from the last one only in one string, which is what nearly all of a stream is.

Such a chunk needs no look: it holds no usage, finish reason or error, its text is known without decoding, and the
model's name is where it was.
"""


class Template:
    """A frame around one text, as the backend sends it and as the caller gets it."""

    __slots__ = ("_between", "_between_out", "_end", "_head", "_head_out", "_tail", "_tail_out", "changes")

    def __init__(self, frame: bytes, out: bytes, text: bytes) -> None:
        """Take apart a frame, and the same frame as the caller gets it, around their member `text`.

        `text` is the member's JSON, such as `"content":"Hel"`. Raises ValueError when it is not in the frame
        exactly once.
        """
        self._head, self._tail = _around(frame, text)
        self._head_out, self._tail_out = _around(out, text)
        self._between = self._tail + self._head
        self._between_out = self._tail_out + self._head_out
        self._end = b"\r\n\r\n" if frame.endswith(b"\r\n\r\n") else b"\n\n"
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

    def leading_texts(self, frames: bytes) -> tuple[list[bytes], int]:
        """Return the texts of the frames of this kind that whole frames begin with, and where the first other one
        begins."""
        head = self._head
        if not frames.startswith(head):
            return [], 0
        # A search for all that is between two texts would cost several times as much as one for the frames' ends.
        pieces = frames.split(self._end)
        tail = self._tail[: -len(self._end)]
        pieces.pop()
        while pieces and not (pieces[-1].startswith(head) and pieces[-1].endswith(tail)):
            pieces.pop()
        if not pieces:
            return [], 0
        start, end = len(head), -len(tail)
        texts = [piece[start:end] for piece in pieces]
        alike = b"".join((head, self._between.join(texts), self._tail))
        if not frames.startswith(alike) or b'"' in b"".join(texts):
            return [], 0
        return texts, len(alike)

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
