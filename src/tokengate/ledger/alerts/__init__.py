"""Low-balance alerts: when what is available in a wallet falls to its threshold, a message goes to the outbox.

Once per crossing: the alert is disarmed in the transaction that writes the message, and money that comes in and lifts
the balance above the threshold arms it again (ledger/store.py).
"""

import base64
import secrets
from collections.abc import Callable

import msgspec
from msgspec import Struct

from tokengate.core.clock import Clock, now_ms, seconds_of
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.ids import NewId
from tokengate.core.ids import new_id as random_id
from tokengate.core.money import write_yuan
from tokengate.core.sealing import Sealer
from tokengate.ledger import store as ledger
from tokengate.ledger.alerts import store
from tokengate.ledger.alerts.store import StoredAlert, Watched
from tokengate.storage import outbox
from tokengate.storage.engine import Database, Tx

__all__ = ["LOW_BALANCE", "TEST", "Alert", "Alerts", "Destination"]

LOW_BALANCE = "wallet.low_balance"
TEST = "wallet.alert_test"

SECRET_PREFIX = "whsec_"  # as https://www.standardwebhooks.com has it
_SECRET_BYTES = 32
_MAX_URL_CHARS = 2_000


class Alert(Struct, frozen=True):
    """A wallet's alert as its owner sees it. `secret` is there once, when it is made."""

    wallet_id: str
    threshold_nano: int
    url: str
    armed: bool
    created_ms: int
    changed_ms: int
    secret: str | None = None


class Destination(Struct, frozen=True):
    """Where a message goes, and the key that signs it."""

    url: str
    secret: bytes


class Alerts:
    """The alerts of all wallets."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock, *, new_id: NewId = random_id) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._new_id = new_id

    async def get(self, org_id: str, wallet_id: str) -> Alert:
        """Return a wallet's alert. Raises NotFound."""
        async with self._database.read() as read:
            await ledger.get_wallet(read, org_id, wallet_id)
            found = await store.get_alert(read, org_id, wallet_id)
        if found is None:
            raise _no_alert(wallet_id)
        return _alert(found)

    async def set(
        self, tx: Tx, org_id: str, wallet_id: str, *, threshold_nano: int, url: str, new_secret: bool = False
    ) -> Alert:
        """Set a wallet's alert, armed. A first one, and `new_secret`, come with a secret. Raises NotFound for the
        wallet, or BadRequest.

        Whether the address may be sent to is for the layer to say that sends.
        """
        if threshold_nano < 0:
            raise BadRequest("A threshold is not below zero.", param="threshold_yuan")
        if not (url.isprintable() and len(url) <= _MAX_URL_CHARS):
            raise BadRequest(f"An address has at most {_MAX_URL_CHARS} characters.", param="url")
        at_ms = now_ms(self._clock)
        await ledger.get_wallet(tx, org_id, wallet_id)
        before = await store.get_alert(tx, org_id, wallet_id)
        fresh = secrets.token_bytes(_SECRET_BYTES) if before is None or new_secret else None
        sealed = before.secret if before is not None else b""
        if fresh is not None:
            sealed = self._sealer.seal(fresh, _context(wallet_id))
        made = StoredAlert(
            wallet_id=wallet_id,
            org_id=org_id,
            threshold_nano=threshold_nano,
            url=url,
            secret=sealed,
            armed=True,
            created_ms=before.created_ms if before is not None else at_ms,
            changed_ms=at_ms,
        )
        await store.put_alert(tx, made)
        return _alert(made, None if fresh is None else SECRET_PREFIX + base64.b64encode(fresh).decode())

    async def remove(self, tx: Tx, org_id: str, wallet_id: str) -> Alert:
        """Remove a wallet's alert and return it; what waits to be sent is not sent any more. Raises NotFound."""
        await ledger.get_wallet(tx, org_id, wallet_id)
        found = await store.get_alert(tx, org_id, wallet_id)
        if found is None:
            raise _no_alert(wallet_id)
        await store.delete_alert(tx, org_id, wallet_id)
        return _alert(found)

    async def messages(self, org_id: str, wallet_id: str) -> list[outbox.Message]:
        """Return the newest messages about a wallet and what became of them. Raises NotFound for the wallet."""
        async with self._database.read() as read:
            await ledger.get_wallet(read, org_id, wallet_id)
            return await outbox.list_messages(read, org_id, wallet_id)

    async def destination(self, org_id: str, wallet_id: str) -> Destination | None:
        """Return where a wallet's messages go now; None when nobody wants them any more."""
        async with self._database.read() as read:
            found = await store.get_alert(read, org_id, wallet_id)
        if found is None:
            return None
        return Destination(found.url, self._sealer.open(found.secret, _context(wallet_id)))

    async def check(self, held_nano: Callable[[str], int]) -> int:
        """Write a message for each armed wallet that has no more available than its threshold; return how many.

        `held_nano` tells what is held of a wallet now, which is not available.
        """
        async with self._database.read() as read:
            armed = await store.list_armed(read)
        told = 0
        for wallet in armed:
            held = held_nano(wallet.wallet_id)
            if wallet.balance_nano - held <= wallet.threshold_nano:
                told += await self._tell(wallet, held)
        return told

    async def _tell(self, wallet: Watched, held_nano: int) -> bool:
        at_ms = now_ms(self._clock)
        async with self._database.tx() as tx:
            if not await store.disarm(tx, wallet.wallet_id):
                return False
            await outbox.put(
                tx,
                wallet.org_id,
                message_id=self._new_id("msg", seconds_of(at_ms)),
                subject=wallet.wallet_id,
                kind=LOW_BALANCE,
                body=body_of(LOW_BALANCE, wallet, held_nano, at_ms),
                now_ms=at_ms,
            )
        return True

    async def test_body(self, org_id: str, wallet_id: str, held_nano: int) -> str:
        """Return what a test sends: a message like an alert's, with the wallet as it is. Raises NotFound."""
        async with self._database.read() as read:
            wallet = await ledger.get_wallet(read, org_id, wallet_id)
            found = await store.get_alert(read, org_id, wallet_id)
        if found is None:
            raise _no_alert(wallet_id)
        watched = Watched(wallet.id, org_id, wallet.name, wallet.balance_nano, found.threshold_nano)
        return body_of(TEST, watched, held_nano, now_ms(self._clock))


def body_of(kind: str, wallet: Watched, held_nano: int, at_ms: int) -> str:
    """Return the JSON that is sent. Amounts are decimal strings in yuan."""
    return msgspec.json.encode(
        {
            "type": kind,
            "created_ms": at_ms,
            "data": {
                "wallet_id": wallet.wallet_id,
                "wallet_name": wallet.name,
                "org_id": wallet.org_id,
                "threshold_yuan": write_yuan(wallet.threshold_nano),
                "available_yuan": write_yuan(wallet.balance_nano - held_nano),
                "balance_yuan": write_yuan(wallet.balance_nano),
                "held_yuan": write_yuan(held_nano),
            },
        }
    ).decode()


def _alert(found: StoredAlert, secret: str | None = None) -> Alert:
    return Alert(
        wallet_id=found.wallet_id,
        threshold_nano=found.threshold_nano,
        url=found.url,
        armed=found.armed,
        created_ms=found.created_ms,
        changed_ms=found.changed_ms,
        secret=secret,
    )


def _no_alert(wallet_id: str) -> NotFound:
    return NotFound(f"Wallet {wallet_id} has no alert.", code="no_alert")


def _context(wallet_id: str) -> bytes:
    return b"webhook secret\0" + wallet_id.encode()
