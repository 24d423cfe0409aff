"""Folds the rows of a group into as few statements as it needs: inserts per table, sums per key, removals per key."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import add

from sqlalchemy import Table

from tokengate.storage.writer.rows import Add, Insert, Row, Value, primary_key

Submission = tuple[Sequence[Row], asyncio.Future[None] | None]

# Told of each group: the errors by position, how many rows it had, and how many seconds it took.
Done = Callable[[list[Submission], dict[int, Exception], int, float], None]

Key = tuple[Value, ...]


class Group:
    """Executed in this order: deletes, inserts, adds."""

    __slots__ = ("adds", "deletes", "inserts", "rows")

    def __init__(self, submissions: Iterable[Submission]) -> None:
        self.inserts: defaultdict[Table, list[tuple[Value, ...]]] = defaultdict(list)
        self.adds: defaultdict[Table, dict[Key, tuple[int, ...]]] = defaultdict(dict)
        self.deletes: defaultdict[Table, list[Key]] = defaultdict(list)
        self.rows = 0
        # Millions of rows pass here: the type is compared, which is several times faster than a match statement.
        for rows, _ in submissions:
            self.rows += len(rows)
            for row in rows:
                if type(row) is Insert:
                    self.inserts[row.table].append(row.row)
                elif type(row) is Add:
                    sums = self.adds[row.table]
                    before = sums.get(row.key)
                    sums[row.key] = row.amounts if before is None else tuple(map(add, before, row.amounts))
                else:
                    self._delete(row.table, row.key)

    def _delete(self, table: Table, key: Key) -> None:
        """Delete before the inserts, and take back what an earlier row inserts, so that order is kept."""
        self.deletes[table].append(key)
        if table in self.inserts:
            positions = [table.columns.keys().index(name) for name in primary_key(table)]
            self.inserts[table] = [row for row in self.inserts[table] if tuple(row[at] for at in positions) != key]
