"""What a dead process leaves becomes records that say so."""

from sqlalchemy import func, select

from tests.support import START_S
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.ids import new_id
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database
from tokengate.storage.tables import open_calls
from tokengate.storage.writer import Insert, Writer
from tokengate.usage.crashed import Crashed, record_crashed
from tokengate.usage.store import get_call, totals


async def test_a_call_that_a_crash_cut_off_is_recorded_once_and_charged_to_nobody(database: Database):
    key = await create_key(database, SystemClock(), name="k", balance_nano=5)
    writer = Writer(database)
    await writer.start()
    call_id = new_id("req", START_S)
    opened_ms = int(START_S * 1000)
    await writer.commit(
        [Insert(open_calls, (call_id, "tel_dead", key.id, key.wallet_id, "m", "vendor", 1_500_000_000, opened_ms))]
    )

    crashed = await record_crashed(database, writer, "tel_mine")
    again = await record_crashed(database, writer, "tel_mine")

    assert crashed == Crashed(calls=1, held_nano=1_500_000_000)
    assert again == Crashed()
    async with database.read() as read:
        record = await get_call(read, DEFAULT_ORG, key.id, call_id)
        (total,) = await totals(read, DEFAULT_ORG, "model")
        left = (await read.execute(select(func.count()).select_from(open_calls))).scalar()
    assert record is not None
    assert (record.outcome, record.cost_nano, record.upstream, record.bill) == ("crashed", 0, "vendor", "")
    assert "up to ¥1.5" in record.error
    assert (total.calls, total.errors, total.cost_nano) == (1, 1, 0)
    assert left == 0
    assert (await verify(database)).differences == []
    await writer.close()
