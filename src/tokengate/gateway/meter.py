"""The end of a call: price its usage, make it durable, count it; or record why it was not billed.

Whole and streamed replies end through the same few functions, so they cannot be billed differently. From its price to
its commit a call is not cancelled (see gateway/watch.py): no settled line is lost on the way.
"""

import re

import structlog
from msgspec import Struct

from tokengate.billing.charge import Bill, Charge
from tokengate.core.clock import Clock
from tokengate.core.errors import ClientGone, GatewayError, Unavailable
from tokengate.core.money import write_balance, write_yuan
from tokengate.core.usage import Usage, UsageSource
from tokengate.gateway.call import Call, Headers
from tokengate.gateway.count import Used, as_priced
from tokengate.gateway.metrics import Metrics
from tokengate.idempotency.replies import MAX_BODY_BYTES, Replies
from tokengate.ledger.teller import Teller
from tokengate.limits.limiter import Admission
from tokengate.storage.writer import CommitFailed, CommitUnknown, Row, Writer
from tokengate.usage.record import rows_of

_log = structlog.get_logger("tokengate.gateway")

_MAX_WARNING = 1_000  # characters of parameter names in a header
_unprintable = re.compile(r"[^\x20-\x7e]")  # names are the caller's own, and a header is one line


class Metered(Struct, frozen=True):
    """What a call used and what that came to."""

    usage: Usage
    source: UsageSource
    bill: Bill


class Meter:
    """Built once; keeps nothing of any call."""

    def __init__(self, teller: Teller, writer: Writer, replies: Replies, metrics: Metrics, clock: Clock) -> None:
        self._teller = teller
        self._writer = writer
        self._replies = replies
        self.metrics = metrics
        self.clock = clock

    def head(self, call: Call, charge: Charge, admission: Admission, content_type: str) -> Headers:
        """Return the headers that a whole reply has after settlement, and a stream at its start."""
        balance_nano = self._teller.balance_nano(charge.wallet_id, after_holds=True)
        headers: Headers = [
            ("content-type", content_type),
            ("x-request-id", call.id),
            ("x-account-balance", write_balance(balance_nano)),
        ]
        if call.operation.id_header:
            headers.append((call.operation.id_header, call.id))
        headers.extend(admission.headers)
        if charge.quote.output_cap is not None or call.dropped or call.added:
            headers.append(("x-tokengate-warning", _warning(call, charge)))
        return headers

    async def price(self, call: Call, charge: Charge, used: Used) -> Metered:
        """Settle the call in memory; `commit` must follow."""
        call.settling = True
        used = as_priced(used, charge.price, call.asked)
        bill = await charge.settle(
            used.usage,
            used.source,
            used.raw,
            call_id=call.id,
            now_ms=self._now_ms(),
            size=used.size,
            quality=used.quality,
        )
        return Metered(used.usage, used.source, bill)

    async def commit(
        self,
        call: Call,
        charge: Charge,
        metered: Metered,
        reply: list[Row],
        *,
        last: bytes,
        outcome: str = "ok",
        error: GatewayError | None = None,
    ) -> None:
        """Make the settled call durable, with its usage record and the rows of its stored reply; count it. `last` is
        what its caller will be told then.

        Raises Unavailable when that fails: then nobody pays, and nobody may get the end of the reply.
        """
        bill = metered.bill
        record = call.record(
            status=error.status if error else 200,
            outcome=outcome,
            now_s=self.clock.monotonic_s(),
            usage=metered.usage,
            source=metered.source,
            bill=bill,
            error=error,
        )
        keep = call.options.keep
        kept = keep(last, error) if keep is not None else ()
        try:
            await self._writer.commit([*bill.rows, *rows_of(record), *reply, *kept])
        except CommitFailed as failure:
            raise self._not_recorded(call, charge, bill, failure) from failure
        finally:
            call.settling = False
        series = self.metrics.series(call.operation.name, call.model.id, call.upstream)
        series.count(record.status, record.latency_ms, record.first_token_ms)
        series.input_tokens += record.input_tokens
        series.output_tokens += record.output_tokens
        series.cost_nano += bill.cost_nano
        if bill.overrun_nano or bill.alarms:
            series.overrun_nano += bill.overrun_nano
            self._alarm(call, bill)

    def stored_reply(
        self, call: Call, digest: bytes | None, headers: Headers, body: bytes, *, status: int = 200
    ) -> list[Row]:
        """Return the rows that keep a reply for its idempotency key; none without a key or when it is too long."""
        key = call.options.idempotency_key
        if digest is None or key is None or len(body) > MAX_BODY_BYTES:
            return []
        return self._replies.rows_of(call.principal.key_id, key, digest, status, headers, body, self._now_ms())

    def unbilled(self, call: Call, error: GatewayError) -> None:
        """Record a call that was not billed; written behind, since nobody waits for it."""
        outcome = "client_gone" if isinstance(error, ClientGone) else "error"
        record = call.record(status=error.status, outcome=outcome, now_s=self.clock.monotonic_s(), error=error)
        series = self.metrics.series(call.operation.name, call.model.id, call.upstream)
        series.count(error.status, record.latency_ms, None)
        self._writer.later(rows_of(record))

    def _not_recorded(self, call: Call, charge: Charge, bill: Bill, failure: CommitFailed) -> Unavailable:
        if not isinstance(failure, CommitUnknown):  # else the money stays aside until the next start tells
            charge.revoke(bill)
        self.metrics.alarm("not_recorded")
        _log.error("not_recorded", request_id=call.id, yuan=write_yuan(bill.cost_nano), reason=str(failure))
        return Unavailable("The gateway could not record this call. Try again later.", code="not_recorded")

    def _alarm(self, call: Call, bill: Bill) -> None:
        if bill.overrun_nano:
            self.metrics.alarm("overrun")
            _log.warning("overrun", request_id=call.id, model=call.model.id, yuan=write_yuan(bill.overrun_nano))
        for unit in bill.alarms:
            self.metrics.alarm("unpriced_unit")
            _log.warning("unpriced_unit", request_id=call.id, model=call.model.id, unit=unit)

    def _now_ms(self) -> int:
        return int(self.clock.now_s() * 1000)


def _warning(call: Call, charge: Charge) -> str:
    """Return what the caller should know although the call succeeds."""
    warnings: list[str] = []
    if charge.quote.output_cap is not None:
        warnings.append(f"max_tokens lowered to {charge.quote.output_cap} ({charge.quote.capped_by})")
    if call.dropped:
        names = _unprintable.sub("?", ", ".join(call.dropped)[:_MAX_WARNING])
        warnings.append(f"dropped, {call.upstream} has no such parameter: {names}")
    if call.added:
        warnings.append(f"added: {', '.join(call.added)}")
    return "; ".join(warnings)
