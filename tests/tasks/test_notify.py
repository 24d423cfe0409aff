"""Messages reach their webhook whatever fails on the way, signed; what cannot be delivered is given up, and seen."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.ledger.bank import ORG, Bank
from tests.support import FakeClock
from tokengate.core.errors import NotFound, RateLimited, UpstreamFailed
from tokengate.core.http import HttpRequest
from tokengate.core.ids import new_id
from tokengate.core.sealing import KEY_BYTES, Sealer
from tokengate.ledger.alerts import Alerts
from tokengate.storage import outbox
from tokengate.storage.engine import Database
from tokengate.tasks.job_hooks import JobHooks
from tokengate.tasks.notify import PAUSES_MS, Notifier, signature

URL = "https://hooks.example.com/low"


class Answer:
    """An answer that has arrived."""

    def __init__(self, status: int, cut: bool = False) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self.closed = False
        self._cut = cut

    async def read(self, limit_bytes: int) -> bytes:
        if self._cut:
            raise UpstreamFailed("cut", kind="cut")
        return b"thanks"

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"thanks"

    def close(self) -> None:
        self.closed = True


class Webhook:
    """A transport that answers what it is told to, one after the other, the last for ever."""

    def __init__(self, *answers: int | Answer | UpstreamFailed) -> None:
        self.answers = list(answers) or [204]
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> Answer:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, UpstreamFailed):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer)


class Desk:
    """A bank with an alert that is about to be given."""

    def __init__(self, bank: Bank, wallet: str, secret: str) -> None:
        self.bank = bank
        self.wallet = wallet
        self.secret = base64.b64decode(secret.removeprefix("whsec_"))
        self.alerts = _alerts(bank.database, bank.clock)
        self.job_hooks = JobHooks(bank.database, bytes(KEY_BYTES))
        self.alarms: list[str] = []

    def notifier(self, webhook: Webhook, alerts: Alerts | None = None) -> Notifier:
        return Notifier(
            self.bank.database,
            alerts or self.alerts,
            self.job_hooks,
            webhook,
            self.bank.clock,
            held_nano=self.bank.teller.held_nano,
            alarm=self.alarms.append,
            new_id=new_id,
        )

    async def message(self) -> outbox.Message:
        (message,) = await self.alerts.messages(ORG, self.wallet)
        return message


def _alerts(database: Database, clock: FakeClock, key: bytes = b"k" * 32) -> Alerts:
    return Alerts(database, Sealer(key), clock)


@pytest.fixture
async def desk(database: Database, clock: FakeClock) -> AsyncIterator[Desk]:
    bank = await Bank.open(database, clock)
    wallet = await bank.wallet(10)
    async with database.tx() as tx:
        made = await _alerts(database, clock).set(tx, ORG, wallet, threshold_nano=50, url=URL)
    assert made.secret is not None
    yield Desk(bank, wallet, made.secret)
    await bank.close()


async def test_alert_is_sent_signed_and_once(desk: Desk) -> None:
    webhook = Webhook(204)
    notifier = desk.notifier(webhook)

    await notifier.look()
    await notifier.look()

    (request,) = webhook.requests
    message = await desk.message()
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["webhook-id"] == message.id
    assert request.headers["webhook-timestamp"] == str(int(desk.bank.clock.now_s()))
    signed = f"{message.id}.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.new(desk.secret, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(request.body)["data"]["wallet_id"] == desk.wallet
    assert (message.state, message.tries, message.answer) == ("sent", 1, "status 204")


def test_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification's reference libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_failed_tries_are_repeated_with_growing_pauses_until_one_is_taken(desk: Desk) -> None:
    webhook = Webhook(500, UpstreamFailed("The webhook could not be reached: connection refused.", kind="connect"), 200)
    notifier = desk.notifier(webhook)

    await notifier.look()
    first = await desk.message()
    for pause_ms in PAUSES_MS[:2]:
        desk.bank.clock.advance(pause_ms / 1000 - 1)
        before = len(webhook.requests)
        await notifier.look()
        assert len(webhook.requests) == before
        desk.bank.clock.advance(1)
        await notifier.look()
        assert len(webhook.requests) == before + 1

    last = await desk.message()
    assert (first.state, first.tries, first.answer) == ("waiting", 1, "status 500")
    assert (last.state, last.tries, last.answer) == ("sent", 3, "status 200")
    assert len({request.headers["webhook-id"] for request in webhook.requests}) == 1
    assert len({request.headers["webhook-signature"] for request in webhook.requests}) == 3  # the time is signed


async def test_message_that_is_never_taken_is_given_up_with_an_alarm_and_stays_visible(desk: Desk) -> None:
    webhook = Webhook(503)
    notifier = desk.notifier(webhook)

    for pause_ms in (0, *PAUSES_MS, 86_400_000):
        desk.bank.clock.advance(pause_ms / 1000)
        await notifier.look()

    message = await desk.message()
    assert len(webhook.requests) == message.tries == len(PAUSES_MS) + 1
    assert (message.state, message.answer, desk.alarms) == ("dead", "status 503", ["webhook_dead"])


async def test_process_that_dies_while_it_sends_leaves_the_message_to_the_next(desk: Desk) -> None:
    await desk.alerts.check(desk.bank.teller.held_nano)
    now_ms = int(desk.bank.clock.now_s() * 1000)
    async with desk.bank.database.tx() as tx:
        assert len(await outbox.claim_due(tx, now_ms, now_ms + 60_000, 10)) == 1
    webhook = Webhook(204)

    await desk.notifier(webhook).look()
    assert webhook.requests == []
    desk.bank.clock.advance(60)
    await desk.notifier(webhook).look()

    message = await desk.message()
    assert (message.state, message.tries) == ("sent", 2)


async def test_message_whose_alert_is_gone_or_cannot_be_opened_is_given_up(desk: Desk) -> None:
    webhook = Webhook(204)
    await desk.alerts.check(desk.bank.teller.held_nano)
    other_key = _alerts(desk.bank.database, desk.bank.clock, b"x" * 32)

    await desk.notifier(webhook, other_key).look()

    message = await desk.message()
    assert (webhook.requests, message.state, message.answer) == ([], "dead", "nobody wants it any more")


async def test_redirect_counts_as_a_failure_and_says_why(desk: Desk) -> None:
    moved = UpstreamFailed("The webhook points elsewhere", kind="invalid", upstream_status=302)

    await desk.notifier(Webhook(moved)).look()

    message = await desk.message()
    assert (message.state, message.answer) == ("waiting", "status 302: redirects are not followed")


async def test_answer_that_breaks_off_after_its_status_counts_by_its_status(desk: Desk) -> None:
    answer = Answer(200, cut=True)

    await desk.notifier(Webhook(answer)).look()

    assert (await desk.message()).state == "sent"
    assert answer.closed


async def test_test_message_is_sent_once_and_tells_how_it_went(desk: Desk) -> None:
    webhook = Webhook(500, 204)
    notifier = desk.notifier(webhook)

    failed = await notifier.send_test(ORG, desk.wallet)
    with pytest.raises(RateLimited):
        await notifier.send_test(ORG, desk.wallet)
    desk.bank.clock.advance(5)
    taken = await notifier.send_test(ORG, desk.wallet)
    with pytest.raises(NotFound):
        await notifier.send_test("org_other", desk.wallet)

    assert (failed.delivered, failed.answer) == (False, "status 500")
    assert (taken.delivered, taken.answer) == (True, "status 204")
    assert [json.loads(request.body)["type"] for request in webhook.requests] == ["wallet.alert_test"] * 2
    assert await desk.alerts.messages(ORG, desk.wallet) == []


async def test_what_ended_long_ago_is_forgotten(desk: Desk) -> None:
    notifier = desk.notifier(Webhook(204))
    await notifier.look()

    desk.bank.clock.advance(29 * 86_400)
    await notifier.look()
    assert len(await desk.alerts.messages(ORG, desk.wallet)) == 1
    desk.bank.clock.advance(2 * 86_400)
    await notifier.look()

    assert await desk.alerts.messages(ORG, desk.wallet) == []
