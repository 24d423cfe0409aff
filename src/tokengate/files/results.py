"""The files that jobs make, in a folder or in object storage, until their days are over.

A result is there whole or not at all: its body goes under a key of its own, and what is known of it is written last.
Ids and names are checked before they become keys; who may read a result is for others to say.
"""

import asyncio
import hashlib
import math
import os
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Set
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import structlog
from msgspec import Struct

from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, NotFound, Unavailable
from tokengate.core.ids import NewId
from tokengate.files.object_storage import Folder, Place, open_storage
from tokengate.files.space import require_space

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import LocalStore, S3Store

    Storage = LocalStore | S3Store

T = TypeVar("T")

# Of a body on its way in, so many bytes wait in memory, and so many parts are on their way to object storage.
_PART_BYTES: Final = 5 * 1024 * 1024  # the least that S3 takes; its 10,000 parts are 50 GB
_PARTS_AT_ONCE: Final = 2
_TAKEN_BYTES: Final = 1024 * 1024  # handed over at once; less waits
_PIECE_BYTES: Final = 256 * 1024  # of a body on its way out
_ABOUT: Final = "about.json"
_ORPHAN_S: Final = 3_600  # a job may be recorded a moment after its result
_LIST_BATCH: Final = 500

_is_id = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}").fullmatch
_is_name = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}").fullmatch
_is_media_type = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}").fullmatch

_log = structlog.get_logger("tokengate.files")


class Stored(Struct, frozen=True):
    """What is known of a result."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str  # in hexadecimal


class _About(Stored, frozen=True):
    """What is written of a result, with the key of its body."""

    body: str


class Result:
    """A result that is there. Each `read` begins anew."""

    def __init__(self, stored: Stored, read: Callable[[int, int], AsyncGenerator[bytes]]) -> None:
        self.stored = stored
        self._read = read

    def read(self, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` up to `end`; close the generator to stop before its end.

        Raises Unavailable when the storage fails, NotFound when the result was deleted meanwhile.
        """
        size_bytes = self.stored.size_bytes
        end = size_bytes if end is None else end
        assert 0 <= start <= end <= size_bytes, "a range of the result"
        return self._read(start, end)


class Results:
    """Built once; what it knows is in the storage."""

    def __init__(self, place: Place, clock: Clock, *, new_id: NewId) -> None:
        self._place = place
        self._folder = place.path if isinstance(place, Folder) else None
        self._clock = clock
        self._new_id = new_id
        self._opened: Storage | None = None

    async def put(
        self, job_id: str, name: str, media_type: str, pieces: AsyncIterator[bytes], max_bytes: int
    ) -> Stored:
        """Store a result as its pieces arrive, and return what is known of it. One of the same name is replaced.

        Raises BadRequest when it is larger than `max_bytes`, Unavailable when the storage fails or its disk is full,
        and what `pieces` raises; nothing of it is left then.
        """
        assert _is_media_type(media_type), media_type
        prefix = _prefix(job_id, name)
        before = await self._about(prefix)
        body = f"{prefix}/{self._new_id('body', self._clock.now_s())}"
        taking = _Taking(max_bytes)
        async with AsyncExitStack() as stack:
            writer = self._write(body)
            await stack.enter_async_context(writer)
            async for piece in pieces:
                if taking.add(piece):
                    await self._hand_over(taking, writer)
            await self._hand_over(taking, writer)
            stack.pop_all()  # what fails to close takes back what it wrote
            await self._done(writer.close())
        await self._sync(body)
        about = _About(name, media_type, taking.size_bytes, taking.digest.hexdigest(), body)
        await self._done(self._put(f"{prefix}/{_ABOUT}", _encode(about)))
        await self._sync(f"{prefix}/{_ABOUT}")
        if before is not None:
            await self._delete(before.body)
        return _stored(about)

    async def open(self, job_id: str, name: str) -> Result:
        """Return a result. Raises NotFound, Unavailable."""
        about = await self._about(_prefix(job_id, name))
        if about is None:
            raise _absent()
        return Result(_stored(about), lambda start, end: self._read(about.body, start, end))

    async def delete(self, job_id: str) -> None:
        """Drop all results of a job, also what a broken `put` left. Raises Unavailable."""
        _require_id(job_id)
        if self._folder is not None:
            with suppress(FileNotFoundError):
                await self._done(asyncio.to_thread(shutil.rmtree, self._folder / job_id))
            return
        keys = [key async for key, _ in self._list(job_id)]
        for key in sorted(keys, key=lambda key: not key.endswith(f"/{_ABOUT}")):  # from then on they are not there
            await self._delete(key)

    async def purge_orphans(self, known: Callable[[Set[str]], Awaitable[Set[str]]]) -> int:
        """Drop the results of jobs that nobody knows, an hour after they were last written, and return of how many.
        `known` is given ids and returns those of them that are a job's. Raises Unavailable."""
        before_s = self._clock.now_s() - _ORPHAN_S
        batch: set[str] = set()
        orphans: set[str] = set()
        async for job_id, latest_s in self._jobs():
            if latest_s < before_s:
                batch.add(job_id)
            if len(batch) == _LIST_BATCH:
                orphans |= batch - await known(batch)
                batch = set()
        orphans |= batch - await known(batch)
        for job_id in orphans:
            await self.delete(job_id)
        return len(orphans)

    # One by one, what is asked of the storage.

    @property
    def _storage(self) -> "Storage":
        if self._opened is None:
            from obstore.exceptions import BaseError

            try:
                self._opened = open_storage(self._place)
            except (BaseError, OSError) as failure:
                raise _failed(failure) from failure
        return self._opened

    def _write(self, key: str) -> "AsyncWritableFile":
        import obstore

        return obstore.open_writer_async(self._storage, key, buffer_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)

    def _put(self, key: str, data: bytes) -> Awaitable[object]:
        import obstore

        return obstore.put_async(self._storage, key, data)

    async def _hand_over(self, taking: "_Taking", writer: "AsyncWritableFile") -> None:
        data = taking.take()
        await asyncio.to_thread(taking.digest.update, data)
        if self._folder is not None:
            await self._done(asyncio.to_thread(require_space, self._folder))
        await self._done(writer.write(data))

    async def _read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes]:
        import obstore

        if start == end:
            return
        try:
            found = await self._done(obstore.get_async(self._storage, key, options={"range": (start, end)}))
            stream = found.stream(min_chunk_size=_PIECE_BYTES)
            while True:
                yield await self._done(anext(stream))
        except StopAsyncIteration:
            return
        except FileNotFoundError:
            raise _absent() from None

    async def _about(self, prefix: str) -> _About | None:
        import obstore

        try:
            found = await self._done(obstore.get_async(self._storage, f"{prefix}/{_ABOUT}"))
            return _decode(await self._done(found.bytes_async()))
        except FileNotFoundError:
            return None

    async def _delete(self, key: str) -> None:
        import obstore

        with suppress(FileNotFoundError):  # one at a time: not every S3-compatible server takes a list
            await self._done(obstore.delete_async(self._storage, key))

    async def _jobs(self) -> AsyncGenerator[tuple[str, float]]:
        """Yield each job with the time of its last write."""
        if self._folder is not None:
            for found in await self._done(asyncio.to_thread(_jobs_of_folder, self._folder)):
                yield found
            return
        latest: dict[str, float] = {}
        async for key, written_s in self._list(None):
            job_id = key.partition("/")[0]
            if job_id not in latest and latest:  # a bucket lists in order
                yield latest.popitem()
            latest[job_id] = max(latest.get(job_id, 0), written_s)
        if latest:
            yield latest.popitem()

    async def _list(self, prefix: str | None) -> AsyncGenerator[tuple[str, float]]:
        import obstore

        # Without Arrow, whose types the stub leaves open.
        listing = obstore.list(self._storage, prefix, chunk_size=_LIST_BATCH)  # pyright: ignore[reportUnknownMemberType]
        try:
            while True:
                for one in await self._done(anext(listing)):
                    yield one["path"], one["last_modified"].timestamp()
        except StopAsyncIteration:
            return

    async def _sync(self, key: str) -> None:
        """See to it that a result outlives the machine's power, as its job's bill does."""
        if self._folder is not None:
            await self._done(asyncio.to_thread(_sync, self._folder / key))

    async def _done(self, work: Awaitable[T]) -> T:
        """Await what the storage does, to its end even if the caller is cancelled meanwhile: half an operation could
        leave behind what nobody knows of. Raises Unavailable for its failures, but FileNotFoundError as it is."""
        from obstore.exceptions import BaseError

        working = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.gather(working, return_exceptions=True)
            raise
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as failure:
            raise _failed(failure) from failure


