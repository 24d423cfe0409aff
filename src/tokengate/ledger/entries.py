"""Journal entries of calls and jobs. An entry's key is made of the call's, so that nothing can be entered twice."""

from tokengate.core.clock import day_of, seconds_of
from tokengate.core.ids import day_of_id
from tokengate.storage.tables import journal
from tokengate.storage.writer import Insert


def settlement_entry(kind: str, wallet_id: str, debit: str, nano: int, call_id: str, now_ms: int) -> Insert:
    """Return what a call costs, out of the wallet (`settle`) or borne by the house (`overrun`)."""
    entry_id = f"jnl_{call_id.rpartition('_')[2]}" + ("" if kind == "settle" else f"_{kind}")
    day = day_of_id(call_id) or day_of(seconds_of(now_ms))
    return Insert(journal, (day, entry_id, kind, wallet_id, debit, "house:revenue", nano, call_id, "", now_ms))
