"""A form with one file, which is read piece by piece as it is sent: what is large is never whole in memory."""

import hashlib
from collections.abc import Iterator
from typing import IO, Final

from msgspec import Struct

_PIECE_BYTES: Final = 256 * 1024


class StoredFile(Struct, frozen=True, eq=False):
    """A file that a caller sent, in memory or on disk. Whoever opened its content closes it."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str  # of its bytes, in hexadecimal
    content: IO[bytes]

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes from the first to the last."""
        at = 0
        while at < self.size_bytes:
            self.content.seek(at)
            piece = self.content.read(_PIECE_BYTES)
            assert piece, "a stored file does not shrink"
            at += len(piece)
            yield piece

    def read(self) -> bytes:
        """Return all of it, for what must have it whole."""
        self.content.seek(0)
        return self.content.read()


class Upload(Struct, frozen=True, eq=False):
    """A `multipart/form-data` body: fields, which may repeat, and one file under the name `file`."""

    fields: tuple[tuple[str, str], ...]
    file: StoredFile

    @property
    def content_type(self) -> str:
        """What the body is, with its boundary."""
        return f"multipart/form-data; boundary={self._boundary}"

    @property
    def size_bytes(self) -> int:
        """How long the body is."""
        return len(self._before) + self.file.size_bytes + len(self._after)

    def pieces(self) -> Iterator[bytes]:
        """Yield the body; each call begins anew."""
        yield self._before
        yield from self.file.pieces()
        yield self._after

    @property
    def _boundary(self) -> str:
        """A digest of all that the form holds: nothing in it can contain its own digest."""
        digest = hashlib.sha256(self.file.sha256.encode())
        for pair in self.fields:
            for text in pair:
                digest.update(b"%d:%b" % (len(text), text.encode("utf-8", "surrogatepass")))
        return f"tokengate-{digest.hexdigest()}"

    @property
    def _before(self) -> bytes:
        boundary = self._boundary
        fields = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{quoted(name)}"\r\n\r\n{value}\r\n'
            for name, value in self.fields
        )
        file = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted(self.file.name)}"\r\n'
            f"Content-Type: {self.file.media_type}\r\n\r\n"
        )
        return (fields + file).encode("utf-8", "replace")

    @property
    def _after(self) -> bytes:
        return f"\r\n--{self._boundary}--\r\n".encode()


def quoted(name: str) -> str:
    """Return a name of a field or a file as HTML's forms write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
