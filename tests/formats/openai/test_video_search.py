"""A film whose submission was not answered, looked for in the list of a simulated vendor."""

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from tests.simulators.film_upstream import KEY, FilmSimulator
from tests.simulators.openai_upstream import Call
from tokengate.core.errors import UpstreamFailed
from tokengate.core.images import Size
from tokengate.core.jobs import JobRequest
from tokengate.core.service import Form
from tokengate.core.video import Film, FilmOrigin
from tokengate.core.wire import Losses
from tokengate.formats.openai.video_jobs import OpenAIVideos
from tokengate.providers.openai import PROVIDER as OPENAI
from tokengate.providers.vllm import PROVIDER as VLLM

SORA: OpenAIVideos = OPENAI.jobs["video"]  # pyright: ignore[reportAssignmentType] the only format there
OMNI: OpenAIVideos = VLLM.jobs["video"]  # pyright: ignore[reportAssignmentType] the only format there
FILM = Film(format="openai", model="sora-2", prompt="a cat")


class Desk:
    """Asks a simulated vendor through its format."""

    def __init__(self, vendor: FilmSimulator, format: OpenAIVideos) -> None:
        self.vendor = vendor
        self.format = format

    def asked(self, request: JobRequest) -> bytes:
        headers = {"authorization": f"Bearer {KEY}"}
        body = request.body
        if isinstance(body, Form):
            headers["content-type"] = body.content_type
            body = body.body
        reply = self.vendor(Call(request.method, f"/v1{request.path}", headers, b"", body))
        assert reply.status == 200, reply
        return reply.body

    def submit(self, task: Film) -> str:
        request = self.format.submit(task, Losses("them", {}), key="job_1", callback="")
        return json.loads(self.asked(request))["id"]

    def found(self, task: Film) -> list[str]:
        """Return the films that match, over all pages; what is said of each alone must agree."""
        search, next, found = self.format.search(task), "", list[str]()
        while True:
            page = search.read_page(self.asked(search.page(task, 0, 2**32, next)), task)
            for one in page.traces:
                assert search.matches(self.asked(self.format.look(one.vendor_id, task)), task) is one.matches
            found += [one.vendor_id for one in page.traces if one.matches]
            next = page.next
            if not next:
                return found


@pytest.fixture
async def desk() -> Desk:
    return Desk(FilmSimulator(), SORA)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "a dog"},
        {"model": "sora-2-pro"},
        {"seconds": 8},
        {"size": Size(1280, 720)},
    ],
)
async def test_a_film_is_known_by_all_that_the_list_shows(desk: Desk, other: dict[str, Any]):
    task = replace(FILM, size=Size(720, 1280))
    desk.submit(replace(task, **other))
    ours = desk.submit(task)

    assert desk.found(task) == [ours]


async def test_what_the_vendor_chose_by_itself_is_not_compared(desk: Desk):
    ours = desk.submit(FILM)  # of the vendor's size

    assert desk.found(FILM) == [ours]


async def test_a_film_is_found_behind_a_hundred_newer_ones(desk: Desk):
    ours = desk.submit(FILM)
    for _ in range(101):
        desk.submit(replace(FILM, prompt="a dog"))

    assert desk.found(FILM) == [ours]


async def test_a_remix_is_known_by_what_it_is_of(desk: Desk):
    first, second = desk.submit(FILM), desk.submit(FILM)
    for id in (first, second):
        for _ in range(3):
            desk.asked(SORA.look(id, FILM))
    tasks = [replace(FILM, prompt="bluer", remix_of="job_1", origin=FilmOrigin("openai", id)) for id in (first, second)]
    remixes = [desk.submit(task) for task in tasks]

    assert [desk.found(task) for task in tasks] == [[id] for id in remixes]


async def test_vllm_omni_counts_frames_its_own_way():
    desk = Desk(FilmSimulator("vllm", model="wan"), OMNI)
    task = replace(FILM, model="wan", seconds=9, extra={"num_frames": Raw(b"81"), "fps": Raw(b"16")})
    ours = desk.submit(task)

    assert desk.found(task) == [ours]


@pytest.mark.parametrize(("listed", "matches"), [("sora-2-2025-10-06", True), ("sora-2-pro", False), ("sora", False)])
def test_a_model_may_be_shown_with_its_version(listed: str, matches: bool):
    shown = {"id": "video_1", "created_at": 1, "model": listed, "prompt": "a cat", "seconds": "4", "size": "720x1280"}

    assert SORA.search(FILM).matches(json.dumps(shown).encode(), FILM) is matches


def test_a_film_without_a_prompt_matches_nothing():
    shown = {"id": "video_1", "created_at": 1, "model": "sora-2", "prompt": None, "seconds": "4"}

    assert SORA.search(FILM).matches(json.dumps(shown).encode(), FILM) is False


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":[{"id":1}]}', b'{"data":null}'])
def test_a_list_that_cannot_be_read_is_a_failure(body: bytes):
    with pytest.raises(UpstreamFailed):
        SORA.search(FILM).read_page(body, FILM)
