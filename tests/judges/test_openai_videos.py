"""OpenAI's SDKs have films made: straight at the simulated vendors, and through the gateway. PyAV opens what comes."""

import base64
import io
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec import Struct
from openai import AsyncOpenAI, OpenAI
from PIL import Image

from tests.e2e.gateway import GatewayProcess
from tests.judges import scripts
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.film_upstream import FAILED, KEY, LOOKS, WAN, FilmSimulator
from tests.simulators.films import Seen, seen
from tests.simulators.image_upstream import png
from tests.simulators.openai_upstream import ThreadedUpstream

# The SDK warns of each of its calls: OpenAI has announced the end of its own videos; others' go on.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")

SORA, OURS, MUTE = "sora-2", "wan-t2v", "mute"
POLL_MS = 20
GUIDES = Path(__file__).parents[2] / "docs" / "guide"


class Place(Struct, frozen=True):
    """Where films are made: by OpenAI's models, and by one on the operator's own machines."""

    url: str
    key: str
    wan_url: str
    wan: str


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    looks = LOOKS if kind == "vendor" else 1  # the gateway takes a second between two
    with (
        ThreadedUpstream(FilmSimulator("openai", looks=looks)) as sora,
        ThreadedUpstream(FilmSimulator("vllm", looks=looks)) as omni,
        ThreadedUpstream(DeepSeekSimulator()) as other,
    ):
        if kind == "vendor":
            yield Place(sora.url, KEY, omni.url, WAN)
            return
        config = (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{sora.url}"\napi_key = "{KEY}"\n'
            f'models = ["{SORA}"]\n'
            f'[[upstream]]\nname = "omni"\nprovider = "vllm"\nbase_url = "{omni.url}"\napi_key = "{KEY}"\n'
            f'models = {{ {OURS} = "{WAN}" }}\n'
            f'[[upstream]]\nname = "deepseek"\nprovider = "deepseek"\nbase_url = "{other.url}"\napi_key = "{KEY}"\n'
            f'models = ["{MUTE}"]\n[[model]]\nid = "{MUTE}"\nkind = "video"\nprice = {{ second = "0" }}\n'
        )
        with GatewayProcess(folder, config) as gateway:
            url = f"{gateway.url}/v1"
            yield Place(url, gateway.create_key("1000"), url, OURS)


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("videos")) as place:
        yield place


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of("gateway", tmp_path_factory.mktemp("through")) as place:
        yield place


