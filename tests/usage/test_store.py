import pytest

from tests.usage.records import NOON_S, call, day_before, keep
from tokengate.core.errors import BadRequest
from tokengate.core.ids import new_id
from tokengate.storage.engine import Database
from tokengate.storage.migrations.partitions import ensure_partitions
from tokengate.usage.record import CallRecord
from tokengate.usage.retention import Dropped, drop_old_calls
from tokengate.usage.store import (
    MAX_SPLIT,
    DayTotal,
    Total,
    UsageFilter,
    delete_calls_before,
    get_call,
    list_calls,
    spend_of_day,
    totals,
    totals_of_days,
)

ORG = "org_default"


async def test_a_call_is_found_by_its_own_org_and_key_only(database: Database):
    record = call()
    await keep(database, [record])

    async with database.read() as read:
        assert await get_call(read, ORG, "key_1", record.id) == record
        assert await get_call(read, ORG, None, record.id) == record
        assert await get_call(read, ORG, "key_2", record.id) is None
        assert await get_call(read, "org_other", None, record.id) is None
        assert await get_call(read, ORG, "key_1", new_id("req", NOON_S)) is None
        assert await get_call(read, ORG, "key_1", "no id of ours") is None


@pytest.mark.parametrize("key_id", [None, "key_1"])
async def test_calls_are_paged_newest_first_and_none_is_missed_or_repeated(database: Database, key_id: str | None):
    kinds = ("req", "job", "req")
    records = [call(days_ago, second, prefix=kinds[second]) for days_ago in (0, 1, 40) for second in (0, 1, 2)]
    await keep(database, [*records, call(org_id="org_other")])
    newest_first = [record.id for record in sorted(records, key=lambda record: record.started_ms, reverse=True)]

    seen: list[str] = []
    after: str | None = None
    async with database.read() as read:
        for _ in range(5):
            page = await list_calls(read, ORG, key_id=key_id, after=after, limit=2)
            seen += [record.id for record in page.calls]
            after = page.next

    assert seen == newest_first
    assert after is None


async def test_a_page_that_ends_with_the_last_call_has_no_next(database: Database):
    await keep(database, [call(second=0), call(second=1)])

    async with database.read() as read:
        page = await list_calls(read, ORG, limit=2)

    assert (len(page.calls), page.next) == (2, None)


async def test_calls_are_filtered_by_key_model_and_days_ends_included(database: Database):
    records = [call(days_ago) for days_ago in range(4)]
    other_key, other_model = call(1, key_id="key_2"), call(1, model="qwen-plus")
    await keep(database, [*records, other_key, other_model])

    async with database.read() as read:
        by_key = await list_calls(read, ORG, key_id="key_2")
        by_model = await list_calls(read, ORG, key_id="key_1", model="qwen-plus")
        by_days = await list_calls(
            read, ORG, key_id="key_1", model="qwen-max", first_day=day_before(2), last_day=day_before(1)
        )

    assert by_key.calls == [other_key]
    assert by_model.calls == [other_model]
    assert by_days.calls == [records[1], records[2]]


async def test_a_cursor_that_is_no_call_id_is_refused_by_name(database: Database):
    async with database.read() as read:
        with pytest.raises(BadRequest) as refused:
            await list_calls(read, ORG, after="'; DROP TABLE calls")

    assert refused.value.param == "after"


async def test_totals_add_up_by_model_key_and_day(database: Database):
    await keep(
        database,
        [
            call(0),
            call(0, model="qwen-plus", cost_nano=5_000_000, overrun_nano=2),
            call(1, outcome="error", status=502, cost_nano=0, input_tokens=0, output_tokens=0, cached_tokens=0),
            call(1, key_id="key_2", cost_nano=9_000_000),
            call(1, org_id="org_other"),
        ],
    )

    async with database.read() as read:
        by_model = await totals(read, ORG, "model")
        by_key = await totals(read, ORG, "key")
        by_day = await totals(read, ORG, "day")
        mine = await totals(read, ORG, "day", UsageFilter(day_before(1), key_id="key_1", model="qwen-max"))
        today = await totals(read, ORG, "day", UsageFilter(day_before(0), day_before(0)))

    assert by_model == [
        Total("qwen-max", 3, 1, 200, 40, 10, 10_000_000, 0),
        Total("qwen-plus", 1, 0, 100, 20, 5, 5_000_000, 2),
    ]
    assert [(total.name, total.cost_nano) for total in by_key] == [("key_2", 9_000_000), ("key_1", 6_000_000)]
    assert [(total.name, total.calls) for total in by_day] == [("20261121", 2), ("20261120", 2)]
    assert [(total.name, total.calls, total.errors) for total in mine] == [("20261121", 1, 0), ("20261120", 1, 1)]
    assert [total.name for total in today] == ["20261121"]


