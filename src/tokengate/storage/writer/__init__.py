"""The group commit: rows of any table become durable together, many callers per commit.

A group is what one turn of the event loop hands over, or everything handed over while the previous commit ran. A
submission is all or nothing, and one that breaks a constraint fails alone. SQLite's rows are written on the event
loop, PostgreSQL's by a task.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from tokengate.storage.engine import Database
from tokengate.storage.writer.group import Submission
from tokengate.storage.writer.postgresql import PostgresqlCommitter
from tokengate.storage.writer.rows import Add, CommitFailed, CommitUnknown, Delete, Insert, Row, RowMissing
from tokengate.storage.writer.sqlite import SqliteCommitter

__all__ = ["Add", "CommitFailed", "CommitUnknown", "Delete", "Insert", "Row", "RowMissing", "Writer"]

MAX_BEHIND = 10_000  # write-behind submissions that may wait; more are dropped, and counted
_MAX_GROUP = 256  # submissions per commit: bounds how long one keeps the event loop
_BEHIND_DELAY_S = 0.05  # they ride along with the next commit; after this long they get one of their own

_log = logging.getLogger(__name__)


class Writer:
    """The one writer of a process. `on_commit` is told the rows and the seconds of each commit, for metrics."""

    def __init__(self, database: Database, *, on_commit: Callable[[int, float], None] | None = None) -> None:
        self._on_commit = on_commit
        self._waiting: list[Submission] = []
        self._behind: deque[Sequence[Row]] = deque()
        self._behind_timer: asyncio.TimerHandle | None = None
        self._committing = False  # a group is with the committer, or about to be
        self._closed = True
        self.dropped = 0  # write-behind submissions that were never written
        if database.dialect == "sqlite":
            self._committer = SqliteCommitter(database.path, self._done)
        else:
            self._committer = PostgresqlCommitter(database.dsn, self._done)

    async def start(self) -> None:
        """Begin committing on the running event loop."""
        self._loop = asyncio.get_running_loop()
        await self._committer.start()
        self._closed = False

    async def close(self) -> None:
        """Commit what was handed over, then stop. Handing over more afterwards raises RuntimeError."""
        if self._closed:
            return
        self._closed = True
        if self._behind_timer is not None:
            self._behind_timer.cancel()
        while self._waiting or self._behind or self._committing:
            await self._submit(())
        await self._committer.close()

    def commit(self, rows: Sequence[Row]) -> asyncio.Future[None]:
        """Hand rows over. The future is done when they are durable, or raises CommitFailed when none of them is (on
        PostgreSQL its subclass CommitUnknown when the server went away and it cannot be told).

        Inside one submission a later Delete undoes an earlier Insert of the same row. Without rows, the future is
        done when everything handed over before is durable.
        """
        if self._closed:
            raise RuntimeError("the writer is not running")
        return self._submit(rows)

    def later(self, rows: Sequence[Row]) -> None:
        """Hand over rows that nobody waits for. They are lost when the process dies first, or when too many wait."""
        if self._closed or len(self._behind) >= MAX_BEHIND:
            self.dropped += 1
            return
        self._behind.append(rows)
        if self._behind_timer is None:
            self._behind_timer = self._loop.call_later(_BEHIND_DELAY_S, self._commit_behind)

    def _submit(self, rows: Sequence[Row]) -> asyncio.Future[None]:
        future = self._loop.create_future()
        self._waiting.append((rows, future))
        if not self._committing:
            # Not at once: what else this turn of the event loop hands over shares the commit.
            self._committing = True
            self._loop.call_soon(self._hand_over)
        return future

    def _commit_behind(self) -> None:
        self._behind_timer = None
        if self._behind and not self._committing:
            self._committing = True
            self._hand_over()

    def _hand_over(self) -> None:
        group, self._waiting = self._waiting[:_MAX_GROUP], self._waiting[_MAX_GROUP:]
        group.extend((self._behind.popleft(), None) for _ in range(min(len(self._behind), _MAX_GROUP)))
        self._committer.put(group)

    def _done(self, group: list[Submission], errors: dict[int, Exception], rows: int, seconds: float) -> None:
        """Wake the callers of a group, and hand over the next one; called on the event loop."""
        if self._waiting or self._behind:
            # Not at once: what the event loop has ready now may join the group, and a commit costs as much as ten rows.
            self._loop.call_soon(self._hand_over)
        else:
            self._committing = False
        for index, (_, future) in enumerate(group):
            error = errors.get(index) if errors else None
            if future is None:
                if error is not None:
                    self.dropped += 1
                    _log.warning("write-behind rows were refused: %s", error)
            elif not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
        if self._on_commit is not None and rows:
            self._on_commit(rows, seconds)
