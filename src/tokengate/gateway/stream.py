"""Streamed replies: forward piece by piece, hold more as it grows, settle before the last byte.

Until the first content the next backend may still take over; what comes before it (a role-only chunk) is kept back
for a moment, so that a backend which dies at once is replaced under a clean head. After it, a stream that is cut ends
with an explicit error event, never a clean end, and what was delivered is billed.
"""

import asyncio
from collections.abc import AsyncIterator

from tokengate.billing.charge import Charge
from tokengate.core.errors import ClientGone, GatewayError, Unavailable, UpstreamFailed
from tokengate.core.money import write_yuan
from tokengate.gateway.adapt import adapt
from tokengate.gateway.adapter import Lane
from tokengate.gateway.attempt import first_answer, send
from tokengate.gateway.call import Call, Headers
from tokengate.gateway.count import used_by
from tokengate.gateway.media import Fetch
from tokengate.gateway.meter import Meter, Metered
from tokengate.gateway.route import Route, Target
from tokengate.idempotency.replies import MAX_BODY_BYTES
from tokengate.limits.limiter import Admission
from tokengate.storage.writer import Row

_HOLD_BACK_S = 0.25  # how long a head without content may wait for the first content
_COVER_CHECK_BYTES = 16 * 1024  # received bytes between two looks at what the hold still covers
_COVER_MARGIN_TOKENS = 1_024  # what may arrive until the next look
_MAX_DRAIN_BYTES = 8 * 1024 * 1024  # read on for an absent caller at most this much
_MAX_DRAIN_S = 120.0
_DEFECT = "The gateway could not end this reply; the operator has been told."


class _Unaffordable(Exception):
    """The wallet cannot pay for more output of this stream."""


