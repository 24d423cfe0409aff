"""Sends what is in the outbox to the webhooks of its owners: signed, tried again with growing pauses, given up at last.

A message is sent at least once: one whose answer was lost is sent again with the same `webhook-id`. The signature is
that of https://www.standardwebhooks.com: HMAC-SHA256 over `id.timestamp.body`.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

import structlog
from msgspec import Struct

from tokengate.core.clock import Clock, now_ms
from tokengate.core.errors import RateLimited, UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts, Transport
from tokengate.core.ids import NewId
from tokengate.core.sealing import Unsealable
from tokengate.ledger.alerts import Alerts, Destination
from tokengate.storage import outbox
from tokengate.storage.engine import Database
from tokengate.storage.outbox import Message
from tokengate.tasks.job_hooks import JobHooks

PAUSES_MS: Final = (
    10_000,
    60_000,
    300_000,
    1_800_000,
    7_200_000,
    21_600_000,
    43_200_000,
)  # between the tries: 20 hours

_PACE_S: Final = 1.0
_TEST_EVERY_MS: Final = 5_000
_AT_ONCE: Final = 16
_CLAIMED_MS: Final = 60_000  # longer than a try: then whoever claimed it has died
_KEPT_MS: Final = 30 * 86_400_000  # what has ended stays visible for so long
_CLEAN_EVERY_MS: Final = 3_600_000
_TIMEOUTS: Final = Timeouts(connect=5.0, first=10.0, between=5.0, total=15.0)
_MAX_ANSWER_BYTES: Final = 64 * 1024  # read so that the connection can be used again, and thrown away

_log = structlog.get_logger("tokengate.tasks")


class Sent(Struct, frozen=True):
    """How a try ended. `answer` is the status, or why there was none; never what the other side said."""

    delivered: bool
    answer: str


class Notifier:
    """The one sender of a process. `alarm` is told when a message is given up."""

    def __init__(
        self,
        database: Database,
        alerts: Alerts,
        job_hooks: JobHooks,
        transport: Transport,
        clock: Clock,
        *,
        held_nano: Callable[[str], int],
        alarm: Callable[[str], None],
        new_id: NewId,
    ) -> None:
        self._database = database
        self._alerts = alerts
        self._job_hooks = job_hooks
        self._transport = transport
        self._clock = clock
        self._held_nano = held_nano
        self._alarm = alarm
        self._new_id = new_id
        self._cleaned_ms = 0
        self._tested_ms: dict[str, int] = {}  # by wallet, for as long as nobody may test it again

    async def run(self) -> None:
        """Look at wallets and at the outbox until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # the database is away: the next look tries again
                _log.exception("notify")
            await asyncio.sleep(_PACE_S)

    async def look(self) -> None:
        """Write the alerts that are due, send what is due, forget what has ended long ago."""
        await self._alerts.check(self._held_nano)
        while await self._send_due():
            pass
        at_ms = now_ms(self._clock)
        if at_ms - self._cleaned_ms >= _CLEAN_EVERY_MS:
            self._cleaned_ms = at_ms
            async with self._database.tx() as tx:
                await outbox.drop_ended(tx, at_ms - _KEPT_MS)

    async def send_test(self, org_id: str, wallet_id: str) -> Sent:
        """Send a test message to a wallet's webhook, once. Raises NotFound when it has none, RateLimited when one
        was sent just now."""
        body = await self._alerts.test_body(org_id, wallet_id, self._held_nano(wallet_id))
        self._slow_down(wallet_id)  # not before it is known whose wallet it is: another's is a 404, tested or not
        destination = await self._destination(org_id, wallet_id)
        if destination is None:
            return Sent(False, "its secret cannot be opened; set the alert again")
        return await self._send(self._new_id("msg", self._clock.now_s()), body, destination)

    def _slow_down(self, wallet_id: str) -> None:
        at_ms = now_ms(self._clock)
        self._tested_ms = {name: then for name, then in self._tested_ms.items() if at_ms - then < _TEST_EVERY_MS}
        if wallet_id in self._tested_ms:
            raise RateLimited("A test was sent just now; wait a few seconds.", retry_after_s=5, code="too_many_tests")
        self._tested_ms[wallet_id] = at_ms

    async def _send_due(self) -> bool:
        """Send one handful of due messages; False when there was none."""
        at_ms = now_ms(self._clock)
        async with self._database.read() as read:
            waiting = await outbox.any_due(read, at_ms)
        if not waiting:
            return False
        async with self._database.tx() as tx:
            due = await outbox.claim_due(tx, at_ms, at_ms + _CLAIMED_MS, _AT_ONCE)
        await asyncio.gather(*map(self._deliver, due))
        return bool(due)

    async def _deliver(self, message: Message) -> None:
        if message.subject.startswith("job_"):
            destination = await self._job_hooks.destination(message.subject)
        else:
            destination = await self._destination(message.org_id, message.subject)
        if destination is None:
            await self._end(message, outbox.DEAD, "nobody wants it any more")
            return
        sent = await self._send(message.id, message.body, destination)
        if sent.delivered:
            await self._end(message, outbox.SENT, sent.answer)
        elif message.tries > len(PAUSES_MS):
            self._alarm("webhook_dead")
            _log.warning("webhook_dead", message=message.id, kind=message.kind, answer=sent.answer)
            await self._end(message, outbox.DEAD, sent.answer)
        else:
            due_ms = now_ms(self._clock) + PAUSES_MS[message.tries - 1]
            async with self._database.tx() as tx:
                await outbox.put_off(tx, message.id, sent.answer, due_ms)

    async def _end(self, message: Message, state: str, answer: str) -> None:
        async with self._database.tx() as tx:
            await outbox.end(tx, message.id, state, answer, now_ms(self._clock))

    async def _destination(self, org_id: str, wallet_id: str) -> Destination | None:
        try:
            return await self._alerts.destination(org_id, wallet_id)
        except Unsealable:
            _log.warning("webhook_secret", wallet=wallet_id)
            return None

    async def _send(self, message_id: str, body: str, destination: Destination) -> Sent:
        timestamp_s = int(self._clock.now_s())
        data = body.encode()
        request = HttpRequest(
            method="POST",
            url=destination.url,
            headers={
                "content-type": "application/json",
                "user-agent": "TokenGate",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp_s),
                "webhook-signature": signature(destination.secret, message_id, timestamp_s, data),
            },
            body=data,
            timeouts=_TIMEOUTS,
        )
        try:
            exchange = await self._transport.send(request)
            try:
                await exchange.read(_MAX_ANSWER_BYTES)
            except UpstreamFailed:
                pass  # the status has come, and nothing else is of interest
            finally:
                exchange.close()
        except UpstreamFailed as failure:
            if failure.upstream_status is not None:
                return Sent(False, f"status {failure.upstream_status}: redirects are not followed")
            return Sent(False, failure.message)
        return Sent(200 <= exchange.status < 300, f"status {exchange.status}")


def signature(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of `webhook-signature`."""
    signed = b"%s.%d." % (message_id.encode(), timestamp_s) + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
