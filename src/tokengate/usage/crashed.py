"""What a crash cost: calls that were running when a process died become records without a bill.

Nobody pays for a reply they did not get whole; the vendor may have been at work all the same, and up to what was held
is the house's loss.
"""

from msgspec import Struct

from tokengate.core.money import write_yuan
from tokengate.storage.engine import Database
from tokengate.storage.tables import open_calls
from tokengate.storage.writer import Delete, Writer
from tokengate.usage.record import CallRecord, rows_of
from tokengate.usage.store import OpenCall, take_over_open_calls

_BATCH = 500


class Crashed(Struct, frozen=True):
    """How many calls a crash cut off, and what was held for them."""

    calls: int = 0
    held_nano: int = 0


async def record_crashed(database: Database, writer: Writer, teller_id: str) -> Crashed:
    """Turn the noted calls of dead tellers that have not ended into records. Each is first taken over by the teller
    of this process, so that of several processes one records it."""
    total = Crashed()
    while True:
        async with database.tx() as tx:
            found = await take_over_open_calls(tx, teller_id, _BATCH)
        cut_off = [call for call in found if not call.ended]
        for call in found:
            record = [] if call.ended else rows_of(_record(call))
            await writer.commit([*record, Delete(open_calls, (call.id,))])
        total = Crashed(total.calls + len(cut_off), total.held_nano + sum(call.held_nano for call in cut_off))
        if len(found) < _BATCH:
            return total


def _record(call: OpenCall) -> CallRecord:
    return CallRecord(
        id=call.id,
        org_id=call.org_id,
        project_id=call.project_id,
        key_id=call.key_id,
        wallet_id=call.wallet_id,
        endpoint="",
        model=call.model,
        upstream=call.upstream,
        stream=False,
        status=500,
        outcome="crashed",
        error="The gateway's process died before the reply was whole. Nothing was charged; the upstream may charge "
        f"up to ¥{write_yuan(call.held_nano)}.",
        started_ms=call.opened_ms,
        latency_ms=0,
        first_token_ms=None,
        input_tokens=0,
        output_tokens=0,
        cached_tokens=0,
        usage_source="",
        cost_nano=0,
        overrun_nano=0,
        bill="",
        attempts="",
        client_request_id=None,
    )
