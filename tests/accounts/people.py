"""What tests of people and orgs share."""

from tokengate.accounts.audit import By
from tokengate.accounts.orgs import Org
from tokengate.accounts.orgs.store import create_org
from tokengate.accounts.users import User
from tokengate.accounts.users.store import create_user
from tokengate.core.ids import new_id
from tokengate.storage.engine import Database

NOW_MS = 1_790_000_000_000


def by(now_ms: int = NOW_MS) -> By:
    return By("user", "usr_test", "test@a.example", "192.0.2.1", now_ms, new_id)


async def a_user(database: Database, email: str = "ann@a.example", *, operator: bool = False) -> User:
    async with database.tx() as tx:
        return await create_user(tx, by(), email=email, name="Ann", password_hash="hash", operator=operator)


async def an_org(database: Database, name: str = "ours") -> Org:
    async with database.tx() as tx:
        return await create_org(tx, by(), name=name)
