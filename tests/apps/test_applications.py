"""Applications published at run time, on both databases: their names, their prices, and the log."""

from collections.abc import Mapping

import pytest

from tests.accounts.people import NOW_MS, by
from tests.support import FakeClock
from tokengate.accounts.audit.store import list_entries
from tokengate.apps import store
from tokengate.catalog.load import Catalog, load_models
from tokengate.catalog.versions import price_history
from tokengate.core.errors import Conflict, GatewayError, NotFound
from tokengate.core.settings import AppSettings, ModelSettings, PriceSettings, Settings
from tokengate.gateway.applications import Applications, change_app, create_app, delete_app, enable_app
from tokengate.storage.engine import Database

PRICED = PriceSettings(input="1", output="2")
GUIDE = AppSettings("guide", "ours", {"zh": "向导", "en": "Guide"}, system="Be brief.", parameters={"temperature": 0.1})


def catalog(*apps: AppSettings, models: Mapping[str, PriceSettings] | None = None) -> Catalog:
    own = {"ours": PRICED} if models is None else models
    return load_models(Settings(model=[ModelSettings(id=id, price=price) for id, price in own.items()], app=[*apps]))


async def published(database: Database, *definitions: AppSettings) -> None:
    for one in definitions:
        async with database.tx() as tx:
            await create_app(tx, by(), catalog(), one)


async def running(database: Database, catalog: Catalog) -> Applications:
    found = Applications(database, catalog, FakeClock(), lambda model_id: model_id == "ours")
    await found.refresh()
    return found


async def test_what_was_published_is_read_back_and_logged(database: Database):
    await published(database, GUIDE)

    async with database.read() as read:
        (found,) = await store.list_apps(read)
        (entry,) = await list_entries(read, None)

    assert (found.definition, found.created_ms, found.disabled_ms) == (GUIDE, NOW_MS, None)
    assert (entry.action, entry.target, entry.after["title"]) == ("app.create", "guide", "向导 / Guide")
    assert entry.after["parameters"] == '{"temperature":0.1}'


async def test_a_name_is_given_once(database: Database):
    await published(database, GUIDE, AppSettings("gui_de", "ours"))

    for other in (GUIDE, AppSettings("gui-de", "ours")):  # dashes are compared like underscores
        with pytest.raises(Conflict, match=f"The name '{other.name}' is taken"):
            await published(database, other)


async def test_nothing_of_what_is_refused_stays(database: Database):
    with pytest.raises(GatewayError):
        await published(database, AppSettings("guide", "ours", price=PriceSettings(input="1")))

    async with database.read() as read:
        assert await store.list_apps(read) == []
    assert await price_history(database, "app/guide") == []


async def test_the_catalogue_takes_over_what_is_published_and_gives_it_back(database: Database):
    ours = catalog()
    here = await running(database, ours)
    await published(database, GUIDE)
    assert ours.resolve("app/guide") is None

    await here.refresh()
    found, price = ours.resolve("APP/Guide"), ours.price_of("app/guide")
    async with database.tx() as tx:
        await delete_app(tx, by(), "guide")
    await here.refresh()

    assert found is not None and found.preset is not None
    assert (found.name_in("zh"), found.name_in("en"), found.answered_by) == ("向导", "Guide", "ours")
    (version,) = await price_history(database, "app/guide")
    assert price is not None and price.version == version.price.version > 0
    assert ours.resolve("app/guide") is None and ours.obstacle_of("app/guide") is None
    assert all(one.version for one in ours.prices().values())


async def test_a_model_that_is_gone_leaves_its_application_with_a_sentence(database: Database):
    await published(database, GUIDE)
    later = catalog(models={})

    here = await running(database, later)

    obstacle = later.obstacle_of("app/guide")
    assert obstacle is not None
    assert obstacle.sentence == "The application 'guide' is over the model 'ours', which is not here any more."
    assert here.state_of("guide", configured=False) == "model_gone"


async def test_the_configuration_s_name_wins(database: Database):
    await published(database, GUIDE)
    later = catalog(AppSettings("guide", "ours", "From the file"))

    here = await running(database, later)

    found = later.resolve("app/guide")
    assert found is not None and found.name == "From the file"
    assert here.state_of("guide", configured=False) == "name_taken"
    assert here.state_of("guide", configured=True) == "available"


async def test_the_base_s_new_price_is_the_application_s(database: Database):
    await published(database, GUIDE)
    later = catalog(models={"ours": PriceSettings(input="2", output="4")})

    await running(database, later)

    assert [one.price.tiers[0].rates.input for one in await price_history(database, "app/guide")] == [
        2_000_000_000_000,
        1_000_000_000_000,
    ]


async def test_a_change_keeps_the_day_of_its_making_and_off_stays_off(database: Database):
    await published(database, GUIDE)
    async with database.tx() as tx:
        await enable_app(tx, by(NOW_MS + 1), "guide", enabled=False)

    async with database.tx() as tx:
        changed = await change_app(tx, by(NOW_MS + 2), catalog(), AppSettings("guide", "ours", "Other"))

    assert (changed.created_ms, changed.changed_ms, changed.disabled_ms) == (NOW_MS, NOW_MS + 2, NOW_MS + 1)


async def test_what_is_not_there_cannot_be_changed(database: Database):
    with pytest.raises(NotFound):
        async with database.tx() as tx:
            await change_app(tx, by(), catalog(), GUIDE)
    with pytest.raises(NotFound):
        async with database.tx() as tx:
            await delete_app(tx, by(), "guide")
