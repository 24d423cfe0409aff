"""The models of OpenAI's API; its calls are tested end to end."""

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.hosted import Hosted, hosted, sells, upstream

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Hosted]:
    config = (
        upstream("http://127.0.0.1:1/v1", "ours", "qwen-plus", "vendor/with/slashes")
        + sells("ours", aliases=["our-alias"])
        + sells("vendor/with/slashes")
        + sells("nowhere")
    )
    async with hosted(_made(tmp_path_factory), config) as gateway:
        yield gateway


def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openai")


@pytest.mark.parametrize("base", ["/v1", "/api/gpt/v1", "/compatible-mode/v1"])
async def test_the_models_that_can_be_called_are_listed(gateway: Hosted, base: str) -> None:
    models = (await gateway.get(f"{base}/models")).json

    assert models["object"] == "list"
    assert {model["id"] for model in models["data"]} == {"ours", "qwen-plus", "vendor/with/slashes"}
    for model in models["data"]:
        assert set(model) == {"id", "created", "owned_by", "object"} and model["object"] == "model"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ours", "ours"),
        ("our-alias", "ours"),
        ("OURS", "ours"),
        ("qwen/qwen-plus", "qwen-plus"),
        ("Qwen-Plus", "qwen-plus"),
        ("vendor/with/slashes", "vendor/with/slashes"),
        (quote("vendor/with/slashes", safe=""), "vendor/with/slashes"),
    ],
)
async def test_a_model_is_shown_by_any_of_its_names(gateway: Hosted, name: str, found: str) -> None:
    answer = await gateway.get(f"/v1/models/{name}")

    assert (answer.status, answer.json["id"]) == (200, found)


@pytest.mark.parametrize("name", ["unknown", "ours/more", "%F0%9F", "x" * 5_000])
async def test_an_unknown_model_is_a_404(gateway: Hosted, name: str) -> None:
    answer = await gateway.get(f"/v1/models/{name}")

    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_found", "model")