@pytest.fixture
def client(place: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client:
        yield client


@pytest.fixture
def videos(client: OpenAI) -> Any:
    return client.videos  # every call of it is marked deprecated


@pytest.fixture
def wan(place: Place) -> Generator[Any]:
    with OpenAI(base_url=place.wan_url, api_key=place.key, max_retries=0) as client:
        yield client.videos


@pytest.fixture
async def waiting(place: Place) -> AsyncGenerator[Any]:
    async with AsyncOpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client:
        yield client.videos


def made(videos: Any, **asked: Any) -> Any:
    return videos.create_and_poll(**{"model": SORA, "prompt": "a cat", "poll_interval_ms": POLL_MS, **asked})


def ran(scenario: str, place: Place) -> Any:
    return scripts.run("openai-videos.mjs", scenario, url=place.url, key=place.key, model=SORA)


def test_a_film_is_made_and_downloaded(videos: Any, tmp_path: Path) -> None:
    film = made(videos, seconds="8", size="1280x720")
    content = videos.download_content(film.id)
    content.write_to_file(tmp_path / "cat.mp4")

    assert (film.object, film.status, film.progress, film.error) == ("video", "completed", 100, None)
    assert (film.model, film.prompt, film.seconds, film.size) == (SORA, "a cat", "8", "1280x720")
    assert film.completed_at and film.expires_at > film.completed_at >= film.created_at
    assert content.response.headers["content-type"] == "video/mp4"
    assert seen((tmp_path / "cat.mp4").read_bytes()) == Seen(8.0, 1280, 720)


async def test_the_asynchronous_client_does_the_same(waiting: Any) -> None:
    film = await waiting.create_and_poll(model=SORA, prompt="a cat", poll_interval_ms=POLL_MS)
    content = await waiting.download_content(film.id)

    assert seen(await content.aread()) == Seen(4.0, 720, 1280)


def test_it_begins_in_the_queue_and_comes_nearer(videos: Any) -> None:
    film = videos.create(model=SORA, prompt="a cat that will STAY")
    looks = [videos.retrieve(film.id).progress for _ in range(3)]

    assert (film.status, film.progress) == ("queued", 0)
    assert sorted(looks) == looks and max(looks) < 100
    assert videos.retrieve(film.id).status in ("queued", "in_progress")


@pytest.mark.parametrize(("variant", "kind"), [("thumbnail", "WEBP"), ("spritesheet", "JPEG")])
def test_previews_of_it_are_pictures(videos: Any, variant: str, kind: str) -> None:
    film = made(videos, size="1280x720")

    picture = Image.open(io.BytesIO(videos.download_content(film.id, variant=variant).content))

    assert picture.format == kind


def test_it_may_begin_with_a_picture(videos: Any) -> None:
    film = made(videos, size="1280x720", input_reference=("cat.png", png(1280, 720), "image/png"))

    assert film.status == "completed"


def test_a_picture_of_another_size_is_refused_in_the_vendors_words(videos: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="must match the requested width and height") as caught:
        videos.create(model=SORA, prompt="a cat", size="1280x720", input_reference=("a.png", png(64, 64), "image/png"))

    assert caught.value.param == "input_reference"


def test_a_film_is_remixed(videos: Any) -> None:
    film = made(videos, seconds="8", size="1280x720")

    remix = videos.poll(videos.remix(film.id, prompt="a dog").id, poll_interval_ms=POLL_MS)

    assert (remix.status, remix.prompt, remix.remixed_from_video_id) == ("completed", "a dog", film.id)
    assert (remix.seconds, remix.size) == ("8", "1280x720")
    assert seen(videos.download_content(remix.id).content) == Seen(8.0, 1280, 720)


def test_films_are_listed_page_by_page(videos: Any) -> None:
    ids = [videos.create(model=SORA, prompt=f"cat {number}").id for number in range(3)]

    newest = videos.list(limit=2)
    more = videos.list(limit=2, after=newest.last_id)
    walked = [film.id for film, _ in zip(videos.list(limit=1), range(3), strict=False)]
    oldest = videos.list(order="asc", limit=100)

    assert [film.id for film in newest.data] == ids[:0:-1] and newest.has_more
    assert more.data[0].id == ids[0]
    assert walked == ids[::-1]
    assert [film.id for film in oldest.data][-3:] == ids and not oldest.has_more


def test_a_film_is_deleted_once_it_has_ended(videos: Any) -> None:
    film = made(videos)

    deleted = videos.delete(film.id)

    assert (deleted.id, deleted.object, deleted.deleted) == (film.id, "video.deleted", True)
    for ask in (videos.retrieve, videos.download_content, videos.delete):
        with pytest.raises(openai.NotFoundError):
            ask(film.id)


def test_what_is_not_ready_cannot_be_downloaded_or_deleted(videos: Any) -> None:
    film = videos.create(model=SORA, prompt="STAY")

    with pytest.raises(openai.NotFoundError, match="not ready"):
        videos.download_content(film.id)
    with pytest.raises((openai.BadRequestError, openai.ConflictError)):
        videos.delete(film.id)


def test_a_failed_film_says_why(videos: Any) -> None:
    film = made(videos, prompt="FAIL")

    assert film.status == "failed"
    assert (film.error.code, film.error.message) == FAILED


@pytest.mark.parametrize(
    ("asked", "param"),
    [({"seconds": "5"}, "seconds"), ({"size": "640x480"}, "size"), ({"prompt": ""}, "prompt")],
)
def test_a_bad_request_names_the_parameter(videos: Any, asked: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        videos.create(**{"model": SORA, "prompt": "a cat", **asked})

    assert caught.value.param == param


def test_too_much_at_once_is_a_rate_limit(videos: Any) -> None:
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        videos.create(model=SORA, prompt="ERROR 429")


def test_a_film_of_ones_own_model_is_made_and_downloaded(place: Place, wan: Any) -> None:
    film = made(
        wan,
        model=place.wan,
        seconds="5",
        size="832x480",
        extra_body={"negative_prompt": "dogs", "seed": "7", "guidance_scale": "4.5"},
    )

    assert (film.status, film.seconds, film.size) == ("completed", "5", "832x480")
    assert seen(wan.download_content(film.id).content) == Seen(5.0, 832, 480)


def test_javascripts_sdk_gets_the_same(place: Place) -> None:
    told = ran("make", place)
    film = told["film"]

    assert (film["status"], film["seconds"], film["size"]) == ("completed", "4", "1280x720")
    assert told["type"] == "video/mp4"
    assert seen(base64.b64decode(told["content"])) == Seen(4.0, 1280, 720)


def test_javascripts_sdk_begins_with_a_picture(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTURE", base64.b64encode(png(1280, 720)).decode())

    assert ran("from-a-picture", place)["status"] == "completed"


def test_javascripts_sdk_remixes_lists_and_deletes(place: Place) -> None:
    remix, edit = ran("remix", place), ran("edit", place)
    listed, deleted = ran("list", place), ran("delete", place)

    assert remix["changed"]["remixed_from_video_id"] == remix["source"]
    assert edit["changed"]["remixed_from_video_id"] == edit["source"]
    assert listed["ids"] == listed["made"]
    assert deleted["deleted"] == {"id": deleted["id"], "object": "video.deleted", "deleted": True}
    assert deleted["after"] == {"name": "NotFoundError", "status": 404}
    assert ran("refused", place) == {"name": "RateLimitError", "status": 429}


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("edit", {"prompt": "a dog", "video": b"a film"}, "films are not taken"),
        ("extend", {"prompt": "on", "seconds": "4", "video": b"a film"}, "cannot be made longer"),
        ("create_character", {"name": "Tom", "video": b"a film"}, "there are no characters"),
        ("create", {"model": MUTE, "prompt": "a cat"}, "No upstream of 'mute' offers /videos."),
    ],
)
def test_what_is_not_offered_is_refused_by_name(through: Place, name: str, asked: dict[str, Any], words: str) -> None:
    with (
        OpenAI(base_url=through.url, api_key=through.key, max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match=re.escape(words)),
    ):
        getattr(client.videos, name)(**asked)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_guides_sample_makes_a_film(through: Place, lang: str, tmp_path: Path) -> None:
    text = (GUIDES / f"video.{lang}.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    code = sample.replace("http://127.0.0.1:8700/v1", through.url)
    environ = {**os.environ, "TOKENGATE_API_KEY": through.key}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, check=True, timeout=60)

    assert seen((tmp_path / "kitten.mp4").read_bytes()) == Seen(5.0, 832, 480)
