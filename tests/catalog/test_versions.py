import json

import pytest
from msgspec import structs

from tokengate.catalog.load import Catalog, load_models
from tokengate.catalog.price import bill
from tokengate.catalog.store import latest_prices, versions_of
from tokengate.catalog.versions import PriceMoved, PriceSync, load_version, moves_of, price_history, sync_prices
from tokengate.catalog.written import read_written
from tokengate.core.settings import CurrencySettings, ModelSettings, PriceSettings, Settings
from tokengate.core.usage import Usage, UsageSource
from tokengate.storage.engine import Database


def catalog_with(price: PriceSettings | None, *, usd: str = "7.10") -> Catalog:
    own = ModelSettings(id="ours", price=price)
    return load_models(Settings(model=[own], currency=CurrencySettings(usd=usd)))


OLD = PriceSettings(input="0.001", output="0.002")
NEW = PriceSettings(input="0.002", output="0.002")


async def synced(database: Database, catalog: Catalog, *, now_ms: int, accept: bool = False) -> PriceSync:
    async with database.tx() as tx:
        return await sync_prices(tx, catalog, now_ms, accept)


async def test_the_first_start_stores_every_price(database: Database):
    catalog = catalog_with(OLD)

    sync = await synced(database, catalog, now_ms=5)

    assert set(sync.added) == set(catalog.prices())
    assert sync.changed == ()
    async with database.read() as read:
        stored = await latest_prices(read)
    assert {model_id: row.version for model_id, row in stored.items()} == {
        model_id: price.version for model_id, price in catalog.prices().items()
    }
    assert all(price.version > 0 for price in catalog.prices().values())
    assert (stored["ours"].effective_ms, stored["ours"].source, stored["ours"].currency_rate) == (
        5,
        "configuration",
        "",
    )
    assert stored["gpt-5"].currency_rate == "7.10"


async def test_a_start_without_changes_stores_nothing(database: Database):
    first, second = catalog_with(OLD), catalog_with(OLD)
    await synced(database, first, now_ms=5)

    sync = await synced(database, second, now_ms=6)

    assert (sync.added, sync.changed) == ((), ())
    assert second.prices() == first.prices()


async def test_a_changed_price_is_a_new_version_from_now_on(database: Database):
    await synced(database, catalog_with(OLD), now_ms=5)
    catalog = catalog_with(NEW)

    sync = await synced(database, catalog, now_ms=6)

    assert (sync.added, sync.changed) == ((), ("ours",))
    async with database.read() as read:
        newest, older = await versions_of(read, "ours")
    assert (newest.effective_ms, older.effective_ms) == (6, 5)
    price = catalog.price_of("ours")
    assert price
    assert price.version == newest.version


async def test_history_of_a_price_is_told_newest_first(database: Database):
    await synced(database, catalog_with(OLD), now_ms=5)
    catalog = catalog_with(NEW)
    await synced(database, catalog, now_ms=6)

    history = await price_history(database, "ours")

    assert [version.effective_ms for version in history] == [6, 5]
    assert history[0].price == catalog.price_of("ours")
    assert await price_history(database, "never sold") == []


async def test_another_currency_rate_makes_new_versions_of_what_is_in_dollars(database: Database):
    await synced(database, catalog_with(OLD), now_ms=5)
    catalog = catalog_with(OLD, usd="7.20")

    sync = await synced(database, catalog, now_ms=6)

    in_dollars = {
        model_id
        for model_id, price in catalog.prices().items()
        if price.currency_rate and any(any(tier.weights) for tier in price.tiers)  # the free is free in every currency
    }
    assert set(sync.changed) == in_dollars
    async with database.read() as read:
        assert (await latest_prices(read))["gpt-5"].currency_rate == "7.20"


async def test_an_old_bill_is_recomputed_with_its_own_version(database: Database):
    catalog = catalog_with(OLD)
    await synced(database, catalog, now_ms=5)
    usage = Usage(input=7, output=9, cache_read=3)
    price = catalog.price_of("ours")
    assert price
    stored = json.loads(bill(usage, price).to_json(UsageSource.VENDOR))
    await synced(database, catalog_with(NEW), now_ms=6)

    then = await load_version(database, stored["price_version"])

    assert then
    assert json.loads(bill(usage, then).to_json(UsageSource.VENDOR)) == stored


async def test_an_unknown_version_is_none(database: Database):
    assert await load_version(database, 404) is None


@pytest.mark.parametrize("wild", ["0.01001", "0.00009", "0"])
async def test_a_move_of_more_than_tenfold_stops_the_start_and_stores_nothing(database: Database, wild: str):
    await synced(database, catalog_with(OLD), now_ms=5)
    async with database.read() as read:
        before = await latest_prices(read)

    with pytest.raises(PriceMoved) as stopped:
        await synced(database, catalog_with(structs.replace(OLD, input=wild)), now_ms=6)

    assert stopped.value.moves[0].startswith("ours: input from 1 per million tokens to ")
    async with database.read() as read:
        assert await latest_prices(read) == before


async def test_a_wild_move_that_is_accepted_becomes_a_version(database: Database):
    await synced(database, catalog_with(OLD), now_ms=5)

    sync = await synced(database, catalog_with(structs.replace(OLD, input="1")), now_ms=6, accept=True)

    assert sync.changed == ("ours",)


async def test_a_move_of_tenfold_exactly_is_let_through(database: Database):
    await synced(database, catalog_with(OLD), now_ms=5)

    sync = await synced(database, catalog_with(structs.replace(OLD, input="0.01")), now_ms=6)

    assert sync.changed == ("ours",)


async def test_a_price_that_went_away_leaves_its_versions(database: Database):
    await synced(database, catalog_with(OLD), now_ms=5)

    await synced(database, catalog_with(None), now_ms=6)

    async with database.read() as read:
        assert len(await versions_of(read, "ours")) == 1


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        (PriceSettings(input="1", output="1"), PriceSettings(input="1", output="1", search="100"), []),
        (PriceSettings(input="1", output="1", search="1"), PriceSettings(input="1", output="1"), ["search"]),
        (PriceSettings(input="0", output="1"), PriceSettings(input="1", output="1"), ["input", "cache_read"]),
        (
            PriceSettings(input="1", output="1"),
            PriceSettings(input="1", output="1", when=[{"up_to": 100, "input": "0.01"}]),
            ["input", "cache_read"],
        ),
        (
            PriceSettings(input="1", output="1"),
            PriceSettings(input="1", output="1", when=[{"up_to": 100, "input": "0.2"}]),
            [],
        ),
        (
            PriceSettings(input="1", output="1", when=[{"up_to": 100, "output": "20"}]),
            PriceSettings(input="1", output="20", when=[{"up_to": 100, "output": "1"}]),
            ["output", "reasoning"],
        ),
    ],
)
def test_every_word_of_every_tier_is_guarded(old: PriceSettings, new: PriceSettings, moved: list[str]):
    prices = [read_written(written, "chat", CurrencySettings()).price for written in (old, new)]
    assert prices[0] and prices[1]

    words = {move.split(" ", 1)[0]: None for move in moves_of(prices[0], prices[1])}

    assert list(words)[: len(moved)] == moved
    assert bool(words) == bool(moved)
