"""Jobs as the public surfaces use them: submit, look, list, cancel, forget."""

import asyncio
import hashlib
from collections.abc import Mapping, Set
from typing import Final

import structlog
from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.billing.quote import take_hold
from tokengate.catalog.price import CallTraits
from tokengate.core.clock import Clock, now_ms, sleep_ms
from tokengate.core.errors import Conflict, GatewayError, KeyReused, UpstreamFailed
from tokengate.core.ids import NewId
from tokengate.core.jobs import Job, JobError, JobFile, JobKind, JobState, Task
from tokengate.core.money import write_balance
from tokengate.files.links import Links
from tokengate.files.results import Results
from tokengate.gateway.call import Options
from tokengate.gateway.estimate import Estimate
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Route
from tokengate.ledger.holds import store as holds
from tokengate.ledger.rules import State
from tokengate.ledger.teller import Hold, Teller
from tokengate.storage.engine import Database
from tokengate.tasks import store
from tokengate.tasks.ends import Ends
from tokengate.tasks.job_hooks import require_web_address
from tokengate.tasks.steps import Steps
from tokengate.tasks.store import Scope
from tokengate.tasks.stored import DEADLINES_MS, LOOK, SENDING, SUBMIT, Envelopes, StoredJob, read_files, write_task
from tokengate.tasks.submission import JobGone, Submissions
from tokengate.tasks.submission import Taken as Sent
from tokengate.tasks.worker import Worker

Headers = list[tuple[str, str]]

LINK_S: Final = 86_400
KEEP_JOBS_MS: Final = 30 * 86_400_000

_BUSY_TRIES: Final = 40
_BUSY_PAUSE_MS: Final = 50
_MINUTES_PER_DAY: Final = 1_440
_MAX_WARNING: Final = 1_000

_log = structlog.get_logger("tokengate.tasks")


class JobOperation(Struct, frozen=True):
    """A public operation that makes jobs."""

    name: str  # in usage records
    path: str
    kind: JobKind
    names: Mapping[str, str] = {}  # its format's names of the vocabulary's words, where they differ


class Taken(Struct, frozen=True):
    """A vendor has the job. `headers` are the reply's."""

    job: Job
    headers: Headers


