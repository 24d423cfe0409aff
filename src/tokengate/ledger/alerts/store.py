"""Low-balance alerts in the database: at most one per wallet."""

from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import wallet_alerts, wallets


class StoredAlert(Struct, frozen=True):
    """An alert as its row says; `secret` is sealed."""

    wallet_id: str
    org_id: str
    threshold_nano: int
    url: str
    secret: bytes
    armed: bool
    created_ms: int
    changed_ms: int


class Watched(Struct, frozen=True):
    """A wallet whose alert is armed."""

    wallet_id: str
    org_id: str
    name: str
    balance_nano: int
    threshold_nano: int


async def get_alert(read: AsyncConnection, org_id: str, wallet_id: str) -> StoredAlert | None:
    """Return a wallet's alert, if it has one."""
    query = select(*_ALERT).where(wallet_alerts.c.wallet_id == wallet_id, wallet_alerts.c.org_id == org_id)
    row = (await read.execute(query)).first()
    return None if row is None else StoredAlert(*row)


async def put_alert(tx: AsyncConnection, alert: StoredAlert) -> None:
    """Store a wallet's alert in place of the one it had."""
    await tx.execute(delete(wallet_alerts).where(wallet_alerts.c.wallet_id == alert.wallet_id))
    await tx.execute(
        insert(wallet_alerts).values(
            wallet_id=alert.wallet_id,
            org_id=alert.org_id,
            threshold_nano=alert.threshold_nano,
            url=alert.url,
            secret=alert.secret,
            armed=alert.armed,
            created_ms=alert.created_ms,
            changed_ms=alert.changed_ms,
        )
    )


async def delete_alert(tx: AsyncConnection, org_id: str, wallet_id: str) -> None:
    """Remove a wallet's alert."""
    mine = (wallet_alerts.c.wallet_id == wallet_id, wallet_alerts.c.org_id == org_id)
    await tx.execute(delete(wallet_alerts).where(*mine))


async def list_armed(read: AsyncConnection) -> list[Watched]:
    """Return the wallets of every org that are watched."""
    query = (
        select(wallets.c.id, wallets.c.org_id, wallets.c.name, wallets.c.balance_nano, wallet_alerts.c.threshold_nano)
        .join(wallets, wallets.c.id == wallet_alerts.c.wallet_id)
        .where(wallet_alerts.c.armed)
    )
    return [Watched(*row) for row in await read.execute(query)]


async def disarm(tx: AsyncConnection, wallet_id: str) -> bool:
    """Note that an alert was given; False when it was disarmed before, so that each crossing is told once."""
    armed = (wallet_alerts.c.wallet_id == wallet_id, wallet_alerts.c.armed)
    return (await tx.execute(update(wallet_alerts).where(*armed).values(armed=False))).rowcount == 1


_ALERT = (
    wallet_alerts.c.wallet_id,
    wallet_alerts.c.org_id,
    wallet_alerts.c.threshold_nano,
    wallet_alerts.c.url,
    wallet_alerts.c.secret,
    wallet_alerts.c.armed,
    wallet_alerts.c.created_ms,
    wallet_alerts.c.changed_ms,
)
