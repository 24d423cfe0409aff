"""OpenAI's SDKs ask for pictures: straight at the simulated vendors, and through the gateway; and the guide's sample
does what it says. Pillow opens what comes."""

import base64
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec import Struct
from openai import OpenAI
from PIL import Image

from tests.e2e.gateway import GatewayProcess
from tests.judges import scripts
from tests.simulators.image_upstream import KEY, TEXT_TOKENS, TOKENS_OUT, ImageSimulator, png
from tests.simulators.openai_upstream import ThreadedUpstream

MODEL = "gpt-image-2"
GUIDES = Path(__file__).parents[2] / "docs" / "guide"


class Place(Struct, frozen=True):
    """Where pictures are made, and where they are varied, too."""

    url: str
    varied_url: str
    key: str


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    other = ImageSimulator("addresses")
    with ThreadedUpstream(ImageSimulator()) as upstream, ThreadedUpstream(other) as varied:
        other.base_url = varied.url.removesuffix("/v1")
        if kind == "vendor":
            yield Place(upstream.url, varied.url, KEY)
            return
        config = (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{upstream.url}"\napi_key = "{KEY}"\n'
            f'models = ["{MODEL}"]\n[[upstream]]\nname = "other"\nbase_url = "{varied.url}"\napi_key = "{KEY}"\n'
            'models = ["varier"]\n[[model]]\nid = "varier"\nkind = "image"\nprice = { image = "0.1" }\n'
        )
        with GatewayProcess(folder, config) as gateway:
            yield Place(f"{gateway.url}/v1", f"{gateway.url}/v1", gateway.create_key("100"))


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("images")) as place:
        yield place


def size_of(text: str | None) -> tuple[str | None, tuple[int, int]]:
    assert text is not None
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture.format, picture.size


def named(name: str, text: str = "") -> tuple[str, bytes, str]:
    return name, png(16, 16, text), "image/png"


def test_pictures_are_made(client: OpenAI) -> None:
    reply = client.images.generate(model=MODEL, prompt="a cat", n=2, size="1536x1024", quality="low")

    assert [size_of(one.b64_json) for one in reply.data or []] == [("PNG", (1536, 1024))] * 2
    assert (reply.size, reply.quality, reply.output_format) == ("1536x1024", "low", "png")
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (TEXT_TOKENS, 2 * TOKENS_OUT)


def test_a_stream_has_partial_pictures_and_the_whole(client: OpenAI) -> None:
    events = list(client.images.generate(model=MODEL, prompt="a cat", size="1024x1024", stream=True, partial_images=2))

    assert [event.type for event in events] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert all(size_of(event.b64_json) == ("PNG", (1024, 1024)) for event in events)
    assert events[-1].type == "image_generation.completed" and events[-1].usage.output_tokens > TOKENS_OUT


def test_pictures_are_changed_under_a_mask(client: OpenAI) -> None:
    reply = client.images.edit(
        model=MODEL, prompt="a cat", image=[named("a.png"), named("b.png")], mask=named("m.png"), size="1024x1024"
    )

    assert [size_of(one.b64_json) for one in reply.data or []] == [("PNG", (1024, 1024))]
    assert reply.usage is not None and reply.usage.input_tokens_details.image_tokens > 0


def test_an_edit_streams(client: OpenAI) -> None:
    events = list(client.images.edit(model=MODEL, prompt="a cat", image=named("a.png"), stream=True, partial_images=1))

    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]


def test_a_picture_is_varied(place: Place) -> None:
    with OpenAI(base_url=place.varied_url, api_key=place.key, max_retries=0) as client:
        vary: Callable[..., Any] = client.images.create_variation  # pyright: ignore[reportDeprecated] it is served
        with pytest.warns(DeprecationWarning):
            reply: Any = vary(model="varier", image=named("a.png"), n=2, size="256x256", response_format="b64_json")

    assert [size_of(one.b64_json) for one in reply.data] == [("PNG", (256, 256))] * 2


def test_a_refusal_is_raised_in_the_vendors_words(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        client.images.generate(model=MODEL, prompt="fail 429")


def test_javascripts_sdk_gets_the_same(place: Place) -> None:
    def run(scenario: str) -> Any:
        return scripts.run("openai-images.mjs", scenario, url=place.url, key=place.key, model=MODEL)

    made, changed = run("generate"), run("edit")
    assert [size_of(one["b64_json"]) for one in made["data"]] == [("PNG", (64, 32))] * 2
    assert [size_of(one["b64_json"]) for one in changed["data"]] == [("PNG", (64, 32))]
    streamed, edited = run("stream"), run("stream-edit")
    assert [one["type"] for one in streamed] == ["image_generation.partial_image", "image_generation.completed"]
    assert [one["type"] for one in edited] == ["image_edit.completed"]
    assert size_of(streamed[-1]["b64_json"]) == size_of(edited[-1]["b64_json"]) == ("PNG", (64, 32))
    assert run("refused")["status"] == 429


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_guides_sample_makes_two_pictures(lang: str, tmp_path: Path) -> None:
    text = (GUIDES / f"images.{lang}.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with place_of("gateway", tmp_path) as place:
        environ = {**os.environ, "TOKENGATE_API_KEY": place.key}
        code = sample.replace("http://127.0.0.1:8700/v1", place.url)
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, check=True, timeout=60)

    for name in ("shiba.png", "beach.png"):
        with Image.open(tmp_path / name) as picture:
            assert (picture.format, picture.size) == ("PNG", (1024, 1024))
