"""OpenAI's and DashScope's SDKs ask the gateway, and wait, for pictures that DashScope makes only as tasks."""

import base64
import urllib.request
from collections.abc import Generator
from typing import Any

import dashscope
import openai
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from msgspec import Struct
from openai import OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.image_upstream import png

T2I, I2I = "wan2.5-t2i-preview", "wan2.5-i2i-preview"

sdk: Any = dashscope  # its own types are loose


class Place(Struct, frozen=True):
    """A gateway before the simulated vendor."""

    gateway: GatewayProcess
    url: str
    key: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with DashScope() as vendor:
        url = vendor.url.replace("/api/v1", "/compatible-mode/v1")
        config = (
            '[outbound]\nprivate_hosts = ["127.0.0.1"]\n[[upstream]]\nname = "dashscope"\nprovider = "dashscope"\n'
            f'base_url = "{url}"\napi_key = "{vendor.key}"\nmodels = ["{T2I}", "{I2I}"]\n'
        )
        with GatewayProcess(tmp_path_factory.mktemp("slow"), config) as gateway:
            yield Place(gateway, f"{gateway.url}/v1", gateway.create_key("10"))


def test_a_picture_is_made_at_an_address(place: Place, client: OpenAI) -> None:
    reply = client.images.generate(model=T2I, prompt="a cat", size="1024x1024")

    (one,) = reply.data or []
    assert one.url is not None and one.url.startswith(place.gateway.url)
    with urllib.request.urlopen(one.url, timeout=10) as answer:
        assert answer.read() == png(1024, 1024, "a cat0")
    assert one.revised_prompt == "a cat, in oil"


def test_a_picture_is_changed_and_comes_inside(client: OpenAI) -> None:
    given = ("a.png", png(400, 400), "image/png")
    reply = client.images.edit(model=I2I, prompt="a hat", image=given, size="1024x1024", response_format="b64_json")

    assert [base64.b64decode(one.b64_json or "") for one in reply.data or []] == [png(1024, 1024, "a hat0")]


def test_a_stream_ends_with_the_picture(client: OpenAI) -> None:
    events = list(client.images.generate(model=T2I, prompt="a cat", size="1024x1024", stream=True))

    assert [event.type for event in events] == ["image_generation.completed"]
    assert base64.b64decode(events[0].b64_json) == png(1024, 1024, "a cat0")


def test_the_vendors_refusal_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="inappropriate") as refused:
        client.images.generate(model=T2I, prompt="fail DataInspectionFailed")

    assert refused.value.code == "DataInspectionFailed"


def test_dashscopes_sdk_waits_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{place.gateway.url}/api/v1")
    monkeypatch.setattr(dashscope, "api_key", place.key)
    try:
        messages = [{"role": "user", "content": [{"text": "a cat"}]}]
        reply = sdk.MultiModalConversation.call(T2I, messages=messages, n=1, size="1024*1024")
    finally:
        close_shared_sync_session()

    assert reply.status_code == 200, reply
    (part,) = reply.output.choices[0].message.content
    assert part["image"].startswith(place.gateway.url)
    assert reply.usage["image_count"] == 1