class Jobs:
    """The jobs of all projects, each seen only by its own."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        envelopes: Envelopes,
        submissions: Submissions,
        steps: Steps,
        ends: Ends,
        worker: Worker,
        results: Results,
        links: Links,
        clock: Clock,
        *,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._teller: Teller = gateway.teller
        self._envelopes = envelopes
        self._submissions = submissions
        self._steps = steps
        self._ends = ends
        self._worker = worker
        self._results = results
        self._links = links
        self._clock = clock
        self._new_id = new_id
        self._sending: set[asyncio.Task[Sent]] = set()

    def estimate(self, principal: Principal, operation: JobOperation, task: Task) -> Estimate:
        """Return what a job would come to. Raises what submitting it would, but for the wallet's and limits'."""
        model, price, _ = self._gateway.find_for_jobs(task.model, operation.kind, operation.path, principal)
        most = price.most_nano(task.most.usage, _traits(task))
        return Estimate(
            model=model.id,
            input_expected=0,
            input_most=0,
            output_most=0,
            least_nano=0,
            most_nano=most,
            held_nano=most,
            price_version=price.version,
        )

    async def submit(
        self,
        principal: Principal,
        operation: JobOperation,
        task: Task,
        options: Options,
        *,
        request_id: str,
        callback_url: str = "",
    ) -> Taken:
        """Hold the money, record the job, and send it to a vendor. Once this returns the job is the platform's to see
        through, whoever leaves or stops; when it raises there is no job, and nothing is held.

        `callback_url`, or the webhook of the options, is told of its end. Raises GatewayError, the vendor's refusal
        among them.
        """
        callback_url = callback_url or options.webhook
        if callback_url:
            require_web_address(callback_url)
        digest = hashlib.sha256(f"{operation.name}\0{callback_url}\0".encode() + write_task(task)).digest()
        if options.idempotency_key is not None:
            earlier = await self._earlier(principal, options.idempotency_key, digest)
            if earlier is not None:
                return Taken(self._view(earlier), [("x-request-id", request_id), ("idempotent-replayed", "true")])
        model, price, route = self._gateway.find_for_jobs(task.model, operation.kind, operation.path, principal)
        at_ms = now_ms(self._clock)
        traits = _traits(task, minute=at_ms // 60_000 % _MINUTES_PER_DAY)
        admission = self._gateway.limiter.admit(principal, model.id, 0)
        try:
            most_nano = price.most_nano(task.most.usage, traits)
            hold = await take_hold(self._teller, principal.wallet_id, most_nano, operation.kind, admission.allowance)
            job_id = self._new_id("job", self._clock.now_s())
            job = StoredJob(
                id=job_id,
                org_id=principal.org_id,
                project_id=principal.project_id,
                key_id=principal.key_id,
                wallet_id=principal.wallet_id,
                kind=operation.kind,
                endpoint=operation.name,
                model=task.model,
                model_id=model.id,
                state=JobState.QUEUED,
                step=SUBMIT,
                percent=0,
                upstream="",
                vendor_id="",
                task=self._envelopes.seal_task(job_id, task),
                outcome=b"",
                files="",
                error_code="",
                error="",
                held_nano=hold.nano,
                cost_nano=0,
                price_version=price.version,
                tries=0,
                callback_url=callback_url,
                idempotency_key=options.idempotency_key,
                digest=digest,
                client_request_id=options.client_request_id,
                attempts="",
                created_ms=at_ms,
                started_ms=None,
                ended_ms=None,
                deadline_ms=at_ms + DEADLINES_MS[operation.kind],
                due_ms=at_ms,
                files_until_ms=None,
                owner=self._teller.id,
            )
            await self._record(job, hold)
            self._gateway.limiter.hold_for_job(job_id, principal.key_id, hold.nano, admission)
            sending = asyncio.create_task(self._send(job, task, route, operation), name=job_id)
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
            sent = await asyncio.shield(sending)
        finally:
            admission.finish(0, 0)
        self._worker.wake()
        balance_nano = self._teller.balance_nano(principal.wallet_id, after_holds=True)
        headers: Headers = [("x-request-id", request_id), ("x-account-balance", write_balance(balance_nano))]
        headers.extend(admission.headers)
        if warning := _warning(sent):
            headers.append(("x-tokengate-warning", warning))
        return Taken(self._view(sent.job), headers)

    async def get(self, principal: Principal, job_id: str, *, kind: JobKind | None = None) -> Job:
        """Return one. Raises NotFound."""
        async with self._database.read() as read:
            return self._view(await store.get(read, Scope(principal.project_id), job_id, kind))

    async def of_org(
        self,
        org_id: str,
        *,
        kinds: tuple[JobKind, ...] = (),
        states: tuple[JobState, ...] = (),
        before: str | None = None,
        limit: int = 20,
    ) -> list[Job]:
        """Return a page of an org's, newest first, for its members."""
        async with self._database.read() as read:
            found = await store.list_jobs(
                read,
                Scope(org_id=org_id),
                kinds=kinds,
                states=[state.value for state in states],
                before=before,
                limit=limit,
            )
        return [self._view(job) for job in found]

    async def list(
        self,
        principal: Principal,
        *,
        kinds: tuple[JobKind, ...] = (),
        states: tuple[JobState, ...] = (),
        model: str | None = None,
        after: str | None = None,
        before: str | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        newest_first: bool = True,
        limit: int = 20,
    ) -> list[Job]:
        """Return a page of the project's; see `store.list_jobs`."""
        async with self._database.read() as read:
            found = await store.list_jobs(
                read,
                Scope(principal.project_id),
                kinds=kinds,
                states=[state.value for state in states],
                model=model,
                after=after,
                before=before,
                since_ms=since_ms,
                until_ms=until_ms,
                newest_first=newest_first,
                limit=limit,
            )
        return [self._view(job) for job in found]

    async def cancel(self, principal: Principal, job_id: str, *, kind: JobKind | None = None) -> Job:
        """End one early, at no cost. Raises NotFound; Conflict for one that has ended, that its vendor does not let
        go, or that is being finished."""
        return await self._cancel_in(Scope(principal.project_id), job_id, kind)

    async def cancel_of_org(self, org_id: str, job_id: str) -> Job:
        """End one of an org's early, as `cancel` does."""
        return await self._cancel_in(Scope(org_id=org_id), job_id, None)

    async def _cancel_in(self, scope: Scope, job_id: str, kind: JobKind | None) -> Job:
        for left in reversed(range(_BUSY_TRIES)):
            async with self._database.tx() as tx:
                job = await store.get(tx, scope, job_id, kind)
                mine = await store.claim(tx, self._teller.id, job.id)
            if job.ended_ms is not None:
                raise Conflict(f"The job has ended: its state is {job.state.value}.", code="job_ended")
            if mine is not None:
                await self._cancel(mine)
                async with self._database.read() as read:
                    return self._view(await store.get(read, scope, job_id))
            if left:
                await sleep_ms(_BUSY_PAUSE_MS)
        raise Conflict("The job is being worked on at this moment; try again.", code="job_busy", retry_after_s=1)

    async def delete(self, principal: Principal, job_id: str, *, kind: JobKind | None = None) -> None:
        """Forget one that has ended, with its files. Raises NotFound; Conflict for one that has not."""
        async with self._database.tx() as tx:
            job = await store.get(tx, Scope(principal.project_id), job_id, kind)
            if not await store.drop(tx, principal.project_id, job.id):
                raise Conflict("The job has not ended; cancel it first.", code="job_not_ended")
        await self._results.delete(job.id)

    async def called_back(self, job_id: str, said: bytes) -> None:
        """Look at a job soon: its vendor says that something became of it. Of what it sent, only its own name of a job
        whose submission was not answered is of use."""
        await self._steps.called_back(job_id, said)
        async with self._database.tx() as tx:
            await store.wake(tx, job_id, now_ms(self._clock))
        self._worker.wake()

    async def close(self) -> None:
        """Wait for the submissions that are under way: half of one would be lost."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def purge(self) -> None:
        """Drop files whose days are over, jobs that ended long ago, and files that are no job's."""
        at_ms = now_ms(self._clock)
        async with self._database.tx() as tx:
            expired = await store.without_files(tx, at_ms)
            await store.drop_ended(tx, at_ms - KEEP_JOBS_MS)
        for job_id in expired:
            await self._results.delete(job_id)
        await self._results.purge_orphans(self._known)

    async def _known(self, job_ids: Set[str]) -> Set[str]:
        async with self._database.read() as read:
            return await store.known(read, job_ids)

    async def _earlier(self, principal: Principal, key: str, digest: bytes) -> StoredJob | None:
        async with self._database.read() as read:
            earlier = await store.by_idempotency_key(read, principal.key_id, key)
        if earlier is None:
            return None
        if earlier.digest != digest:
            raise KeyReused("This Idempotency-Key came with another body.")
        if earlier.step in (SUBMIT, SENDING):
            raise Conflict("The same Idempotency-Key is being submitted.", retry_after_s=1)
        return earlier

    async def _record(self, job: StoredJob, hold: Hold) -> None:
        """Enter the job and move its hold into the database, together; release the hold when that fails. Raises
        Conflict when another one was quicker with its idempotency key."""
        try:
            async with self._database.tx() as tx:
                is_first = await store.add(tx, job)
                if is_first:
                    await holds.take_over(tx, job.owner, job.wallet_id, hold.nano)
        except BaseException:
            await self._worker.insist(job.id, lambda: self._take_back(job, hold))
            raise
        if not is_first:
            self._teller.release(hold)
            raise Conflict("The same Idempotency-Key is being submitted.", retry_after_s=1)
        self._teller.hand_over(hold)

    async def _take_back(self, job: StoredJob, hold: Hold) -> None:
        """Undo a job of which it is not known whether it was written before the database went away; the row tells."""
        if hold.state is State.HELD:
            async with self._database.read() as read:
                was_recorded = await store.known(read, {job.id})
            if not was_recorded:
                self._teller.release(hold)
                return
            self._teller.hand_over(hold)
        await self._ends.undo(job, 503, "The gateway could not record the job.")

    async def _send(self, job: StoredJob, task: Task, route: Route, operation: JobOperation) -> Sent:
        """Send it; whoever asked may be gone by then."""
        try:
            return await self._submissions.send(job, task, route, operation.path, operation.names)
        except GatewayError as refused:
            await self._undo(job, refused.status, refused.message)
            raise
        except BaseException as failure:
            await self._undo(job, 500, f"The gateway failed: {type(failure).__name__}.")
            raise

    async def _undo(self, job: StoredJob, status: int, why: str) -> None:
        await self._worker.insist(job.id, lambda: self._ends.undo(job, status, why))

    async def _cancel(self, job: StoredJob) -> None:
        try:
            if job.step != LOOK:
                raise Conflict(
                    "The job is being submitted or finished; it cannot be cancelled now.", code="job_not_cancellable"
                )
            if not await self._steps.cancel(job):
                raise Conflict(
                    f"'{job.upstream}' does not let a job be cancelled once it has it.", code="job_not_cancellable"
                )
        except UpstreamFailed as refused:
            await self._let_go(job)
            if refused.kind == "request":
                raise Conflict(refused.message, code="job_not_cancellable") from refused
            raise
        except JobGone:
            pass
        except BaseException:
            await self._let_go(job)
            raise

    async def _let_go(self, job: StoredJob) -> None:
        async def write() -> None:
            async with self._database.tx() as tx:
                await store.change(tx, job, owner="")

        await self._worker.insist(job.id, write)

    def _view(self, job: StoredJob) -> Job:
        outcome = self._envelopes.open_outcome(job)
        until_ms = job.files_until_ms
        link_until_s = int(self._clock.now_s()) + LINK_S
        if until_ms is not None:
            link_until_s = min(link_until_s, until_ms // 1000)
        return Job(
            id=job.id,
            kind=job.kind,
            model=job.model,
            task=self._envelopes.open_task(job),
            state=JobState(job.state),
            percent=job.percent,
            created_s=job.created_ms // 1000,
            started_s=None if job.started_ms is None else job.started_ms // 1000,
            ended_s=None if job.ended_ms is None else job.ended_ms // 1000,
            files_until_s=None if until_ms is None else until_ms // 1000,
            files=tuple(
                JobFile(one.name, one.media_type, one.size_bytes, self._links.sign(job.id, one.name, link_until_s))
                for one in read_files(job.files)
            ),
            error=JobError(job.error_code, job.error) if job.error_code else None,
            usage=outcome.usage.usage if outcome.usage is not None and job.state == JobState.SUCCEEDED else None,
            cost_nano=job.cost_nano,
            upstream=job.upstream,
            told=outcome.told,
            kept=outcome.kept,
            raw_usage=outcome.usage.raw if outcome.usage is not None else b"",
        )


def _warning(sent: Sent) -> str:
    warnings: list[str] = []
    if sent.dropped:
        names = ", ".join(sent.dropped)[:_MAX_WARNING]
        warnings.append(f"dropped, {sent.job.upstream} has no such parameter: {names}")
    if sent.added:
        warnings.append(f"added: {', '.join(sent.added)}")
    return "; ".join(warnings).encode("ascii", "replace").decode()


def _traits(task: Task, minute: int | None = None) -> CallTraits:
    most = task.most
    return CallTraits(minute=minute, size=most.size, quality=most.quality, resolution=most.resolution, task=most.task)
