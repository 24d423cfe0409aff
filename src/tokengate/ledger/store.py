"""The ledger's questions to the database: wallets, the journal, and what tellers have leased.

Whoever locks a wallet and its leases locks the wallet first, here as in the writer.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, structs
from sqlalchemy import Update, case, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.core.clock import day_of, seconds_of, sleep_ms
from tokengate.core.errors import KeyReused, NotFound
from tokengate.core.ids import NewId
from tokengate.core.ids import new_id as random_id
from tokengate.core.money import MAX_NANO, write_yuan
from tokengate.ledger.rules import Move, Seen
from tokengate.storage.changes import bump
from tokengate.storage.engine import Database
from tokengate.storage.tables import journal, leases, orgs, tellers, top_up_requests, wallet_alerts, wallets

MAX_PAGE = 1_000

_RECALL_TRIES = 100  # with the pause, ten seconds: calls in flight have time to release what they hold
_RECALL_PAUSE_MS = 100


EntryKind = Literal["top_up", "redeem", "settle", "overrun", "correct"]


class CannotTakeOut(ValueError):
    """A wallet does not have what a correction takes out, or calls in flight hold it."""


class TellerGone(Exception):
    """The teller was taken for dead: it is not in the table any more, and its leases have returned."""


class Wallet(Struct, frozen=True):
    """A wallet as its row says: the balance, and what of it is leased to tellers, asked back from them, or held by
    jobs."""

    id: str
    org_id: str
    name: str
    balance_nano: int
    leased_nano: int
    credit_nano: int
    recall_nano: int
    held_nano: int
    created_ms: int

    @property
    def free_nano(self) -> int:
        """What may be leased or taken out now."""
        return self.balance_nano + self.credit_nano - self.leased_nano - self.held_nano


class FoundWallet(Struct, frozen=True):
    """A wallet and the name of the org that owns it."""

    wallet: Wallet
    org_name: str

    @property
    def id(self) -> str:
        """The wallet's: pages of the list follow each other by it."""
        return self.wallet.id


class Entry(Struct, frozen=True):
    """One journal entry: `amount_nano` out of the account `debit` into the account `credit`."""

    id: str
    kind: EntryKind
    wallet_id: str
    debit: str
    credit: str
    amount_nano: int
    call_id: str | None
    note: str
    created_ms: int


class Leased(Struct, frozen=True):
    """A wallet, one teller's lease of it, and how many tellers there are."""

    wallet: Wallet
    lease_nano: int
    tellers: int

    @property
    def seen(self) -> Seen:
        wallet = self.wallet
        return Seen(
            balance_nano=wallet.balance_nano,
            free_nano=wallet.free_nano,
            recall_nano=wallet.recall_nano,
            job_held_nano=wallet.held_nano,
            lease_nano=self.lease_nano,
            elsewhere_nano=wallet.leased_nano - self.lease_nano,
            tellers=self.tellers,
        )


async def open_wallet(tx: AsyncConnection, org_id: str, name: str, now_ms: int, *, new_id: NewId = random_id) -> str:
    """Open an empty wallet and return its id."""
    wallet_id = new_id("wal", seconds_of(now_ms))
    await tx.execute(insert(wallets).values(id=wallet_id, org_id=org_id, name=name, created_ms=now_ms))
    return wallet_id


async def get_wallet(read: AsyncConnection, org_id: str, wallet_id: str) -> Wallet:
    """Return one wallet. Raises NotFound."""
    rows = await read.execute(select(*_WALLET).where(wallets.c.id == wallet_id, wallets.c.org_id == org_id))
    row = rows.one_or_none()
    if row is None:
        raise NotFound(f"There is no wallet {wallet_id}.")
    return Wallet(*row)


