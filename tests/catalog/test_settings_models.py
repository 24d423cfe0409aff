import pytest

from tokengate.catalog.load import load_models
from tokengate.catalog.model import CatalogError
from tokengate.core.settings import CurrencySettings, ModelSettings, PriceSettings, Settings


def test_a_configured_model_is_added():
    own = ModelSettings(id="house-model", context=4096, price=PriceSettings(input="0.001", output="0.002"))

    catalog = load_models(Settings(model=[own]))

    model, price = catalog.resolve("House-Model"), catalog.price_of("house-model")
    assert model and price
    assert (model.kind, model.vendor, model.region, model.price_source) == ("chat", "internal", "内部", "configuration")
    assert price.rates(1).output == 2_000_000_000


def test_a_configured_price_replaces_the_published_one_and_keeps_the_rest():
    own = ModelSettings(id="GPT-5", price=PriceSettings(input="0.01", output="0.02"))

    catalog = load_models(Settings(model=[own]))

    model, price = catalog.resolve("gpt-5"), catalog.price_of("gpt-5")
    assert model and price
    assert (model.id, model.region, model.max_output) == ("gpt-5", "国外", 128_000)
    assert (model.price_source, model.price_checked, price.currency_rate) == ("configuration", "", "")
    assert price.rates(1).input == 10_000_000_000


def test_what_is_configured_without_a_price_keeps_the_published_price():
    own = ModelSettings(id="text-embedding-3-small", vendor="azure", aliases=["small"])

    catalog = load_models(Settings(model=[own]))

    model = catalog.resolve("small")
    assert model
    assert (model.id, model.kind, model.vendor) == ("text-embedding-3-small", "embedding", "azure")
    assert catalog.price_of(model.id)


def test_an_unpriced_model_gets_a_price_from_the_configuration():
    own = ModelSettings(id="wan-t2v", price=PriceSettings(second="0.5"))

    catalog = load_models(Settings(model=[own]))

    assert catalog.price_of("wan-t2v")


@pytest.mark.parametrize("price", [PriceSettings(input="1"), PriceSettings(output="1"), PriceSettings(image="1")])
def test_a_chat_model_without_input_or_output_price_is_unpriced(price: PriceSettings):
    catalog = load_models(Settings(model=[ModelSettings(id="half", price=price)]))

    assert catalog.price_of("half") is None
    reading = catalog.reading_of("half")
    assert reading
    assert reading.missing


def test_a_zero_price_is_free_on_purpose():
    own = ModelSettings(id="gift", price=PriceSettings(input="0", output="0"))

    price = load_models(Settings(model=[own])).price_of("gift")

    assert price
    assert price.max_cost_nano(10_000, 10_000) == 0


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ({"up_to": 10, "inptu": "1"}, "'inptu' in a `when` row is neither"),
        ({"up_to": 10, "input": 1}, "must be a decimal in quotes"),
        ({"up_to": 10}, "needs a condition and a price word"),
        ({"input": "1"}, "needs a condition and a price word"),
        ({"up_to": -1, "input": "1"}, "`when` row is wrong"),
        ({"hours": "25:00-26:00", "input": "1"}, "`when` row is wrong"),
        ({"up_to": 10, "input": "one"}, "is not a price"),
        ({"up_to": 10, "input": "-1"}, "is not a price"),
        ({"up_to": 10, "input": "NaN"}, "is not a price"),
        ({"up_to": 10, "input": "1e999999999"}, "is not a price"),
    ],
)
def test_a_wrong_price_row_is_an_error_that_names_the_model(when: dict[str, str | int | bool], complaint: str):
    own = ModelSettings(id="broken", price=PriceSettings(input="1", output="1", when=[when]))

    with pytest.raises(CatalogError, match="the price of model 'broken' is wrong") as error:
        load_models(Settings(model=[own]))

    assert complaint in str(error.value)


def test_a_tier_that_can_never_apply_is_an_error():
    when: list[dict[str, str | int | bool]] = [{"up_to": 200, "input": "1"}, {"up_to": 100, "input": "2"}]
    own = ModelSettings(id="broken", price=PriceSettings(input="1", output="1", when=when))

    with pytest.raises(CatalogError, match="can never apply"):
        load_models(Settings(model=[own]))


def test_another_dollar_rate_reprices_what_is_published_in_dollars():
    catalog = load_models(Settings(currency=CurrencySettings(usd="7.00")))

    price = catalog.price_of("gpt-5")
    assert price
    assert price.rates(1).input == 1_250_000_000 * 7
