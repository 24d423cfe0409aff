"""DashScope's own SDK has other vendors' models make pictures and films as tasks, and sees what each cost."""

import base64
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dashscope
import pytest

from tests.e2e.gateway import GatewayProcess
from tests.judges.dashscope_task_place import Place, fetched, place_of, pointed_at
from tests.simulators.image_upstream import png

sdk: Any = dashscope  # its own types are loose

PIXEL = f"data:image/png;base64,{base64.b64encode(png(64, 64)).decode()}"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of("gateway", tmp_path_factory.mktemp("tasks")) as place:
        yield place


@pytest.fixture
def place(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    with pointed_at(opened, monkeypatch):
        yield opened


@pytest.fixture
def gateway(place: Place) -> GatewayProcess:
    assert place.gateway is not None
    return place.gateway


def balance(place: Place, gateway: GatewayProcess) -> Decimal:
    return Decimal(gateway.get("/v1/balance", place.key)["available"])


def test_another_vendors_films_are_followed_alike(place: Place, gateway: GatewayProcess) -> None:
    reply = sdk.VideoSynthesis.call("sora-2", prompt="a cat", size="1280*720", duration=4)

    assert reply.output.task_status == "SUCCEEDED", reply
    assert fetched(place, reply.output.video_url)[4:8] == b"ftyp"
    assert (reply.usage["duration"], reply.usage["SR"], reply.usage["size"]) == (4, 720, "1280*720")


def test_pictures_of_a_vendor_that_draws_at_once_are_tasks_too(place: Place, gateway: GatewayProcess) -> None:
    drawn = sdk.ImageSynthesis.call("gpt-image-2", "a cat", n=2, size="1024*1024")
    changed = sdk.ImageSynthesis.call("gpt-image-2", "a hat", images=[PIXEL], task="image2image", n=1)

    assert drawn.output.task_status == changed.output.task_status == "SUCCEEDED", (drawn, changed)
    assert [fetched(place, one.url) for one in drawn.output.results] == [png(1024, 1024, f"a cat{at}") for at in (0, 1)]
    assert changed.usage.image_count == 1


def test_a_local_picture_is_put_into_the_task(place: Place, gateway: GatewayProcess, tmp_path: Path) -> None:
    picture = tmp_path / "first.png"
    picture.write_bytes(png(640, 480))

    reply = sdk.VideoSynthesis.call("wan2.2-i2v-flash", prompt="run", img_url=f"file://{picture}", resolution="480P")

    assert reply.output.task_status == "SUCCEEDED", reply
    assert place.vendor.last["input"]["img_url"] == f"data:image/png;base64,{base64.b64encode(png(640, 480)).decode()}"


def test_what_was_delivered_is_paid_for(place: Place, gateway: GatewayProcess) -> None:
    before = balance(place, gateway)

    sdk.ImageSynthesis.call("wan2.2-t2i-flash", "some fail", n=3)
    pictures = balance(place, gateway)
    sdk.VideoSynthesis.call("wan2.6-t2v", prompt="a cat", size="1280*720", duration=2)
    film = balance(place, gateway)
    sdk.VideoSynthesis.call("wan2.6-t2v", prompt="fail InternalError")
    nothing = balance(place, gateway)

    assert before - pictures == Decimal("0.14")
    assert pictures - film == Decimal("1.2")
    assert film == nothing


def test_the_wrong_kind_of_model_is_refused(place: Place, gateway: GatewayProcess) -> None:
    reply = sdk.VideoSynthesis.async_call("wan2.2-t2i-flash", prompt="a cat")

    assert (reply.status_code, reply.code) == (400, "InvalidParameter")
    assert "kind 'image'" in reply.message