async def list_wallets(read: AsyncConnection, org_id: str, *, after: str = "", limit: int = MAX_PAGE) -> list[Wallet]:
    """Return wallets by id, which is by age; `after` is the last id of the page before."""
    query = select(*_WALLET).where(wallets.c.org_id == org_id, wallets.c.id > after)
    rows = await read.execute(query.order_by(wallets.c.id).limit(min(limit, MAX_PAGE)))
    return [Wallet(*row) for row in rows]


async def list_journal(
    read: AsyncConnection,
    org_id: str,
    wallet_id: str,
    *,
    kinds: Sequence[str] = (),
    from_ms: int | None = None,
    to_ms: int | None = None,
    before: str | None = None,
    limit: int = 100,
) -> list[Entry]:
    """Return a wallet's entries, the newest first; `before` is the last id of the page before.

    `kinds` are the wanted ones, without any all. `to_ms` is not included; the time of a call's entry is the one at
    which the call began. Raises NotFound.
    """
    await get_wallet(read, org_id, wallet_id)
    query = select(*_ENTRY).where(journal.c.wallet_id == wallet_id)
    if kinds:
        query = query.where(journal.c.kind.in_(kinds))
        if "settle" not in kinds:
            query = query.where(text("kind <> 'settle'"))  # as the index of the others says it
    if from_ms is not None:
        query = query.where(journal.c.id >= f"jnl_{from_ms:012x}")
    if to_ms is not None:
        query = query.where(journal.c.id < f"jnl_{to_ms:012x}")
    if before is not None:
        query = query.where(journal.c.id < before)
    rows = await read.execute(query.order_by(journal.c.id.desc()).limit(min(limit, MAX_PAGE)))
    return [Entry(*row) for row in rows]


async def find_wallets(
    read: AsyncConnection, wanted: str, *, after: str = "", limit: int = MAX_PAGE
) -> list[FoundWallet]:
    """Return wallets of every org, by age, whose id or org's id begins with what is wanted, or whose name or org's name
    contains it: for the operator."""
    found = wallets.c.name.icontains(wanted, autoescape=True) | orgs.c.name.icontains(wanted, autoescape=True)
    for column in (wallets.c.id, wallets.c.org_id):
        found |= column.startswith(wanted, autoescape=True)
    query = select(orgs.c.name, *_WALLET).join(orgs, orgs.c.id == wallets.c.org_id)
    query = query.where(found, wallets.c.id > after).order_by(wallets.c.id).limit(min(limit, MAX_PAGE))
    return [FoundWallet(Wallet(*row), org_name) for org_name, *row in await read.execute(query)]


async def org_of_wallet(read: AsyncConnection, wallet_id: str) -> str:
    """Return the org that a wallet belongs to: for the operator, who knows a wallet by its id. Raises NotFound."""
    org_id = (await read.execute(select(wallets.c.org_id).where(wallets.c.id == wallet_id))).scalar()
    if org_id is None:
        raise NotFound(f"There is no wallet {wallet_id}.")
    return org_id


async def top_up(
    tx: AsyncConnection,
    org_id: str,
    wallet_id: str,
    nano: int,
    note: str,
    now_ms: int,
    *,
    new_id: NewId = random_id,
) -> Wallet:
    """Put money into a wallet. Raises NotFound, or ValueError for an amount that is not positive or too large."""
    if nano <= 0:
        raise ValueError("the amount of a top-up must be positive")
    entry_id = new_id("jnl", seconds_of(now_ms))
    return await _put_in(tx, org_id, wallet_id, nano, "top_up", "house:cash", note, now_ms, entry_id)