class StreamRun:
    """One streamed call, from its first attempt to its settlement."""

    __slots__ = (
        "_admission",
        "_body",
        "_call",
        "_charge",
        "_covered",
        "_digest",
        "_drained_bytes",
        "_drained_since_s",
        "_fetch",
        "_headers",
        "_kept",
        "_lane",
        "_meter",
        "_opened",
        "_route",
        "_unchecked_bytes",
    )

    def __init__(
        self,
        call: Call,
        charge: Charge,
        route: Route,
        body: bytes,
        digest: bytes | None,
        admission: Admission,
        fetch: Fetch,
        meter: Meter,
    ) -> None:
        self._call = call
        self._charge = charge
        self._route = route
        self._body = body
        self._digest = digest
        self._admission = admission
        self._fetch = fetch
        self._meter = meter
        self._lane: Lane | None = None
        self._opened = False
        self._headers: Headers = []
        self._kept: bytearray | None = bytearray() if digest is not None else None
        self._covered: int | None = None  # output tokens; None: the caller's own cap is held in full
        self._unchecked_bytes = 0
        self._drained_bytes = 0
        self._drained_since_s = 0.0

    async def run(self) -> Metered | None:
        """Answer the call; return what it came to, None when nothing was delivered and nothing is owed.

        Whatever it raises, when the head is out the caller has been told so by an error event.
        """
        try:
            return await self._answer()
        except Exception as error:
            if self._opened and self._lane is not None:
                self._call.sink.end(
                    self._lane.fail(error if isinstance(error, GatewayError) else GatewayError(_DEFECT))
                )
            raise

    async def _answer(self) -> Metered | None:
        call, meter = self._call, self._meter
        if call.asked.output_cap is None:
            self._covered = self._charge.output_covered()
        try:
            await first_answer(call, self._route, meter.metrics, meter.clock, self._ask, may_retry=self._may_retry)
        except (UpstreamFailed, Unavailable) as failure:
            if not self._opened:
                raise
            return await self._end_cut(failure, "upstream_cut")
        except _Unaffordable:
            return await self._end_unaffordable()
        except ClientGone:
            return await self._end_gone()
        except asyncio.CancelledError:
            if call.task is not None:
                call.task.uncancel()
            if call.client_gone:
                return await self._end_gone()
            stopped = UpstreamFailed("The gateway stopped before the reply was whole.", kind="cut", status=503)
            if not self._opened:
                raise stopped from None
            return await self._end_cut(stopped, "stopped")
        return await self._end_whole()

    def _may_retry(self) -> bool:
        return self._lane is None or not self._lane.has_content

    async def _ask(self, target: Target) -> None:
        call = self._call
        adapter = await adapt(call, target, self._body, self._charge.quote.output_cap, self._fetch)
        exchange = await send(call, target, adapter)
        lane = self._lane = adapter.lane()
        try:
            chunks = exchange.chunks()
            await self._lead(chunks, lane)
            await self._forward(chunks, lane)
        finally:
            exchange.close()
        failure = lane.failure
        if failure is not None:
            backend = target.backend
            said = bytes(failure.raw or b"")
            inside = backend.provider.failure_inside(exchange.headers, said, credential=backend.credential)
            raise inside or UpstreamFailed(failure.message, kind="status")
        if not lane.finished:
            raise UpstreamFailed("The backend's stream ended before the reply was whole.", kind="cut")
        if not lane.has_content and not _has_output(lane):
            raise UpstreamFailed("The backend answered with an empty stream.", kind="empty")

    async def _lead(self, chunks: AsyncIterator[bytes], lane: Lane) -> None:
        """Read until the first content, keeping back what comes before it for a moment."""
        first = await anext(chunks, b"")
        held = lane.feed(first) if first else lane.close()
        patience_s = _HOLD_BACK_S
        while first and not lane.has_content and not lane.ended:
            step = asyncio.ensure_future(anext(chunks, b""))
            try:
                await asyncio.wait({step}, timeout=patience_s)
                if not step.done():
                    await self._send(held)
                    held, patience_s = b"", None
                chunk = await step
            finally:
                step.cancel()
            held += lane.feed(chunk) if chunk else lane.close()
            if not chunk:
                break
            if patience_s is None and held:
                await self._send(held)
                held = b""
        if lane.has_content:
            self._call.first_token_s = self._meter.clock.monotonic_s()
            await self._send(held)
        elif _has_output(lane):
            await self._send(held)

    async def _forward(self, chunks: AsyncIterator[bytes], lane: Lane) -> None:
        """Forward what follows the first content, piece by piece."""
        feed = lane.feed
        while not lane.ended:
            chunk = await anext(chunks, b"")
            out = feed(chunk) if chunk else lane.close()
            if out:
                await self._send(out)
            if not chunk:
                return
            self._unchecked_bytes += len(chunk)
            if self._covered is not None and self._unchecked_bytes >= _COVER_CHECK_BYTES:
                await self._cover(lane)

    async def _send(self, data: bytes) -> None:
        call = self._call
        if self._kept is not None:
            self._kept += data
            if len(self._kept) > MAX_BODY_BYTES:
                self._kept = None
        if not self._opened:
            self._opened = True
            self._headers = self._meter.head(call, self._charge, self._admission, call.operation.stream_type)
            self._headers.append(("cache-control", "no-cache"))
            call.sink.open(200, list(self._headers), data)
            if not call.client_gone:
                return
        if not data:
            return
        if call.client_gone:
            self._drain(len(data))
            return
        try:
            await call.sink.write(data)
        except ClientGone:
            if call.on_abort != "drain":
                raise
            call.client_gone = True  # the watch notices too, and says whether there may be one more drain

    def _drain(self, size_bytes: int) -> None:
        now_s = self._meter.clock.monotonic_s()
        self._drained_since_s = self._drained_since_s or now_s
        self._drained_bytes += size_bytes
        if self._drained_bytes > _MAX_DRAIN_BYTES or now_s - self._drained_since_s > _MAX_DRAIN_S:
            raise ClientGone

    async def _cover(self, lane: Lane) -> None:
        """Keep the hold ahead of what has been delivered. Raises _Unaffordable."""
        self._unchecked_bytes = 0
        delivered = lane.counted()
        if self._covered is None or delivered + _COVER_MARGIN_TOKENS <= self._covered:
            return
        self._covered = await self._charge.cover_more(delivered)
        if delivered >= self._covered:
            raise _Unaffordable

    async def _price(self) -> Metered:
        lane = self._lane
        assert lane is not None
        self._call.settling = True  # a caller who leaves while it is counted is billed
        used = await used_by(self._call, self._body, lane.usage, lane.counted())
        return await self._meter.price(self._call, self._charge, used)

    async def _end_whole(self) -> Metered:
        assert self._lane is not None
        if not self._opened:
            await self._send(b"")
        metered = await self._price()
        end = self._cost_comment(metered) + self._lane.end(metered.usage)
        outcome = "client_gone" if self._call.client_gone else "ok"
        await self._meter.commit(self._call, self._charge, metered, self._stored(end), outcome=outcome)
        self._call.sink.end(end)
        return metered

    async def _end_unaffordable(self) -> Metered:
        assert self._lane is not None
        metered = await self._price()
        end = self._cost_comment(metered) + self._lane.length_end(metered.usage)
        await self._meter.commit(self._call, self._charge, metered, self._stored(end), outcome="length")
        self._call.sink.end(end)
        return metered

    async def _end_cut(self, failure: GatewayError, outcome: str) -> Metered | None:
        """End a stream whose head is out with an explicit error event."""
        lane = self._lane
        assert lane is not None
        event = lane.fail(failure)
        if not lane.has_content:
            self._meter.unbilled(self._call, failure)
            self._call.sink.end(event)
            return None
        metered = await self._price()
        reply = self._stored(event)
        await self._meter.commit(self._call, self._charge, metered, reply, outcome=outcome, error=failure)
        self._call.sink.end(event)
        return metered

    async def _end_gone(self) -> Metered | None:
        """The caller has left: bill what was delivered."""
        gone = ClientGone()
        if self._lane is None or not self._lane.has_content:
            self._meter.unbilled(self._call, gone)
            return None
        metered = await self._price()
        # It is charged, so the same idempotency key must not be charged again.
        reply = self._stored(self._lane.fail(gone))
        await self._meter.commit(self._call, self._charge, metered, reply, outcome="client_gone", error=gone)
        return metered

    def _stored(self, end: bytes) -> list[Row]:
        if self._kept is None:
            return []
        return self._meter.stored_reply(self._call, self._digest, self._headers, bytes(self._kept) + end)

    def _cost_comment(self, metered: Metered) -> bytes:
        if not self._call.options.cost_comment or not self._call.operation.stream_type.startswith("text/event-stream"):
            return b""
        return f": cost {write_yuan(metered.bill.cost_nano)}\n\n".encode()


def _has_output(lane: Lane) -> bool:
    return lane.usage is not None and not lane.usage.partial and lane.usage.usage.output_total > 0
