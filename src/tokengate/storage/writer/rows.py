"""What can be handed to the writer, and what each table's rows mean to it."""

from typing import final

from msgspec import Struct
from sqlalchemy import Table

from tokengate.storage.tables import leases, usage_daily, wallets

Value = int | str | bytes | bool | None


@final
class Insert(Struct, frozen=True):
    """A new row: every column of the table, in declared order."""

    table: Table
    row: tuple[Value, ...]


@final
class Add(Struct, frozen=True):
    """Amounts added to the additive columns of the row with this primary key (see ADDITIVE).

    In `wallets` and `leases` the row must exist; in `usage_daily` it is created when missing.
    """

    table: Table
    key: tuple[Value, ...]
    amounts: tuple[int, ...]


@final
class Delete(Struct, frozen=True):
    """Removal of the row with this primary key; nothing when there is none."""

    table: Table
    key: tuple[Value, ...]


Row = Insert | Add | Delete


class CommitFailed(Exception):
    """The rows of a submission were not written, none of them; the cause says why."""


class CommitUnknown(CommitFailed):
    """The database went away during the commit and did not come back: the rows may or may not be written."""


class RowMissing(LookupError):
    """An Add names a row that does not exist."""


class Additive(Struct, frozen=True):
    """How a table is added to."""

    columns: tuple[str, ...]
    creates: bool  # whether a missing row is created


# In the order in which rows are locked: whoever locks a wallet and its leases locks the wallet first.
ADDITIVE: dict[Table, Additive] = {
    wallets: Additive(("balance_nano", "leased_nano"), creates=False),
    leases: Additive(("leased_nano",), creates=False),
    usage_daily: Additive(
        ("calls", "errors", "input_tokens", "output_tokens", "cached_tokens", "cost_nano", "overrun_nano"),
        creates=True,
    ),
}


def primary_key(table: Table) -> tuple[str, ...]:
    """Return the names of the primary key's columns, in declared order."""
    return tuple(column.name for column in table.primary_key.columns)


def failed(error: Exception) -> CommitFailed:
    """Return the error that a caller of the writer gets for what the database said."""
    failure = CommitFailed(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
