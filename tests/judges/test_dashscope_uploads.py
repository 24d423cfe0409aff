"""DashScope's own SDK is given local files: it uploads them, and models see them. Straight at the simulated vendor, and
through the gateway, which hands them to every vendor.
"""

import base64
from collections.abc import Generator
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from dashscope.utils.oss_utils import OssUtils
from openai import OpenAI

from tests.judges.backends import BACKENDS, Through, through
from tests.judges.dashscope_place import PIXEL
from tests.simulators.dashscope_upstream import DashScope

sdk: Any = dashscope  # its own types are loose
uploader: Any = OssUtils


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("uploads")) as gateway:
        yield gateway


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a picture.png"
    path.write_bytes(PIXEL)
    return path


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    def point(url: str, key: str) -> None:
        monkeypatch.setattr(dashscope, "base_http_api_url", url)
        monkeypatch.setattr(dashscope, "api_key", key)

    yield point
    close_shared_sync_session()


def look(model: str, *content: dict[str, Any]) -> Any:
    return sdk.MultiModalConversation.call(model, messages=[{"role": "user", "content": list(content)}])


def test_the_vendor_sees_a_local_file(at: Any, picture: Path) -> None:
    with DashScope() as vendor:
        at(vendor.url, vendor.key)

        reply = look("qwen-vl-max", {"image": f"file://{picture}"}, {"text": "what is it?"})

        assert reply.output.choices[0].message.content == [{"text": "You said: what is it? (image)"}]
        assert list(vendor.uploads.values()) == [PIXEL]


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one.image_model], ids=lambda one: one.name)
def test_every_vendor_sees_a_local_file_through_the_gateway(
    gateway: Through, at: Any, picture: Path, backend: Any
) -> None:
    at(f"{gateway.url}/api/v1", gateway.key)

    reply = look(backend.image_model, {"image": f"file://{picture}"}, {"text": "what is it?"})

    assert reply.status_code == 200, reply
    said = reply.output.choices[0].message.content[0]["text"]
    assert "what is it?" in said and ("image" in said or "picture" in said)


def test_one_policy_is_enough_for_several_files(gateway: Through, at: Any, tmp_path: Path) -> None:
    at(f"{gateway.url}/api/v1", gateway.key)
    frames = [tmp_path / f"{number}.png" for number in range(4)]
    for frame in frames:
        frame.write_bytes(PIXEL)

    reply = look("dashscope-image", {"video": [f"file://{frame}" for frame in frames]}, {"text": "what is it?"})

    assert reply.status_code == 200, reply
    assert "video of 4 frames" in reply.output.choices[0].message.content[0]["text"]


def test_other_formats_name_an_uploaded_file_too(gateway: Through, at: Any, picture: Path) -> None:
    at(f"{gateway.url}/api/v1", gateway.key)
    url, _ = uploader.upload("qwen-vl-max", str(picture), gateway.key)
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        reply = client.chat.completions.create(
            model="openai-text",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": url}},
                        {"type": "text", "text": "what is it?"},
                    ],
                }
            ],
            extra_headers={"X-DashScope-OssResourceResolve": "enable"},
        )

    assert url.startswith("oss://uploads/upl_")
    assert "image" in (reply.choices[0].message.content or "")
    assert base64.b64encode(PIXEL).decode() not in (reply.choices[0].message.content or "")
