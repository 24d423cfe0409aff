"""Proof that the books are right: recomputes every balance, sum and bill, and names each difference.

Reads one snapshot, so that it may run beside a server. The database sorts and sums; memory stays bounded here.
"""

import msgspec
from msgspec import Struct

from tokengate.core.money import write_yuan
from tokengate.ledger.verify import store
from tokengate.storage.engine import Database

__all__ = ["Report", "verify"]

MAX_DIFFERENCES = 1_000  # what is shown; one defect can make a difference in every row


class Report(Struct, frozen=True):
    """No differences means that the books are right. `counted` says how much was looked at; usage records and bills
    are compared from the day `calls_since` on (such as 20261121), 0 being all."""

    differences: list[str]
    counted: dict[str, int]
    calls_since: int


class _Bill(Struct, frozen=True):
    total_nano: int = 0


_read_bill = msgspec.json.Decoder(_Bill).decode


async def verify(database: Database) -> Report:
    """Compare everything that is stored twice. Usage records that are no longer kept are not missed."""
    differences: list[str] = []
    async with database.read() as read:
        calls_since = await store.calls_since(read)
        async for account, nano in store.balance_differences(read):
            differences.append(f"{account}: the journal and the balance differ by ¥{write_yuan(nano)}")
        async for wallet_id, nano in store.lease_differences(read):
            differences.append(f"wallet {wallet_id}: its leases and its leased sum differ by ¥{write_yuan(nano)}")
        async for wallet_id, nano in store.held_differences(read):
            differences.append(f"wallet {wallet_id}: its jobs and its held sum differ by ¥{write_yuan(nano)}")
        async for entry_id, account, wallet_id, nano in store.code_differences(read):
            differences.append(
                f"entry {entry_id} from {account} to wallet {wallet_id}: the redeemed codes and the journal differ by "
                f"¥{write_yuan(nano)}"
            )
        for kind in ("settle", "overrun"):
            async for call_id, wallet_id, nano in store.call_differences(read, kind, calls_since):
                differences.append(
                    f"call {call_id} of wallet {wallet_id}: the usage record and the journal's {kind} entries "
                    f"differ by ¥{write_yuan(nano)}"
                )
        async for key, sums in store.rollup_differences(read, calls_since):
            differences.append(f"usage of {key}: the usage records and the daily sums differ by {sums}")
        async for call_id, cost_nano, bill in store.bills(read, calls_since):
            if (total_nano := _total(bill)) != cost_nano:
                told = "unreadable" if total_nano is None else f"¥{write_yuan(total_nano)}"
                differences.append(f"call {call_id}: cost ¥{write_yuan(cost_nano)}, but its bill's total is {told}")
        counted = await store.counts(read)
    return Report(differences, counted, calls_since)


def _total(bill: str) -> int | None:
    """Return a bill line's total; a call that was never priced has none, and cost nothing."""
    try:
        return _read_bill(bill).total_nano if bill else 0
    except msgspec.DecodeError:
        return None
