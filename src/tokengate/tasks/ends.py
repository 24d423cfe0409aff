"""The end of a job: its row, its money, its usage record and the word to whoever waits for it, in one transaction. A
job ends once: whoever finds that it has ended, or is another's, changes nothing.
"""

import msgspec
import structlog
from msgspec import Struct, structs

from tokengate.catalog import price as prices
from tokengate.catalog.price import CallTraits
from tokengate.catalog.versions import load_version
from tokengate.core.clock import Clock, now_ms
from tokengate.core.ids import NewId
from tokengate.core.jobs import JobError, JobState, Progress, Task
from tokengate.core.money import write_yuan
from tokengate.core.usage import Usage, UsageSource
from tokengate.files.results import Stored
from tokengate.gateway.metrics import Metrics
from tokengate.ledger.holds import store as holds
from tokengate.limits.limiter import Limiter
from tokengate.storage import outbox
from tokengate.storage.engine import Database, Tx
from tokengate.storage.writer.apply import apply
from tokengate.tasks import store
from tokengate.tasks.stored import DONE, Envelopes, StoredJob, write_files
from tokengate.usage.record import CallRecord, rows_of

_MINUTES_PER_DAY = 1_440
_DAY_MS = 86_400_000
_FOR_EVER_DAYS = 36_500
_MAX_ERROR_CODE = 100
_MAX_ERROR = 2_000

_STATUS = {JobState.SUCCEEDED: 200, JobState.CANCELLED: 499, JobState.EXPIRED: 504}
_OUTCOME = {JobState.SUCCEEDED: "ok", JobState.CANCELLED: "cancelled"}

_log = structlog.get_logger("tokengate.tasks")


