"""Jobs' questions to the database. A row is changed only by the process that owns it, and only while the job lives: a
change that finds it otherwise changes nothing, and says so.
"""

from collections.abc import Sequence, Set
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, replace
from sqlalchemy import ColumnElement, Select, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.core.errors import NotFound
from tokengate.core.jobs import JobState
from tokengate.storage.tables import jobs, tellers
from tokengate.tasks.stored import FETCH, LOOK, SEARCH, SENDING, SUBMIT, StoredJob

MAX_PAGE = 101  # one more than a page shows, to see whether there is another

_UNANSWERED = (jobs.c.step.in_((SENDING, SEARCH)), jobs.c.vendor_id == "")


async def add(tx: AsyncConnection, job: StoredJob) -> bool:
    """Enter a job; False when another one has its key and idempotency key."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(jobs)
    row = insert.values(dict(zip(jobs.columns.keys(), astuple(job), strict=True)))
    return (await tx.execute(row.on_conflict_do_nothing())).rowcount == 1


class Scope(Struct, frozen=True):
    """Whose jobs are meant: those of a project, or of a whole org."""

    project_id: str = ""
    org_id: str = ""

    @property
    def condition(self) -> ColumnElement[bool]:
        assert self.project_id or self.org_id, "jobs are looked up in a project or an org"
        return jobs.c.project_id == self.project_id if self.project_id else jobs.c.org_id == self.org_id


async def get(read: AsyncConnection, scope: Scope, job_id: str, kind: str | None = None) -> StoredJob:
    """Return one job. Raises NotFound."""
    query = select(jobs).where(jobs.c.id == job_id, scope.condition)
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    row = (await read.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"There is no job '{job_id[:100]}'.", code="job_not_found")
    return _job(row)


async def callback_of(read: AsyncConnection, job_id: str) -> tuple[str, str] | None:
    """Return the project of a job, and where its end is to be told; None when nowhere."""
    query = select(jobs.c.project_id, jobs.c.callback_url).where(jobs.c.id == job_id, jobs.c.callback_url != "")
    row = (await read.execute(query)).one_or_none()
    return None if row is None else (row.project_id, row.callback_url)


async def by_idempotency_key(read: AsyncConnection, key_id: str, idempotency_key: str) -> StoredJob | None:
    """Return the job that came with an idempotency key."""
    query = select(jobs).where(jobs.c.key_id == key_id, jobs.c.idempotency_key == idempotency_key)
    row = (await read.execute(query)).one_or_none()
    return None if row is None else _job(row)


async def list_jobs(
    read: AsyncConnection,
    scope: Scope,
    *,
    kinds: Sequence[str] = (),
    states: Sequence[str] = (),
    model: str | None = None,
    after: str | None = None,
    before: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    newest_first: bool = True,
    limit: int = 20,
) -> list[StoredJob]:
    """Return jobs by age; `after` and `before` are ids that the page begins behind or ends in front of, in
    the order of time."""
    query = select(jobs).where(scope.condition)
    if kinds:
        query = query.where(jobs.c.kind.in_(kinds))
    if states:
        query = query.where(jobs.c.state.in_(states))
    if model is not None:
        query = query.where(jobs.c.model == model)
    if after is not None:
        query = query.where(jobs.c.id > after)
    if before is not None:
        query = query.where(jobs.c.id < before)
    if since_ms is not None:
        query = query.where(jobs.c.created_ms >= since_ms)
    if until_ms is not None:
        query = query.where(jobs.c.created_ms < until_ms)
    order = jobs.c.id.desc() if newest_first else jobs.c.id
    rows = await read.execute(query.order_by(order).limit(min(limit, MAX_PAGE)))
    return [_job(row) for row in rows]


async def any_due(read: AsyncConnection, now_ms: int) -> bool:
    """Return whether a job waits for somebody: most looks end here, and take no turn to write."""
    return (await read.execute(_due(now_ms).limit(1))).first() is not None


async def claim_due(tx: AsyncConnection, owner: str, now_ms: int, limit: int) -> list[StoredJob]:
    """Return jobs of every org that are due, as the owner's own from now on: those that nobody has, and those whose
    owner is a teller no more."""
    due = _due(now_ms).order_by(jobs.c.due_ms).limit(limit).with_for_update(skip_locked=True)
    claim = update(jobs).where(jobs.c.id.in_(due), jobs.c.ended_ms.is_(None)).values(owner=owner)
    return [_job(row) for row in await tx.execute(claim.returning(jobs))]


async def claim(tx: AsyncConnection, owner: str, job_id: str) -> StoredJob | None:
    """Return one job as the owner's own; None when another has it, or it has ended."""
    one = update(jobs).where(jobs.c.id == job_id, jobs.c.ended_ms.is_(None), _unowned()).values(owner=owner)
    row = (await tx.execute(one.returning(jobs))).one_or_none()
    return None if row is None else _job(row)


async def change(tx: AsyncConnection, job: StoredJob, **values: Any) -> bool:
    """Change a live job that `job.owner` has; False when that is so no more."""
    mine = (jobs.c.id == job.id, jobs.c.owner == job.owner, jobs.c.ended_ms.is_(None))
    return (await tx.execute(update(jobs).where(*mine).values(**values))).rowcount == 1


