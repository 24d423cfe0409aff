"""A wallet's low-balance alert: when, where to, and what became of what was sent."""

from litestar import Controller, delete, get, post, put
from litestar.params import JSONBody
from msgspec import Struct

from tokengate.accounts.audit.store import record
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.money import write_yuan
from tokengate.ledger.alerts import Alert
from tokengate.storage.outbox import Message
from tokengate.upstream.guard import AddressRefused
from tokengate.web.console_api.access import may
from tokengate.web.console_api.amounts import read_amount
from tokengate.web.console_api.given import Author, Id, OrgId, Services


class MessageView(Struct, frozen=True):
    """A message and how it fares: waiting, sent, or dead after the last try. `due_ms` is when it is tried next."""

    id: str
    kind: str
    state: str
    tries: int
    answer: str
    created_ms: int
    due_ms: int | None
    ended_ms: int | None


class AlertView(Struct, frozen=True):
    """An alert with its newest messages. It is armed until it was given; a top-up above the threshold arms it again."""

    threshold_yuan: str
    url: str
    armed: bool
    created_ms: int
    changed_ms: int
    messages: list[MessageView]


class AlertForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`new_secret` replaces the key that signs; the first alert of a wallet always gets one."""

    threshold_yuan: str
    url: str
    new_secret: bool = False


class AlertSet(Struct, frozen=True):
    """An alert that was set. `secret` is there when it is new, this once."""

    threshold_yuan: str
    url: str
    armed: bool
    created_ms: int
    changed_ms: int
    secret: str | None


class Tested(Struct, frozen=True):
    """How a test message fared: `answer` is the status, or why there was none."""

    delivered: bool
    answer: str


class AuditedAlert(Struct, frozen=True):
    """What the audit log says of an alert."""

    threshold_yuan: str
    url: str


class Alerts(Controller):
    """`/orgs/{org_id}/wallets/{id}/alert`."""

    path = "/orgs/{org_id:str}/wallets/{id:str}/alert"
    tags = ("alerts",)

    @get(guards=[may("wallets.read")], summary="Show a wallet's alert and its newest messages")
    async def show_alert(self, console: Services, org_id: OrgId, id: Id) -> AlertView | None:
        """Null for a wallet without one: that is no failure."""
        try:
            alert = await console.alerts.get(org_id, id)
        except NotFound as error:
            if error.code != "no_alert":
                raise
            return None
        messages = await console.alerts.messages(org_id, id)
        return AlertView(
            threshold_yuan=write_yuan(alert.threshold_nano),
            url=alert.url,
            armed=alert.armed,
            created_ms=alert.created_ms,
            changed_ms=alert.changed_ms,
            messages=[_message(message) for message in messages],
        )

    @put(guards=[may("alerts.write")], summary="Set a wallet's alert, armed")
    async def set_alert(
        self, console: Services, org_id: OrgId, id: Id, by: Author, data: JSONBody[AlertForm]
    ) -> AlertSet:
        """The address must be public, or its host named by the operator."""
        threshold_nano = read_amount(data.threshold_yuan, "threshold_yuan", zero=True)
        try:
            console.guard.check_url(data.url)
        except AddressRefused as refused:
            raise BadRequest(f"This address cannot be used: {refused}.", param="url", code="bad_address") from None
        async with console.database.tx() as tx:
            alert = await console.alerts.set(
                tx, org_id, id, threshold_nano=threshold_nano, url=data.url, new_secret=data.new_secret
            )
            await record(tx, org_id, by, "alert.set", id, after=_audited(alert))
        return AlertSet(
            threshold_yuan=write_yuan(alert.threshold_nano),
            url=alert.url,
            armed=alert.armed,
            created_ms=alert.created_ms,
            changed_ms=alert.changed_ms,
            secret=alert.secret,
        )

    @delete(guards=[may("alerts.write")], summary="Remove a wallet's alert")
    async def remove_alert(self, console: Services, org_id: OrgId, id: Id, by: Author) -> None:
        """What waits to be sent is not sent any more."""
        async with console.database.tx() as tx:
            alert = await console.alerts.remove(tx, org_id, id)
            await record(tx, org_id, by, "alert.delete", id, before=_audited(alert))

    @post("/test", status_code=200, guards=[may("alerts.write")], summary="Send a test message to a wallet's webhook")
    async def test_alert(self, console: Services, org_id: OrgId, id: Id) -> Tested:
        """One try, at once."""
        sent = await console.notifier.send_test(org_id, id)
        return Tested(sent.delivered, sent.answer)


def _audited(alert: Alert) -> AuditedAlert:
    return AuditedAlert(write_yuan(alert.threshold_nano), alert.url)


def _message(message: Message) -> MessageView:
    return MessageView(
        id=message.id,
        kind=message.kind,
        state=message.state,
        tries=message.tries,
        answer=message.answer,
        created_ms=message.created_ms,
        due_ms=message.due_ms if message.state == "waiting" else None,
        ended_ms=message.ended_ms,
    )
