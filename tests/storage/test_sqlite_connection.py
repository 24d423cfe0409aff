import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from tokengate.storage.engine import Database
from tokengate.storage.sqlite_connection import SqliteConnection

MOMENTS = 150  # a transaction of the test has about as many turns of the loop


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in range(100)])
    connection.close()
    return path


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=0, factory=SqliteConnection)


def test_a_closed_connection_keeps_no_lock_for_a_cursor_with_rows_left(path: Path) -> None:
    writing = opened(path)
    writing.execute("BEGIN IMMEDIATE")
    left = writing.cursor().execute("UPDATE numbers SET n = n + 1000 RETURNING n")
    assert left.fetchone() is not None

    writing.close()

    other = opened(path)
    other.execute("BEGIN IMMEDIATE")
    assert other.execute("SELECT max(n) FROM numbers").fetchone() == (99,)
    other.close()


def test_a_connection_that_rolled_back_sees_what_others_wrote_since(path: Path) -> None:
    reading, writing = opened(path), opened(path)
    reading.execute("BEGIN")
    left = reading.cursor().execute("SELECT n FROM numbers")
    assert left.fetchone() == (0,)
    writing.execute("INSERT INTO numbers VALUES (500)")

    reading.rollback()

    reading.execute("BEGIN IMMEDIATE")
    assert reading.execute("SELECT max(n) FROM numbers").fetchone() == (500,)
    reading.close()
    writing.close()


async def test_a_transaction_leaves_no_lock_at_whatever_moment_it_is_cancelled(sqlite_database: Database) -> None:
    async def change() -> None:
        async with sqlite_database.tx() as tx:
            await tx.execute(text("CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)"))
            await tx.execute(text("INSERT INTO numbers DEFAULT VALUES RETURNING n"))
            await tx.execute(text("SELECT n FROM numbers"))

    cancelled: list[BaseException] = []  # kept, since their tracebacks remember the driver's cursors
    for moment in range(MOMENTS):
        task = asyncio.create_task(change())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            cancelled.append(error)
        await change()  # waits for its turn for five seconds at most
    assert len(cancelled) > MOMENTS // 3
