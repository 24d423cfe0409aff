"""Whole replies: ask until a backend gives one with something in it."""

from collections.abc import Mapping

from msgspec import Struct

from tokengate.billing.charge import Charge
from tokengate.catalog.tokens import estimate_tokens
from tokengate.core.clock import Clock
from tokengate.core.errors import UpstreamFailed
from tokengate.core.usage import Usage
from tokengate.formats.openai.replies import add_twins, read_reply, rename_model
from tokengate.formats.openai.texts import reply_text
from tokengate.gateway.attempt import first_answer, send
from tokengate.gateway.call import Call
from tokengate.gateway.lane import prepare
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.route import Route, Target

_MAX_REPLY_BYTES = 64 * 1024 * 1024  # a whole reply is held in memory; embeddings of a large batch reach tens of MB


class WholeReply(Struct, frozen=True):
    """A reply ready for the caller, and what it says of usage (None when the backend never said)."""

    body: bytes
    usage: Usage | None
    raw_usage: bytes | None
    output_estimate: int  # tokens; only looked at when usage is None


async def first_whole(
    call: Call, charge: Charge, route: Route, body: bytes, metrics: Metrics, clock: Clock
) -> WholeReply:
    """Return the first whole reply that is not empty. Raises UpstreamFailed."""

    async def ask(target: Target) -> WholeReply:
        prepared = prepare(body, call.asked, call.operation, target, charge.quote.output_cap)
        exchange = await send(call, target, prepared.body)
        try:
            data = await exchange.read(_MAX_REPLY_BYTES)
        finally:
            exchange.close()
        return _read(call, target, exchange.headers, data, clock)

    return await first_answer(call, route, metrics, clock, ask, may_retry=lambda: True)


def _read(call: Call, target: Target, headers: Mapping[str, str], data: bytes, clock: Clock) -> WholeReply:
    provider = target.backend.provider
    reply = read_reply(data, reasoning_outside=provider.reasoning_outside)
    usage = reply.usage
    if not reply.has_content and not (usage and usage.usage.output_total):
        inside = provider.failure_inside(headers, data, credential=target.backend.credential)
        raise inside or UpstreamFailed("The backend answered with an empty reply.", kind="empty")
    call.first_token_s = clock.monotonic_s()
    if reply.model != call.asked.model:
        data = rename_model(data, call.asked.model)
    if provider.twins:
        data = add_twins(data, "message")
    if usage is None:
        return WholeReply(data, None, None, estimate_tokens(reply_text(data)))
    return WholeReply(data, usage.usage, usage.raw, 0)