class _Taking:
    """A body on its way in: counted, hashed, and gathered into pieces that are worth handing over."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._waiting = bytearray()
        self.size_bytes = 0
        self.digest = hashlib.sha256()

    def add(self, piece: bytes) -> bool:
        """Take a piece, and say whether it is time to hand over. Raises BadRequest for one too many."""
        self.size_bytes += len(piece)
        if self.size_bytes > self._max_bytes:
            raise BadRequest(f"The file is larger than {self._max_bytes} bytes.", code="file_too_large")
        self._waiting += piece
        return len(self._waiting) >= _TAKEN_BYTES

    def take(self) -> bytes:
        data, self._waiting = bytes(self._waiting), bytearray()
        return data


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_About).decode


def _prefix(job_id: str, name: str) -> str:
    """Return where a result's keys begin. Raises NotFound for what no result is called."""
    _require_id(job_id)
    if not _is_name(name):
        raise _absent()
    return f"{job_id}/{name}"


def _require_id(job_id: str) -> None:
    if not _is_id(job_id):
        raise _absent()


def _stored(about: _About) -> Stored:
    return Stored(about.name, about.media_type, about.size_bytes, about.sha256)


def _failed(failure: Exception) -> Unavailable:
    _log.warning("results_storage", error=str(failure).partition("\n")[0][:500])
    return Unavailable("The storage of results does not answer as it should; try again.", code="results_unavailable")


def _absent() -> NotFound:
    return NotFound("There is no such result, or no longer: results are kept for a time.", code="result_not_found")


def _jobs_of_folder(folder: Path) -> list[tuple[str, float]]:
    """Return the jobs of a folder, those among them that have nothing but a broken `put` left."""
    if not folder.is_dir():
        return []
    return [(job.name, _written_s(job)) for job in folder.iterdir() if _is_id(job.name)]


def _written_s(job: Path) -> float:
    try:
        return max((path.stat().st_mtime for path in job.rglob("*")), default=job.stat().st_mtime)
    except FileNotFoundError:  # it changes this very moment
        return math.inf


def _sync(file: Path) -> None:
    for path in (file, *list(file.parents)[:3]):  # of the result, the job, and all of them
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
