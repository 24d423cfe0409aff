"""Streamed replies: forward piece by piece, hold more as it grows, settle before the last byte.

Until the first content the next backend may still take over; what comes before it (a role-only chunk) is kept back
for a moment, so that a backend which dies at once is replaced under a clean head. After it, a stream that is cut ends
with an explicit error event, never a clean end, and what was delivered is billed.
"""

import asyncio
from collections.abc import AsyncIterator

from tokengate.billing.charge import Charge
from tokengate.core.errors import ClientGone, Conflict, GatewayError, Unavailable, UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.core.money import write_yuan
from tokengate.core.sse import split_frames
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.gateway.adapt import adapt
from tokengate.gateway.adapter import Lane
from tokengate.gateway.attempt import first_answer, send
from tokengate.gateway.call import Call, Headers
from tokengate.gateway.count import used_by
from tokengate.gateway.media import Fetch
from tokengate.gateway.meter import Meter, Metered
from tokengate.gateway.route import Route, Target
from tokengate.gateway.written import Written
from tokengate.idempotency.replies import MAX_BODY_BYTES
from tokengate.limits.limiter import Admission
from tokengate.storage.writer import Row

_HOLD_BACK_S = 0.25  # how long a head without content may wait for the first content
_CHECK_BYTES = 16 * 1024  # received bytes between two looks at what was written and what the hold still covers
_COVER_MARGIN_TOKENS = 1_024  # what may arrive until the next look
_MAX_LEAD_BYTES = 64 * 1024  # of what comes before the first content, kept for an error that is no stream
_MAX_HELD_BYTES = 1024 * 1024  # of a beginning, which may repeat the caller's instructions and tools twice
_MAX_DRAIN_BYTES = 8 * 1024 * 1024  # read on for an absent caller at most this much
_MAX_DRAIN_S = 120.0
_SSE = "text/event-stream"
_DEFECT = "The gateway could not end this reply; the operator has been told."
_CUT = "The reply to this idempotency key was cut, and what was spoken is charged. Ask again with another key."


class _Unaffordable(Exception):
    """The wallet cannot pay for more output of this stream."""


