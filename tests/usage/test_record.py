import pytest

from tests.usage.records import call, keep
from tokengate.storage.engine import Database
from tokengate.storage.tables import calls
from tokengate.storage.writer import Add, Insert
from tokengate.usage.record import CallRecord, rows_of
from tokengate.usage.store import get_call


def test_a_record_names_the_columns_behind_the_day_in_their_order():
    assert ("day", *CallRecord.__struct_fields__) == tuple(calls.columns.keys())


def test_the_day_of_a_record_is_in_its_id_and_not_in_its_clock():
    record = call(days_ago=3, started_ms=0)

    assert record.day == 20261118
    kept, summed = rows_of(record)
    assert isinstance(kept, Insert) and kept.row[0] == 20261118
    assert isinstance(summed, Add) and summed.key[0] == 20261118


@pytest.mark.parametrize(
    ("outcome", "errors"), [("ok", 0), ("length", 0), ("client_gone", 0), ("error", 1), ("upstream_cut", 1)]
)
def test_only_a_call_that_failed_counts_as_an_error(outcome: str, errors: int):
    _, daily = rows_of(call(outcome=outcome))

    assert isinstance(daily, Add)
    assert daily.amounts == (1, errors, 100, 20, 5, 1_000_000, 0)


async def test_what_was_recorded_is_read_back(database: Database):
    record = call(stream=True, first_token_ms=7, overrun_nano=3, client_request_id="mine")

    await keep(database, [record])

    async with database.read() as read:
        assert await get_call(read, "org_default", "key_1", record.id) == record


async def test_a_strange_text_from_outside_does_not_cost_the_bill(database: Database):
    texts = {"x" * 201: "x" * 200, "a\0b": "ab", "a\udcffb": "a?b", "请求\n1": "请求\n1", "": ""}
    records = [call(client_request_id=sent, error=sent) for sent in texts]

    await keep(database, records)

    for record, (sent, kept) in zip(records, texts.items(), strict=True):
        async with database.read() as read:
            found = await get_call(read, "org_default", None, record.id)
        assert found is not None
        assert found.client_request_id == kept
        assert found.error == (sent if len(sent) > 200 else kept)