async def claim_top_up(
    tx: AsyncConnection, org_id: str, wallet_id: str, idempotency_key: str, nano: int, now_ms: int
) -> bool:
    """Return whether a top-up is the first with its key; whoever gets True pays it in the same transaction.

    Of many at once one gets True; the others wait for its commit. Raises NotFound, or KeyReused when the key came with
    another amount.
    """
    await get_wallet(tx, org_id, wallet_id)
    requests = top_up_requests.c
    kind = postgresql if tx.dialect.name == "postgresql" else sqlite
    first = kind.insert(top_up_requests).values(
        wallet_id=wallet_id, idempotency_key=idempotency_key, amount_nano=nano, created_ms=now_ms
    )
    if (await tx.execute(first.on_conflict_do_nothing())).rowcount == 1:
        return True
    mine = (requests.wallet_id == wallet_id, requests.idempotency_key == idempotency_key)
    if (await tx.execute(select(requests.amount_nano).where(*mine))).scalar_one() != nano:
        raise KeyReused("This Idempotency-Key has topped up another amount.", param="amount_yuan")
    return False


async def redeem(
    tx: AsyncConnection, org_id: str, wallet_id: str, nano: int, batch_id: str, note: str, now_ms: int, entry_id: str
) -> Wallet:
    """Put what a redemption code is worth into a wallet; the entry comes out of the batch's own account. Raises
    NotFound, or ValueError for an amount that does not fit."""
    assert nano > 0
    return await _put_in(tx, org_id, wallet_id, nano, "redeem", f"codes:{batch_id}", note, now_ms, entry_id)


async def correct(
    database: Database,
    org_id: str,
    wallet_id: str,
    nano: int,
    note: str,
    now_ms: int,
    *,
    new_id: NewId = random_id,
    tries: int = _RECALL_TRIES,
    pause_ms: int = _RECALL_PAUSE_MS,
) -> Wallet:
    """Add to a wallet, or take out of it, by a journal entry of its own.

    What is taken out is first asked back from the tellers, which takes until calls release what they hold; dead
    tellers' leases are taken back at once. Raises NotFound, ValueError for zero, or CannotTakeOut.
    """
    if nano == 0:
        raise ValueError("a correction of zero changes nothing")
    if nano > 0:
        entry_id = new_id("jnl", seconds_of(now_ms))
        async with database.tx() as tx:
            return await _put_in(tx, org_id, wallet_id, nano, "correct", "house:correction", note, now_ms, entry_id)
    while True:
        tries -= 1
        async with database.if_unserved() as unserved, database.tx() as tx:
            if unserved:
                for teller_id in await heartbeats(tx):
                    await return_leases(tx, teller_id)
            before = await get_wallet(tx, org_id, wallet_id)
            taken = await _take_out(tx, before, -nano, note, now_ms, new_id)
            hopeless = before.balance_nano + before.credit_nano < -nano
            again = tries > 0 and not taken and not hopeless
            recall_nano = max(before.recall_nano, -nano) if again else 0
            await tx.execute(update(wallets).where(wallets.c.id == wallet_id).values(recall_nano=recall_nano))
            await bump(tx, "wallets")
            wallet = await get_wallet(tx, org_id, wallet_id)
        if taken:
            return wallet
        if not again:
            break
        await sleep_ms(pause_ms)
    held = (
        ""
        if hopeless
        else f", and calls in flight hold ¥{write_yuan(wallet.leased_nano + wallet.held_nano)} of it; try again later"
    )
    raise CannotTakeOut(
        f"¥{write_yuan(-nano)} cannot be taken out: the wallet has ¥{write_yuan(wallet.balance_nano)}{held}"
    )


async def register_teller(tx: AsyncConnection, teller_id: str, now_ms: int) -> None:
    """Enter a teller; until it leaves or is swept it may lease."""
    await tx.execute(insert(tellers).values(id=teller_id, started_ms=now_ms, heartbeat_ms=now_ms))


async def heartbeat(tx: AsyncConnection, teller_id: str, now_ms: int) -> bool:
    """Say that the teller lives; False when it was taken for dead, and its leases are gone. Each beat is later than the
    one before, whatever the clock says."""
    last = tellers.c.heartbeat_ms
    later = case((last < now_ms, now_ms), else_=last + 1)
    return await _changed(tx, update(tellers).where(tellers.c.id == teller_id).values(heartbeat_ms=later)) == 1


