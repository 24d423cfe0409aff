"""Opens the database, SQLite or PostgreSQL, migrated, and hands out transactions and consistent reads.

Also says who serves it: on SQLite one process, on PostgreSQL any number. Commands work beside them.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tokengate.core.clock import Clock, SystemClock
from tokengate.core.settings import Settings
from tokengate.storage.migrations.upgrade import upgrade
from tokengate.storage.serve_lock import FileServeLock, PostgresqlServeLock, ServeLock, try_flock
from tokengate.storage.sqlite_connection import SqliteConnection

Tx = AsyncConnection  # what `Database.tx` yields, for signatures outside of the stores

BUSY_TIMEOUT_MS = 5_000  # how long a SQLite writer waits for another one
_SERVE_LOCK_TRIES = 10  # a command may have it for the length of a transaction
_SERVE_LOCK_PAUSE_S = 0.1
_TURN_PAUSE_S = 0.001


# SQLite's result codes of a file that cannot be used now: busy, i/o error, disk full, cannot open, read only.
_SQLITE_AWAY = frozenset({5, 8, 10, 13, 14})
_AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError)


class DatabaseInUse(RuntimeError):
    """Another process serves this database, or keeps it to itself."""


class DatabaseUnavailable(RuntimeError):
    """The database does not answer, refuses us, or is none."""


class BadDatabaseUrl(ValueError):
    """The database URL names something that is neither a SQLite file nor PostgreSQL."""


def database_url(settings: Settings) -> str:
    """Return the configured URL; without one, a SQLite file in the data folder."""
    return settings.server.database or f"sqlite:///{settings.server.data / 'tokengate.db'}"


async def open_database(url: str, *, migrate: bool = True, clock: Clock | None = None) -> "Database":
    """Connect, and bring the schema to this version's. Raises BadDatabaseUrl, DatabaseUnavailable, or SchemaTooNew
    when a later version of the product has written the database."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadDatabaseUrl("the database URL must begin with sqlite:/// or postgresql://") from None
    match parsed.get_backend_name():
        case "sqlite":
            database = _open_sqlite(parsed)
        case "postgresql" | "postgres":
            database = _open_postgresql(parsed)
        case other:
            raise BadDatabaseUrl(f"{other!r} is not a database that is supported: use sqlite:/// or postgresql://")
    if migrate:
        try:
            async with database.tx() as tx:
                await upgrade(tx, now_s=(clock or SystemClock()).now_s())
        except BaseException as error:
            await database.close()
            if isinstance(error, OSError | DBAPIError):
                reason = error.orig if isinstance(error, DBAPIError) else error
                raise DatabaseUnavailable(f"the database cannot be opened: {reason}") from error
            raise
    return database


