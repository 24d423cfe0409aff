"""Commits groups on SQLite: one thread, one connection, one thread hop per group."""

import asyncio
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from queue import SimpleQueue
from time import perf_counter

from sqlalchemy import Table

from tokengate.storage.engine import connect_sqlite, open_turn
from tokengate.storage.writer.group import Done, Group, Submission
from tokengate.storage.writer.rows import ADDITIVE, RowMissing, Value, failed, primary_key

_MAX_INSERTED = 64  # rows in one statement; each size is a statement that SQLite prepares once and keeps


class SqliteCommitter:
    """Runs the commits in a thread of its own; `done` is called on the event loop."""

    def __init__(self, path: str, done: Done) -> None:
        self._path = path
        self._done = done
        self._queue: SimpleQueue[list[Submission] | None] = SimpleQueue()
        self._sql: dict[tuple[str, Table], str] = {}
        self._inserts: dict[tuple[Table, int], str] = {}
        self.put = self._queue.put

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._db = connect_sqlite(self._path)
        self._turn = open_turn(self._path)
        threading.Thread(target=self._run, name="writer", daemon=True).start()

    async def close(self) -> None:
        self.put(None)
        await self._ended
        self._db.close()
        os.close(self._turn)

    def _run(self) -> None:
        while (group := self._queue.get()) is not None:
            started = perf_counter()
            errors = self._commit(group)
            seconds = perf_counter() - started
            self._loop.call_soon_threadsafe(self._done, group, errors, sum(len(rows) for rows, _ in group), seconds)
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _commit(self, group: list[Submission]) -> dict[int, Exception]:
        """Commit the group together; when a row is refused, each submission alone. Return the errors by position."""
        try:
            self._save(group)
            return {}
        except sqlite3.OperationalError as error:  # locked, disk full: not one submission's fault
            return dict.fromkeys(range(len(group)), failed(error))
        except Exception as error:  # whatever one submission causes must not reach the others
            if len(group) == 1:
                return {0: failed(error)}
        errors: dict[int, Exception] = {}
        for index, submission in enumerate(group):
            try:
                self._save((submission,))
            except Exception as error:  # as above
                errors[index] = failed(error)
        return errors

    def _save(self, submissions: Sequence[Submission]) -> None:
        group = Group(submissions)
        if not group.rows:
            return
        db = self._db
        # See engine._take_turn: the turn lets others in between two of our commits.
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            db.execute("BEGIN IMMEDIATE")
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        try:
            for table, keys in group.deletes.items():
                db.executemany(self._statement("delete", table), keys)
            for table, rows in group.inserts.items():
                self._insert(table, rows)
            for table in ADDITIVE:
                sums = group.adds.get(table)
                if sums:
                    rows = [(*amounts, *key) for key, amounts in sums.items()]
                    changed = db.executemany(self._statement("add", table), rows).rowcount
                    if changed != len(sums):
                        raise RowMissing(f"{table.name}: one of {list(sums)[:5]} does not exist")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _insert(self, table: Table, rows: Sequence[tuple[Value, ...]]) -> None:
        """Insert many rows with one statement: each statement gives the interpreter lock away and waits to get it
        back, which on a busy event loop costs more than the insert."""
        for start in range(0, len(rows), _MAX_INSERTED):
            part = rows[start : start + _MAX_INSERTED]
            self._db.execute(self._insert_statement(table, len(part)), list(chain.from_iterable(part)))

    def _insert_statement(self, table: Table, size: int) -> str:
        sql = self._inserts.get((table, size))
        if sql is None:
            sql = self._inserts[table, size] = _insert(table, size)
        return sql

    def _statement(self, verb: str, table: Table) -> str:
        sql = self._sql.get((verb, table))
        if sql is None:
            sql = self._sql[verb, table] = _STATEMENTS[verb](table)
        return sql


def _insert(table: Table, size: int) -> str:
    names = table.columns.keys()
    row = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([row] * size)}"


def _delete(table: Table) -> str:
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in primary_key(table))}"


def _add(table: Table) -> str:
    additive, key = ADDITIVE[table], primary_key(table)
    if additive.creates:
        columns = (*additive.columns, *key)
        sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in additive.columns)
        return (
            f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"
        )
    sums = ", ".join(f"{name} = {name} + ?" for name in additive.columns)
    return f"UPDATE {table.name} SET {sums} WHERE {' AND '.join(f'{name} = ?' for name in key)}"


_STATEMENTS: dict[str, Callable[[Table], str]] = {"delete": _delete, "add": _add}