async def heartbeats(read: AsyncConnection) -> dict[str, int]:
    """Return when each teller was last heard of, by its own clock."""
    rows = await read.execute(select(tellers.c.id, tellers.c.heartbeat_ms))
    return {teller_id: heartbeat_ms for teller_id, heartbeat_ms in rows}


async def return_leases(tx: AsyncConnection, teller_id: str, heartbeat_ms: int | None = None) -> bool:
    """Return everything that a teller had leased and not spent, and forget the teller.

    False, and nothing is done, when it is forgotten already, or was heard of after `heartbeat_ms`.
    """
    lent = select(leases.c.wallet_id).where(leases.c.teller_id == teller_id)
    await tx.execute(select(wallets.c.id).where(wallets.c.id.in_(lent)).order_by(wallets.c.id).with_for_update())
    teller = select(tellers.c.id).where(tellers.c.id == teller_id)
    if heartbeat_ms is not None:
        teller = teller.where(tellers.c.heartbeat_ms == heartbeat_ms)
    if (await tx.execute(teller.with_for_update())).first() is None:
        return False
    returned = await tx.execute(
        delete(leases).where(leases.c.teller_id == teller_id).returning(leases.c.wallet_id, leases.c.leased_nano)
    )
    for wallet_id, nano in returned.all():
        await _move_leased(tx, wallet_id, -nano)
    await tx.execute(delete(tellers).where(tellers.c.id == teller_id))
    return True


async def leased_wallets(read: AsyncConnection, teller_id: str, wallet_ids: list[str]) -> list[Leased]:
    """Return these wallets and what the teller has leased of them, as committed."""
    lease = (leases.c.teller_id == teller_id) & (leases.c.wallet_id == wallets.c.id)
    query = select(*_WALLET, func.coalesce(leases.c.leased_nano, 0), _TELLERS)
    query = query.select_from(wallets.outerjoin(leases, lease)).where(wallets.c.id.in_(wallet_ids))
    return [Leased(Wallet(*wallet), lease_nano, count) for *wallet, lease_nano, count in await read.execute(query)]


async def lock_lease(tx: AsyncConnection, teller_id: str, wallet_id: str) -> Leased:
    """Return a wallet and the teller's lease of it as they are until the transaction ends."""
    await tx.execute(select(wallets.c.id).where(wallets.c.id == wallet_id).with_for_update())
    (found,) = await leased_wallets(tx, teller_id, [wallet_id])  # not before: the wait may have been long
    return found


async def move_lease(tx: AsyncConnection, teller_id: str, before: Leased, move: Move) -> Leased:
    """Lend to the teller or take back, and note what is asked back; the wallet must be locked. Raises TellerGone."""
    wallet = before.wallet
    changed = {"leased_nano": wallet.leased_nano + move.nano, "recall_nano": move.recall_nano}
    await tx.execute(update(wallets).where(wallets.c.id == wallet.id).values(changed))
    if move.nano and not await _move_lease(tx, teller_id, wallet.id, move.nano):
        if move.nano < 0:
            raise TellerGone
        lease = insert(leases).values(teller_id=teller_id, wallet_id=wallet.id, leased_nano=move.nano)
        try:
            await tx.execute(lease)
        except IntegrityError:
            raise TellerGone from None
    if move.recall_nano > wallet.recall_nano:
        await bump(tx, "wallets")
    return Leased(structs.replace(wallet, **changed), before.lease_nano + move.nano, before.tellers)


async def list_recalls(tx: AsyncConnection) -> dict[str, int]:
    """Return what is asked back now, by wallet."""
    query = select(wallets.c.id, wallets.c.recall_nano).where(wallets.c.recall_nano > 0)
    rows = await tx.execute(query.order_by(wallets.c.id))
    return {wallet_id: nano for wallet_id, nano in rows}


async def drop_recall(tx: AsyncConnection, wallet_id: str) -> None:
    """Forget that something is asked back: whoever asked has gone."""
    await tx.execute(update(wallets).where(wallets.c.id == wallet_id).values(recall_nano=0))
    await bump(tx, "wallets")


