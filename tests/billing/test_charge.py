import json

import pytest

from tests.billing.purse import WALLET, Purse
from tests.support import FakeClock
from tokengate.accounts.keys import Budget
from tokengate.billing.charge import Charge
from tokengate.billing.quote import Quote
from tokengate.catalog.price import ALWAYS, NO_TRAITS, Price, make_price
from tokengate.catalog.rates import Rates
from tokengate.core.usage import Usage, UsageSource
from tokengate.ledger.rules import State
from tokengate.limits.budgets import Allowance, Budgets

TOKEN = 1_000  # nano yuan, for input and output alike
PRICE = make_price([(ALWAYS, Rates(input=TOKEN * 1_000_000, output=TOKEN * 1_000_000))], version=7)


def charge_of(purse: Purse, held_tokens: int, price: Price = PRICE, allowance: Allowance | None = None) -> Charge:
    hold = purse.try_hold(WALLET, held_tokens * TOKEN)
    assert hold is not None
    quote = Quote(hold=hold, prompt_bound=10, output_held=held_tokens - 10, output_cap=None)
    return Charge(quote, price, NO_TRAITS, WALLET, purse, allowance)


async def settle(charge: Charge, output: int, *, raw: bytes | None = None):
    return await charge.settle(Usage(input=10, output=output), UsageSource.VENDOR, raw, call_id="req_1", now_ms=1)


async def test_a_settled_call_pays_what_it_used_and_frees_the_rest():
    purse = Purse(100 * TOKEN)

    with charge_of(purse, 50) as charge:
        bill = await settle(charge, 20)

    assert (bill.cost_nano, bill.overrun_nano) == (30 * TOKEN, 0)
    assert purse.lease.balance_nano == purse.lease.free_nano == 70 * TOKEN


async def test_leaving_without_settling_releases_the_hold():
    purse = Purse(100 * TOKEN)

    with pytest.raises(RuntimeError), charge_of(purse, 50) as charge:
        raise RuntimeError("the upstream is gone")

    assert charge.quote.hold.state is State.RELEASED
    assert purse.lease.free_nano == 100 * TOKEN


async def test_a_cost_above_the_hold_is_paid_from_what_the_wallet_has_free():
    purse = Purse(100 * TOKEN)

    with charge_of(purse, 20) as charge:
        bill = await settle(charge, 50)

    assert (bill.cost_nano, bill.overrun_nano) == (60 * TOKEN, 0)
    assert charge.quote.hold.nano == 60 * TOKEN


async def test_what_the_wallet_cannot_pay_is_the_house_s():
    purse = Purse(100 * TOKEN)

    with charge_of(purse, 20) as charge:
        bill = await settle(charge, 190)

    assert (bill.cost_nano, bill.overrun_nano) == (100 * TOKEN, 100 * TOKEN)
    assert purse.lease.balance_nano == 0
    assert json.loads(bill.json)["total_nano"] == 200 * TOKEN


async def test_the_bill_line_carries_its_arithmetic_its_source_and_the_vendor_s_own_words():
    purse = Purse(100 * TOKEN)

    with charge_of(purse, 50) as charge:
        bill = await settle(charge, 20, raw=b'{"prompt_tokens":10,"odd":1}')

    line = json.loads(bill.json)
    assert (line["price_version"], line["usage_source"], line["total"]) == (7, "vendor", "0.00003")
    assert line["lines"] == [
        {"word": "input", "price": "1", "per": 1_000_000, "units": 10, "amount": "0.00001"},
        {"word": "output", "price": "1", "per": 1_000_000, "units": 20, "amount": "0.00002"},
    ]
    assert line["vendor_usage"] == {"prompt_tokens": 10, "odd": 1}


async def test_a_unit_without_a_price_is_free_and_an_alarm():
    purse = Purse(100 * TOKEN)

    with charge_of(purse, 50) as charge:
        bill = await charge.settle(Usage(input=10, search=2), UsageSource.VENDOR, None, call_id="req_1", now_ms=1)

    assert (bill.cost_nano, bill.alarms) == (10 * TOKEN, ("search",))


async def test_a_stream_s_hold_grows_by_steps_as_far_as_the_wallet_allows():
    purse = Purse(6_000 * TOKEN)

    with charge_of(purse, 110) as charge:
        covered = [charge.output_covered(), await charge.cover_more(50), await charge.cover_more(4_000)]

    assert covered == [pytest.approx(100, abs=1), pytest.approx(4_196, abs=1), pytest.approx(5_990, abs=1)]
    assert purse.lease.free_nano == 6_000 * TOKEN


async def test_a_stream_s_hold_grows_no_further_than_its_key_s_budget():
    purse, budgets = Purse(100_000 * TOKEN), Budgets(FakeClock())
    allowance = budgets.allow("key_1", Budget(6_000 * TOKEN, "never"))

    with charge_of(purse, 110, allowance=allowance) as charge:
        covered = [await charge.cover_more(50), await charge.cover_more(4_000)]

    assert covered == [pytest.approx(4_196, abs=1), pytest.approx(5_990, abs=1)]


async def test_a_stream_s_hold_catches_up_with_what_came_at_once():
    purse = Purse(100_000 * TOKEN)

    with charge_of(purse, 110) as charge:
        covered = await charge.cover_more(20_000)

    assert covered == pytest.approx(24_096, abs=1)
