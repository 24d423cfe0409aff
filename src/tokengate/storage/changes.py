"""What other processes changed (keys, wallets, prices), noticed well within a second.

One version row per kind, watched by polling `PRAGMA data_version` on SQLite and by LISTEN on PostgreSQL.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.engine import Database, PostgresqlConnection, connect_postgresql, connect_sqlite
from tokengate.storage.tables import changes

_POLL_S = 0.15
_LISTEN_S = 5.0  # also looked at this often without a notification, and after a lost connection
_CHANNEL = "tokengate_changes"

_VERSIONS = select(changes.c.kind, changes.c.version)
_VERSIONS_SQL = str(_VERSIONS)

_log = logging.getLogger(__name__)


async def bump(tx: AsyncConnection, kind: str) -> None:
    """Tell every process, once this transaction commits, that rows of this kind changed."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(changes).values(kind=kind, version=1)
    await tx.execute(
        insert.on_conflict_do_update(index_elements=[changes.c.kind], set_={"version": changes.c.version + 1})
    )
    if tx.dialect.name == "postgresql":
        await tx.execute(select(func.pg_notify(_CHANNEL, kind)))


async def hold(tx: AsyncConnection, kind: str) -> None:
    """Let every `bump` of this kind wait for the end of this transaction; on SQLite all changes wait anyhow."""
    await tx.execute(select(changes.c.version).where(changes.c.kind == kind).with_for_update())


class Changes:
    """Calls the watchers of a kind after its version has grown. Start it before the first load of what it watches:
    then nothing is missed between the two."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: dict[str, list[Callable[[], Awaitable[None]]]] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, kind: str, callback: Callable[[], Awaitable[None]]) -> None:
        self._watchers.setdefault(kind, []).append(callback)

    async def start(self) -> None:
        async with self._database.read() as read:
            self._seen = {kind: version for kind, version in await read.execute(_VERSIONS)}
        watch = self._poll if self._database.dialect == "sqlite" else self._listen
        ready = asyncio.Event()
        self._task = asyncio.create_task(watch(ready), name="changes")
        await ready.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _poll(self, ready: asyncio.Event) -> None:
        connection = connect_sqlite(self._database.path)
        try:
            before = None
            while True:
                # A number that grows when another connection commits: microseconds, no lock, no disk.
                now = connection.execute("PRAGMA data_version").fetchone()
                ready.set()
                if now != before:
                    before = now
                    await self._tell(dict(connection.execute(_VERSIONS_SQL)))
                await asyncio.sleep(_POLL_S)
        finally:
            connection.close()

    async def _listen(self, ready: asyncio.Event) -> None:
        notified = asyncio.Event()
        connection: PostgresqlConnection | None = None
        try:
            while True:
                try:
                    if connection is None or connection.is_closed():
                        connection = await connect_postgresql(self._database.dsn)
                        await connection.add_listener(_CHANNEL, lambda *_: notified.set())
                    ready.set()
                    async with self._database.read() as read:
                        versions = {kind: version for kind, version in await read.execute(_VERSIONS)}
                    await self._tell(versions)
                except (OSError, DBAPIError, asyncpg.PostgresError) as error:
                    _log.warning("the database cannot be asked for changes: %s", error)
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: it may swallow the cancellation of this task.
                    async with asyncio.timeout(_LISTEN_S):
                        await notified.wait()
                notified.clear()
        finally:
            if connection is not None:
                await connection.close()

    async def _tell(self, versions: dict[str, int]) -> None:
        """Tell the watchers of what grew since the last time."""
        grown = [kind for kind, version in versions.items() if version > self._seen.get(kind, 0)]
        self._seen = versions
        for kind in grown:
            for callback in self._watchers.get(kind, ()):
                try:
                    await callback()
                except Exception:  # one watcher's defect must not blind the others
                    _log.exception("a watcher of %s failed", kind)