class Ends:
    """Built once; keeps nothing of any job."""

    def __init__(
        self,
        database: Database,
        envelopes: Envelopes,
        limiter: Limiter,
        metrics: Metrics,
        clock: Clock,
        *,
        keep_files_days: int,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._envelopes = envelopes
        self._limiter = limiter
        self._metrics = metrics
        self._clock = clock
        self._keep_files_ms = (keep_files_days or _FOR_EVER_DAYS) * _DAY_MS
        self._new_id = new_id

    async def succeed(self, job: StoredJob, task: Task, progress: Progress, files: list[Stored]) -> bool:
        """Settle by what was delivered; False when the job was not ours to end."""
        reported = progress.usage
        assert reported is not None, "a job that succeeded says what it delivered"
        price = await load_version(self._database, job.price_version)
        assert price is not None, "the version of an open hold stays"
        most = task.most
        traits = CallTraits(
            minute=job.created_ms // 60_000 % _MINUTES_PER_DAY,
            size=reported.size or most.size,
            quality=reported.quality or most.quality,
            resolution=reported.resolution or most.resolution,
            task=most.task,
        )
        bill = prices.bill(reported.usage, price, traits)
        at_ms = now_ms(self._clock)
        async with self._database.tx() as tx:
            ended = await store.change(
                tx,
                job,
                **_end(JobState.SUCCEEDED, at_ms),
                percent=100,
                outcome=self._envelopes.seal_outcome(job.id, structs.replace(progress, files=())),
                files=write_files(files),
                files_until_ms=at_ms + self._keep_files_ms if files else None,
            )
            if not ended:
                return False
            paid = await holds.settle(tx, job.wallet_id, job.held_nano, bill.total_nano, call_id=job.id, now_ms=at_ms)
            if paid.settled_nano:
                await store.note_cost(tx, job.id, paid.settled_nano)
            line = bill.to_json(UsageSource.VENDOR, reported.raw)
            record = _record(
                job, JobState.SUCCEEDED, at_ms, _Paid(reported.usage, paid.settled_nano, paid.overrun_nano, line), ""
            )
            await apply(tx, [*paid.rows, *rows_of(record)])
            await self._tell(tx, job, JobState.SUCCEEDED, at_ms)
        self._limiter.end_job(job.id, job.key_id, job.model_id, paid.settled_nano)
        series = self._metrics.series(job.endpoint, job.model_id, job.upstream)
        series.count(record.status, record.latency_ms, None)
        series.cost_nano += paid.settled_nano
        if paid.overrun_nano:
            series.overrun_nano += paid.overrun_nano
            self._metrics.alarm("overrun")
            _log.warning("overrun", job=job.id, model=job.model_id, yuan=write_yuan(paid.overrun_nano))
        for unit in bill.alarms:
            self._metrics.alarm("unpriced_unit")
            _log.warning("unpriced_unit", job=job.id, model=job.model_id, unit=unit)
        return True

    async def fail(self, job: StoredJob, state: JobState, error: JobError | None) -> bool:
        """End it without success, at no cost; False when the job was not ours to end."""
        at_ms = now_ms(self._clock)
        said = error or JobError(state.value, "")
        async with self._database.tx() as tx:
            ended = await store.change(
                tx,
                job,
                **_end(state, at_ms),
                error_code=_fitting(said.code, _MAX_ERROR_CODE),
                error=_fitting(said.message, _MAX_ERROR),
            )
            if not ended:
                return False
            await holds.release(tx, job.wallet_id, job.held_nano)
            record = _record(job, state, at_ms, None, said.message or state.value)
            await apply(tx, rows_of(record))
            await self._tell(tx, job, state, at_ms)
        self._limiter.end_job(job.id, job.key_id, job.model_id, 0)
        self._metrics.series(job.endpoint, job.model_id, job.upstream).count(record.status, record.latency_ms, None)
        return True

    async def undo(self, job: StoredJob, status: int, why: str) -> None:
        """Forget a job that no vendor took, of which its caller never had the name; what remains is the record of a
        call that failed."""
        at_ms = now_ms(self._clock)
        async with self._database.tx() as tx:
            if not await store.change(tx, job, **_end(JobState.FAILED, at_ms)):
                return
            await holds.release(tx, job.wallet_id, job.held_nano)
            await store.drop(tx, job.project_id, job.id)
            record = structs.replace(_record(job, JobState.FAILED, at_ms, None, why), status=status)
            await apply(tx, rows_of(record))
        self._limiter.end_job(job.id, job.key_id, job.model_id, 0)
        self._metrics.series(job.endpoint, job.model_id, job.upstream).count(status, record.latency_ms, None)

    async def _tell(self, tx: Tx, job: StoredJob, state: JobState, at_ms: int) -> None:
        if not job.callback_url:
            return
        body = msgspec.json.encode(
            {
                "type": f"job.{state.value}",
                "timestamp": at_ms // 1000,
                "data": {"id": job.id, "kind": job.kind, "model": job.model, "state": state.value},
            }
        )
        message_id = self._new_id("msg", self._clock.now_s())
        await outbox.put(
            tx,
            job.org_id,
            message_id=message_id,
            subject=job.id,
            kind=f"job.{state.value}",
            body=body.decode(),
            now_ms=at_ms,
        )


class _Paid(Struct, frozen=True):
    usage: Usage
    cost_nano: int
    overrun_nano: int
    bill: str


def _end(state: JobState, at_ms: int) -> dict[str, object]:
    return {"state": state.value, "step": DONE, "ended_ms": at_ms, "held_nano": 0, "owner": ""}


def _record(job: StoredJob, state: JobState, at_ms: int, paid: _Paid | None, error: str) -> CallRecord:
    return CallRecord(
        id=job.id,
        org_id=job.org_id,
        project_id=job.project_id,
        key_id=job.key_id,
        wallet_id=job.wallet_id,
        endpoint=job.endpoint,
        model=job.model_id,
        upstream=job.upstream,
        stream=False,
        status=_STATUS.get(state, 502),
        outcome=_OUTCOME.get(state, "error"),
        error=error,
        started_ms=job.created_ms,
        latency_ms=min(at_ms - job.created_ms, 2**31 - 1),
        first_token_ms=None,
        input_tokens=paid.usage.input_total if paid else 0,
        output_tokens=paid.usage.output_total if paid else 0,
        cached_tokens=paid.usage.cache_read if paid else 0,
        usage_source=UsageSource.VENDOR.value if paid else "",
        cost_nano=paid.cost_nano if paid else 0,
        overrun_nano=paid.overrun_nano if paid else 0,
        bill=paid.bill if paid else "",
        attempts=job.attempts,
        client_request_id=job.client_request_id,
    )


def _fitting(text: str, most: int) -> str:
    """Return text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:most]
