"""Questions about calls and what they cost. Lists are paged by the id of the last call seen, newest first.

Jobs' calls have another prefix than requests': lists read both along an index and merge them by time.
"""

from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Label, Select, delete, func, or_, select, tuple_, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.core.errors import BadRequest
from tokengate.core.ids import day_of_id, time_of
from tokengate.core.periods import PERIODS, Period, span_of
from tokengate.storage.tables import calls, keys, open_calls, retention, tellers, usage_daily
from tokengate.usage.record import BEHIND_ID, CALL_PREFIXES, CallRecord

MAX_PAGE = 1_000
MAX_TOTALS = 10_000  # days, models or keys in one answer
MAX_SPLIT = 8  # models or keys that a day is split into; more would be no picture

_RECORD_COLUMNS = tuple(calls.c[name] for name in CallRecord.__struct_fields__)
_GROUPS = {"model": usage_daily.c.model, "key": usage_daily.c.key_id, "day": usage_daily.c.day}
_SUMS = ("calls", "errors", "input_tokens", "output_tokens", "cached_tokens", "cost_nano", "overrun_nano")


class CallPage(Struct, frozen=True):
    """Calls, newest first; `next` is the `after` of the page behind this one, None at the end."""

    calls: list[CallRecord]
    next: str | None


class Total(Struct, frozen=True):
    """Sums over the calls of one model, key or day; `name` says which (a day as `20261121`)."""

    name: str
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_nano: int
    overrun_nano: int


class UsageFilter(Struct, frozen=True):
    """Which sums are wanted; None is all. Days are such as 20261121, and both are included."""

    first_day: int | None = None
    last_day: int | None = None
    key_id: str | None = None
    model: str | None = None
    project_id: str | None = None


EVERYTHING = UsageFilter()


class DayTotal(Struct, frozen=True):
    """What one model or key adds to a day (such as `20261121`)."""

    day: str
    total: Total


async def get_call(read: AsyncConnection, org_id: str, key_id: str | None, call_id: str) -> CallRecord | None:
    """Return one call; with `key_id`, only if that key made it."""
    day = day_of_id(call_id)
    if day is None:
        return None
    query = select(*_RECORD_COLUMNS).where(calls.c.day == day, calls.c.id == call_id, calls.c.org_id == org_id)
    if key_id is not None:
        query = query.where(calls.c.key_id == key_id)
    row = (await read.execute(query)).mappings().first()
    return None if row is None else _record(row)


