"""Failed sign-ins in the database."""

from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.accounts.throttle import ACCOUNT_FREE, ADDRESS_FREE, FORGOTTEN_MS, wait_ms
from tokengate.core.errors import RateLimited
from tokengate.storage.tables import sign_in_failures


async def check(read: AsyncConnection, email: str, address: str, now_ms: int) -> None:
    """Raise RateLimited while nothing may be tried for this account or from this address."""
    scopes = [scope for scope, _ in _scopes(email, address)]
    rows = await read.execute(select(sign_in_failures.c.until_ms).where(sign_in_failures.c.scope.in_(scopes)))
    wait = max((until_ms for (until_ms,) in rows), default=0) - now_ms
    if wait > 0:
        raise RateLimited(
            f"Too many failed sign-ins. Try again in {-(-wait // 1000)} s.",
            retry_after_s=wait / 1000,
            code="too_many_sign_ins",
        )


async def fail(tx: AsyncConnection, email: str, address: str, now_ms: int) -> None:
    """Count a failure."""
    table = sign_in_failures
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(table)
    await tx.execute(delete(table).where(table.c.last_ms < now_ms - FORGOTTEN_MS))
    for scope, free in _scopes(email, address):
        counted = insert.values(scope=scope, failures=1, until_ms=0, last_ms=now_ms).on_conflict_do_update(
            index_elements=[table.c.scope], set_={"failures": table.c.failures + 1, "last_ms": now_ms}
        )
        failures = (await tx.execute(counted.returning(table.c.failures))).scalar_one()
        until_ms = now_ms + wait_ms(failures, free)
        await tx.execute(
            table.update()
            .where(table.c.scope == scope)
            .values(until_ms=case((table.c.until_ms > until_ms, table.c.until_ms), else_=until_ms))
        )


async def forgive(tx: AsyncConnection, email: str) -> None:
    """Forget the failures of an account: its owner has signed in. Those of the address stay, so that one account of
    one's own does not buy tries for others."""
    await tx.execute(delete(sign_in_failures).where(sign_in_failures.c.scope == f"account:{email}"))


def _scopes(email: str, address: str) -> tuple[tuple[str, int], ...]:
    return ((f"account:{email}", ACCOUNT_FREE), (f"address:{address}", ADDRESS_FREE))
