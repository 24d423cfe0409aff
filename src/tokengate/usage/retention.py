"""How long single calls are kept. Their daily sums, and the journal, stay for ever."""

from tokengate.core.clock import day_of
from tokengate.storage.engine import Database
from tokengate.usage.store import delete_calls_before

_BATCH = 1_000  # calls per transaction, so that bills wait for milliseconds only
_DAY_S = 86_400


async def drop_old_calls(database: Database, days_kept: int, now_s: float) -> int:
    """Delete the calls of all days but today and the `days_kept` before it, in small transactions; return how
    many."""
    assert days_kept >= 0
    first_kept = day_of(now_s - days_kept * _DAY_S)
    dropped = 0
    while True:
        async with database.tx() as tx:
            count = await delete_calls_before(tx, first_kept, _BATCH)
        dropped += count
        if count < _BATCH:
            return dropped