async def list_calls(
    read: AsyncConnection,
    org_id: str,
    *,
    key_id: str | None = None,
    first_day: int | None = None,
    last_day: int | None = None,
    model: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> CallPage:
    """Return calls of the days from `first_day` to `last_day`, both included. Raises BadRequest for an `after`
    that is no call id."""
    assert 1 <= limit <= MAX_PAGE
    query = select(*_RECORD_COLUMNS).where(calls.c.org_id == org_id)
    if first_day is not None:
        query = query.where(calls.c.day >= first_day)
    if last_day is not None:
        query = query.where(calls.c.day <= last_day)
    if model is not None:
        query = query.where(calls.c.model == model)
    if after is not None:
        after_day = day_of_id(after)
        if after_day is None:
            raise BadRequest("'after' must be the id of a call, as an earlier page returned it.", param="after")
        query = query.where(calls.c.day <= after_day)
    if key_id is None:
        query = query.order_by(calls.c.day.desc(), calls.c.id.desc())
    else:  # ids grow with time, so the order is the same, and the index on (key_id, id) gives it
        query = query.where(calls.c.key_id == key_id).order_by(calls.c.id.desc())
    parts: list[Select[*tuple[Any, ...]]] = []
    for prefix in CALL_PREFIXES:
        behind = prefix + (time_of(after) if after is not None else BEHIND_ID)
        parts.append(query.where(calls.c.id >= prefix, calls.c.id < behind).limit(limit + 1))
    found_in = union_all(*(select(part.subquery()) for part in parts)).subquery()
    newest = func.substr(found_in.c.id, len(CALL_PREFIXES[0]) + 1).desc()
    rows = (await read.execute(select(found_in).order_by(newest).limit(limit + 1))).mappings().all()
    found = [_record(row) for row in rows[:limit]]
    return CallPage(calls=found, next=found[-1].id if len(rows) > limit else None)


async def totals(
    read: AsyncConnection,
    org_id: str,
    by: Literal["model", "key", "day"],
    wanted: UsageFilter = EVERYTHING,
    *,
    limit: int = MAX_TOTALS,
) -> list[Total]:
    """Return sums per model or key, the dearest first, or per day, the latest first. They outlive the calls."""
    assert 1 <= limit <= MAX_TOTALS
    group = _GROUPS[by]
    conditions = _narrowed(org_id, wanted)
    order = group.desc() if by == "day" else func.sum(usage_daily.c.cost_nano).desc()
    query = select(group.label("name"), *_sums()).where(*conditions).group_by(group).order_by(order, group).limit(limit)
    rows = (await read.execute(query)).mappings().all()
    return [Total(name=str(row["name"]), **{name: int(row[name]) for name in _SUMS}) for row in rows]


async def totals_of_days(
    read: AsyncConnection, org_id: str, split: Literal["model", "key"], wanted: UsageFilter = EVERYTHING
) -> list[DayTotal]:
    """Return sums per day and model or key, the earliest first, of the dearest `MAX_SPLIT` models or keys."""
    part, cost = _GROUPS[split], func.sum(usage_daily.c.cost_nano)
    conditions = _narrowed(org_id, wanted)
    dearest = select(part).where(*conditions).group_by(part).order_by(cost.desc(), part).limit(MAX_SPLIT)
    query = (
        select(usage_daily.c.day.label("of_day"), part.label("name"), *_sums())
        .where(*conditions, part.in_(dearest))
        .group_by(usage_daily.c.day, part)
        .order_by(usage_daily.c.day, cost.desc(), part)
    )
    rows = (await read.execute(query)).mappings().all()
    return [
        DayTotal(str(row["of_day"]), Total(name=row["name"], **{name: int(row[name]) for name in _SUMS}))
        for row in rows
    ]


def _sums() -> list[Label[Any]]:
    return [func.sum(usage_daily.c[name]).label(name) for name in _SUMS]


def _narrowed(org_id: str, wanted: UsageFilter) -> list[ColumnElement[bool]]:
    columns = usage_daily.c
    same = (columns.key_id, wanted.key_id), (columns.model, wanted.model), (columns.project_id, wanted.project_id)
    conditions = [columns.org_id == org_id, *(column == value for column, value in same if value is not None)]
    if wanted.first_day is not None:
        conditions.append(columns.day >= wanted.first_day)
    if wanted.last_day is not None:
        conditions.append(columns.day <= wanted.last_day)
    return conditions


async def spend_of_day(read: AsyncConnection, day: int) -> dict[tuple[str, str], int]:
    """Return what every (key, model) of every org has spent on a day: where spend limits start from."""
    query = (
        select(usage_daily.c.key_id, usage_daily.c.model, func.sum(usage_daily.c.cost_nano))
        .where(usage_daily.c.day == day)
        .group_by(usage_daily.c.key_id, usage_daily.c.model)
    )
    return {(key_id, model): int(nano) for key_id, model, nano in await read.execute(query)}


async def spend_of_budgets(read: AsyncConnection, now_s: float) -> dict[tuple[str, Period], int]:
    """Return what every key that has a budget has spent in the budget's period, for all orgs: where budgets start
    from. Keys that are over are left out."""
    found: dict[tuple[str, Period], int] = {}
    alive = or_(keys.c.expires_ms.is_(None), keys.c.expires_ms > int(now_s * 1000))
    for period in PERIODS:
        mine = (usage_daily.c.key_id == keys.c.id) & (usage_daily.c.org_id == keys.c.org_id)
        since = usage_daily.c.day >= span_of(period, now_s).first_day
        query = (
            select(keys.c.id, func.coalesce(func.sum(usage_daily.c.cost_nano), 0))
            .outerjoin(usage_daily, mine & since)
            .where(keys.c.budget_period == period, alive)
            .group_by(keys.c.id)
        )
        found |= {(key_id, period): int(nano) for key_id, nano in await read.execute(query)}
    return found


async def spend_since(read: AsyncConnection, org_id: str, key_ids: list[str], first_day: int) -> dict[str, int]:
    """Return what some keys of an org have spent from a day on."""
    query = (
        select(usage_daily.c.key_id, func.sum(usage_daily.c.cost_nano))
        .where(usage_daily.c.org_id == org_id, usage_daily.c.key_id.in_(key_ids), usage_daily.c.day >= first_day)
        .group_by(usage_daily.c.key_id)
    )
    return {key_id: int(nano) for key_id, nano in await read.execute(query)}


async def last_calls(read: AsyncConnection, org_id: str, key_ids: list[str]) -> dict[str, str]:
    """Return the id of the newest call of each of some keys of an org; it tells the time."""
    query = select(keys.c.id, *(_newest(prefix) for prefix in CALL_PREFIXES))
    query = query.where(keys.c.org_id == org_id, keys.c.id.in_(key_ids))
    rows = (await read.execute(query)).all()
    found = {key_id: [call_id for call_id in call_ids if call_id is not None] for key_id, *call_ids in rows}
    return {key_id: max(call_ids, key=time_of) for key_id, call_ids in found.items() if call_ids}


def _newest(prefix: str) -> Label[Any]:
    mine = calls.c.key_id == keys.c.id, calls.c.id >= prefix, calls.c.id < prefix + BEHIND_ID
    return select(func.max(calls.c.id)).where(*mine).correlate(keys).scalar_subquery().label(prefix)


async def calls_by_model(read: AsyncConnection, first_day: int) -> dict[str, int]:
    """Return how many calls every model had since a day, of every org together."""
    query = (
        select(usage_daily.c.model, func.sum(usage_daily.c.calls))
        .where(usage_daily.c.day >= first_day)
        .group_by(usage_daily.c.model)
    )
    return {model: int(count) for model, count in await read.execute(query)}


class OpenCall(Struct, frozen=True):
    """A call that was noted while it ran. `ended`: it has its record, and only the note was left behind."""

    id: str
    org_id: str
    project_id: str
    key_id: str
    wallet_id: str
    model: str
    upstream: str
    held_nano: int
    opened_ms: int
    ended: bool


async def take_over_open_calls(tx: AsyncConnection, teller_id: str, limit: int) -> list[OpenCall]:
    """Return noted calls, of every org, whose tellers are dead; from now on they are this living teller's."""
    noted = open_calls.c
    left = select(noted.id).where(noted.teller_id.not_in(select(tellers.c.id))).order_by(noted.id).limit(limit)
    taken = update(open_calls).where(noted.id.in_(left.with_for_update(skip_locked=True))).values(teller_id=teller_id)
    call_ids = list((await tx.execute(taken.returning(noted.id))).scalars())
    query = (
        select(
            noted.id,
            keys.c.org_id,
            keys.c.project_id,
            noted.key_id,
            noted.wallet_id,
            noted.model,
            noted.upstream,
            noted.held_nano,
            noted.opened_ms,
            calls.c.id.is_not(None).label("ended"),
        )
        .join(keys, keys.c.id == noted.key_id)
        .outerjoin(calls, (calls.c.key_id == noted.key_id) & (calls.c.id == noted.id))
        .where(noted.id.in_(call_ids))
        .order_by(noted.id)
    )
    return [OpenCall(**row) for row in (await tx.execute(query)).mappings()]


async def keep_calls_from(tx: AsyncConnection, day: int) -> None:
    """Note that calls of earlier days, of every org, may be gone; a day that is noted already is never put back."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(retention)
    insert = insert.values(kind=calls.name, first_day=day)
    later = retention.c.first_day < insert.excluded.first_day
    await tx.execute(
        insert.on_conflict_do_update(index_elements=[retention.c.kind], set_={"first_day": day}, where=later)
    )


async def delete_calls_before(tx: AsyncConnection, day: int, limit: int) -> int:
    """Delete at most `limit` calls of earlier days, of every org, and return how many there were."""
    key = (calls.c.day, calls.c.id)
    oldest = select(*key).where(calls.c.day < day).order_by(*key).limit(limit)
    return (await tx.execute(delete(calls).where(tuple_(*key).in_(oldest)))).rowcount


def _record(row: RowMapping) -> CallRecord:
    return CallRecord(**row)
