import pytest

from tests.usage.records import call, day_before, keep
from tokengate.core.errors import BadRequest
from tokengate.storage.engine import Database
from tokengate.usage.report import MAX_DAYS, split_report, usage_report
from tokengate.usage.store import UsageFilter

ORG = "org_default"


async def test_days_without_calls_are_there_with_zeros(database: Database) -> None:
    await keep(database, [call(0), call(2), call(2, key_id="key_2", model="gpt-5"), call(2, org_id="org_other")])

    days = await usage_report(database, ORG, "day", day_before(3), day_before(0))

    assert [(day.name, day.calls, day.cost_nano) for day in days] == [
        ("20261118", 0, 0),
        ("20261119", 2, 2_000_000),
        ("20261120", 0, 0),
        ("20261121", 1, 1_000_000),
    ]


async def test_a_report_is_filtered_and_grouped(database: Database) -> None:
    await keep(database, [call(0), call(1, key_id="key_2", model="gpt-5", project_id="proj_2")])
    days = (day_before(1), day_before(0))

    by_model = await usage_report(database, ORG, "model", *days, UsageFilter(key_id="key_2"))
    by_key = await usage_report(database, ORG, "key", *days, UsageFilter(model="qwen-max"))
    by_day = await usage_report(database, ORG, "day", *days, UsageFilter(project_id="proj_2"))

    assert [total.name for total in by_model] == ["gpt-5"]
    assert [total.name for total in by_key] == ["key_1"]
    assert [day.calls for day in by_day] == [1, 0]


async def test_a_split_report_has_every_day_and_parts_where_there_were_calls(database: Database) -> None:
    await keep(database, [call(0), call(2), call(2, model="gpt-5"), call(2, key_id="key_2", model="gpt-5")])

    report = await split_report(
        database, ORG, "model", day_before(3), day_before(0), UsageFilter(key_id="key_1", first_day=20200101)
    )

    assert [(day.name, day.calls) for day in report.days] == [
        ("20261118", 0),
        ("20261119", 2),
        ("20261120", 0),
        ("20261121", 1),
    ]
    assert [(part.day, part.total.name, part.total.calls) for part in report.parts] == [
        ("20261119", "gpt-5", 1),
        ("20261119", "qwen-max", 1),
        ("20261121", "qwen-max", 1),
    ]


@pytest.mark.parametrize(
    ("first", "last", "param"),
    [
        (20261122, 20261121, "from_day"),
        (20261131, 20261201, "from_day"),
        (20261101, 0, "to_day"),
        (20261101, 10**12, "to_day"),
        (20200101, 20261121, "from_day"),
    ],
)
async def test_days_that_make_no_report_are_refused(database: Database, first: int, last: int, param: str) -> None:
    assert MAX_DAYS < 2_500
    with pytest.raises(BadRequest) as refused:
        await usage_report(database, ORG, "day", first, last)

    assert refused.value.param == param
