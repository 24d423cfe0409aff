"""Whole replies: ask until a backend gives one with something in it."""

from collections.abc import Mapping

from msgspec import Struct

from tokengate.billing.charge import Charge
from tokengate.core.clock import Clock
from tokengate.core.errors import UpstreamFailed
from tokengate.gateway.adapt import adapt
from tokengate.gateway.adapter import Adapter, WholeReply
from tokengate.gateway.attempt import first_answer, send
from tokengate.gateway.call import Call
from tokengate.gateway.count import Used, used_by
from tokengate.gateway.media import Fetch
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.route import Route, Target

_MAX_REPLY_BYTES = 64 * 1024 * 1024  # a whole reply is held in memory; embeddings of a large batch reach tens of MB


class Answer(Struct, frozen=True):
    """A whole reply as the caller gets it, and what it used."""

    body: bytes
    used: Used
    content_type: str


async def first_whole(
    call: Call, charge: Charge, route: Route, body: bytes, fetch: Fetch, metrics: Metrics, clock: Clock
) -> Answer:
    """Return the first whole reply that is not empty. Raises UpstreamFailed."""

    async def ask(target: Target) -> Answer:
        adapter = await adapt(call, target, body, charge.quote.output_cap, fetch)
        exchange = await send(call, target, adapter)
        try:
            data = await exchange.read(_MAX_REPLY_BYTES)
        finally:
            exchange.close()
        reply = _read(adapter, target, exchange.headers, data)
        call.first_token_s = clock.monotonic_s()
        used = await used_by(call, body, reply.usage, reply.texts)
        if reply.fetching is not None:
            return Answer(await reply.fetching(fetch), used, reply.content_type)
        written = reply.body if reply.write is None else reply.write(used.usage)
        return Answer(written, used, reply.content_type)

    return await first_answer(call, route, metrics, clock, ask, may_retry=lambda: True)


def _read(adapter: Adapter, target: Target, headers: Mapping[str, str], data: bytes) -> WholeReply:
    """Return the reply. Raises UpstreamFailed for one without content, in the vendor's words when it is an error."""
    try:
        reply = adapter.whole(data)
    except UpstreamFailed as unreadable:
        said = unreadable.body.encode() or data  # an error may lie deeper than where errors are
        raise _inside(target, headers, said) or unreadable from None
    if not reply.has_content and not (reply.usage and reply.usage.usage.output_total):
        empty = UpstreamFailed("The backend answered with an empty reply.", kind="empty")
        raise _inside(target, headers, data) or empty
    return reply


def _inside(target: Target, headers: Mapping[str, str], data: bytes) -> UpstreamFailed | None:
    backend = target.backend
    return backend.provider.failure_inside(headers, data, credential=backend.credential)
