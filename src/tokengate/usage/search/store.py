"""The questions of a search for calls. An id begins with its time, so a range of times is a range of ids."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.core.clock import day_of, seconds_of
from tokengate.core.ids import day_of_id
from tokengate.storage.tables import calls
from tokengate.usage.search.wanted import CallFilter, Sort

_PREFIX = "req_"
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
    partitioned = read.dialect.name == "postgresql"
    conditions = _conditions(read, org_id, wanted)
    down = sort.startswith("-")
    by = _SORTED_BY.get(sort.removeprefix("-"))
    if by is None:
        if start is not None:
            conditions += _behind(start[1], down, partitioned)
        order = [calls.c.id.desc() if down else calls.c.id]
        query = select(*_COLUMNS).where(*conditions).order_by(*order).limit(limit)
        return (await read.execute(query)).mappings().all()
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
    found = select(calls.c.id).where(*_conditions(read, org_id, wanted)).limit(most).subquery()
    return (await read.execute(select(func.count()).select_from(found))).scalar_one()


def _conditions(read: AsyncConnection, org_id: str, wanted: CallFilter) -> list[ColumnElement[bool]]:
    partitioned = read.dialect.name == "postgresql"
    conditions: list[ColumnElement[bool]] = [calls.c.org_id == org_id]
    if wanted.from_ms is not None:
        conditions.append(calls.c.id >= _first_id(wanted.from_ms))
        if partitioned:
            conditions.append(calls.c.day >= day_of(seconds_of(wanted.from_ms)))
    if wanted.to_ms is not None:
        conditions.append(calls.c.id < _first_id(wanted.to_ms))
        if partitioned:
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
    if text.startswith(_PREFIX):
        found = or_(found, and_(calls.c.id >= text, calls.c.id < text + "g"))  # ids are hexadecimal
    return select(calls.c.id).where(calls.c.org_id == org_id, found)


def _behind(call_id: str, down: bool, partitioned: bool) -> list[ColumnElement[bool]]:
    conditions = [calls.c.id < call_id if down else calls.c.id > call_id]
    day = day_of_id(call_id)
    if partitioned and day is not None:  # partitions of other months are left out
        conditions.append(calls.c.day <= day if down else calls.c.day >= day)
    return conditions


def _first_id(ms: int) -> str:
    return f"{_PREFIX}{ms:012x}{'0' * 20}"
