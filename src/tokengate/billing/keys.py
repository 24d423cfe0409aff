"""Opens a key together with the wallet that it spends from: a key never exists without one."""

from tokengate.accounts import store as accounts
from tokengate.accounts.keys import NO_LIMITS, KeyLimits
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey
from tokengate.core.clock import Clock
from tokengate.core.ids import NewId, new_id
from tokengate.ledger import store as ledger
from tokengate.storage.engine import Database


async def create_key(
    database: Database,
    clock: Clock,
    *,
    name: str,
    balance_nano: int = 0,
    wallet_id: str | None = None,
    limits: KeyLimits = NO_LIMITS,
    make_id: NewId = new_id,
) -> CreatedKey:
    """Create a key of the default org, in one transaction with its wallet.

    With `wallet_id` it shares that wallet, which keeps its balance; otherwise it gets one of its own with
    `balance_nano` in it. Raises NotFound for an unknown wallet.
    """
    assert not (wallet_id and balance_nano), "a shared wallet is topped up by itself"
    now_ms = int(clock.now_s() * 1000)
    async with database.tx() as tx:
        await accounts.ensure_default_org(tx, now_ms)
        if wallet_id is None:
            wallet_id = await ledger.open_wallet(tx, DEFAULT_ORG, name, now_ms)
            if balance_nano:
                await ledger.top_up(tx, DEFAULT_ORG, wallet_id, balance_nano, f"opened with key {name}", now_ms)
        return await accounts.create_key(
            tx, DEFAULT_ORG, wallet_id=wallet_id, name=name, now_ms=now_ms, new_id=make_id, limits=limits
        )
