"""Prices as pages show them: what is written always, what falls back only where the model can use it."""

from typing import Any

import pytest

from tests.reference.shelf import CATALOG
from tokengate.catalog.load import load_models
from tokengate.catalog.rates import PARENTS
from tokengate.core.settings import CurrencySettings, ModelSettings, PriceSettings, Settings
from tokengate.reference.prices import ModelPrice, Rate, model_price
from tokengate.reference.words import Lang

TEXT = {"input": "0.001", "output": "0.004"}


def shown(price: dict[str, Any], lang: Lang = "en", **about: Any) -> ModelPrice:
    own = ModelSettings(id="mine", price=PriceSettings(**price), **about)
    catalog = load_models(Settings(model=[own], currency=CurrencySettings(usd="7.1")))
    model = catalog.resolve("mine")
    assert model is not None
    found = model_price(catalog, model, lang)
    assert found is not None
    return found


def rates(price: ModelPrice) -> dict[str, Rate]:
    return {rate.word: rate for rate in price.tiers[-1].rates}


def test_a_model_that_knows_text_only_has_no_price_of_pictures_sound_or_film():
    assert list(rates(shown(TEXT))) == ["input", "cache_read", "output"]


@pytest.mark.parametrize(
    ("about", "word"),
    [
        ({"capabilities": ["图片识别"]}, "image_in"),
        ({"capabilities": ["深度思考"]}, "reasoning"),
        ({"capabilities": ["文生图"]}, "image_out"),
        ({"kind": "transcription"}, "audio_in"),
        ({"kind": "speech"}, "audio_out"),
        ({"vendor": "anthropic"}, "cache_write_1h"),
    ],
)
def test_what_a_model_can_do_has_a_price_that_says_where_it_comes_from(about: dict[str, Any], word: str):
    rate = rates(shown(TEXT, **about))[word]

    parent, times = PARENTS[word]
    assert rate.fallback == (f"same as {parent}" if times == 1 else f"{times} × {parent}")


def test_a_word_that_is_written_is_shown_as_a_price_of_its_own():
    found = rates(shown(TEXT | {"video_in": "0.009", "cache_write_5m": "0.00125"}))

    assert found["video_in"].per_ktok_yuan == "0.009" and found["video_in"].fallback is None
    assert found["cache_write_5m"].fallback is None  # what its parent would give, but somebody wrote it
    assert found["cache_read"].fallback == "same as input"


def test_a_fallback_is_worded_in_both_languages():
    about = {"vendor": "anthropic", "capabilities": ["深度思考"]}

    zh, en = rates(shown(TEXT, "zh", **about)), rates(shown(TEXT, "en", **about))

    assert (zh["cache_write_5m"].fallback, en["cache_write_5m"].fallback) == ("输入价的 1.25 倍", "1.25 × input")
    assert (zh["reasoning"].fallback, en["reasoning"].fallback) == ("与输出同价", "same as output")


def test_a_tier_that_writes_a_word_has_a_price_of_its_own_there():
    price = shown(TEXT | {"when": [{"up_to": 100, "cache_read": "0.0001"}]})

    first, last = ({rate.word: rate.fallback for rate in tier.rates} for tier in price.tiers)
    assert (first["cache_read"], last["cache_read"]) == (None, "same as input")


def test_amounts_that_were_rounded_up_still_fall_back():
    assert rates(shown({"input": "0.0000000000333", "output": "1", "currency": "usd"}))["cache_read"].fallback


def test_no_model_of_the_catalogue_shows_a_fallback_that_it_cannot_use():
    for model in CATALOG.models():
        price = model_price(CATALOG, model, "en")
        tiers = price.tiers if price else ()
        assumed = {rate.word for tier in tiers for rate in tier.rates if rate.fallback}
        assert "video_in" not in assumed, model.id
        if model.capabilities == ("文本生成",):
            assert assumed <= {"cache_read"} | ({"cache_write_5m", "cache_write_1h"} & assumed), model.id
