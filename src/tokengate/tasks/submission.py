"""Sends a job to a vendor, once. That it will be sent is recorded before it is, and who has it after: a process that
dies in between, and an answer that is lost, leave behind a job of which nobody knows whether a vendor works on it.

Such a job is sent again where the vendor takes the same key twice as one job. Where the vendor has a list, or calls
back, it is searched for (search.py) and adopted. Elsewhere it fails, and costs its caller nothing.
"""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from tokengate.core.clock import Clock, now_ms
from tokengate.core.errors import GatewayError, Unavailable, Unsupported, UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Transport
from tokengate.core.jobs import JobFormat, JobState, Progress, Submitted, Task
from tokengate.core.parts import Data, Url
from tokengate.core.wire import Losses
from tokengate.gateway.call import Attempt
from tokengate.gateway.media import Fetch
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.pipeline import not_offered
from tokengate.gateway.route import Route, Target
from tokengate.storage.engine import Database
from tokengate.tasks import store
from tokengate.tasks.ask import ask, format_of
from tokengate.tasks.bring import brought
from tokengate.tasks.callbacks import Callbacks
from tokengate.tasks.stored import DEADLINES_MS, FETCH, LOOK, SEARCH, SENDING, Envelopes, StoredJob

_FIRST_LOOK_MS = 250
_LISTED_WITHIN_MS = 120_000  # a vendor that took a job shows it in its list
_TOLD_WITHIN_MS = 900_000  # and calls back when it is done, or has begun
_TRIES = 2  # of a vendor that takes the same key twice as one job
_MAX_FILE_BYTES = 20 * 1024 * 1024
_MAX_ERROR = 500

# The vendor may have taken a job although its answer did not come, or cannot be read.
_UNKNOWN = frozenset({"cut", "empty", "invalid", "too_large"})

_log = structlog.get_logger("tokengate.tasks")


class Taken(msgspec.Struct, frozen=True):
    """A vendor has the job, or had it: `dropped` and `added` are what it was told otherwise than its caller said."""

    job: StoredJob
    dropped: list[str]
    added: list[str]


class SubmissionLost(UpstreamFailed):
    """Nobody knows whether the vendor has the job; it is not sent again."""

    def __init__(self, failure: UpstreamFailed) -> None:
        super().__init__(
            f"{failure.message} Whether it has the job is not known, so it is not sent again; nothing is charged.",
            kind=failure.kind,
            status=failure.status,
            backend=failure.backend,
            code="submission_lost",
        )


class _Unanswered(UpstreamFailed):
    """The vendor may have the job; it has not said so."""

    def __init__(self, failure: UpstreamFailed) -> None:
        super().__init__(failure.message, kind=failure.kind, status=failure.status, backend=failure.backend)


