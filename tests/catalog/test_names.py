import pytest

from tokengate.catalog.entries import names_of, normalise
from tokengate.catalog.load import Catalog, load_models
from tokengate.catalog.model import CatalogError
from tokengate.core.settings import ModelSettings, Settings

CATALOG = load_models(Settings())


def test_no_name_belongs_to_two_models():
    owners: dict[str, str] = {}

    for model in CATALOG.models():
        for name in names_of(model):
            assert owners.setdefault(name, model.id) == model.id

    assert len(owners) > len(CATALOG.models())


def test_every_id_and_alias_resolves_to_its_model_in_any_case():
    for model in CATALOG.models():
        for name in (model.id, *model.aliases):
            assert CATALOG.resolve(name) is model
            assert CATALOG.resolve(name.upper()) is model
            for prefix in model.prefixes:
                assert CATALOG.resolve(f"{prefix}/{name}") is model


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("qwen/qwen3-vl-8b-instruct", "Qwen3-VL-8B-Instruct"),
        ("Qwen3-VL-8B-Instruct", "Qwen3-VL-8B-Instruct"),
        ("claude-opus-4-7", "claude-opus-4-7"),
        ("claude-opus-4.7", "claude-opus-4-7"),
        ("claude-opus-4.5", "claude-opus-4.5"),
        ("claude-opus-4-5", "claude-opus-4.5"),
        ("claude-opus-4-5-20251101", "claude-opus-4.5"),
        ("anthropic/claude-sonnet-4.6", "claude-sonnet-4-6"),
        ("openai/GPT-5.2", "gpt-5.2"),
        ("deepseek-ai/DeepSeek-V3.2", "deepseek3.2"),
        ("MiniMax-M2.7", "minimax2.7"),
        ("z-ai/glm-4.6", "glm-4.6"),
        ("小微同学", "xiaowei"),
        ("smollm2", "smollm2-135m-instruct"),
    ],
)
def test_the_spellings_in_use_lead_to_one_model(name: str, model_id: str):
    model = CATALOG.resolve(name)

    assert model is not None
    assert model.id == model_id


@pytest.mark.parametrize("name", ["", "gpt-6", "acme/gpt-5", "qwen/", "/gpt-5", "gpt-5" * 1000])
def test_an_unknown_name_resolves_to_nothing(name: str):
    assert CATALOG.resolve(name) is None


def test_a_snapshot_is_a_model_of_its_own_at_the_price_of_its_base():
    snapshot, base = CATALOG.resolve("qwen-vl-max-2024-08-09"), CATALOG.resolve("qwen-vl-max")

    assert snapshot and base
    assert snapshot.id == "qwen-vl-max-2024-08-09"
    assert snapshot.price_source == "priced as qwen-vl-max"
    price, base_price = CATALOG.price_of(snapshot.id), CATALOG.price_of(base.id)
    assert price and base_price
    assert price.tiers == base_price.tiers


def test_a_search_model_is_its_base_with_search_on():
    model = CATALOG.resolve("gpt-5.2-search")

    assert model
    assert (model.upstream_id, model.parameters) == ("gpt-5.2", {"web_search_options": {}})
    assert model.formats == ("responses",)  # whose tool every model has; the parameter is of a few models alone


def test_a_name_that_would_mean_two_models_is_refused():
    settings = Settings(model=[ModelSettings(id="mine", aliases=["GPT-5.2"])])

    with pytest.raises(CatalogError, match=r"'gpt-5-2' would mean both 'gpt-5\.2' and 'mine'"):
        load_models(settings)


def test_names_differ_in_more_than_case_and_separators():
    assert normalise(" Qwen2.5_7B Instruct ") == "qwen2-5-7b-instruct"
    assert Catalog(()).resolve("anything") is None
