"""Commits groups on SQLite: one thread, one connection, one thread hop per group."""

import asyncio
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from queue import SimpleQueue
from time import perf_counter

from sqlalchemy import Table

from tokengate.storage.engine import connect_sqlite, open_turn
from tokengate.storage.writer.group import Group, Submission
from tokengate.storage.writer.rows import ADDITIVE, RowMissing, Value, failed, primary_key

_MAX_GROUP = 1_000  # submissions per commit: bounds how long one commit takes
_CHUNKS = (64, 32, 16, 8, 4, 2, 1)  # rows per statement: few statements to prepare, few steps to run

Done = Callable[[Sequence[Submission], dict[int, Exception] | None, int, float], None]


class SqliteCommitter:
    """Runs the commits in a thread of its own; `done` is called on the event loop."""

    def __init__(self, path: str, take_behind: Callable[[], list[Submission]], done: Done) -> None:
        self._path = path
        self._take_behind = take_behind
        self._done = done
        self._queue: SimpleQueue[Submission | None] = SimpleQueue()
        self._sql: dict[tuple[str, Table, int], str] = {}
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
        queue = self._queue
        ending = False
        while not ending:
            group: list[Submission] = []
            first = queue.get()
            for submission in chain((first,), (queue.get_nowait() for _ in range(min(queue.qsize(), _MAX_GROUP)))):
                if submission is None:
                    ending = True
                else:
                    group.append(submission)
            group += self._take_behind()
            started = perf_counter()
            errors = self._commit(group)
            seconds = perf_counter() - started
            rows = sum(len(rows) for rows, _ in group)
            self._loop.call_soon_threadsafe(self._done, group, errors, rows, seconds)
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _commit(self, group: list[Submission]) -> dict[int, Exception] | None:
        """Commit the group together; when a row is refused, each submission alone. Return the errors by position."""
        try:
            self._save(group)
            return None
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
                db.executemany(self._statement("delete", table, 1), keys)
            for table, rows in group.inserts.items():
                self._execute("insert", table, rows)
            for table, additive in ADDITIVE.items():
                sums = group.adds.get(table)
                if sums:
                    changed = self._execute("add", table, [(*key, *amounts) for key, amounts in sums.items()])
                    if changed != len(sums) and not additive.creates:
                        raise RowMissing(f"{table.name}: one of {list(sums)[:5]} does not exist")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _execute(self, verb: str, table: Table, rows: Sequence[tuple[Value, ...]]) -> int:
        """Run a statement over all rows, many per step; return how many rows changed."""
        changed = 0
        for chunk in _chunks(rows):
            sql = self._statement(verb, table, len(chunk))
            changed += self._db.execute(sql, list(chain.from_iterable(chunk))).rowcount
        return changed

    def _statement(self, verb: str, table: Table, rows: int) -> str:
        sql = self._sql.get((verb, table, rows))
        if sql is None:
            sql = self._sql[verb, table, rows] = _STATEMENTS[verb](table, rows)
        return sql


def _chunks(rows: Sequence[tuple[Value, ...]]) -> Iterator[Sequence[tuple[Value, ...]]]:
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _insert(table: Table, rows: int) -> str:
    return f"INSERT INTO {table.name} ({', '.join(table.columns.keys())}) VALUES {_values(len(table.columns), rows)}"


def _delete(table: Table, _rows: int) -> str:
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in primary_key(table))}"


def _add(table: Table, rows: int) -> str:
    additive, key = ADDITIVE[table], primary_key(table)
    columns = (*key, *additive.columns)
    if additive.creates:
        sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in additive.columns)
        return (
            f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {_values(len(columns), rows)} "
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"
        )
    given = {name: f"given.column{number}" for number, name in enumerate(columns, 1)}
    return (
        f"UPDATE {table.name} SET {', '.join(f'{name} = {name} + {given[name]}' for name in additive.columns)} "
        f"FROM (VALUES {_values(len(columns), rows)}) AS given "
        f"WHERE {' AND '.join(f'{table.name}.{name} = {given[name]}' for name in key)}"
    )


def _values(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


_STATEMENTS: dict[str, Callable[[Table, int], str]] = {"insert": _insert, "delete": _delete, "add": _add}