async def note_cost(tx: AsyncConnection, job_id: str, cost_nano: int) -> None:
    """Note what a job that ends in this transaction has cost."""
    await tx.execute(update(jobs).where(jobs.c.id == job_id).values(cost_nano=cost_nano))


async def wake(tx: AsyncConnection, job_id: str, now_ms: int) -> None:
    """Let a job that waits for its vendor be looked at now."""
    one = (jobs.c.id == job_id, jobs.c.ended_ms.is_(None), jobs.c.step.in_((LOOK, SEARCH)), jobs.c.due_ms > now_ms)
    await tx.execute(update(jobs).where(*one).values(due_ms=now_ms))


async def unanswered(read: AsyncConnection, job_id: str) -> StoredJob | None:
    """Return a live job of which the vendor's name is not known yet."""
    one = select(jobs).where(jobs.c.id == job_id, jobs.c.ended_ms.is_(None), *_UNANSWERED)
    row = (await read.execute(one)).one_or_none()
    return None if row is None else _job(row)


async def note_vendor_id(tx: AsyncConnection, job_id: str, vendor_id: str) -> None:
    """Note how the vendor calls such a job, whoever owns it: whoever takes it up next need not search."""
    one = update(jobs).where(jobs.c.id == job_id, jobs.c.ended_ms.is_(None), *_UNANSWERED)
    await tx.execute(one.values(vendor_id=vendor_id))


async def rivals(read: AsyncConnection, job: StoredJob, vendor_ids: Set[str]) -> list[StoredJob]:
    """Return the other jobs of every org, of the same kind, that have one of a vendor's names, or may yet get one: all
    as they are at one moment."""
    others = (jobs.c.id != job.id, jobs.c.kind == job.kind)
    waits = and_(jobs.c.step.in_((SENDING, SEARCH)), jobs.c.ended_ms.is_(None))
    rows = await read.execute(select(jobs).where(*others, jobs.c.vendor_id.in_(vendor_ids) | waits))
    return [_job(row) for row in rows]


async def adopt(tx: AsyncConnection, job: StoredJob, vendor_id: str, **values: Any) -> bool:
    """Give a job that was not answered its name at the vendor; False when another job has that name, or the job is not
    `job.owner`'s any more. Jobs that search are locked, so that of two that found the same only one gets it."""
    lost = (jobs.c.step == SEARCH, jobs.c.ended_ms.is_(None), jobs.c.kind == job.kind)
    await tx.execute(select(jobs.c.id).where(*lost).order_by(jobs.c.id).with_for_update())
    others = (jobs.c.id != job.id, jobs.c.kind == job.kind)
    if (await tx.execute(select(jobs.c.id).where(*others, jobs.c.vendor_id == vendor_id).limit(1))).first() is not None:
        return False
    return await change(tx, job, vendor_id=vendor_id, **values)


async def drop(tx: AsyncConnection, project_id: str, job_id: str) -> bool:
    """Forget a project's job that has ended; False when there is none such."""
    one = (jobs.c.id == job_id, jobs.c.project_id == project_id, jobs.c.ended_ms.is_not(None))
    return (await tx.execute(delete(jobs).where(*one))).rowcount == 1


async def drop_ended(tx: AsyncConnection, before_ms: int) -> int:
    """Forget jobs of every org that ended before and keep no files; return how many."""
    over = (jobs.c.ended_ms < before_ms, jobs.c.files_until_ms.is_(None))
    return (await tx.execute(delete(jobs).where(*over))).rowcount


async def without_files(tx: AsyncConnection, now_ms: int) -> list[str]:
    """Note that the files of jobs whose time is over are gone; return whose."""
    over = update(jobs).where(jobs.c.files_until_ms <= now_ms).values(files_until_ms=None, files="")
    return list((await tx.execute(over.returning(jobs.c.id))).scalars())


async def known(read: AsyncConnection, job_ids: Set[str]) -> Set[str]:
    """Return those of the ids that are a job's which still makes files, or keeps them."""
    keeps = jobs.c.ended_ms.is_(None) | jobs.c.files_until_ms.is_not(None)
    return set((await read.execute(select(jobs.c.id).where(jobs.c.id.in_(job_ids), keeps))).scalars())


async def live_holds(read: AsyncConnection) -> list[tuple[str, str, int]]:
    """Return what every live job of every org holds, with its key: where budgets start from."""
    columns = jobs.c.id, jobs.c.key_id, jobs.c.held_nano
    rows = await read.execute(select(*columns).where(jobs.c.ended_ms.is_(None)))
    return [(job_id, key_id, nano) for job_id, key_id, nano in rows]


def _due(now_ms: int) -> Select[tuple[str]]:
    waiting = jobs.c.step.in_((SUBMIT, SENDING, SEARCH, LOOK, FETCH))
    return select(jobs.c.id).where(jobs.c.ended_ms.is_(None), jobs.c.due_ms <= now_ms, waiting, _unowned())


def _unowned() -> ColumnElement[bool]:
    return (jobs.c.owner == "") | jobs.c.owner.not_in(select(tellers.c.id))


def _job(row: Any) -> StoredJob:
    job = StoredJob(*row)
    return replace(job, state=JobState(job.state))