class StreamRun:
    """One streamed call, from its first attempt to its settlement."""

    __slots__ = (
        "_admission",
        "_began",
        "_body",
        "_call",
        "_charge",
        "_covered",
        "_digest",
        "_drained_bytes",
        "_drained_since_s",
        "_fetch",
        "_headers",
        "_held",
        "_kept",
        "_lane",
        "_meter",
        "_opened",
        "_route",
        "_unchecked_bytes",
        "_written",
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
        self._written = Written(call.model)
        self._opened = False
        self._began = False  # the caller has a beginning that may come only once
        self._headers: Headers = []
        self._held = b""  # what this attempt said before any content
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
                self._end_broken(self._lane.fail(error if isinstance(error, GatewayError) else GatewayError(_DEFECT)))
            raise

    async def _answer(self) -> Metered | None:
        call, meter = self._call, self._meter
        if call.asked.output_cap is None:
            self._covered = self._charge.quote.output_held
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
            if not self._opened or call.options.outlives:
                raise stopped from None
            return await self._end_cut(stopped, "stopped")
        return await self._end_whole()

    def _may_retry(self) -> bool:
        return not self._began and (self._lane is None or not self._lane.has_content)

    async def _ask(self, target: Target) -> None:
        call = self._call
        adapter = await adapt(call, target, self._body, self._charge.quote.output_cap, self._fetch)
        exchange = await send(call, target, adapter)
        self._written = Written(call.model)
        lane = self._lane = adapter.lane(self._written)
        try:
            chunks = adapter.pieces(exchange, self._fetch)
            lead = await self._lead(chunks, lane)
            await self._forward(chunks, lane)
        finally:
            exchange.close()
        failure = lane.failure
        if failure is not None:
            inside = _failure_inside(target, exchange, bytes(failure.raw or b""))
            raise inside or UpstreamFailed(failure.message, kind="status")
        if lane.has_content and lane.finished:
            return
        inside = None if lane.has_content else _failure_inside(target, exchange, lead)
        if not lane.finished:
            raise inside or UpstreamFailed("The backend's stream ended before the reply was whole.", kind="cut")
        if not _has_output(lane):
            raise inside or UpstreamFailed("The backend answered with an empty stream.", kind="empty")

    async def _lead(self, chunks: AsyncIterator[bytes], lane: Lane) -> bytes:
        """Read until the first content, keeping back what comes before it for a moment; return the beginning of what
        came, which may be an error that is no stream."""
        self._held = b""
        first = await anext(chunks, b"")
        lead = first[:_MAX_LEAD_BYTES]
        self._held = lane.feed(first) if first else lane.close()
        # Sound has no words for an error: its head leaves with the first of it.
        patience_s = None if self._call.asked.aloud is not None else _HOLD_BACK_S
        while first and not lane.has_content and not lane.ended:
            step = asyncio.ensure_future(anext(chunks, b""))
            try:
                await asyncio.wait({step}, timeout=patience_s)
                if not step.done():
                    said, self._held = self._held, b""
                    await self._send_lead(said)
                    patience_s = None
                chunk = await step
            finally:
                step.cancel()
            lead += chunk[: _MAX_LEAD_BYTES - len(lead)]
            said = lane.feed(chunk) if chunk else lane.close()
            if not chunk or patience_s is not None:
                self._held += said
            else:
                await self._send_lead(said)
            if not chunk:
                break
        if lane.has_content or _has_output(lane):
            if lane.has_content:
                self._call.first_token_s = self._meter.clock.monotonic_s()
            held, self._held = self._held, b""
            await self._send(held)
        return lead

    async def _send_lead(self, said: bytes) -> None:
        """Send the head, and what came before any content: of a format whose streams may begin only once, the comments
        alone, since another backend may have to take over; unless it is too much to keep."""
        format = self._call.operation.format
        if format is not None and format.begins_once and not self._began:
            frames = list(split_frames(said))
            self._held += b"".join(frame for frame in frames if not frame.startswith(b":"))
            said = b"".join(frame for frame in frames if frame.startswith(b":"))
            if len(self._held) > _MAX_HELD_BYTES:
                said, self._held, self._began = said + self._held, b"", True
        await self._send(said)

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
            if self._unchecked_bytes >= _CHECK_BYTES:
                self._unchecked_bytes = 0
                lane.count()
                self._written.step()
                if self._covered is not None:
                    await self._cover(self._covered)

    async def _send(self, data: bytes) -> None:
        call = self._call
        if self._kept is not None:
            self._kept += data
            if len(self._kept) > MAX_BODY_BYTES:
                self._kept = None
        if not self._opened:
            self._opened = True
            type_ = call.operation.stream_type or call.reply_type
            self._headers = self._meter.head(call, self._charge, self._admission, type_)
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

    async def _cover(self, covered: int) -> None:
        """Keep the hold ahead of what has been delivered. Raises _Unaffordable."""
        delivered = self._written.tokens
        if delivered + _COVER_MARGIN_TOKENS <= covered:
            return
        self._covered = await self._charge.cover_more(delivered)
        if delivered >= self._covered:
            raise _Unaffordable

    async def _price(self) -> Metered:
        lane = self._lane
        assert lane is not None
        self._call.settling = True  # a caller who leaves while it is counted is billed
        if lane.usage is None or lane.usage.partial or self._call.operation.uses is not None:
            lane.count()
        used = await used_by(self._call, self._body, lane.usage, self._written)
        return await self._meter.price(self._call, self._charge, used)

    async def _end_whole(self) -> Metered:
        assert self._lane is not None
        if not self._opened:
            await self._send(b"")
        metered = await self._price()
        end = self._cost_comment(metered) + self._lane.end(metered.usage)
        outcome = "client_gone" if self._call.client_gone else "ok"
        await self._meter.commit(self._call, self._charge, metered, self._stored(end), last=end, outcome=outcome)
        self._call.sink.end(end)
        return metered

    async def _end_unaffordable(self) -> Metered:
        assert self._lane is not None
        metered = await self._price()
        end = self._cost_comment(metered) + self._lane.length_end(metered.usage)
        await self._meter.commit(self._call, self._charge, metered, self._stored(end), last=end, outcome="length")
        self._call.sink.end(end)
        return metered

    async def _end_cut(self, failure: GatewayError, outcome: str) -> Metered | None:
        """End a stream whose head is out with an explicit error event."""
        lane = self._lane
        assert lane is not None
        event = lane.fail(failure)
        if not lane.has_content:
            self._meter.unbilled(self._call, failure)
            self._end_broken(event)
            return None
        metered = await self._price()
        reply = self._stored_cut(event)
        await self._meter.commit(self._call, self._charge, metered, reply, last=event, outcome=outcome, error=failure)
        self._end_broken(event)
        return metered

    async def _end_gone(self) -> Metered | None:
        """The caller has left: bill what was delivered."""
        gone = ClientGone()
        if self._lane is None or not self._lane.has_content:
            self._meter.unbilled(self._call, gone)
            return None
        metered = await self._price()
        # It is charged, so the same idempotency key must not be charged again.
        last = self._lane.fail(gone)
        reply = self._stored_cut(last)
        await self._meter.commit(self._call, self._charge, metered, reply, last=last, outcome="client_gone", error=gone)
        return metered

    def _stored(self, end: bytes) -> list[Row]:
        if self._kept is None:
            return []
        return self._meter.stored_reply(self._call, self._digest, self._headers, bytes(self._kept) + end)

    def _stored_cut(self, event: bytes) -> list[Row]:
        """Return the rows that keep a reply which was cut: as it was, or that it was cut where no event can say so."""
        if event:
            return self._stored(event)
        headers = [("content-type", "application/json"), ("x-request-id", self._call.id)]
        cut = Conflict(_CUT)
        body = OPENAI_CHAT.write_error(cut, self._call.id)
        return self._meter.stored_reply(self._call, self._digest, headers, body, status=cut.status)

    def _end_broken(self, event: bytes) -> None:
        """End a reply that is not whole with an event that says so; where the lane has none, break it off."""
        if event:
            self._call.sink.end(self._held + event)
        else:
            self._call.sink.break_off()

    def _cost_comment(self, metered: Metered) -> bytes:
        if not self._call.options.cost_comment or not self._call.operation.stream_type.startswith(_SSE):
            return b""
        return f": cost {write_yuan(metered.bill.cost_nano)}\n\n".encode()


def _failure_inside(target: Target, exchange: Exchange, said: bytes) -> UpstreamFailed | None:
    backend = target.backend
    return backend.provider.failure_inside(exchange.headers, said, credential=backend.credential)


def _has_output(lane: Lane) -> bool:
    return lane.usage is not None and not lane.usage.partial and lane.usage.usage.output_total > 0
