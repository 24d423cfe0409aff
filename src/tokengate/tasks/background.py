"""Responses in the background: each is a call of the pipeline whose answer is kept instead of sent.

It begins in the process that was asked, once limits and wallet let it pass, and ends in the commit that makes its bill
durable: that stores the response and drops its row. A process that dies, or stops before the end, has charged nothing;
another one, or the next, makes the response again, unless some of its stream was told already: what was said cannot be
taken back, so that one fails. Of two processes that made the same response, only one can store it, and be paid.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from tokengate.accounts.keyring import KeyRing
from tokengate.accounts.keys import Principal
from tokengate.conversations.background import Background, Backgrounds, Wish
from tokengate.conversations.responses import Conversations, StoredResponse
from tokengate.core.clock import Clock, now_ms, sleep_ms
from tokengate.core.errors import BadRequest, Forbidden, GatewayError, NotFound, RateLimited, Unavailable
from tokengate.core.ids import NewId
from tokengate.core.sse import split_frames
from tokengate.core.wire import Heading
from tokengate.formats.responses.background import TOLD_AT_FIRST, Said, write_cancelled, write_failed
from tokengate.formats.responses.response import response_id
from tokengate.gateway.call import Call, Headers, Options
from tokengate.gateway.heading import heading_of
from tokengate.gateway.pipeline import Gateway, digest_of
from tokengate.gateway.responses import InBackground, Turn, turn_of
from tokengate.storage.writer import CommitFailed, Insert, Row, Writer
from tokengate.tasks.background_run import Begun, Run

_PACE_MS: Final = 250  # between two looks, and between two commits of what a stream said
_AT_ONCE: Final = 64  # made here at once, before any are taken up from others
_MOST_TRIES: Final = 3
_WAIT_MS: Final = 5_000  # before one that cannot be begun now is tried again
_MOST_WAIT_MS: Final = 600_000  # since it was created
_ASKED_TRIES: Final = 60  # with the pause, three seconds: a process that lives looks four times a second
_ASKED_PAUSE_MS: Final = 50
_AGAIN_MS: Final = 1_000  # between two tries to write an end down
_LEAVING_S: Final = 2.0  # for what is being written when the process stops
_LEAVING_PACE_S: Final = 0.05

_DIED = "The processes that made this response stopped before it was whole. Nothing was charged."
_CUT = "The process that made this response stopped before it was whole. Nothing was charged."

_log = structlog.get_logger("tokengate.tasks")


class Runs:
    """The responses that this process makes, and what may be asked of those of others."""

    def __init__(
        self,
        gateway: Gateway,
        conversations: Conversations,
        backgrounds: Backgrounds,
        keyring: KeyRing,
        writer: Writer,
        clock: Clock,
        *,
        new_id: NewId,
    ) -> None:
        self._gateway = gateway
        self._conversations = conversations
        self._backgrounds = backgrounds
        self._keyring = keyring
        self._writer = writer
        self._clock = clock
        self._new_id = new_id
        self._runs: dict[str, Run] = {}  # by the response's id
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False

    def __len__(self) -> int:
        """Return how many are being made here, for metrics."""
        return len(self._runs)

    async def create(
        self, call_id: str, principal: Principal, turn: Turn, in_background: InBackground, body: bytes, options: Options
    ) -> Begun:
        """Begin a response, and return once it is recorded. Raises what an ordinary call would before it asks."""
        key = options.idempotency_key
        if key is None:
            return await self._create(call_id, principal, turn, in_background, body, options, None)
        digest = digest_of(turn.operation, turn.operation.read(body), body)
        stored = await self._gateway.replies.begin(principal.key_id, key, digest)
        if stored is not None:
            headers = [*stored.headers, ("idempotent-replayed", "true")]
            return Begun(_decode_head(stored.body).id, headers, stored.body)
        try:
            return await self._create(call_id, principal, turn, in_background, body, options, digest)
        finally:
            self._gateway.replies.end(principal.key_id, key)

    async def cancel(self, org_id: str, project_id: str, id: str) -> bytes:
        """Cancel a response that has not ended, and return it. Raises NotFound; BadRequest for one that ended in
        another way, or is not in the background."""
        stored = await self._conversations.get(org_id, project_id, id)
        status = stored.standing.status
        if not stored.standing.background:
            raise BadRequest("Cannot cancel a synchronous response.", param="response_id")
        if status == "cancelled":
            return stored.response
        if status not in ("queued", "in_progress"):
            raise BadRequest(f"Cannot cancel a response whose status is {status}.", param="response_id")
        await self._ask(org_id, project_id, id, "cancel")
        return (await self._conversations.get(org_id, project_id, id)).response

    async def delete(self, org_id: str, project_id: str, id: str) -> None:
        """Delete a response; one that has not ended is cancelled. Raises NotFound."""
        asked = await self._ask(org_id, project_id, id, "delete")
        try:
            await self._conversations.delete(org_id, project_id, id)
        except NotFound:
            if not asked:
                raise

    async def follow(
        self, org_id: str, project_id: str, id: str, number: int, gone: asyncio.Event
    ) -> AsyncGenerator[bytes]:
        """Yield the frames of a stream from event `number` on, as they come, until it ends or the caller is `gone`;
        nothing four times a second while there are none."""
        while not gone.is_set():
            run = self._runs.get(id)
            if run is not None and number >= run.base:
                news = run.news
                frames = run.tail[number - run.base :]
                if not frames:
                    await _either(news, gone)
                    yield b""
                    continue
            else:
                runs = await self._backgrounds.is_there(org_id, project_id, id)
                frames = await self._backgrounds.events(org_id, project_id, id, number)
                if not frames:
                    if not runs:
                        return
                    await sleep_ms(_PACE_MS)
                    yield b""
                    continue
            number += len(frames)
            yield b"".join(frames)

    async def streams(self, org_id: str, project_id: str, id: str) -> bool:
        """Say whether there are events of a response: whether its caller asked for a stream."""
        return bool(await self._backgrounds.events(org_id, project_id, id, 0))

    async def run(self) -> None:
        """Look after what others left and what callers wish, until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except Exception:  # the database is away: the next look tries again
                    _log.exception("background_responses")
                await sleep_ms(_PACE_MS)
        finally:
            await self.leave()

    async def look(self) -> None:
        """Take up what nobody makes, and end what was cancelled at another process."""
        room = _AT_ONCE - len(self._tasks)
        if room > 0 and not self._leaving:
            for one in await self._backgrounds.claim(self._gateway.teller.id, room):
                self._start(self._take_up(one, self._gateway.teller.id))
        if self._runs:
            for id, wish in await self._backgrounds.wishes(self._gateway.teller.id):
                run = self._runs.get(id)
                if run is not None and run.wish != wish:
                    run.obey(wish)

    def stop(self) -> None:
        """Take nothing up any more."""
        self._leaving = True

    async def leave(self) -> None:
        """Leave what is being made to other processes, at no charge; what has its bill already is written down."""
        self._leaving = True
        for run in self._runs.values():
            run.left = True
        for _ in range(int(_LEAVING_S / _LEAVING_PACE_S)):
            if not self._tasks:
                return
            for run in self._runs.values():
                if run.task is not None and not (run.call is not None and run.call.settling):
                    run.task.cancel()
            await asyncio.wait(self._tasks, timeout=_LEAVING_PACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _create(
        self,
        call_id: str,
        principal: Principal,
        turn: Turn,
        in_background: InBackground,
        body: bytes,
        options: Options,
        digest: bytes | None,
    ) -> Begun:
        run = Run(in_background, self._gateway.teller.id)

        async def begin(call: Call, headers: Headers) -> None:
            run.call = call
            heading = heading_of(call)
            said = in_background.queued(heading)
            run.one = one = Background(
                id=response_id(heading.id),
                org_id=principal.org_id,
                project_id=principal.project_id,
                key_id=principal.key_id,
                previous_id=in_background.previous_id,
                body=body,
                items=in_background.items,
                response=said.response,
                client_request_id=options.client_request_id,
                streams=in_background.streams,
                created_ms=now_ms(self._clock),
            )
            headers = [(name, value) for name, value in headers if name != "content-type"]
            rows: list[Row] = [self._backgrounds.row_of(one, run.owner)]
            if one.streams:
                rows.append(self._backgrounds.events_of(one, 0, list(split_frames(said.frames))))
            if options.idempotency_key is not None and digest is not None:
                rows += self._gateway.replies.rows_of(
                    principal.key_id, options.idempotency_key, digest, 200, headers, one.response, one.created_ms
                )
            self._runs[one.id] = run
            try:
                await self._writer.commit(rows)
            except CommitFailed as failure:
                sentence = "The gateway could not record this call. Try again later."
                raise Unavailable(sentence, code="not_recorded") from failure
            run.begun.set_result(Begun(one.id, headers, one.response))

        asked = replace(options, idempotency_key=None, cost_comment=False, begin=begin)
        self._start(self._make(run, principal, turn, body, asked, call_id))
        return await asyncio.shield(run.begun)

    async def _take_up(self, one: Background, owner: str) -> None:
        """See to a response that nobody makes any more; leave it again when that fails in a way nobody foresaw."""
        own = self._runs.get(one.id)
        if own is not None:  # we were taken for dead
            own.owner = owner
            return
        _log.info("background_response_taken_up", response_id=one.id, tries=one.tries)
        try:
            await self._make_again(one, owner)
        except Exception:
            _log.exception("background_response", response_id=one.id)
            while not await self._is_left(one, owner):
                await sleep_ms(_AGAIN_MS)

    async def _is_left(self, one: Background, owner: str) -> bool:
        try:
            await self._backgrounds.leave(one.id, owner, tries=one.tries, pause_ms=_WAIT_MS)
        except Exception:  # the database is away
            _log.exception("background_response_left", response_id=one.id)
            return False
        return True

    async def _make_again(self, one: Background, owner: str) -> None:
        """Make a response again, or end it."""
        try:
            told = await self._backgrounds.told(one.id)
            if one.wish:
                await self._end(one, owner, one.wish, write_cancelled(one.response, told), told)
                return
            if told > TOLD_AT_FIRST:
                raise self._lost(_CUT)
            if one.tries > _MOST_TRIES:
                raise self._lost(_DIED)
            principal = self._keyring.holder(one.key_id)
            if principal is None:
                raise Forbidden("The API key of this response may not be used any more.")
            head = _decode_head(one.response)
            heading = Heading(one.id.partition("_")[2], head.model, head.created_at)
            turn = await turn_of(self._conversations, principal, one.body, heading=heading)
            assert turn.background is not None, "what is kept of it was asked for in the background"
        except GatewayError as error:
            told = await self._backgrounds.told(one.id)
            await self._end(one, owner, "", write_failed(one.response, told, error), told)
            return
        run = Run(turn.background, owner)
        run.one = one
        run.begun.set_result(Begun(one.id, [], one.response))

        async def begin(call: Call, headers: Headers) -> None:
            run.call = call

        options = Options(client_request_id=one.client_request_id, begin=begin)
        self._runs[one.id] = run
        await self._make(run, principal, turn, one.body, options, self._new_id("req", self._clock.now_s()))

    async def _make(
        self, run: Run, principal: Principal, turn: Turn, body: bytes, options: Options, call_id: str
    ) -> None:
        """Put a call to the pipeline, and see its response to an end."""

        def keep(last: bytes, error: GatewayError | None) -> list[Row]:
            run.kept = True
            return self._rows_of(run, last)

        options = replace(options, keep=keep, outlives=True)
        answer = self._gateway.answer(call_id, principal, turn.operation, body, run, options)
        run.task = asyncio.create_task(answer, name=call_id)
        behind = asyncio.create_task(self._write_behind(run), name=f"{call_id} behind")
        try:
            await asyncio.wait({run.task})
        finally:
            behind.cancel()
            await asyncio.gather(behind, return_exceptions=True)
        error = _error_of(run.task)
        if not run.begun.done() and error is not None:
            run.begun.set_exception(error)
            run.begun.exception()  # whoever waited may have left
        one = run.one
        if one is None:
            return
        try:
            while not await self._is_over(run, one, error):
                await sleep_ms(_AGAIN_MS)
        finally:
            del self._runs[one.id]
            run.tell()

    async def _is_over(self, run: Run, one: Background, error: GatewayError | None) -> bool:
        """Write down how a call ended, where its bill does not say it; False when that could not be."""
        try:
            if run.kept and error is None:
                if run.wish == "delete":
                    await self._backgrounds.forget_events(one.id)
            elif run.left and run.is_known and not run.wish:
                await self._backgrounds.leave(one.id, run.owner, tries=one.tries - 1, pause_ms=0)
            elif self._may_wait(run, one, error):
                await self._backgrounds.leave(one.id, run.owner, tries=one.tries - 1, pause_ms=_WAIT_MS)
            else:
                await self._end(one, run.owner, run.wish, self._unbilled(run, one, error), run.told, run.tail)
        except Exception:
            _log.exception("background_response_end", response_id=one.id)
            return False
        return True

    def _lost(self, why: str) -> GatewayError:
        self._gateway.meter.metrics.alarm("response_lost")
        return GatewayError(why)

    def _may_wait(self, run: Run, one: Background, error: GatewayError | None) -> bool:
        """Say whether a response may yet be begun: limits are reached, or no backend is there now."""
        if not isinstance(error, RateLimited | Unavailable) or run.kept or run.wish or not run.is_known:
            return False
        return run.told == TOLD_AT_FIRST and now_ms(self._clock) - one.created_ms < _MOST_WAIT_MS

    def _unbilled(self, run: Run, one: Background, error: GatewayError | None) -> Said:
        if run.wish:
            return write_cancelled(one.response, run.told)
        if error is None:  # said in the stream alone
            said: dict[str, Any] = run.in_background.response().get("error") or {}
            error = GatewayError(said.get("message", _CUT))
            error.code = said.get("code")
        return write_failed(one.response, run.told, error)

    def _rows_of(self, run: Run, last: bytes) -> list[Row]:
        """Return the rows that end a response with its bill."""
        one = run.one
        assert one is not None, "it was recorded before anybody was asked"
        dropped = self._backgrounds.dropped(one.id)
        if run.wish == "delete":
            return [dropped]
        if run.wish:
            said = write_cancelled(one.response, run.told)
        else:
            said = Said(_encode(run.in_background.response()), last)
        return [*self._ended(one, said, run.base, run.tail), dropped]

    async def _end(
        self, one: Background, owner: str, wish: str, said: Said, told: int, tail: list[bytes] | None = None
    ) -> None:
        """End a response without a bill; nothing happens when it is another's, or has ended."""
        tail = tail or []
        rows = () if wish == "delete" else self._ended(one, said, told - len(tail), tail)
        if await self._backgrounds.end(one.id, owner, rows) and wish == "delete":
            await self._backgrounds.forget_events(one.id)

    def _ended(self, one: Background, said: Said, first: int, tail: list[bytes]) -> list[Insert]:
        stored = StoredResponse(one.id, one.previous_id, said.response, one.items)
        rows = [self._conversations.row_of(one.org_id, one.project_id, stored)]
        if one.streams:
            rows.append(self._backgrounds.events_of(one, first, [*tail, *split_frames(said.frames)]))
        return rows

    async def _write_behind(self, run: Run) -> None:
        """Make durable what a stream says, and that it began, some time after it did."""
        began = in_doubt = False
        while True:
            if not run.tail and (began or not run.opened):
                await run.news.wait()
                continue
            await sleep_ms(_PACE_MS)
            one, count = run.one, len(run.tail)
            assert one is not None, "it was recorded before anybody was asked"
            try:
                if not began:
                    await self._backgrounds.begin(one.id, run.owner)
                    began = True
                if in_doubt:  # the last commit may have kept its events all the same
                    run.forget(await self._backgrounds.told(one.id) - run.base)
                    in_doubt = False
                elif count:
                    in_doubt = True
                    await self._writer.commit([self._backgrounds.events_of(one, run.base, run.tail[:count])])
                    in_doubt = False
                    run.forget(count)
            except Exception:  # the database is away: the end has what is missing
                _log.exception("background_response_events", response_id=one.id)

    async def _ask(self, org_id: str, project_id: str, id: str, wish: Wish) -> bool:
        """Ask whoever makes a response to end it, and wait a moment until it has; False when nobody does."""
        if not await self._backgrounds.ask(org_id, project_id, id, wish):
            return False
        run = self._runs.get(id)
        if run is not None:
            run.obey(wish)
        for _ in range(_ASKED_TRIES):
            if not await self._backgrounds.is_there(org_id, project_id, id):
                break
            await sleep_ms(_ASKED_PAUSE_MS)
        return True

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background_response", exc_info=error)


class _Head(Struct):
    """Of a response object."""

    id: str
    model: str
    created_at: int


_encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(_Head).decode


def _error_of(task: asyncio.Task[None]) -> GatewayError | None:
    """Return why a call came to nothing; None when its end was told, or billed."""
    if task.cancelled():
        return Unavailable("The gateway stopped before the reply was whole.", retry_after_s=2)
    error = task.exception()
    if error is None or isinstance(error, GatewayError):
        return error
    _log.error("defect", exc_info=error)
    return GatewayError("The gateway has a defect; the operator has been told.")


async def _either(news: asyncio.Event, gone: asyncio.Event) -> None:
    """Return when one of two events is set, or after a moment."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (news, gone)]
    try:
        await asyncio.wait(waiting, timeout=_PACE_MS / 1000, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
