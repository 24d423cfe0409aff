"""Google's and DashScope's own SDKs ask for pictures: straight at the simulated vendors, and through the gateway."""

import base64
import io
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from google import genai
from google.genai import types
from msgspec import Struct
from PIL import Image

from tests.e2e.gateway import GatewayProcess
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.gemini_upstream import KEY, GeminiUpstream
from tests.simulators.image_upstream import png

MODEL = "gemini-3-pro-image-preview"

sdk: Any = dashscope  # its own types are loose


class Place(Struct, frozen=True):
    """Where Google and DashScope are, and the keys."""

    google: str
    dashscope: str
    google_key: str
    dashscope_key: str


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    with GeminiUpstream() as google, DashScope() as vendor:
        if kind == "vendor":
            yield Place(google.base_url, vendor.url, KEY, vendor.key)
            return
        config = (
            f'[[upstream]]\nname = "google"\nprovider = "google"\nbase_url = "{google.base_url}"\napi_key = "{KEY}"\n'
            f'models = ["{MODEL}"]\n'
            f'[[upstream]]\nname = "dashscope"\nprovider = "dashscope_native"\nbase_url = "{vendor.url}"\n'
            f'api_key = "{vendor.key}"\nmodels = ["qwen-image", "qwen-image-edit"]\n'
        )
        with GatewayProcess(folder, config) as gateway:
            key = gateway.create_key("1000")
            yield Place(gateway.url, f"{gateway.url}/api/v1", key, key)


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("pictures")) as place:
        yield place


def size_of(data: bytes) -> tuple[str | None, tuple[int, int]]:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture.format, picture.size


@pytest.mark.parametrize(("ratio", "size"), [("3:2", (1248, 832)), ("1:1", (1024, 1024))])
def test_google_draws_in_the_ratio_that_was_asked_for(place: Place, ratio: str, size: tuple[int, int]) -> None:
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio=ratio)
    )
    with genai.Client(api_key=place.google_key, http_options=types.HttpOptions(base_url=place.google)) as client:
        models: Any = client.models  # whose types name PIL's
        reply = models.generate_content(model=MODEL, contents="a cat", config=config)
        streamed = [
            part.inline_data.data
            for chunk in models.generate_content_stream(model=MODEL, contents="a cat", config=config)
            for part in chunk.parts or ()
            if part.inline_data
        ]

    whole = [part.inline_data.data for part in reply.parts if part.inline_data]
    assert [size_of(data) for data in (*whole, *streamed)] == [("PNG", size)] * 2


def ask(place: Place, monkeypatch: pytest.MonkeyPatch, model: str, *content: dict[str, str], **more: Any) -> Any:
    monkeypatch.setattr(dashscope, "base_http_api_url", place.dashscope)
    monkeypatch.setattr(dashscope, "api_key", place.dashscope_key)
    try:
        messages = [{"role": "user", "content": list(content)}]
        return sdk.MultiModalConversation.call(model, messages=messages, **more)
    finally:
        close_shared_sync_session()


def fetched(reply: Any) -> bytes:
    (part,) = reply.output.choices[0].message.content
    with urllib.request.urlopen(part["image"], timeout=10) as answer:
        return answer.read()


def test_dashscope_makes_a_picture(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = ask(place, monkeypatch, "qwen-image", {"text": "a cat"}, size="1328*1328", watermark=False, seed=7)

    assert reply.status_code == 200, reply
    assert size_of(fetched(reply)) == ("PNG", (1328, 1328))
    assert (reply.usage["image_count"], reply.usage["width"]) == (1, 1328)


def test_dashscope_changes_a_picture(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = f"data:image/png;base64,{base64.b64encode(png(400, 400)).decode()}"
    reply = ask(place, monkeypatch, "qwen-image-edit", {"image": address}, {"text": "a hat"}, negative_prompt="dogs")

    assert reply.status_code == 200, reply
    assert size_of(fetched(reply)) == ("PNG", (1664, 928))


def test_dashscopes_refusal_is_in_its_own_words(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = ask(place, monkeypatch, "qwen-image", {"text": "fail DataInspectionFailed"})

    assert (reply.status_code, reply.code) == (400, "DataInspectionFailed")
