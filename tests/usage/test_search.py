"""Calls found among others, on both databases."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import text

from tests.usage.records import NOON_S, call, keep
from tokengate.core.errors import BadRequest
from tokengate.storage.engine import Database
from tokengate.usage.record import CallRecord
from tokengate.usage.search import CallFilter, Sort, count_calls, find_calls, stream_calls

ORG = "org_default"
NOON_MS = int(NOON_S * 1000)


def various() -> list[CallRecord]:
    """Calls that differ in everything that can be asked for; several cost and take the same."""
    kinds = product(("qwen-max", "gpt-5"), (("ok", 200), ("error", 502), ("client_gone", 499)), ("key_1", "key_2"))
    return [
        call(
            days_ago=number % 3,
            second=number,
            prefix="job" if number % 3 == 1 else "req",
            model=model,
            outcome=outcome,
            status=status,
            key_id=key_id,
            project_id=f"proj_{number % 2}",
            cost_nano=number // 4 * 1_000,
            latency_ms=number % 5,
            client_request_id=f"mine_{number}%" if number % 2 else None,
        )
        for number, (model, (outcome, status), key_id) in enumerate(kinds)
    ]


async def ids(database: Database, wanted: CallFilter, sort: Sort = "-started", limit: int = 4) -> list[str]:
    """Return the ids of all pages in their order."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = await find_calls(database, ORG, wanted, sort=sort, after=after, limit=limit)
        found += [one.id for one in page.calls]
        after = page.next
        if after is None:
            return found


FILTERS: list[dict[str, Any]] = [
    {},
    {"model": "gpt-5"},
    {"key_id": "key_2", "status": 502},
    {"project_id": "proj_1", "outcome": "ok"},
    {"from_ms": NOON_MS, "model": "qwen-max"},
    {"to_ms": NOON_MS - 86_400_000 + 5_000},
    {"from_ms": NOON_MS - 86_400_000, "to_ms": NOON_MS},
    {"outcome": "nothing like it"},
]
SORTS: tuple[Sort, ...] = ("-started", "started", "-cost", "cost", "-latency", "latency")


def expected(records: list[CallRecord], asked: dict[str, Any], sort: str) -> list[str]:
    asked = dict(asked)
    from_ms, to_ms = asked.pop("from_ms", 0), asked.pop("to_ms", 2**60)
    fitting = [
        one
        for one in records
        if from_ms <= one.started_ms < to_ms and all(getattr(one, name) == value for name, value in asked.items())
    ]
    by = {"cost": "cost_nano", "latency": "latency_ms", "started": "started_ms"}[sort.removeprefix("-")]
    fitting.sort(key=lambda one: (getattr(one, by), one.id), reverse=sort.startswith("-"))
    return [one.id for one in fitting]


async def test_every_filter_in_every_order_pages_through_exactly_what_fits(database: Database) -> None:
    records = various()
    await keep(database, [*records, call(org_id="org_other")])

    for asked, sort in product(FILTERS, SORTS):
        wanted = CallFilter(**asked)
        fitting = expected(records, asked, sort)
        assert await ids(database, wanted, sort) == fitting, (asked, sort)
        assert await count_calls(database, ORG, wanted) == len(fitting)


async def test_a_call_is_found_by_the_beginning_of_its_id_or_of_the_callers_own(database: Database) -> None:
    records = various()
    await keep(database, [*records, call(org_id="org_other", client_request_id="mine_7%")])
    one = records[7]

    assert await ids(database, CallFilter(text=one.id)) == [one.id]
    assert await ids(database, CallFilter(text=one.id[:20])) == [one.id]
    assert await ids(database, CallFilter(text="mine_7")) == [one.id]
    assert await ids(database, CallFilter(text="mine_7%")) == [one.id]
    assert len(await ids(database, CallFilter(text="mine_"))) == 6
    assert len(await ids(database, CallFilter(text="req_"))) == 8
    assert len(await ids(database, CallFilter(text="job_"))) == 4
    for nothing in ("mine%", "min_", "ine_7", "%", "_"):
        assert await ids(database, CallFilter(text=nothing)) == []


async def test_the_stream_has_all_calls_and_each_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    records = various()
    await keep(database, records)
    monkeypatch.setattr("tokengate.usage.search._STREAM_PAGE", 5)

    pages = [page async for page in stream_calls(database, ORG, CallFilter())]

    assert [len(page) for page in pages] == [5, 5, 2]
    assert [one.id for page in pages for one in page] == expected(records, {}, "-started")


@pytest.mark.parametrize(
    ("after", "sort"),
    [
        ("'; DROP TABLE calls", "-started"),
        ("5.req_019b00000000aaaaaaaaaaaaaaaaaaaa", "-started"),
        ("req_019b00000000aaaaaaaaaaaaaaaaaaaa", "-cost"),
        ("-5.req_019b00000000aaaaaaaaaaaaaaaaaaaa", "-cost"),
        ("x.req_019b00000000aaaaaaaaaaaaaaaaaaaa", "latency"),
        ("9" * 30 + ".req_019b00000000aaaaaaaaaaaaaaaaaaaa", "latency"),
    ],
)
async def test_a_cursor_of_another_list_is_refused(database: Database, after: str, sort: Sort) -> None:
    with pytest.raises(BadRequest) as refused:
        await find_calls(database, ORG, CallFilter(), sort=sort, after=after)

    assert refused.value.param == "after"


@pytest.mark.parametrize(
    ("asked", "param"),
    [({"text": "a\0b"}, "q"), ({"text": ""}, "q"), ({"model": "x" * 201}, "model"), ({"from_ms": -1}, "from_ms")],
)
def test_what_cannot_be_asked_for_is_refused_by_name(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        CallFilter(**asked)

    assert refused.value.param == param


async def test_lists_read_an_index_and_not_all_calls(sqlite_database: Database) -> None:
    """A hundred thousand calls are listed, counted and sorted in milliseconds because of these plans."""
    async with sqlite_database.read() as read:
        plans = {
            query: str((await read.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all())
            for query in (
                "SELECT * FROM calls WHERE org_id = 'a' AND id >= 'job_' AND id < 'job_g' ORDER BY id DESC LIMIT 51",
                "SELECT id FROM calls WHERE org_id = 'a' AND status = 5 AND outcome = 'x' LIMIT 10001",
                "SELECT id FROM calls WHERE org_id = 'a' ORDER BY cost_nano DESC, id DESC LIMIT 51",
                "SELECT * FROM calls WHERE org_id = 'a' AND key_id = 'k' ORDER BY id DESC LIMIT 51",
            )
        }
    first, count, sort, key = plans.values()
    assert "USING INDEX ix_calls_org" in first and "TEMP B-TREE" not in first
    assert "COVERING INDEX ix_calls_org" in count
    assert "COVERING INDEX ix_calls_org" in sort
    assert "TEMP B-TREE" not in key
