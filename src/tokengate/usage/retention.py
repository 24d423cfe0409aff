"""How long single calls are kept. Their daily sums, and the journal, stay for ever."""

from msgspec import Struct

from tokengate.core.clock import day_of
from tokengate.storage.engine import Database
from tokengate.storage.migrations.partitions import drop_months
from tokengate.usage.store import delete_calls_before, keep_calls_from

_BATCH = 1_000  # calls per transaction, so that bills wait for milliseconds only
_DAY_S = 86_400


class Dropped(Struct, frozen=True):
    """The calls that were deleted one by one, and the monthly partitions that went whole."""

    calls: int
    partitions: tuple[str, ...] = ()


async def drop_old_calls(database: Database, days_kept: int, now_s: float) -> Dropped:
    """Drop the calls of all days but today and the `days_kept` before it: whole months where the database has a
    partition for each, the rest in small transactions."""
    assert days_kept >= 0
    first_kept = day_of(now_s - days_kept * _DAY_S)
    async with database.tx() as tx:
        await keep_calls_from(tx, first_kept)  # durable before the first call goes: nothing is missed afterwards
    async with database.tx() as tx:
        partitions = await drop_months(tx, "calls", first_kept)
    deleted = 0
    while True:
        async with database.tx() as tx:
            count = await delete_calls_before(tx, first_kept, _BATCH)
        deleted += count
        if count < _BATCH:
            return Dropped(deleted, tuple(partitions))
