"""The questions of a search for calls. Behind its prefix an id is a time, so a range of times is a range of ids of
each prefix."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_, union_all
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.core.clock import day_of, seconds_of
from tokengate.core.ids import day_of_id, time_of
from tokengate.storage.tables import calls
from tokengate.usage.record import BEHIND_ID, CALL_PREFIXES
from tokengate.usage.search.wanted import CallFilter, Sort

_LAST_CHAR = "\U0010ffff"
_COLUMNS = (
    calls.c.id,
    calls.c.project_id,
    calls.c.key_id,
    calls.c.wallet_id,
    calls.c.endpoint,
    calls.c.model,
    calls.c.upstream,
    calls.c.stream,
    calls.c.status,
    calls.c.outcome,
    calls.c.error,
    calls.c.started_ms,
    calls.c.latency_ms,
    calls.c.first_token_ms,
    calls.c.input_tokens,
    calls.c.output_tokens,
    calls.c.cached_tokens,
    calls.c.cost_nano,
    calls.c.client_request_id,
)
_SORTED_BY: dict[str, ColumnElement[int]] = {"cost": calls.c.cost_nano, "latency": calls.c.latency_ms}


async def list_calls(
    read: AsyncConnection,
    org_id: str,
    wanted: CallFilter,
    sort: Sort,
    start: tuple[int | None, str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return calls behind `start`, which is the sorted value and the id of the last one seen."""
    conditions = _conditions(read, org_id, wanted)
    down = sort.startswith("-")
    by = _SORTED_BY.get(sort.removeprefix("-"))
    if by is None:
        return await _list_by_time(read, conditions, wanted, down, None if start is None else start[1], limit)
    conditions.append(or_(*(_span(prefix, wanted) for prefix in CALL_PREFIXES)))
    if start is not None:
        key, seen = tuple_(by, calls.c.id), tuple_(literal(start[0]), literal(start[1]))
        conditions.append(key < seen if down else key > seen)
    order = [by.desc(), calls.c.id.desc()] if down else [by, calls.c.id]
    # The index sorts; only the calls of the page are read.
    page = select(calls.c.id).where(*conditions).order_by(*order).limit(limit)
    query = select(*_COLUMNS).where(calls.c.org_id == org_id, calls.c.id.in_(page)).order_by(*order)
    return (await read.execute(query)).mappings().all()


async def count_calls(read: AsyncConnection, org_id: str, wanted: CallFilter, most: int) -> int:
    """Return how many calls match, `most` when there are as many or more."""
    conditions = _conditions(read, org_id, wanted)
    parts = [select(calls.c.id).where(*conditions, _span(prefix, wanted)).limit(most) for prefix in CALL_PREFIXES]
    found = union_all(*(select(part.subquery()) for part in parts)).limit(most).subquery()
    return (await read.execute(select(func.count()).select_from(found))).scalar_one()


async def _list_by_time(
    read: AsyncConnection,
    conditions: list[ColumnElement[bool]],
    wanted: CallFilter,
    down: bool,
    start: str | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Merge the first calls of every prefix, each read along the index."""
    day = None if start is None else day_of_id(start)
    if read.dialect.name == "postgresql" and day is not None:  # partitions of other months are left out
        conditions = [*conditions, calls.c.day <= day if down else calls.c.day >= day]
    parts: list[Select[*tuple[Any, ...]]] = []
    for prefix in CALL_PREFIXES:
        part = select(*_COLUMNS).where(*conditions, _span(prefix, wanted))
        if start is not None:
            seen = prefix + time_of(start)
            part = part.where(calls.c.id < seen if down else calls.c.id > seen)
        parts.append(part.order_by(calls.c.id.desc() if down else calls.c.id).limit(limit))
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    time = func.substr(found.c.id, len(CALL_PREFIXES[0]) + 1)
    query = select(found).order_by(time.desc() if down else time).limit(limit)
    return (await read.execute(query)).mappings().all()


def _conditions(read: AsyncConnection, org_id: str, wanted: CallFilter) -> list[ColumnElement[bool]]:
    partitioned = read.dialect.name == "postgresql"
    conditions: list[ColumnElement[bool]] = [calls.c.org_id == org_id]
    if partitioned and wanted.from_ms is not None:
        conditions.append(calls.c.day >= day_of(seconds_of(wanted.from_ms)))
    if partitioned and wanted.to_ms is not None:
        conditions.append(calls.c.day <= day_of(seconds_of(wanted.to_ms)))
    for name in ("model", "key_id", "project_id", "status", "outcome"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(calls.c[name] == value)
    if wanted.text is not None:
        conditions.append(calls.c.id.in_(_begins(read, org_id, wanted.text)))
    return conditions


def _begins(read: AsyncConnection, org_id: str, text: str) -> Select[*tuple[Any, ...]]:
    """Return the ids of the calls whose id, or whose caller's own id, begins with the text."""
    theirs = calls.c.client_request_id
    if read.dialect.name == "postgresql":
        client = theirs.startswith(text, autoescape=True)
    else:
        client = and_(theirs >= text, theirs < text + _LAST_CHAR)
    found: ColumnElement[bool] = and_(theirs.is_not(None), client)
    if text.startswith(CALL_PREFIXES):
        found = or_(found, and_(calls.c.id >= text, calls.c.id < text + BEHIND_ID))
    return select(calls.c.id).where(calls.c.org_id == org_id, found)


def _span(prefix: str, wanted: CallFilter) -> ColumnElement[bool]:
    """Return that a call has this prefix and began in the wanted time."""
    first = prefix if wanted.from_ms is None else _first_id(prefix, wanted.from_ms)
    behind = prefix + BEHIND_ID if wanted.to_ms is None else _first_id(prefix, wanted.to_ms)
    return and_(calls.c.id >= first, calls.c.id < behind)


def _first_id(prefix: str, ms: int) -> str:
    return f"{prefix}{ms:012x}{'0' * 20}"
