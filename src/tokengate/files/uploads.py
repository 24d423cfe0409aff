"""Files that callers upload for their next questions, kept below the data folder for 48 hours.

A grant says where a caller may put files; it is sealed, so whoever brings it back may. A file belongs to the project
whose key asked for the grant: nobody else can read it, and nobody learns that it is there. Nothing of a name becomes
a path.
"""

import asyncio
import base64
import binascii
import hashlib
import mimetypes
import os
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, Conflict, Forbidden
from tokengate.core.ids import NewId
from tokengate.core.media_type import media_type_of
from tokengate.core.sealing import Sealer, Unsealable
from tokengate.core.wire import Inlined
from tokengate.files.space import require_space

MAX_FILE_BYTES: Final = 20 * 1024 * 1024  # what is read back goes into a request, in memory
KEPT_S: Final = 48 * 3600  # as long as the vendor keeps them
GRANT_S: Final = 300
SCHEME: Final = "oss://"

_MAX_FILES: Final = 200  # of a project
_MAX_PROJECT_BYTES: Final = 1024 * 1024 * 1024
_WRITE_BYTES: Final = 1024 * 1024  # at once; less waits in memory
_MAX_NAME: Final = 255

_is_id = re.compile(r"[0-9A-Za-z_-]{1,64}").fullmatch
_address = re.compile(r"oss://uploads/(upl_[0-9a-f]{32})/([^/]{1,255})").fullmatch
_CONTEXT: Final = b"upload"


class Grant(Struct, frozen=True):
    """Leave to put files into a directory of the address space, until a time."""

    org_id: str
    project_id: str
    upload_id: str
    until_s: int

    @property
    def directory(self) -> str:
        """What the keys of its files begin with."""
        return f"uploads/{self.upload_id}"


class Receiving:
    """A file on its way in. `write` takes a piece; what is not whole in the end is dropped."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting = bytearray()
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        """Take a piece. Raises BadRequest for one too many."""
        self.size_bytes += len(data)
        if self.size_bytes > MAX_FILE_BYTES:
            raise BadRequest(f"The file is larger than {MAX_FILE_BYTES} bytes.", param="file")
        self._waiting += data
        if len(self._waiting) >= _WRITE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        waiting, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(self._file.write, waiting)


class Uploads:
    """Built once; what it knows is in the folder."""

    def __init__(self, folder: Path, sealer: Sealer, clock: Clock, *, new_id: NewId) -> None:
        self._folder = folder
        self._sealer = sealer
        self._clock = clock
        self._new_id = new_id

    async def grant(self, org_id: str, project_id: str) -> tuple[Grant, str]:
        """Return a grant and its sealed form. Raises Forbidden when the project has no room, Unavailable without a
        place on the disk."""
        await asyncio.to_thread(self._require_room, self._place(org_id, project_id))
        now_s = self._clock.now_s()
        grant = Grant(org_id, project_id, self._new_id("upl", now_s), int(now_s) + GRANT_S)
        return grant, base64.b64encode(self._sealer.seal(_encode(grant), _CONTEXT)).decode()

    def granted(self, sealed: str) -> Grant:
        """Return the grant that was sealed. Raises Forbidden for one that is not ours, or no longer good."""
        try:
            grant = _decode(self._sealer.open(base64.b64decode(sealed, validate=True), _CONTEXT))
        except (binascii.Error, ValueError, Unsealable):
            raise Forbidden("The signature is not one that was given here.", param="Signature") from None
        if grant.until_s < self._clock.now_s():
            raise Forbidden("The policy has expired; ask for a new one.", param="policy")
        return grant

    @asynccontextmanager
    async def receive(self, grant: Grant, key: str) -> AsyncGenerator[Receiving]:
        """Take a file under a key of the grant's directory; it is there once the block ends, and not before.

        Raises Forbidden for a key elsewhere and for a project without room, Conflict for a key that is taken.
        """
        name = key.removeprefix(f"{grant.directory}/")
        if name == key or not 0 < len(name) <= _MAX_NAME or "/" in name:
            raise Forbidden(f"'key' must be a file of '{grant.directory}/'.", param="key")
        place = self._place(grant.org_id, grant.project_id)
        await asyncio.to_thread(self._require_room, place)
        folder = place / grant.upload_id
        path = folder / _file_name(name)
        part = path.with_suffix(".part")
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        try:
            file = await asyncio.to_thread(part.open, "xb")
        except FileExistsError:
            raise Conflict(f"'{name}' is being uploaded already.", code="file_exists") from None
        try:
            with file:
                receiving = Receiving(file)
                yield receiving
                await receiving.flush()
            await asyncio.to_thread(self._put, part, path, name)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def read(self, org_id: str, project_id: str, url: str) -> Inlined:
        """Return the file at an address. Raises BadRequest when there is none of this project, or no longer."""
        found = _address(url)
        if found is None:
            raise _absent(url)
        path = self._place(org_id, project_id) / found[1] / _file_name(found[2])
        body = await asyncio.to_thread(self._read, path)
        if body is None:
            raise _absent(url)
        media_type = media_type_of(mimetypes.guess_type(found[2])[0] or "", body)
        if media_type is None:
            raise BadRequest(
                f"The file at {url!r} is neither a picture, sound, a film nor a document.", param="messages"
            )
        return Inlined(media_type, body)

    async def purge(self) -> None:
        """Drop what has expired."""
        await asyncio.to_thread(self._purge)

    def _place(self, org_id: str, project_id: str) -> Path:
        assert _is_id(org_id) and _is_id(project_id), "an id of ours has no dots or slashes"
        return self._folder / org_id / project_id

    def _require_room(self, place: Path) -> None:
        count = size_bytes = 0
        for path in _files(place):
            count += 1
            size_bytes += path.stat().st_size
        if count >= _MAX_FILES or size_bytes + MAX_FILE_BYTES > _MAX_PROJECT_BYTES:
            raise Forbidden(
                f"The project has {count} uploaded files of {size_bytes} bytes together, which is as much as it may "
                "have; they are dropped 48 hours after they came.",
                code="uploads_full",
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        require_space(self._folder)

    def _put(self, part: Path, path: Path, name: str) -> None:
        now_s = self._clock.now_s()
        os.utime(part, (now_s, now_s))
        try:
            os.link(part, path)
        except FileExistsError:
            raise Conflict(f"'{name}' is there already.", code="file_exists") from None

    def _read(self, path: Path) -> bytes | None:
        try:
            if path.stat().st_mtime + KEPT_S <= self._clock.now_s():
                return None
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def _purge(self) -> None:
        before_s = self._clock.now_s() - KEPT_S
        for path in list(_files(self._folder)):
            if path.stat().st_mtime <= before_s:
                path.unlink(missing_ok=True)
        folders = sorted((path for path in self._folder.rglob("*") if path.is_dir()), reverse=True)
        for folder in folders:
            if folder.stat().st_mtime <= before_s and not any(folder.iterdir()):
                folder.rmdir()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Grant).decode


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _file_name(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _absent(url: str) -> BadRequest:
    return BadRequest(
        f"There is no file at {url[:300]!r}, or no longer: uploaded files are kept for 48 hours. Upload it again.",
        param="messages",
        code="file_not_found",
    )