async def test_days_are_split_by_model_or_key_and_add_up_to_the_days(database: Database):
    await keep(
        database,
        [
            call(0),
            call(0, model="qwen-plus", cost_nano=5_000_000, overrun_nano=2),
            call(1, outcome="error", status=502, cost_nano=0, input_tokens=0, output_tokens=0, cached_tokens=0),
            call(1, key_id="key_2", cost_nano=9_000_000),
            call(1, org_id="org_other", cost_nano=10**12),
        ],
    )

    async with database.read() as read:
        by_model = await totals_of_days(read, ORG, "model")
        by_key = await totals_of_days(read, ORG, "key", UsageFilter(day_before(1), day_before(1)))

    assert by_model == [
        DayTotal("20261120", Total("qwen-max", 2, 1, 100, 20, 5, 9_000_000, 0)),
        DayTotal("20261121", Total("qwen-plus", 1, 0, 100, 20, 5, 5_000_000, 2)),
        DayTotal("20261121", Total("qwen-max", 1, 0, 100, 20, 5, 1_000_000, 0)),
    ]
    assert [(part.total.name, part.total.calls) for part in by_key] == [("key_2", 1), ("key_1", 1)]


async def test_days_are_split_into_the_dearest_only(database: Database):
    models = [f"model-{number}" for number in range(MAX_SPLIT + 2)]
    await keep(database, [call(0, model=model, cost_nano=number) for number, model in enumerate(models)])
    await keep(database, [call(1, model=models[0], cost_nano=1)])

    async with database.read() as read:
        parts = await totals_of_days(read, ORG, "model")

    assert [part.total.name for part in parts] == models[:1:-1]


async def test_sums_beyond_32_bits_stay_exact(database: Database):
    await keep(database, [call(cost_nano=2**61 + 1), call(cost_nano=2**61 + 1)])

    async with database.read() as read:
        (total,) = await totals(read, ORG, "key")

    assert total.cost_nano == 2**62 + 2


async def test_the_spend_of_a_day_is_told_per_key_and_model_of_every_org(database: Database):
    await keep(
        database,
        [call(), call(), call(model="qwen-plus"), call(key_id="key_2", org_id="org_other"), call(1, cost_nano=7)],
    )

    async with database.read() as read:
        spent = await spend_of_day(read, day_before(0))

    assert spent == {
        ("key_1", "qwen-max"): 2_000_000,
        ("key_1", "qwen-plus"): 1_000_000,
        ("key_2", "qwen-max"): 1_000_000,
    }


async def test_old_calls_are_dropped_and_their_sums_stay(database: Database):
    records = [call(days_ago) for days_ago in (0, 1, 2, 3, 40, 400)]
    await keep(database, records)

    dropped = await drop_old_calls(database, 2, NOON_S)

    async with database.read() as read:
        assert (await list_calls(read, ORG)).calls == records[:3]
        assert len(await totals(read, ORG, "day")) == 6
    assert dropped == Dropped(3)
    assert await drop_old_calls(database, 2, NOON_S) == Dropped(0)


async def keep_in_partitions(database: Database) -> list[CallRecord]:
    """Keep calls of today, 10, 40, 70 and 400 days ago: all of September and October have partitions."""
    async with database.tx() as tx:
        await ensure_partitions(tx, 20260901, 20261101)
    records = [call(days_ago) for days_ago in (0, 10, 40, 70, 400)]
    await keep(database, records)
    return records


async def test_whole_months_go_with_their_partitions(database: Database):
    if database.dialect == "sqlite":
        return  # has no partitions
    records = await keep_in_partitions(database)

    dropped = await drop_old_calls(database, 5, NOON_S)

    async with database.read() as read:
        assert (await list_calls(read, ORG)).calls == records[:1]
        assert len(await totals(read, ORG, "day")) == 5
    # The month that is not over, and what the default partition had taken, are deleted row by row.
    assert dropped == Dropped(2, ("calls_202609", "calls_202610"))


async def test_a_month_that_is_being_read_is_deleted_row_by_row_and_nobody_waits(database: Database):
    if database.dialect == "sqlite":
        return  # has no partitions
    await keep_in_partitions(database)

    async with database.read() as read:
        assert len((await list_calls(read, ORG)).calls) == 5
        dropped = await drop_old_calls(database, 5, NOON_S)
    again = await drop_old_calls(database, 5, NOON_S)

    assert dropped == Dropped(4)
    assert again == Dropped(0, ("calls_202609", "calls_202610"))


async def test_old_calls_are_deleted_in_bounded_batches_oldest_first(database: Database):
    records = [call(days_ago) for days_ago in (9, 8, 7)]
    await keep(database, records)

    async with database.tx() as tx:
        assert await delete_calls_before(tx, day_before(7), 1) == 1

    async with database.read() as read:
        assert (await list_calls(read, ORG)).calls == [records[2], records[1]]