class Database:
    """One database. `path` is set on SQLite, `dsn` (libpq style, with credentials: never log it) on PostgreSQL."""

    def __init__(self, dialect: Literal["sqlite", "postgresql"], engine: AsyncEngine, *, path: str, dsn: str) -> None:
        self.dialect: Literal["sqlite", "postgresql"] = dialect
        self.engine = engine
        self.path = path
        self.dsn = dsn
        self._serving: ServeLock | None = None
        self._first = asyncio.Lock()

    @asynccontextmanager
    async def tx(self) -> AsyncGenerator[AsyncConnection, None]:
        """One transaction, committed at the end of the block, rolled back when it raises."""
        async with self.engine.connect() as connection:
            await self._begin(connection)
            yield connection
            await connection.commit()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection, None]:
        """One snapshot: every query in the block sees the same moment."""
        async with self.engine.connect() as connection:
            if self.dialect == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @property
    def shared(self) -> bool:
        """Whether several processes may serve this database at once."""
        return self.dialect == "postgresql"

    async def lock_for_serving(self) -> None:
        """Take the serve lock until `close` or the end of the process; again does nothing, unless it was lost with the
        connection to a server that was away.

        Raises DatabaseInUse when another process has it to itself.
        """
        if self._serving is not None:
            if not self._serving.is_lost():
                return
            await self._serving.release()
            self._serving = None
        lock = self._serve_lock()
        try:
            for left in range(_SERVE_LOCK_TRIES, 0, -1):
                if await lock.try_take(alone=not self.shared):
                    self._serving = lock
                    return
                if left > 1:
                    await asyncio.sleep(_SERVE_LOCK_PAUSE_S)
        finally:
            if self._serving is not lock:
                await lock.release()
        if self.shared:
            raise DatabaseInUse(
                "a command, or a gateway of an earlier version, keeps this database to itself; try again"
            )
        raise DatabaseInUse(
            f"another process serves {self.path} already; stop it, or give this one a data folder of its own"
        )

    @asynccontextmanager
    async def if_unserved(self) -> AsyncGenerator[bool, None]:
        """Yield True, and keep it true for the block, when no process serves this database."""
        lock = self._serve_lock()
        try:
            yield self._serving is None and await lock.try_take(alone=True)
        finally:
            await lock.release()

    async def close(self) -> None:
        if self._serving is not None:
            await self._serving.release()
            self._serving = None
        await self.engine.dispose()

    def _serve_lock(self) -> ServeLock:
        return PostgresqlServeLock(lambda: connect_postgresql(self.dsn)) if self.shared else FileServeLock(self.path)

    async def _begin(self, connection: AsyncConnection) -> None:
        if self.dialect == "postgresql":
            await connection.begin()
            return
        await connection.execution_options(begin="IMMEDIATE")
        async with self._first:  # one task waits for the turn; the others wait for it, in order
            turn = await _take_turn(self.path)
            try:
                await connection.begin()
            finally:
                os.close(turn)


def is_away(error: Exception) -> bool:
    """Say whether an error means that the database does not answer now, not that it was asked something wrong."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, _AWAY)
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_AWAY
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def connect_sqlite(path: str) -> sqlite3.Connection:
    """Open a plain connection with the settings that every connection has, in autocommit mode, for use by one
    thread at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)
    return connection


class PostgresqlConnection(Protocol):
    """What is used of the driver's own connection, which has no types."""

    def is_closed(self) -> bool: ...
    def transaction(self) -> AbstractAsyncContextManager[None]: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...
    async def execute(self, query: str, *args: object) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None: ...
    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    async def close(self) -> None: ...


async def connect_postgresql(dsn: str) -> PostgresqlConnection:
    """Open a plain connection of the driver, outside the pool."""
    connection = await asyncpg.connect(dsn)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped
    return cast(PostgresqlConnection, connection)


def open_turn(path: str) -> int:
    """Open the turn file of a SQLite database, for `take_turn`."""
    return os.open(f"{path}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # A page that is written many times is copied into the database once per checkpoint: rarely, then. 32 MB of log.
    "PRAGMA wal_autocheckpoint = 8192",
    "PRAGMA cache_size = -16384",  # KiB
)


def _open_sqlite(url: URL) -> Database:
    if not url.database or url.database == ":memory:":
        raise BadDatabaseUrl("the ledger needs a file: use sqlite:///path/to/tokengate.db")
    path = Path(url.database).absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"factory": SqliteConnection})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # used by the event
        connection.isolation_level = None  # the driver must not begin transactions: `begin` below does
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # used by the event
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")

    return Database("sqlite", engine, path=str(path), dsn="")


def _open_postgresql(url: URL) -> Database:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    # One way to connect for every user of the database; asyncpg reads what libpq puts into a URL (sslmode and so on).
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect_postgresql(dsn), pool_pre_ping=True
    )
    return Database("postgresql", engine, path="", dsn=dsn)


async def _take_turn(path: str) -> int:
    """Return the turn file, locked: closing it ends the turn.

    SQLite's own waiting is a race that a busy writer always wins. Whoever wants to write first takes the turn
    and keeps it until its transaction has begun, so that a process beside a server under load waits for one commit.
    """
    file = open_turn(path)
    try:
        while not try_flock(file):
            await asyncio.sleep(_TURN_PAUSE_S)
    except BaseException:
        os.close(file)
        raise
    return file
