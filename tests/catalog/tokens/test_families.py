"""Which tokenizer and which picture rule a model has, by its name."""

import pytest

from tokengate.catalog.model import Model
from tokengate.catalog.tokens.families import family_of
from tokengate.catalog.tokens.images import Area, Crops, Grid, Levels, Patches, Tiles
from tokengate.catalog.tokens.vision import rule_of


def model(name: str, vendor: str = "") -> Model:
    return Model(id=name, kind="chat", vendor=vendor, name=name)


@pytest.mark.parametrize(
    ("name", "encoding", "exact"),
    [
        ("gpt-5.4", "o200k", True),
        ("gpt-4o-mini", "o200k", True),
        ("gpt-4.1-nano", "o200k", True),
        ("o4-mini", "o200k", True),
        ("o1", "o200k", True),
        ("gpt-4-turbo", "cl100k", True),
        ("gpt-3.5-turbo", "cl100k", True),
        ("text-embedding-3-large", "cl100k", True),
        ("gpt-oss-20b", "o200k", False),
        ("Qwen/Qwen2.5-72B-Instruct", "qwen", True),
        ("qwen-max", "qwen", True),
        ("Qwen3-VL-8B-Instruct", "qwen", True),
        ("qwq-32b-preview", "qwen", True),
        ("qwen3.5-plus", "qwen", False),
        ("qwen3.6-max-preview", "qwen", False),
        ("deepseek3.2", "deepseek", True),
        ("deepseek-v4-pro", "deepseek", True),
        ("deepseek-chat", "deepseek", True),
        ("mistral-nemo", "tekken", True),
        ("pixtral-12b", "tekken", True),
        ("meta-llama/Llama-3-70B-Instruct", "llama3", True),
        ("llama-3.3-70b-instruct", "llama3", False),
    ],
)
def test_a_model_has_the_tokenizer_of_its_family(name: str, encoding: str, exact: bool) -> None:
    family = family_of(model(name))

    assert family is not None
    assert (family.encoding, family.exact) == (encoding, exact)


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-4-7",
        "gemini-3-flash-preview",
        "glm-4.7",
        "minimax2.7",
        "grok-code-fast-1",
        "smollm2-135m-instruct",
        "ernie-4.5-21b-a3b-thinking",
        "mistral-7b-instruct",
        "mixtral-8x7b",
        "deepseek-r1-distill-qwen-7b",
        "openchat",
    ],
)
def test_a_model_without_a_public_tokenizer_has_no_family(name: str) -> None:
    assert family_of(model(name)) is None


def test_the_vendors_own_name_tells_the_family() -> None:
    renamed = Model(id="house-model", kind="chat", vendor="x", name="x", upstream_id="Qwen/Qwen3-32B")

    family = family_of(renamed)

    assert family is not None and family.encoding == "qwen"


@pytest.mark.parametrize(
    ("name", "vendor", "found"),
    [
        ("qwen2.5-vl-72b-instruct", "qwen", (Grid(28, 4, 1280), True)),
        ("qwen2.5-vl-72b-instruct", "internal", (Grid(28, 4, 16_384), True)),
        ("qwen3-vl-30b-a3b-instruct", "qwen", (Grid(32, 4, 2560), True)),
        ("Qwen3-VL-8B-Instruct", "internal", (Grid(32, 64, 16_384), True)),
        ("qwen-vl-max-2025-08-13", "qwen", (Grid(32, 4, 2560), True)),
        ("qwen-vl-max-2025-04-08", "qwen", (Grid(28, 4, 1280), True)),
        ("qwen-vl-plus-2023-12-01", "qwen", (Grid(28, 4, 1280), False)),
        ("gpt-4o", "openai", (Tiles(85, 170), True)),
        ("gpt-4o-mini", "openai", (Tiles(2833, 5667), True)),
        ("gpt-4.1-mini", "openai", (Patches(162), True)),
        ("o3", "openai", (Tiles(75, 150), True)),
        ("o4-mini", "openai", (Patches(172), True)),
        ("gpt-5", "openai", (Tiles(70, 140), True)),
        ("gpt-5-nano", "openai", (Patches(246), True)),
        ("gpt-5.4", "openai", (Patches(120, 2500), False)),
        ("claude-opus-4-7", "anthropic", (Area(), True)),
        ("gemini-2.5-flash-image", "google", (Crops(), True)),
        ("gemini-3.1-pro-preview", "google", (Levels(), True)),
        ("deepseek-v4-pro", "deepseek", None),
    ],
)
def test_a_model_has_the_picture_rule_of_its_family(name: str, vendor: str, found: object) -> None:
    assert rule_of(model(name, vendor)) == found
