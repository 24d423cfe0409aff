import re

from tests.reference.shelf import CATALOG, SERVER, library, running
from tokengate.catalog.model import Model
from tokengate.reference.models import Models, description
from tokengate.reference.table import CHAT_COMPLETIONS


def test_a_card_is_that_of_the_product_page():
    model = CATALOG.resolve("qwen/qwen3-vl-8b-instruct")
    assert model is not None
    card = library("Qwen3-VL-8B-Instruct").card(model, "zh", SERVER)

    price = card.summary.price
    assert price is not None
    assert (price.input_per_ktok_yuan, price.output_per_ktok_yuan) == ("0.0025", "0.00875")
    assert (price.input_per_mtok_yuan, price.output_per_mtok_yuan) == ("2.5", "8.75")
    assert card.summary.series == "Qwen" and card.summary.context == 262_144
    assert card.summary.capability_titles == ("图片识别",)
    assert card.description.startswith("Qwen3-VL-8B-Instruct 是来自 Qwen3-VL 系列的多模态视觉-语言模型")
    assert "## 主要特性" in card.introduction and "## 模型架构更新" in card.introduction
    assert card.summary.status == "released" and card.base_url == f"{SERVER}/v1"


def test_every_model_is_described_in_both_languages():
    for model in CATALOG.models():
        zh, en = description(model, "zh"), description(model, "en")
        assert re.search("[一-鿿]", zh), f"{model.id}: {zh}"
        assert en


def test_a_made_description_keeps_chinese_and_latin_words_apart():
    opus = description(_model("claude-opus-4.7"), "zh")

    assert opus.startswith("Claude Opus 4.7 是 Anthropic ")
    for model in CATALOG.models():
        said = description(model, "zh").removeprefix(model.name)
        assert not re.search("是[A-Za-z0-9]|[A-Za-z0-9][的系]", said), f"{model.id}: {said}"


def test_models_that_can_be_called_come_first_unless_another_order_is_asked_for():
    models = Models(running("glm-4.6", "qwen-plus"))
    all_ids = [model.id for model in CATALOG.models()]

    listed = [model.id for model in models.page({}, "en", limit=200).data]

    assert set(listed[:2]) == {"glm-4.6", "qwen-plus"}
    assert listed[2:] == [id for id in all_ids if id not in listed[:2]][:198]
    by_name = [model.name for model in models.page({}, "en", sort="name", limit=200).data]
    assert by_name == sorted(by_name, key=str.casefold)


def test_how_a_model_is_doing_comes_from_its_breakers():
    model = CATALOG.resolve("gpt-5")
    assert model is not None
    for states, live in (
        ((), "available"),
        (("closed", "closed"), "available"),
        (("closed", "open"), "degraded"),
        (("open",), "down"),
    ):
        breakers = [("up", "gpt-5", state) for state in states] + [("up", "other", "open")]
        assert running("gpt-5", breakers=breakers).live(model, [CHAT_COMPLETIONS]) == live
    assert running(breakers=[("up", "gpt-5", "closed")]).live(model, [CHAT_COMPLETIONS]) == "developing"


def test_a_model_whose_engine_has_no_weights_is_not_released():
    models = Models(running("smollm2", "smollm2-135m-instruct", absent=["smollm2-135m-instruct"]))

    assert models.summary(_model("smollm2"), "en").status == "developing"
    assert models.page({"status": ["released"]}, "en").total == 0


def test_prices_by_tier_and_by_piece_are_shown():
    models = Models(running())
    tiered = models.summary(_model("gpt-5.4"), "en", whole_price=True).price
    speech = models.summary(_model("tts-1-hd"), "en").price

    assert tiered is not None and tiered.tiered and len(tiered.tiers) == 2
    assert tiered.input_per_mtok_yuan == "17.75"  # 2.5 dollars, for a short call
    assert tiered.tiers[0].when == {"up_to": 272_000} and tiered.tiers[1].when == {}
    listed = models.summary(_model("gpt-5.4"), "en").price
    assert listed is not None and listed.input_per_mtok_yuan == tiered.input_per_mtok_yuan
    assert [rate.word for tier in listed.tiers for rate in tier.rates] == ["search"]
    assert speech is not None and speech.input_per_ktok_yuan is None
    assert [(rate.word, rate.per_piece_yuan) for rate in speech.tiers[0].rates] == [("character", "0.000213")]


def test_the_home_page_follows_the_traffic_once_there_is_some():
    models = Models(running())
    assert models.home("zh", 10).followed[0].id == "glm-4.6"

    models.count_calls({"gpt-5": 3, "qwen-plus": 7, "gone": 9})

    home = models.home("zh", 10)
    assert [model.id for model in home.followed][:3] == ["qwen-plus", "gpt-5", "glm-4.6"]
    assert len(home.followed) == len(home.newest) == 10
    assert len({model.id for model in home.followed}) == 10
    assert models.page({}, "zh", sort="calls", descending=True, limit=2).data[0].id == "qwen-plus"


def _model(id: str) -> Model:
    model = CATALOG.resolve(id)
    assert model is not None
    return model
