"""The serve lock: serving processes have it for as long as they live, so that others know whether there is one.

On SQLite it belongs to one process (a lock on a file beside the database); on PostgreSQL those that serve share it (an
advisory lock). Whoever needs that nobody serves takes it alone.
"""

import fcntl
import os
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

_KEY = 0x746F6B656E67  # "tokeng"


class ServeLock(Protocol):
    """One taker's lock; the operating system or the server releases it when the process dies."""

    async def try_take(self, *, alone: bool) -> bool:
        """Return whether it is taken now; never waits."""
        ...

    def is_lost(self) -> bool:
        """Whether a lock that was taken is no longer there."""
        ...

    async def release(self) -> None: ...


class FileServeLock:
    """For SQLite, where even those that serve have it alone."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    async def try_take(self, *, alone: bool) -> bool:
        if self._file is None:
            self._file = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return try_flock(self._file)

    def is_lost(self) -> bool:
        return False

    async def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Connection(Protocol):
    """What the lock asks of a connection to PostgreSQL, which has it until it is closed."""

    def is_closed(self) -> bool: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...
    async def close(self) -> None: ...


class PostgresqlServeLock:
    """For PostgreSQL: by a connection of its own."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    async def try_take(self, *, alone: bool) -> bool:
        if self._connection is None:
            self._connection = await self._connect()
        take = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
        return bool(await self._connection.fetchval(f"SELECT {take}($1)", _KEY))

    def is_lost(self) -> bool:
        return self._connection is None or self._connection.is_closed()

    async def release(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def try_flock(file: int) -> bool:
    """Return whether the file is locked now by this taker alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
