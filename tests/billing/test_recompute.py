import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.billing.recompute import Recomputed, recompute
from tokengate.catalog.load import load_models
from tokengate.catalog.price import CallTraits, bill
from tokengate.catalog.versions import sync_prices
from tokengate.core.settings import Settings
from tokengate.core.usage import Usage, UsageSource
from tokengate.storage.engine import Database

USAGE = Usage(input=13, cache_read=7, output=257, reasoning=3, image=2)


async def stored(database: Database, model: str, usage: Usage = USAGE) -> str:
    catalog = load_models(Settings())
    async with database.tx() as tx:
        await sync_prices(tx, catalog, now_ms=5)
    price = catalog.price_of(model)
    assert price is not None
    return bill(usage, price, CallTraits()).to_json(UsageSource.VENDOR, b'{"prompt_tokens":20}')


@pytest.mark.parametrize("model", ["qwen-plus", "gpt-5.4", "tts-1-hd"])
async def test_a_bill_comes_out_again_from_its_price_version(database: Database, model: str) -> None:
    text = await stored(database, model)

    again = await recompute(database, text)

    assert again.agrees is True
    assert again.total_nano == json.loads(text)["total_nano"]
    assert again.price is not None and again.price.version == again.bill.price_version
    assert bytes(again.bill.vendor_usage) == b'{"prompt_tokens":20}'


async def test_a_bill_that_was_changed_does_not_agree(database: Database) -> None:
    good = json.loads(await stored(database, "qwen-plus"))
    wrong_total = {**good, "total_nano": good["total_nano"] + 1}
    wrong_line = {**good, "lines": [{**good["lines"][0], "amount": "9"}, *good["lines"][1:]]}
    wrong_tier = {**good, "when": {"up_to": 12345}}
    unknown_word = {**good, "lines": [{**good["lines"][0], "word": "magic"}]}

    for wrong in (wrong_total, wrong_line, wrong_tier, unknown_word):
        assert (await recompute(database, json.dumps(wrong))).agrees is False


async def test_a_bill_whose_version_is_gone_cannot_be_judged(database: Database) -> None:
    good = json.loads(await stored(database, "qwen-plus"))

    again = await recompute(database, json.dumps({**good, "price_version": 10_000}))

    assert again == Recomputed(again.bill, None, None, None)
    with pytest.raises(msgspec.DecodeError):
        await recompute(database, '{"lines":')


@given(st.lists(st.integers(0, 10**7), min_size=5, max_size=5), st.sampled_from(["gpt-5.4", "qwen-plus"]))
def test_units_and_rates_alone_give_the_total(units: list[int], model: str) -> None:
    price = load_models(Settings()).price_of(model)
    assert price is not None
    usage = Usage(input=units[0], cache_read=units[1], output=units[2], reasoning=units[3], search=units[4])

    stored_bill = json.loads(bill(usage, price).to_json(UsageSource.VENDOR))

    amounts = [line["amount"] for line in stored_bill["lines"]]
    femto = sum(int(whole + part.ljust(15, "0")) for whole, _, part in (amount.partition(".") for amount in amounts))
    assert stored_bill["total_nano"] == -(-femto // 10**6)
