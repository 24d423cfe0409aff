"""Whatever route takes a file: one that is cut off, not what it says, too large once it is opened, or no file of its
kind is a clear 400 in the caller's format, nobody is asked, and nothing is paid."""

import base64
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.hosted import Hosted, hosted, upstream
from tests.media_files import media_file
from tests.raw_http import Answer
from tests.simulators.image_upstream import png
from tests.simulators.openai_upstream import Upstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = {"painter": "image", "film": "video", "hearer": "transcription"}
PRICE = 'price = { image = "1", second = "1" }'
UPLOADS = "/api/v1/uploads"

PICTURE = media_file("png")
PICTURES = {
    "empty": b"",
    "cut off": PICTURE[:-20],
    "a head alone": PICTURE[:40],
    "a bomb": png(8, 8).replace((8).to_bytes(4, "big") * 2, (60_000).to_bytes(4, "big") * 2),
    "of another type": media_file("jpeg"),
    "cut off and of another type": media_file("webp")[:-20],
    "a sound": media_file("mp3"),
    "a text": b"This is no picture.",
}
SOUNDS = {
    "empty": b"",
    "cut off": media_file("wav")[:-20],
    "a head alone": media_file("wav")[:44],
    "of another type": media_file("mp3"),
    "a film without sound": media_file("mov"),
    "a picture": PICTURE,
    "a day and more": media_file("wav").replace((44_100).to_bytes(4, "little"), (1).to_bytes(4, "little")),
    "a text": b"This is no sound.",
}


class Route(NamedTuple):
    """Where a file is sent, and how: `send` makes a body of it, and headers."""

    path: str
    send: Callable[[bytes], tuple[bytes, dict[str, str]]]


def form(field: str, name: str, media_type: str, **fields: str) -> Callable[[bytes], tuple[bytes, dict[str, str]]]:
    def send(data: bytes) -> tuple[bytes, dict[str, str]]:
        parts = [
            f'--frontier\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        head = f'--frontier\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        body = "".join(parts).encode() + f"{head}Content-Type: {media_type}\r\n\r\n".encode() + data
        return body + b"\r\n--frontier--\r\n", {"content-type": "multipart/form-data; boundary=frontier"}

    return send


def inside(put: Callable[[str], dict[str, Any]], **headers: str) -> Callable[[bytes], tuple[bytes, dict[str, str]]]:
    def send(data: bytes) -> tuple[bytes, dict[str, str]]:
        body = put(f"data:image/png;base64,{base64.b64encode(data).decode()}")
        return json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()}

    return send


def to_film(picture: str) -> dict[str, Any]:
    return {"model": "film", "input": {"prompt": "a", "img_url": picture}, "parameters": {"resolution": "480P"}}


TASK = {"x_dashscope_async": "enable"}
I2V = "/api/v1/services/aigc/video-generation/video-synthesis"
ASYNC = {"x-dashscope-async": "enable", "x-dashscope-ossresourceresolve": "enable"}
PICTURE_ROUTES = {
    "edits as a form": Route("/v1/images/edits", form("image", "a.png", "image/png", model="painter", prompt="a")),
    "edits as JSON": Route("/v1/images/edits", inside(lambda url: {"model": "painter", "prompt": "a", "image": url})),
    "masks": Route(
        "/v1/images/edits",
        inside(lambda url: {"model": "painter", "prompt": "a", "image": _url(PICTURE), "mask": url}),
    ),
    "variations as a form": Route("/v1/images/variations", form("image", "a.png", "image/png", model="painter")),
    "videos as a form": Route("/v1/videos", form("input_reference", "a.png", "image/png", model="film", prompt="a")),
    "videos as JSON": Route("/v1/videos", inside(lambda url: {"model": "film", "prompt": "a", "input_reference": url})),
    "DashScope's tasks": Route(I2V, inside(to_film, **TASK)),
}
SOUND_ROUTES = {
    name: Route(f"/v1/audio/{name}", form("file", "a.wav", "audio/wav", model="hearer"))
    for name in ("transcriptions", "translations")
}


def _url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


class Place(NamedTuple):
    gateway: Hosted
    vendor: Upstream


@asynccontextmanager
async def placed(folder: Path) -> AsyncGenerator[Place]:
    async with Upstream() as vendor:
        config = upstream(vendor.url, *MODELS, provider="openai_compatible")
        config += "".join(f'[[model]]\nid = "{id}"\nkind = "{kind}"\n{PRICE}\n' for id, kind in MODELS.items())
        async with hosted(folder, config) as gateway:
            yield Place(gateway, vendor)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    async with placed(tmp_path_factory.mktemp("bad")) as place:
        yield place


async def refused(place: Place, answer: Answer) -> str:
    """Return what a refusal says, which is one in the format of its route; nobody was asked and nothing was paid."""
    assert answer.status == 400, answer.body
    said = answer.json.get("error", answer.json)
    assert {"error"} == answer.json.keys() or {"code", "message", "request_id"} == answer.json.keys()
    assert said["code"] and said["message"]
    assert place.vendor.calls == []
    balance = await place.gateway.balance()
    assert (balance["balance"], balance["available"]) == ("10", "10")
    return said["message"]


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", PICTURE_ROUTES)
async def test_a_picture_that_is_none(place: Place, name: str, kind: str) -> None:
    route = PICTURE_ROUTES[name]
    body, headers = route.send(PICTURES[kind])

    said = await refused(place, await place.gateway.post(body, route.path, headers=headers))

    assert said.startswith("The picture in '") or kind == "empty"


@pytest.mark.parametrize("kind", SOUNDS)
@pytest.mark.parametrize("name", SOUND_ROUTES)
async def test_a_recording_that_is_none(place: Place, name: str, kind: str) -> None:
    route = SOUND_ROUTES[name]
    body, headers = route.send(SOUNDS[kind])

    said = await refused(place, await place.gateway.post(body, route.path, headers=headers))

    assert said.startswith("The file in 'file' ")


@pytest.mark.parametrize("kind", [kind for kind in PICTURES if kind != "empty"])
async def test_an_upload_that_is_no_picture(place: Place, kind: str) -> None:
    """What is uploaded may be anything; what it is used for says what it must be."""
    gateway = place.gateway
    granted = (await gateway.get(f"{UPLOADS}?action=getPolicy&model=film")).json["data"]
    key = f"{granted['upload_dir']}/a.png"
    fields = {"Signature": granted["signature"], "key": key}
    upload, headers = form("file", "a.png", "image/png", **fields)(PICTURES[kind])
    assert (await gateway.post(upload, UPLOADS, headers=headers)).status == 200

    answer = await gateway.post(to_film(f"oss://{key}"), I2V, headers=ASYNC)

    await refused(place, answer)


@pytest.mark.parametrize("name", [*PICTURE_ROUTES, *SOUND_ROUTES])
async def test_a_whole_one_is_sent_to_the_vendor(tmp_path: Path, name: str) -> None:
    """The refusals above are for their files, and not for something else in their requests."""
    route = (PICTURE_ROUTES | SOUND_ROUTES)[name]
    body, headers = route.send(PICTURE if name in PICTURE_ROUTES else media_file("wav"))

    async with placed(tmp_path) as place:
        answer = await place.gateway.post(body, route.path, headers=headers)

    assert answer.status != 400, answer.body
