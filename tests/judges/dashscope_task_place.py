"""Where the vendor's SDK is pointed for tasks: straight at the simulated vendor, or at a gateway before several."""

import time
import types
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dashscope
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from dashscope.client import base_api
from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators.dashscope_task_rules import TASK_MODELS
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.film_upstream import KEY as STUDIO_KEY
from tests.simulators.film_upstream import FilmSimulator
from tests.simulators.image_upstream import KEY as PAINTER_KEY
from tests.simulators.image_upstream import ImageSimulator
from tests.simulators.openai_upstream import ThreadedUpstream

_LOOK_S = 0.05


class Place(Struct, frozen=True):
    """Where the SDK asks; `own` is how the addresses of what was made begin."""

    url: str
    key: str
    vendor: DashScope
    own: str
    gateway: GatewayProcess | None = None


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    with (
        DashScope() as vendor,
        ThreadedUpstream(ImageSimulator("openai")) as painter,
        ThreadedUpstream(FilmSimulator("openai")) as studio,
    ):
        if kind == "vendor":
            yield Place(vendor.url, vendor.key, vendor, vendor.desk.url)
            return
        config = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
        config += _upstream("dashscope_native", vendor.url, vendor.key, *TASK_MODELS)
        config += _upstream("openai", painter.url, PAINTER_KEY, "gpt-image-2")
        config += _upstream("openai_compatible", studio.url, STUDIO_KEY, "sora-2")
        with GatewayProcess(folder, config) as gateway:
            yield Place(f"{gateway.url}/api/v1", gateway.create_key("1000"), vendor, gateway.url, gateway)


def _upstream(provider: str, url: str, key: str, *models: str) -> str:
    return (
        f'[[upstream]]\nname = "{provider}"\nprovider = "{provider}"\nbase_url = "{url}"\napi_key = "{key}"\n'
        f"models = {list(models)}\n"
    )


def _nap(seconds: float) -> None:
    time.sleep(min(seconds, _LOOK_S))


@contextmanager
def pointed_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Point the SDK at a place. It would wait a second and more between two looks."""
    monkeypatch.setattr(dashscope, "base_http_api_url", place.url)
    monkeypatch.setattr(dashscope, "api_key", place.key)
    monkeypatch.setattr(base_api, "time", types.SimpleNamespace(time=time.time, sleep=_nap))
    yield
    close_shared_sync_session()


def fetched(place: Place, url: str) -> bytes:
    assert url.startswith(place.own)
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()
