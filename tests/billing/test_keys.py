import pytest

from tests.support import FakeClock
from tokengate.accounts.keyring import KeyRing
from tokengate.accounts.keys import KeyLimits
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.billing.keys import create_key
from tokengate.core.errors import NotFound
from tokengate.ledger import store as ledger
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database


async def test_a_new_key_is_known_and_spends_from_its_own_wallet(database: Database, clock: FakeClock):
    limits = KeyLimits(concurrency=3)

    made = await create_key(database, clock, name="alice", balance_nano=10_000_000_000, limits=limits)

    ring = KeyRing(database, clock)
    await ring.load()
    principal = ring.find(made.key)
    assert (principal.key_id, principal.wallet_id, principal.limits) == (made.id, made.wallet_id, limits)
    async with database.read() as read:
        wallet = await ledger.get_wallet(read, DEFAULT_ORG, made.wallet_id)
        (entry,) = await ledger.list_journal(read, DEFAULT_ORG, made.wallet_id)
    assert (wallet.name, wallet.balance_nano, entry.amount_nano) == ("alice", 10_000_000_000, 10_000_000_000)
    assert (await verify(database)).differences == []


async def test_a_key_that_cannot_be_made_leaves_no_wallet(database: Database, clock: FakeClock):
    def make_id(prefix: str, now_s: float) -> str:
        raise RuntimeError("no more ids")

    with pytest.raises(RuntimeError, match="no more ids"):
        await create_key(database, clock, name="alice", balance_nano=5, make_id=make_id)

    async with database.read() as read:
        assert await ledger.list_wallets(read, DEFAULT_ORG) == []


async def test_a_key_shares_a_wallet_and_leaves_its_balance_alone(database: Database, clock: FakeClock):
    first = await create_key(database, clock, name="first", balance_nano=5)

    second = await create_key(database, clock, name="second", wallet_id=first.wallet_id)

    assert second.wallet_id == first.wallet_id
    async with database.read() as read:
        (wallet,) = await ledger.list_wallets(read, DEFAULT_ORG)
    assert wallet.balance_nano == 5


async def test_a_key_on_an_unknown_wallet_is_refused(database: Database, clock: FakeClock):
    with pytest.raises(NotFound, match="wal_nobody"):
        await create_key(database, clock, name="alice", wallet_id="wal_nobody")
