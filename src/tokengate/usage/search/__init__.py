"""Finds calls among many: filters, three orders, pages by key, a bounded count, and a stream of all that match.

Nothing here reads more than it returns, but for filters that match almost nothing: those read an index.
"""

from collections.abc import AsyncGenerator

from msgspec import Struct

from tokengate.core.errors import BadRequest
from tokengate.core.ids import day_of_id
from tokengate.storage.engine import Database
from tokengate.usage.search import store
from tokengate.usage.search.wanted import CallFilter, Sort

__all__ = [
    "MAX_COUNT",
    "MAX_PAGE",
    "CallFilter",
    "CallPage",
    "CallSummary",
    "Sort",
    "count_calls",
    "find_calls",
    "stream_calls",
]

MAX_PAGE = 200
MAX_COUNT = 10_000  # beyond that a list says "more than"
MAX_STREAMED = 1_000_000
_STREAM_PAGE = 1_000


class CallSummary(Struct, frozen=True):
    """A call as it is listed: its record without the bill line and the attempts."""

    id: str
    project_id: str
    key_id: str
    wallet_id: str
    endpoint: str
    model: str
    upstream: str
    stream: bool
    status: int
    outcome: str
    error: str
    started_ms: int
    latency_ms: int
    first_token_ms: int | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_nano: int
    client_request_id: str | None


class CallPage(Struct, frozen=True):
    """Calls in the order that was asked for; `next` is the `after` of the page behind this one, None at the end."""

    calls: list[CallSummary]
    next: str | None


async def find_calls(
    database: Database,
    org_id: str,
    wanted: CallFilter,
    *,
    sort: Sort = "-started",
    after: str | None = None,
    limit: int = 50,
) -> CallPage:
    """Return one page. Raises BadRequest for an `after` that no page of this order returned."""
    assert limit >= 1
    start = None if after is None else _read_cursor(after, sort)
    async with database.read() as read:
        rows = await store.list_calls(read, org_id, wanted, sort, start, limit + 1)
    found = [CallSummary(**row) for row in rows[:limit]]
    return CallPage(found, _write_cursor(found[-1], sort) if len(rows) > limit else None)


async def count_calls(database: Database, org_id: str, wanted: CallFilter) -> int:
    """Return how many calls match, counting no further than one above MAX_COUNT."""
    async with database.read() as read:
        return await store.count_calls(read, org_id, wanted, MAX_COUNT + 1)


async def stream_calls(database: Database, org_id: str, wanted: CallFilter) -> AsyncGenerator[list[CallSummary]]:
    """Yield all that match, the newest first, page by page: memory is bounded, and no snapshot is held open."""
    after: str | None = None
    for _ in range(MAX_STREAMED // _STREAM_PAGE):
        page = await find_calls(database, org_id, wanted, after=after, limit=_STREAM_PAGE)
        if page.calls:
            yield page.calls
        after = page.next
        if after is None:
            return


def _write_cursor(last: CallSummary, sort: Sort) -> str:
    match sort.removeprefix("-"):
        case "cost":
            return f"{last.cost_nano}.{last.id}"
        case "latency":
            return f"{last.latency_ms}.{last.id}"
        case _:
            return last.id


def _read_cursor(after: str, sort: Sort) -> tuple[int | None, str]:
    """Return the value by which the order goes, if it is not the time, and the id of the last call seen."""
    value, _, call_id = after.rpartition(".")
    by_time = sort.endswith("started")
    if day_of_id(call_id) is None or by_time != (value == "") or not (by_time or _is_number(value)):
        raise BadRequest("'after' must be what an earlier page of this list returned as 'next'.", param="after")
    return (None if by_time else int(value)), call_id


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
