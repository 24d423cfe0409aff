"""Moves a job's money, each time in the transaction that changes the job's own row: whoever changes that row on a
condition that holds once (it is mine, it has not ended) moves the money once.
"""

from msgspec import Struct
from sqlalchemy import Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.ledger.entries import settlement_entry
from tokengate.storage.changes import bump
from tokengate.storage.tables import leases, wallets
from tokengate.storage.writer import Row


class Settled(Struct, frozen=True):
    """What a settled hold came to, and the journal entries that belong into the same transaction."""

    settled_nano: int
    overrun_nano: int  # what the house bears
    rows: list[Row]


async def take_over(tx: AsyncConnection, teller_id: str, wallet_id: str, nano: int) -> None:
    """Move money that a teller holds out of its lease into the wallet's held sum. The teller is told after the commit
    (`Teller.hand_over`)."""
    moved = update(wallets).where(wallets.c.id == wallet_id)
    await _one(
        tx, moved.values(leased_nano=wallets.c.leased_nano - nano, held_nano=wallets.c.held_nano + nano), "wallet"
    )
    lease = update(leases).where(leases.c.teller_id == teller_id, leases.c.wallet_id == wallet_id)
    await _one(tx, lease.values(leased_nano=leases.c.leased_nano - nano), "lease")


async def settle(
    tx: AsyncConnection, wallet_id: str, held_nano: int, cost_nano: int, *, call_id: str, now_ms: int
) -> Settled:
    """Resolve a hold at this cost; one above the hold takes what the wallet has free, and the house bears the rest."""
    assert cost_nano >= 0
    one = wallets.c.id == wallet_id
    free = wallets.c.balance_nano + wallets.c.credit_nano - wallets.c.leased_nano - wallets.c.held_nano
    free_nano = (await tx.execute(select(free).where(one).with_for_update())).scalar_one()
    settled_nano = min(cost_nano, held_nano + free_nano)
    overrun_nano = cost_nano - settled_nano
    paid = update(wallets).where(one)
    await _one(
        tx,
        paid.values(balance_nano=wallets.c.balance_nano - settled_nano, held_nano=wallets.c.held_nano - held_nano),
        "wallet",
    )
    rows: list[Row] = []
    if settled_nano:
        rows.append(settlement_entry("settle", wallet_id, f"wallet:{wallet_id}", settled_nano, call_id, now_ms))
    if overrun_nano:
        rows.append(settlement_entry("overrun", wallet_id, "house:overrun", overrun_nano, call_id, now_ms))
    await bump(tx, "wallets")
    return Settled(settled_nano, overrun_nano, rows)


async def release(tx: AsyncConnection, wallet_id: str, held_nano: int) -> None:
    """Resolve a hold at no cost."""
    freed = update(wallets).where(wallets.c.id == wallet_id)
    await _one(tx, freed.values(held_nano=wallets.c.held_nano - held_nano), "wallet")
    await bump(tx, "wallets")


async def _one(tx: AsyncConnection, statement: Update, what: str) -> None:
    changed = (await tx.execute(statement)).rowcount
    assert changed == 1, f"the {what} of a hold is there"
