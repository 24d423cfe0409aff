"""Opens a key together with the wallet that it spends from: a key never exists without one."""

from tokengate.accounts import changes
from tokengate.accounts import store as accounts
from tokengate.accounts.audit import By
from tokengate.accounts.keys import NO_LIMITS, KeyLimits
from tokengate.accounts.orgs.store import get_org, list_projects
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey
from tokengate.core.clock import Clock
from tokengate.core.errors import NotFound
from tokengate.core.ids import NewId, new_id
from tokengate.ledger import store as ledger
from tokengate.storage.engine import Database, Tx


async def create_key(
    database: Database,
    clock: Clock,
    *,
    name: str,
    org_id: str = DEFAULT_ORG,
    balance_nano: int = 0,
    wallet_id: str | None = None,
    limits: KeyLimits = NO_LIMITS,
    by: By | None = None,
    make_id: NewId = new_id,
) -> CreatedKey:
    """Create a key in an org's first project, in one transaction with its wallet.

    With `wallet_id` it shares that wallet, which keeps its balance; otherwise it gets one of its own with
    `balance_nano` in it. Raises NotFound for an unknown org or wallet.
    """
    assert not (wallet_id and balance_nano), "a shared wallet is topped up by itself"
    now_ms = int(clock.now_s() * 1000)
    by = by or By("system", "", "", "", now_ms, make_id)
    async with database.tx() as tx:
        project_id = await _first_project(tx, org_id, now_ms)
        if wallet_id is None:
            wallet_id = await ledger.open_wallet(tx, org_id, name, now_ms)
            if balance_nano:
                await ledger.top_up(tx, org_id, wallet_id, balance_nano, f"opened with key {name}", now_ms)
        return await changes.create_key(
            tx, org_id, by, name=name, project_id=project_id, wallet_id=wallet_id, limits=limits
        )


async def _first_project(tx: Tx, org_id: str, now_ms: int) -> str:
    if org_id == DEFAULT_ORG:
        await accounts.ensure_default_org(tx, now_ms)
    await get_org(tx, org_id)
    projects = await list_projects(tx, org_id, limit=1)
    if not projects:
        raise NotFound(f"The org '{org_id}' has no project yet.")
    return projects[0].id