_WALLET = (
    wallets.c.id,
    wallets.c.org_id,
    wallets.c.name,
    wallets.c.balance_nano,
    wallets.c.leased_nano,
    wallets.c.credit_nano,
    wallets.c.recall_nano,
    wallets.c.held_nano,
    wallets.c.created_ms,
)
_TELLERS = select(func.count()).select_from(tellers).scalar_subquery()
_ENTRY = (
    journal.c.id,
    journal.c.kind,
    journal.c.wallet_id,
    journal.c.debit,
    journal.c.credit,
    journal.c.amount_nano,
    journal.c.call_id,
    journal.c.note,
    journal.c.created_ms,
)


async def _put_in(
    tx: AsyncConnection,
    org_id: str,
    wallet_id: str,
    nano: int,
    kind: str,
    source: str,
    note: str,
    now_ms: int,
    entry_id: str,
) -> Wallet:
    fits = wallets.c.balance_nano <= MAX_NANO - wallets.c.credit_nano - nano
    changed = await _changed(
        tx,
        update(wallets)
        .where(wallets.c.id == wallet_id, wallets.c.org_id == org_id, fits)
        .values(balance_nano=wallets.c.balance_nano + nano),
    )
    wallet = await get_wallet(tx, org_id, wallet_id)
    if not changed:
        raise ValueError(f"the wallet holds ¥{write_yuan(wallet.balance_nano)}; so much more cannot be kept")
    await _enter(tx, wallet_id, kind, source, f"wallet:{wallet_id}", nano, note, now_ms, entry_id)
    low = (wallet_alerts.c.wallet_id == wallet_id, wallet_alerts.c.threshold_nano < wallet.balance_nano)
    await tx.execute(update(wallet_alerts).where(*low).values(armed=True))
    await bump(tx, "wallets")
    return wallet


async def _take_out(tx: AsyncConnection, wallet: Wallet, nano: int, note: str, now_ms: int, new_id: NewId) -> bool:
    free = wallets.c.balance_nano + wallets.c.credit_nano - wallets.c.leased_nano - wallets.c.held_nano
    changed = await _changed(
        tx,
        update(wallets)
        .where(wallets.c.id == wallet.id, free >= nano)
        .values(balance_nano=wallets.c.balance_nano - nano),
    )
    if changed:
        account = f"wallet:{wallet.id}"
        entry_id = new_id("jnl", seconds_of(now_ms))
        await _enter(tx, wallet.id, "correct", account, "house:correction", nano, note, now_ms, entry_id)
    return changed == 1


async def _enter(
    tx: AsyncConnection,
    wallet_id: str,
    kind: str,
    debit: str,
    credit: str,
    nano: int,
    note: str,
    now_ms: int,
    entry_id: str,
) -> None:
    await tx.execute(
        insert(journal).values(
            day=day_of(seconds_of(now_ms)),
            id=entry_id,
            kind=kind,
            wallet_id=wallet_id,
            debit=debit,
            credit=credit,
            amount_nano=nano,
            call_id=None,
            note=note,
            created_ms=now_ms,
        )
    )


async def _move_leased(tx: AsyncConnection, wallet_id: str, nano: int) -> None:
    moved = update(wallets).where(wallets.c.id == wallet_id).values(leased_nano=wallets.c.leased_nano + nano)
    assert await _changed(tx, moved) == 1


async def _move_lease(tx: AsyncConnection, teller_id: str, wallet_id: str, nano: int) -> bool:
    mine = update(leases).where(leases.c.teller_id == teller_id, leases.c.wallet_id == wallet_id)
    return await _changed(tx, mine.values(leased_nano=leases.c.leased_nano + nano)) == 1


async def _changed(tx: AsyncConnection, statement: Update) -> int:
    return (await tx.execute(statement)).rowcount
