"""What is done next for a job, whatever became of the process that did the step before."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import structlog
from msgspec.structs import replace

from tokengate.core.clock import Clock, now_ms
from tokengate.core.errors import GatewayError, UpstreamFailed
from tokengate.core.jobs import JobError, JobFormat, JobRequest, JobState, Progress, Task, VendorFile
from tokengate.core.sealing import Unsealable
from tokengate.files.results import Results, Stored
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.route import Route, Target
from tokengate.storage.engine import Database
from tokengate.tasks import store
from tokengate.tasks.ask import ask, asking, format_of, target_named
from tokengate.tasks.ends import Ends
from tokengate.tasks.search import Found, NotYet, Nowhere, Outcome, Searches
from tokengate.tasks.stored import FETCH, LOOK, SEARCH, SENDING, SUBMIT, Envelopes, StoredJob
from tokengate.tasks.submission import JobGone, Submissions
from tokengate.upstream.media import MediaFetcher, download

MAX_FILE_BYTES: Final = 2 * 1024 * 1024 * 1024

# A job is asked after again when it is a tenth older, within these bounds; sooner when its vendor calls back.
_LEAST_PAUSE_MS: Final = 1_000
_MOST_PAUSE_MS: Final = 15_000
_MOST_BACK_OFF_MS: Final = 60_000
_FETCH_TRIES: Final = 8
_UNKNOWN: Final = 404
_UNKNOWN_TRIES: Final = 3  # of a vendor that says that it has no such job, before it is believed

_log = structlog.get_logger("tokengate.tasks")


class Steps:
    """Built once; keeps nothing of any job."""

    def __init__(
        self,
        database: Database,
        routes: Mapping[str, Route],
        envelopes: Envelopes,
        submissions: Submissions,
        searches: Searches,
        ends: Ends,
        results: Results,
        media: MediaFetcher,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._database = database
        self._routes = routes
        self._envelopes = envelopes
        self._submissions = submissions
        self._searches = searches
        self._ends = ends
        self._results = results
        self._media = media
        self._metrics = metrics
        self._clock = clock

    async def take(self, job: StoredJob) -> None:
        """Do the next step of a job that is ours. Raises what a database that is away raises; nothing else."""
        try:
            await self._take(job)
        except JobGone:
            _log.info("job_gone", job=job.id)
        except Unsealable:
            await self._fail(job, JobState.FAILED, JobError("job_unreadable", "The job cannot be read any more."))

    async def abandon(self, job: StoredJob) -> None:
        """End a job whose step fails in a way that nobody foresaw, again and again: its money must not be held for
        ever."""
        self._metrics.alarm("job_abandoned")
        await self._fail(job, JobState.FAILED, JobError("internal_error", "The gateway could not see the job through."))

    async def cancel(self, job: StoredJob) -> bool:
        """Ask the vendor to end a job that is ours; False when it has no way to. Raises UpstreamFailed in its words."""
        target = target_named(self._routes.get(job.model_id), job.upstream)
        format = format_of(target, job.kind) if target is not None else None
        request = format.cancel(job.vendor_id) if format is not None else None
        if target is None or request is None:
            return False
        await ask(target, request, lambda body: body)
        await self._fail(job, JobState.CANCELLED, None)
        return True

    async def called_back(self, job_id: str, said: bytes) -> None:
        """Take the vendor's name of a job that was not answered out of what the vendor sent to the job's address."""
        async with self._database.read() as read:
            job = await store.unanswered(read, job_id)
        if job is None:
            return
        target = target_named(self._routes.get(job.model_id), job.upstream)
        format = format_of(target, job.kind) if target is not None else None
        if format is not None and (vendor_id := format.read_callback(said)):
            async with self._database.tx() as tx:
                await store.note_vendor_id(tx, job_id, vendor_id)

    async def _take(self, job: StoredJob) -> None:
        match job.step:
            case str(step) if step == SUBMIT:  # whoever was about to send it died, and its caller never heard of it
                await self._ends.undo(job, 503, "The gateway stopped before it sent the job.")
            case str(step) if step == SENDING:
                await self._resend(job)
            case str(step) if step == SEARCH:
                await self._search(job)
            case str(step) if step == LOOK:
                await self._look(job)
            case str(step) if step == FETCH:
                await self._fetch(job, self._envelopes.open_task(job), self._envelopes.open_outcome(job))
            case step:
                raise AssertionError(f"{step!r} is no step of a live job")

    async def _resend(self, job: StoredJob) -> None:
        target = target_named(self._routes.get(job.model_id), job.upstream)
        try:
            await self._submissions.resend(job, self._envelopes.open_task(job), target)
        except JobGone:
            raise
        except GatewayError as refused:
            await self._fail(job, JobState.FAILED, _error(refused))

    async def _search(self, job: StoredJob) -> None:
        """Look for a job whose submission was not answered, and follow it once it is found."""
        target = target_named(self._routes.get(job.model_id), job.upstream)
        format = format_of(target, job.kind) if target is not None else None
        task = self._envelopes.open_task(job)
        found: Outcome = Nowhere()
        if target is not None and format is not None:
            found = await self._searches.find(job, task, target, format)
        match found:
            case Found(vendor_id):
                if not await self._submissions.adopt(job, task, vendor_id):
                    await self._put_off(job, "another job has what was found")
            case NotYet(why):
                await self._put_off(job, why)
            case Nowhere(several):
                alarm, why = "submission_lost", f"'{job.upstream}' did not answer the submission."
                if several:
                    alarm, why = "submission_ambiguous", f"{why} It has several jobs that may be this one."
                lost = self._submissions.lost(job, UpstreamFailed(why, kind="cut"), alarm)
                await self._fail(job, JobState.FAILED, _error(lost))

    async def _look(self, job: StoredJob) -> None:
        at_ms = now_ms(self._clock)
        target = target_named(self._routes.get(job.model_id), job.upstream)
        format = format_of(target, job.kind) if target is not None else None
        if at_ms >= job.deadline_ms:
            await self._expire(job, target, format)
            return
        if target is None or format is None:
            await self._put_off(job, f"the configuration has no upstream '{job.upstream}' for it")
            return
        task = self._envelopes.open_task(job)
        asked = replace(task, model=target.model)
        try:
            progress = await ask(
                target,
                format.look(job.vendor_id, asked),
                lambda body: format.read_progress(body, asked),
                read_refusal=lambda body: _ended_by_refusal(format, body, asked),
            )
        except UpstreamFailed as failure:
            self._metrics.upstream_error(target.backend.name, failure.kind)
            if failure.upstream_status == _UNKNOWN and failure.kind == "request" and job.tries >= _UNKNOWN_TRIES:
                await self._fail(job, JobState.EXPIRED, JobError("job_unknown", failure.message))
                return
            await self._put_off(job, failure.message)
            return
        if progress.state is JobState.SUCCEEDED:
            await self._delivered(job, task, progress)
        elif progress.state.ended:
            await self._fail(job, progress.state, progress.error)
        else:
            await self._go_on(job, progress, at_ms)

    async def _go_on(self, job: StoredJob, progress: Progress, at_ms: int) -> None:
        pause_ms = min(max((at_ms - job.created_ms) // 10, _LEAST_PAUSE_MS), _MOST_PAUSE_MS)
        running = progress.state is JobState.RUNNING
        await self._change(
            job,
            state=progress.state.value,
            started_ms=job.started_ms or (at_ms if running else None),
            percent=max(job.percent, min(progress.percent or 0, 99)),
            outcome=self._envelopes.seal_outcome(job.id, progress) if progress.told else job.outcome,
            due_ms=min(at_ms + pause_ms, job.deadline_ms),
            tries=0,
            owner="",
        )

    async def _delivered(self, job: StoredJob, task: Task, progress: Progress) -> None:
        """Record that the vendor is done, then get what it made: a process that dies meanwhile is followed by one that
        need not ask again."""
        started_ms = job.started_ms or now_ms(self._clock)
        values: dict[str, Any] = {
            "step": FETCH,
            "state": JobState.RUNNING.value,
            "started_ms": started_ms,
            "percent": 99,
            "tries": 0,
            "outcome": self._envelopes.seal_outcome(job.id, progress),
        }
        await self._change(job, **values)
        await self._fetch(replace(job, **values), task, progress)

    async def _fetch(self, job: StoredJob, task: Task, progress: Progress) -> None:
        target = target_named(self._routes.get(job.model_id), job.upstream)
        files: list[Stored] = []
        for file in progress.files:
            try:
                files.append(await self._get(job, file, target))
            except GatewayError as failure:
                _log.warning("result_not_fetched", job=job.id, file=file.name, reason=failure.message)
                if file.optional:
                    continue
                if job.tries + 1 < _FETCH_TRIES:
                    await self._put_off(job, failure.message)
                    return
                self._metrics.alarm("result_lost")
                lost = JobError("result_lost", f"The result could not be fetched from the vendor: {failure.message}")
                await self._fail(job, JobState.FAILED, lost)
                return
        if not await self._ends.succeed(job, task, progress, files):
            raise JobGone

    async def _get(self, job: StoredJob, file: VendorFile, target: Target | None) -> Stored:
        if file.data:
            return await self._put(job, file, file.media_type, _once(file.data))
        if file.url:
            async with self._media.stream(file.url, MAX_FILE_BYTES, file.media_type) as found:
                return await self._put(job, file, found.media_type, found.pieces())
        if target is None:
            raise UpstreamFailed(f"The configuration has no upstream '{job.upstream}' any more.", kind="connect")
        async with (
            asking(target, JobRequest("GET", file.path)) as exchange,
            download(exchange, MAX_FILE_BYTES, file.media_type) as found,
        ):
            return await self._put(job, file, found.media_type, found.pieces())

    async def _put(self, job: StoredJob, file: VendorFile, media_type: str, pieces: AsyncIterator[bytes]) -> Stored:
        return await self._results.put(job.id, file.name, media_type, pieces, MAX_FILE_BYTES)

    async def _expire(self, job: StoredJob, target: Target | None, format: JobFormat[Any] | None) -> None:
        """Give up waiting, and let the vendor know if it listens."""
        request = format.cancel(job.vendor_id) if format is not None else None
        if target is not None and request is not None:
            try:
                await ask(target, request, lambda body: body)
            except UpstreamFailed as failure:
                _log.info("job_not_cancelled", job=job.id, reason=failure.message)
        await self._fail(job, JobState.EXPIRED, JobError("job_expired", "The vendor did not finish it in time."))

    async def _fail(self, job: StoredJob, state: JobState, error: JobError | None) -> None:
        if not await self._ends.fail(job, state, error):
            raise JobGone
        await self._results.delete(job.id)

    async def _put_off(self, job: StoredJob, why: str) -> None:
        tries = job.tries + 1
        pause_ms = min(_LEAST_PAUSE_MS * 2 ** min(tries, 16), _MOST_BACK_OFF_MS)
        _log.info("job_put_off", job=job.id, step=job.step, tries=tries, reason=why)
        await self._change(job, tries=tries, due_ms=now_ms(self._clock) + pause_ms, owner="")

    async def _change(self, job: StoredJob, **values: Any) -> None:
        async with self._database.tx() as tx:
            changed = await store.change(tx, job, **values)
        if not changed:
            raise JobGone


def _ended_by_refusal(format: JobFormat[Any], body: bytes, task: Task) -> Progress | None:
    """Return what an answer with an error status says of a job that has ended; None when it is only an error."""
    try:
        progress = format.read_progress(body, task)
    except UpstreamFailed:
        return None
    return progress if progress.state.ended and progress.state is not JobState.SUCCEEDED else None


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _error(failure: GatewayError) -> JobError:
    return JobError(failure.code or failure.type, failure.message)
