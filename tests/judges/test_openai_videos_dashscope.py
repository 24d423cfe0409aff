"""OpenAI's SDK has films made by DashScope's models, through the whole gateway: made, looked at, downloaded, listed,
deleted, and begun with a picture. DashScope's SDK has them made by a server of the operator's own.
"""

from collections.abc import Generator
from decimal import Decimal
from typing import Any

import dashscope
import openai
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from msgspec import Struct
from openai import OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.simulators.dashscope_tasks import FILM_BYTES
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.film_upstream import KEY, WAN, FilmSimulator
from tests.simulators.image_upstream import png
from tests.simulators.openai_upstream import ThreadedUpstream

# The SDK warns of each of its calls: OpenAI has announced the end of its own videos; others' go on.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")

T2V, I2V, OURS = "wan-t2v", "wan-i2v", "wan-own"

sdk: Any = dashscope  # its own types are loose


class Place(Struct, frozen=True):
    """A gateway before the simulated vendor."""

    gateway: GatewayProcess
    url: str
    key: str
    vendor: DashScope


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with DashScope() as vendor, ThreadedUpstream(FilmSimulator("vllm", looks=1)) as omni:
        url = vendor.url.replace("/api/v1", "/compatible-mode/v1")
        config = (
            '[outbound]\nprivate_hosts = ["127.0.0.1"]\n[[upstream]]\nname = "dashscope"\nprovider = "dashscope"\n'
            f'base_url = "{url}"\napi_key = "{vendor.key}"\n'
            f'models = {{ {T2V} = "wan2.5-t2v-preview", {I2V} = "wan2.5-i2v-preview" }}\n'
            f'[[upstream]]\nname = "omni"\nprovider = "vllm"\nbase_url = "{omni.url}"\napi_key = "{KEY}"\n'
            f'models = {{ {OURS} = "{WAN}" }}\n[[model]]\nid = "{OURS}"\nkind = "video"\nprice = {{ second = "1" }}\n'
        )
        with GatewayProcess(tmp_path_factory.mktemp("films"), config) as gateway:
            yield Place(gateway, f"{gateway.url}/v1", gateway.create_key("100"), vendor)


@pytest.fixture
def videos(client: OpenAI) -> Any:
    return client.videos  # every call of it is marked deprecated


def balance(place: Place) -> Decimal:
    return Decimal(place.gateway.get("/v1/balance", place.key)["balance"])


def test_a_film_is_made_of_words_downloaded_listed_and_deleted(place: Place, videos: Any) -> None:
    before = balance(place)
    film = videos.create(model=T2V, prompt="a cat", seconds="5", size="1280x720")
    assert film.status in ("queued", "in_progress")
    while film.status in ("queued", "in_progress"):
        film = videos.retrieve(film.id)

    assert (film.status, film.progress, film.error, film.model) == ("completed", 100, None, T2V)
    assert (film.seconds, film.size) == ("5", "1280x720")
    assert videos.download_content(film.id).read() == FILM_BYTES
    assert next(one.id for one in videos.list(limit=1)) == film.id
    assert place.vendor.last == {
        "model": "wan2.5-t2v-preview",
        "input": {"prompt": "a cat"},
        "parameters": {"size": "1280*720", "duration": 5},
    }
    assert before - balance(place) == 5 * Decimal("0.6")
    assert videos.delete(film.id).deleted
    with pytest.raises(openai.NotFoundError):
        videos.retrieve(film.id)


def test_a_film_begins_with_a_picture(place: Place, videos: Any) -> None:
    picture = ("first.png", png(1280, 720), "image/png")

    film = videos.create_and_poll(
        model=I2V, prompt="run", input_reference=picture, seconds="5", size="1280x720", poll_interval_ms=100
    )

    assert film.status == "completed", film.error
    assert videos.download_content(film.id).read() == FILM_BYTES
    assert place.vendor.last["input"]["img_url"].startswith("data:image/png;base64,")
    assert place.vendor.last["parameters"] == {"resolution": "720P", "duration": 5}


def test_a_failed_film_says_why_in_the_vendors_words_and_costs_nothing(place: Place, videos: Any) -> None:
    before = balance(place)

    film = videos.create_and_poll(model=T2V, prompt="fail DataInspectionFailed", poll_interval_ms=100)

    assert film.status == "failed"
    assert (film.error.code, film.error.message) == (
        "DataInspectionFailed",
        "Output data may contain inappropriate content.",
    )
    assert balance(place) == before


def test_dashscopes_sdk_has_a_film_made_by_a_server_of_ones_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{place.gateway.url}/api/v1")
    monkeypatch.setattr(dashscope, "api_key", place.key)
    try:
        reply = sdk.VideoSynthesis.call(OURS, prompt="a cat", size="640*480", duration=2)
    finally:
        close_shared_sync_session()

    assert reply.output.task_status == "SUCCEEDED", reply
    assert reply.output.video_url.startswith(place.gateway.url)
    assert reply.usage["duration"] == 2
