"""Commits groups on SQLite: the event loop writes the rows, and the kernel makes them durable meanwhile.

Writing a row takes a few microseconds, in memory. In a thread of its own each statement would give the interpreter
lock away and fight a busy event loop to get it back, which cost a fifth of a call's whole time. What waits for others
or is long (another process's transaction, a refused row, a checkpoint) is done in a thread.
"""

import asyncio
import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from time import perf_counter

from sqlalchemy import Table

from tokengate.storage.engine import BUSY_TIMEOUT_MS, connect_sqlite, open_turn
from tokengate.storage.writer.file_sync import FileSync
from tokengate.storage.writer.group import Done, Group, Submission
from tokengate.storage.writer.rows import ADDITIVE, CommitUnknown, RowMissing, Value, failed, primary_key

_MAX_INSERTED = 64  # rows in one statement; each size is a statement that SQLite prepares once and keeps

# A page that is written many times is copied into the database once per checkpoint: rarely, then. So many rows make
# about 32 MB of log, unless there are long ones among them.
_ROWS_PER_CHECKPOINT = 16_384
_ROWS_UNTIL_RETRY = 1_024  # after a checkpoint that failed
_LOG_BYTES = 32 * 1024 * 1024

# A sync of bytes that the file had before takes half the time of one that makes the file longer (0.19 and 0.37 ms
# here), so a log that SQLite has made longer gets so many zeros behind it, where SQLite expects anything or nothing.
_STEP_BYTES = 1024 * 1024

_PRAGMAS = (
    "PRAGMA synchronous = NORMAL",  # a commit leaves the sync of the log to us
    "PRAGMA wal_autocheckpoint = 0",
    f"PRAGMA journal_size_limit = {_LOG_BYTES}",
    "PRAGMA busy_timeout = 0",  # the event loop waits for nobody
)

_logger = logging.getLogger(__name__)

# A group, whether its rows are in the log, and when it was taken.
_Written = tuple[list[Submission], bool, float]


class SqliteCommitter:
    """Takes one group at a time; `done` is called on the event loop when it is durable."""

    def __init__(self, path: str, done: Done) -> None:
        self._path = path
        self._done = done
        self._queue: asyncio.Queue[_Written | None] = asyncio.Queue()
        self._sql: dict[tuple[str, Table], str] = {}
        self._inserts: dict[tuple[Table, int], str] = {}
        self._rows = 0  # since the last checkpoint
        self._log_bytes = 0  # at the last checkpoint
        self._known_bytes = 0  # how long the log is, as far as we made it so

    async def start(self) -> None:
        self._db = connect_sqlite(self._path)
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        self._db.execute("SELECT count(*) FROM sqlite_schema")  # opens the log, which stays while we are connected
        self._log = os.open(f"{self._path}-wal", os.O_RDWR | os.O_CLOEXEC)
        _sync_folder(Path(self._path).parent)
        self._turn = open_turn(self._path)
        self._disk = FileSync(self._log)
        await self._disk.open()
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        self._queue.put_nowait(None)
        await self._task
        self._disk.close()
        self._db.close()
        os.close(self._log)
        os.close(self._turn)

    def put(self, group: list[Submission]) -> None:
        started = perf_counter()
        try:
            written = self._save(group, wait=False)
        except Exception:  # a row was refused: the thread finds out whose
            written = False
        self._queue.put_nowait((group, written, started))

    async def _run(self) -> None:
        while (task := await self._queue.get()) is not None:
            group, written, started = task
            errors = {} if written else await asyncio.to_thread(self._commit, group)
            rows = sum(len(rows) for rows, _ in group)
            try:
                await self._disk.sync()
            except Exception as error:  # the rows are in the log, and nobody knows whether they stay
                unknown = CommitUnknown(f"the log could not be synced: {error}")
                errors = {index: errors.get(index, unknown) for index in range(len(group))}
            else:
                await self._checkpoint_when_due(rows)
            self._done(group, errors, rows, perf_counter() - started)
            self._lengthen_log()

    async def _checkpoint_when_due(self, rows: int) -> None:
        self._rows += rows
        log_bytes = os.fstat(self._log).st_size  # it shrinks when it begins anew
        self._log_bytes = min(self._log_bytes, log_bytes)
        if self._rows > _ROWS_PER_CHECKPOINT or log_bytes > self._log_bytes + _LOG_BYTES:
            self._rows, self._log_bytes = 0, log_bytes
            try:
                await asyncio.to_thread(self._checkpoint)
            except sqlite3.Error as error:  # what is in the log is durable there too
                self._rows = max(_ROWS_PER_CHECKPOINT - _ROWS_UNTIL_RETRY, 0)
                _logger.warning("the log could not be folded into the database, which is tried again: %s", error)

    def _lengthen_log(self) -> None:
        """Write zeros behind a log that has grown, while nobody else can make it longer."""
        log_bytes = os.fstat(self._log).st_size
        if log_bytes <= self._known_bytes or log_bytes >= _LOG_BYTES:
            self._known_bytes = log_bytes
            return
        if not self._begin(wait=False):
            return
        try:
            log_bytes = os.fstat(self._log).st_size
            self._known_bytes = log_bytes + os.pwrite(self._log, bytes(_STEP_BYTES), log_bytes)
        except OSError as error:  # the next commit tells whether the disk is full
            _logger.warning("the log could not be made longer: %s", error)
        finally:
            self._db.execute("ROLLBACK")

    def _checkpoint(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _commit(self, group: list[Submission]) -> dict[int, Exception]:
        """Commit the group together; when a row is refused, each submission alone. Return the errors by position."""
        self._db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        try:
            try:
                self._save(group, wait=True)
                return {}
            except sqlite3.OperationalError as error:  # locked, disk full: not one submission's fault
                return dict.fromkeys(range(len(group)), failed(error))
            except Exception as error:  # whatever one submission causes must not reach the others
                if len(group) == 1:
                    return {0: failed(error)}
            errors: dict[int, Exception] = {}
            for index, submission in enumerate(group):
                try:
                    self._save((submission,), wait=True)
                except Exception as error:  # as above
                    errors[index] = failed(error)
            return errors
        finally:
            self._db.execute("PRAGMA busy_timeout = 0")

    def _save(self, submissions: Sequence[Submission], *, wait: bool) -> bool:
        """Write the rows in one transaction; return False when another one is in the way and `wait` is not set."""
        group = Group(submissions)
        if not group.rows:
            return True
        if not self._begin(wait=wait):
            return False
        db = self._db
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
        return True

    def _begin(self, *, wait: bool) -> bool:
        # See engine._take_turn: the turn lets others in between two of our commits.
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if wait or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        return True

    def _insert(self, table: Table, rows: Sequence[tuple[Value, ...]]) -> None:
        """Insert many rows with one statement, which costs a third of one for each."""
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


def _sync_folder(folder: Path) -> None:
    """Make the log's name durable; its content is synced with each commit."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


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
