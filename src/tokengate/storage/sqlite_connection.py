"""SQLite's driver connection, with cursors that end when their transaction or their connection does."""

import sqlite3
import weakref
from typing import Any


class SqliteConnection(sqlite3.Connection):
    """A connection that closes the cursors made by `cursor` before it rolls back or closes.

    A statement whose rows were not all fetched, because who asked was cancelled, is not ended by the driver. SQLite
    keeps the locks and the snapshot of such a statement for as long as anything refers to its cursor (a traceback is
    enough), even after the connection was closed: https://sqlite.org/c3ref/close.html.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()

    def cursor(self, *args: Any, **options: Any) -> Any:
        cursor: sqlite3.Cursor = super().cursor(*args, **options)
        self._cursors.add(cursor)
        return cursor

    def rollback(self) -> None:
        self._close_cursors()
        super().rollback()

    def close(self) -> None:
        self._close_cursors()
        super().close()

    def _close_cursors(self) -> None:
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()
