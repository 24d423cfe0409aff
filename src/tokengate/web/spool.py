"""A form with a recording: its file is put aside as it arrives, in memory while it is small, else on the disk, where
nothing is left of it once the request is over, however it ends.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

from tokengate.core.errors import BadRequest, BodyTimeout
from tokengate.core.upload import StoredFile
from tokengate.files.space import require_space
from tokengate.web.form import Writer, read_mixed_form
from tokengate.web.request import Request

MAX_FILE_BYTES: Final = 256 * 1024 * 1024  # a day of speech as it is mostly stored; vendors take less, and say so
_FORM_BYTES: Final = 8 * 1024 * 1024  # around the file
_UPLOAD_S: Final = 600.0
_IN_MEMORY_BYTES: Final = 1024 * 1024
_FILE: Final = "file"


@asynccontextmanager
async def spooled(request: Request, folder: Path) -> AsyncGenerator[tuple[list[tuple[str, str]], StoredFile]]:
    """Yield a form's fields and its `file`, which is gone when the block ends. Raises UnsupportedMediaType, BadRequest,
    BodyTooLarge, BodyTimeout, ClientGone, Unavailable when the disk of `folder` is nearly full."""
    await asyncio.to_thread(require_space, folder)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, dir=str(folder)) as content:
        spool = _Spool(content, folder)
        try:
            async with asyncio.timeout(_UPLOAD_S):
                fields = await read_mixed_form(request, MAX_FILE_BYTES + _FORM_BYTES, spool.take)
        except TimeoutError:
            raise BodyTimeout(f"The file did not arrive within {_UPLOAD_S:g} s.") from None
        yield fields, await spool.stored()


class _Spool:
    """The one file of a form on its way in; what is written to it at once is large."""

    def __init__(self, content: IO[bytes], folder: Path) -> None:
        self._content = content
        self._folder = folder
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._name: str | None = None
        self._size_bytes = 0

    def take(self, name: str, file_name: str) -> Writer:
        """Return where a file is written. Raises BadRequest for a second one, and for one that is not asked for."""
        if name != _FILE:
            raise BadRequest(f"'{name[:100]}' must not be a file.", param=name[:100])
        if self._name is not None:
            raise BadRequest("'file' must be one file.", param=_FILE)
        self._name = file_name
        return self

    async def write(self, data: bytes) -> None:
        """Take a piece. Raises BadRequest for one too many, Unavailable when the disk is nearly full by now."""
        self._size_bytes += len(data)
        if self._size_bytes > MAX_FILE_BYTES:
            raise BadRequest(f"The file in 'file' is larger than {MAX_FILE_BYTES} bytes.", param=_FILE)
        self._waiting += data
        if len(self._waiting) >= _IN_MEMORY_BYTES:
            await self._flush()

    async def stored(self) -> StoredFile:
        """Return the file. Raises BadRequest when there was none."""
        if self._name is None:
            raise BadRequest("'file' is required.", param=_FILE, code="missing_required_parameter")
        await self._flush()
        return StoredFile(self._name, "", self._size_bytes, self._digest.hexdigest(), self._content)

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(self._put, waiting)

    def _put(self, data: bytearray) -> None:
        require_space(self._folder)
        self._digest.update(data)
        self._content.write(data)