class JobGone(GatewayError):
    """Another process has the job now, or it has ended."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Another gateway has the job now.")


class Submissions:
    """Built once; keeps nothing of any job."""

    def __init__(
        self,
        database: Database,
        envelopes: Envelopes,
        callbacks: Callbacks,
        fetch: Fetch,
        transport: Transport,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """`transport` is a guarded one, by which files are brought to vendors' storage."""
        self._database = database
        self._envelopes = envelopes
        self._callbacks = callbacks
        self._fetch = fetch
        self._transport = transport
        self._metrics = metrics
        self._clock = clock

    async def send(self, job: StoredJob, task: Task, route: Route, path: str, names: Mapping[str, str]) -> Taken:
        """Ask the backends of a route in order until one takes the job; `names` are the caller's own of the
        vocabulary's words. Raises the last one's refusal, SubmissionLost,
        JobGone; BadRequest for a file that cannot be fetched."""
        last: GatewayError | None = None
        for target in route.order():
            format = format_of(target, job.kind)
            if format is None or task.upstream not in ("", target.backend.name):
                target.breaker.forget()
                continue
            target.backend.in_flight += 1
            try:
                return await self._send_to(target, format, job, task, Losses(target.backend.name, names))
            except UpstreamFailed as failure:
                target.breaker.failure(failure.kind, failure.retry_after_s)
                self._metrics.upstream_error(target.backend.name, failure.kind)
                job = self._noted(job, target, failure)
                if isinstance(failure, _Unanswered):
                    job = replace(job, upstream=target.backend.name)
                    return Taken(await self._seek(job, task, format, failure), [], [])
                if not failure.retryable:
                    raise
                last = failure
            except (Unavailable, Unsupported) as unable:
                target.breaker.forget()
                last = unable
            except BaseException:
                target.breaker.forget()
                raise
            finally:
                target.backend.in_flight -= 1
        if last is None and task.upstream and all(one.backend.name != task.upstream for one in route.targets):
            raise Unavailable(
                f"'{task.upstream}', which has what this works on, does not offer '{job.model}' now.",
                code="upstream_gone",
            )
        raise last or (
            route.unavailable(job.model)
            if any(format_of(target, job.kind) for target in route.targets)
            else not_offered(job.model, path)
        )

    async def resend(self, job: StoredJob, task: Task, target: Target | None) -> Taken:
        """Send a job again whose answer nobody heard, if its vendor takes that as one job; else have it searched for.
        Raises SubmissionLost."""
        format = format_of(target, job.kind) if target is not None else None
        cut = UpstreamFailed("The gateway stopped while it sent the job.", kind="cut")
        if target is None or format is None:
            raise self.lost(job, cut)
        if not format.resubmits:
            return Taken(await self._seek(job, task, format, cut), [], [])
        try:
            return await self._send_to(target, format, job, task, Losses(target.backend.name, {}))
        except _Unanswered as failure:
            raise self.lost(job, failure) from failure

    async def adopt(self, job: StoredJob, task: Task, vendor_id: str) -> bool:
        """Follow a job that was found at its vendor; False when another job has it by now."""
        values = self._followed(job, task, Progress(JobState.QUEUED))
        deadline_ms = job.created_ms + DEADLINES_MS[job.kind]
        async with self._database.tx() as tx:
            return await store.adopt(tx, job, vendor_id, **values, deadline_ms=deadline_ms, owner="")

    def lost(self, job: StoredJob, failure: UpstreamFailed, alarm: str = "submission_lost") -> SubmissionLost:
        """Return the error for a job that nobody will find, and have somebody look at it."""
        self._metrics.alarm(alarm)
        _log.error(alarm, job=job.id, upstream=job.upstream, reason=failure.message)
        return SubmissionLost(failure)

    async def _seek(self, job: StoredJob, task: Task, format: JobFormat[Any], failure: UpstreamFailed) -> StoredJob:
        """Have a job searched for, or wait for its vendor's call. Raises SubmissionLost where neither is possible."""
        told_ms = _TOLD_WITHIN_MS if format.calls_back(task) and self._callbacks.address(job.id) else 0
        within_ms = max(told_ms, _LISTED_WITHIN_MS if format.search(task) is not None else 0)
        if not within_ms and not job.vendor_id:
            raise self.lost(job, failure) from failure
        at_ms = now_ms(self._clock)
        _log.warning("submission_unanswered", job=job.id, upstream=job.upstream, reason=failure.message)
        return await self._change(
            job,
            step=SEARCH,
            upstream=job.upstream,
            attempts=job.attempts,
            due_ms=at_ms,
            deadline_ms=at_ms + within_ms,
            tries=0,
            owner="",
        )

    async def _send_to(
        self, target: Target, format: JobFormat[Any], job: StoredJob, task: Task, losses: Losses
    ) -> Taken:
        sent = replace(task, model=target.model)
        if format.inlines:
            sent = await self._inlined(sent)
        if format.storage is not None:
            sent = await brought(sent, target, format.storage, self._transport)
        request = format.submit(sent, losses, key=job.id, callback=self._callbacks.address(job.id))
        job = await self._change(job, step=SENDING, upstream=target.backend.name)
        for left in reversed(range(_TRIES if format.resubmits else 1)):
            try:
                submitted = await ask(target, request, lambda body: format.read_submitted(body, sent))
                break
            except UpstreamFailed as failure:
                if not _is_unknown(failure):
                    raise
                if not left:
                    raise _Unanswered(failure) from failure
        else:
            raise AssertionError("the last try breaks or raises")
        target.breaker.success()
        return Taken(await self._taken(job, task, submitted), losses.dropped, losses.added)

    async def _taken(self, job: StoredJob, task: Task, submitted: Submitted) -> StoredJob:
        """Record who has the job, and what it already said of it; from then on it is anybody's to look at."""
        said = submitted.progress or Progress(JobState.QUEUED)
        return await self._change(job, **self._followed(job, task, said), vendor_id=submitted.vendor_id, owner="")

    def _followed(self, job: StoredJob, task: Task, said: Progress) -> dict[str, Any]:
        """Return what changes of a job that a vendor has; a failure is heard again at the first look."""
        at_ms = now_ms(self._clock)
        done = said.state is JobState.SUCCEEDED
        running = said.state is not JobState.QUEUED
        return {
            "step": FETCH if done else LOOK,
            "task": self._envelopes.seal_task(job.id, task.light()),
            "outcome": self._envelopes.seal_outcome(job.id, said) if done or said.told else b"",
            "state": JobState.RUNNING if running else JobState.QUEUED,
            "started_ms": at_ms if running else None,
            "percent": min(said.percent or 0, 99),
            "due_ms": at_ms if said.state.ended else at_ms + _FIRST_LOOK_MS,
            "tries": 0,
        }

    async def _change(self, job: StoredJob, **values: Any) -> StoredJob:
        async with self._database.tx() as tx:
            changed = await store.change(tx, job, **values)
        if not changed:
            raise JobGone
        return replace(job, **values)

    async def _inlined(self, task: Task) -> Task:
        """Return the task with the files at addresses in it. Raises BadRequest."""

        async def of(value: object) -> object:
            match value:
                case Url(url):
                    found = await self._fetch(url, _MAX_FILE_BYTES)
                    return Data(found.media_type, base64.b64encode(found.body).decode())
                case tuple():
                    return tuple(await asyncio.gather(*map(of, value)))  # pyright: ignore[reportUnknownArgumentType]
                case _:
                    return value

        names = [name for name in task.__struct_fields__ if isinstance(getattr(task, name), Url | tuple)]
        return replace(task, **{name: await of(getattr(task, name)) for name in names})

    def _noted(self, job: StoredJob, target: Target, failure: UpstreamFailed) -> StoredJob:
        attempts = _decode_attempts(job.attempts) if job.attempts else []
        attempts.append(
            Attempt(
                upstream=target.backend.name,
                outcome=failure.kind,
                ms=now_ms(self._clock) - job.created_ms,
                status=failure.upstream_status,
                upstream_request_id=failure.upstream_request_id,
                error=failure.message[:_MAX_ERROR],
            )
        )
        return replace(job, attempts=msgspec.json.encode(attempts).decode())


_decode_attempts = msgspec.json.Decoder(list[Attempt]).decode


def _is_unknown(failure: UpstreamFailed) -> bool:
    if isinstance(failure, UpstreamTimeout):
        return failure.stage != "connect"
    return failure.kind in _UNKNOWN and failure.upstream_status is None
