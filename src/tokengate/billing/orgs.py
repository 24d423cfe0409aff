"""Opens an org that can be used at once: with a project, a wallet and an owner."""

from tokengate.accounts.audit import By
from tokengate.accounts.orgs import Org
from tokengate.accounts.orgs.store import add_member, create_org, create_project
from tokengate.ledger import store as ledger
from tokengate.storage.engine import Tx

FIRST_PROJECT = "Default"
FIRST_WALLET = "Default"


async def open_org(tx: Tx, by: By, *, name: str, owner_id: str | None = None) -> Org:
    """Create an org with a project and an empty wallet; `owner_id` becomes its owner."""
    org = await create_org(tx, by, name=name)
    await create_project(tx, org.id, by, name=FIRST_PROJECT)
    await ledger.open_wallet(tx, org.id, FIRST_WALLET, by.now_ms, new_id=by.new_id)
    if owner_id is not None:
        await add_member(tx, org.id, by, owner_id, "owner")
    return org
