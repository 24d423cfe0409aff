"""OpenAI's own SDK asks for moderation: straight at the simulated vendor, and through the gateway."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
from msgspec import Struct
from openai import AsyncOpenAI, OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.openai_moderation import MODEL
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator

PICTURE = "https://pictures.example/1.png"
GUIDES = Path(__file__).parents[2] / "docs" / "guide"


class Place(Struct, frozen=True):
    url: str
    key: str
    vendor: OpenAISimulator


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    vendor = OpenAISimulator()
    with ThreadedUpstream(vendor) as upstream, ThreadedUpstream(DeepSeekSimulator()) as other:
        if kind == "vendor":
            yield Place(upstream.url, KEY, vendor)
            return
        config = (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{upstream.url}"\napi_key = "{KEY}"\n'
            f'models = ["{MODEL}"]\n'
            f'[[upstream]]\nname = "deepseek"\nprovider = "deepseek"\nbase_url = "{other.url}"\napi_key = "{KEY}"\n'
            'models = ["watcher"]\n[[model]]\nid = "watcher"\nkind = "moderation"\nprice = { input = "0" }\n'
        )
        with GatewayProcess(folder, config) as gateway:
            yield Place(f"{gateway.url}/v1", gateway.create_key("1"), vendor)


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("moderations")) as place:
        yield place


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of("gateway", tmp_path_factory.mktemp("through")) as place:
        yield place


@pytest.fixture
def client_through(through: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=through.url, api_key=through.key, max_retries=0) as client:
        yield client


def test_a_text_is_judged(client: OpenAI) -> None:
    reply = client.moderations.create(model=MODEL, input="I will kill him")

    (result,) = reply.results
    assert result.flagged and result.categories.violence and not result.categories.self_harm_intent
    assert result.category_scores.violence == 0.9
    assert result.category_applied_input_types.violence == ["text"]
    assert reply.id


def test_each_text_of_a_list_is_judged(client: OpenAI) -> None:
    reply = client.moderations.create(model=MODEL, input=["Good morning", "I will kill him"])

    assert [result.flagged for result in reply.results] == [False, True]


def test_text_and_picture_are_judged_together(client: OpenAI, place: Place) -> None:
    reply = client.moderations.create(
        model=MODEL,
        input=[{"type": "text", "text": "Nice?"}, {"type": "image_url", "image_url": {"url": PICTURE}}],
    )

    (result,) = reply.results
    assert not result.flagged and result.category_applied_input_types.sexual == ["text", "image"]
    assert place.vendor.asked[-1]["input"][1] == {"type": "image_url", "image_url": {"url": PICTURE}}


def test_the_vendors_own_model_is_asked_when_none_is_named(client: OpenAI) -> None:
    assert not client.moderations.create(input="Good morning").results[0].flagged


async def test_the_asynchronous_client_does_the_same(place: Place) -> None:
    async with AsyncOpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client:
        reply = await client.moderations.create(model=MODEL, input="I will kill him")

    assert reply.results[0].flagged


def test_no_input_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.moderations.create(model=MODEL, input=[])

    assert caught.value.param == "input"


def test_the_reply_has_the_callers_name_of_the_model_and_costs_nothing(client_through: OpenAI) -> None:
    raw = client_through.moderations.with_raw_response.create(model=MODEL, input="I will kill him")

    assert raw.parse().model == MODEL
    assert raw.headers["x-request-cost"] == "0"
    assert raw.headers["x-account-balance"] == "1.0000"


def test_a_vendor_without_moderation_is_refused_by_name(client_through: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client_through.moderations.create(model="watcher", input="Good morning")

    assert (caught.value.code, caught.value.param) == ("operation_not_offered", "model")
    assert "No upstream of 'watcher' offers /moderations." in caught.value.message


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_guides_sample_prints_what_was_found(through: Place, lang: str) -> None:
    text = (GUIDES / f"embeddings-rerank-moderation.{lang}.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-c", code.replace("http://127.0.0.1:8700/v1", through.url)],
        capture_output=True,
        text=True,
        env={**os.environ, "TOKENGATE_API_KEY": through.key},
        timeout=60,
    )

    assert done.stdout.strip() == "[False, True]", done.stderr
