"""A request's body as it arrives: a bounded buffer between a connection and the surface that reads it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

from tokengate.core.errors import BodyTooLarge, ClientGone
from tokengate.web.server import READ_BUFFER_BYTES

MAX_DISCARDED_BYTES = 32 * 1024 * 1024  # beyond the limit; more is cut off


class Source(Protocol):
    """Where a body comes from, and what can be asked of it."""

    def pause(self) -> None:
        """Stop reading: enough lies here unread."""
        ...

    def resume(self, taken_bytes: int) -> None:
        """Go on reading: so much was taken."""
        ...


class _Nobody:
    def pause(self) -> None:
        pass

    def resume(self, taken_bytes: int) -> None:
        pass


_NOBODY = _Nobody()


class Body:
    """Fed by the connection, read once."""

    __slots__ = ("_lost", "_pieces", "_size", "_source", "_waiter", "complete")

    def __init__(self, source: Source) -> None:
        self.complete = False
        self._pieces: list[bytes] = []
        self._size = 0
        self._lost = False
        self._waiter: asyncio.Future[None] | None = None
        self._source = source

    def feed(self, data: bytes) -> None:
        """Add a piece that arrived."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > READ_BUFFER_BYTES:
            self._source.pause()
        self._wake()

    def end(self) -> None:
        """Note that the body has arrived whole."""
        self.complete = True
        self._wake()

    def lose(self) -> None:
        """Note that the rest will never arrive."""
        self._lost = True
        self._wake()

    def close(self) -> None:
        """Nobody reads it any more: let go of its source, which holds it."""
        self._source = _NOBODY

    def received(self, limit_bytes: int) -> bytes | None:
        """Return all of it when it has arrived and is not too large; None leaves that to `whole`."""
        if not self.complete or self._size > limit_bytes:
            return None
        taken = self._take()
        return taken[0] if len(taken) == 1 else b"".join(taken)

    async def whole(self, limit_bytes: int, declared_bytes: int | None) -> bytes:
        """Return all of it. Raises BodyTooLarge, or ClientGone when the connection ends first.

        A body that is a little too large is read to its end first, so that the caller gets to read the refusal
        instead of a broken pipe.
        """
        pieces = [piece async for piece in self.pieces(limit_bytes, declared_bytes)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def pieces(self, limit_bytes: int, declared_bytes: int | None) -> AsyncGenerator[bytes]:
        """Yield it as it arrives; `whole` says what is raised, once a body that is too large was read to its end."""
        if declared_bytes is not None and declared_bytes - limit_bytes > MAX_DISCARDED_BYTES:
            raise BodyTooLarge(limit_bytes)
        size = 0
        while True:
            if self._size:
                for piece in self._take():
                    size += len(piece)
                    if size <= limit_bytes:
                        yield piece
                    elif size - limit_bytes > MAX_DISCARDED_BYTES:
                        raise BodyTooLarge(limit_bytes)
            elif self.complete:
                break
            elif self._lost:
                raise ClientGone
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        if size > limit_bytes:
            raise BodyTooLarge(limit_bytes)

    def _take(self) -> list[bytes]:
        taken, size = self._pieces, self._size
        self._pieces, self._size = [], 0
        self._source.resume(size)
        return taken

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
