"""Commits groups on PostgreSQL: one task, one connection, one transaction per group."""

import asyncio
from collections.abc import Sequence
from time import perf_counter

import asyncpg
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from tokengate.storage.engine import connect_postgresql
from tokengate.storage.writer.group import Done, Group, Submission
from tokengate.storage.writer.rows import ADDITIVE, CommitFailed, CommitUnknown, RowMissing, failed, primary_key

_RECONNECT_TRIES = 20  # a server that restarts is away for a few seconds
_RECONNECT_PAUSE_S = 0.5


class PostgresqlCommitter:
    """Runs the commits in a task of its own.

    When the connection breaks during a commit, the server is asked afterwards whether that transaction committed,
    so that nothing is written twice and nothing that is written is reported as lost.
    """

    def __init__(self, dsn: str, done: Done) -> None:
        self._dsn = dsn
        self._done = done
        self._queue: asyncio.Queue[list[Submission] | None] = asyncio.Queue()
        self.put = self._queue.put_nowait

    async def start(self) -> None:
        self._db = await connect_postgresql(self._dsn)
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        self.put(None)
        await self._task
        await self._db.close()

    async def _run(self) -> None:
        while (group := await self._queue.get()) is not None:
            started = perf_counter()
            errors = await self._commit(group)
            self._done(group, errors, sum(len(rows) for rows, _ in group), perf_counter() - started)

    async def _commit(self, group: list[Submission]) -> dict[int, Exception]:
        """Commit the group together; when a row is refused, each submission alone. Return the errors by position."""
        try:
            await self._save(group)
            return {}
        except CommitFailed as error:  # the connection: not one submission's fault
            return dict.fromkeys(range(len(group)), error)
        except Exception as error:  # whatever one submission causes must not reach the others
            if len(group) == 1:
                return {0: failed(error)}
        errors: dict[int, Exception] = {}
        for index, submission in enumerate(group):
            try:
                await self._save((submission,))
            except CommitFailed as error:
                errors[index] = error
            except Exception as error:  # as above
                errors[index] = failed(error)
        return errors

    async def _save(self, submissions: Sequence[Submission]) -> None:
        group = Group(submissions)
        if not group.rows:
            return
        failure: Exception | None = None
        for _ in range(2):  # a broken connection is replaced once
            number: int | None = None
            try:
                if self._db.is_closed():
                    raise ConnectionError("the connection to the database was closed")
                async with self._db.transaction():
                    number = await self._db.fetchval("SELECT pg_current_xact_id()::text::bigint")
                    await self._execute(group)
                return
            except Exception as error:
                if not self._db.is_closed():
                    raise
                failure = error
            if await self._recover(number):
                return
        raise CommitFailed("the connection to the database broke twice") from failure

    async def _recover(self, number: int | None) -> bool:
        """Reconnect, and return whether the transaction of this number committed after all."""
        for _ in range(_RECONNECT_TRIES):
            try:
                if self._db.is_closed():
                    self._db = await connect_postgresql(self._dsn)
                if number is None:
                    return False
                status = await self._db.fetchval("SELECT pg_xact_status($1::text::xid8)", str(number))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                status = "in progress"
            # In progress until the server has noticed that the connection is gone.
            if status != "in progress":
                return status == "committed"
            await asyncio.sleep(_RECONNECT_PAUSE_S)
        if number is None:
            raise CommitFailed("the database server cannot be reached")
        raise CommitUnknown("the database server went away during a commit and cannot be reached")

    async def _execute(self, group: Group) -> None:
        db = self._db
        for table, keys in group.deletes.items():
            where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(primary_key(table), 1))
            await db.executemany(f"DELETE FROM {table.name} WHERE {where}", keys)
        for table, rows in group.inserts.items():
            names = table.columns.keys()
            values = ", ".join(f"${number}" for number in range(1, len(names) + 1))
            await db.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})", rows)
        for table, additive in ADDITIVE.items():
            sums = group.adds.get(table)
            if sums:
                # In the order of the keys, so that two processes never wait for each other in a circle.
                rows = [(*key, *sums[key]) for key in sorted(sums)]  # pyright: ignore[reportArgumentType]  # same types
                status = await db.execute(_add_sql(table), *map(list, zip(*rows, strict=True)))
                if not additive.creates and int(status.rpartition(" ")[2]) != len(sums):
                    raise RowMissing(f"{table.name}: one of {list(sums)[:5]} does not exist")


def _add_sql(table: Table) -> str:
    additive, key = ADDITIVE[table], primary_key(table)
    columns = (*key, *additive.columns)
    arrays = ", ".join(f"${number}::{_type(table, name)}[]" for number, name in enumerate(columns, 1))
    given = f"unnest({arrays}) AS given ({', '.join(columns)})"
    if additive.creates:
        sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in additive.columns)
        return (
            f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM {given} "
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"
        )
    sums = ", ".join(f"{name} = {table.name}.{name} + given.{name}" for name in additive.columns)
    same = " AND ".join(f"{table.name}.{name} = given.{name}" for name in key)
    return f"UPDATE {table.name} SET {sums} FROM {given} WHERE {same}"


def _type(table: Table, column: str) -> str:
    return table.columns[column].type.compile(dialect=postgresql.dialect())
