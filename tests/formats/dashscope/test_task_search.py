"""A task whose submission was not answered, looked for among those of a simulated account."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.simulators.dashscope_tasks import TaskDesk
from tokengate.core.at_once import AtOnce
from tokengate.core.errors import UpstreamFailed
from tokengate.core.images import Draw
from tokengate.core.jobs import JobRequest
from tokengate.core.parts import Url
from tokengate.core.recordings import Hear
from tokengate.core.video import Film
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.films import DashScopeFilms
from tokengate.formats.dashscope.images import EDIT, GENERATION
from tokengate.formats.dashscope.pictures import DashScopePictures
from tokengate.formats.dashscope.recordings import DashScopeRecordings

FILMS = DashScopeFilms()
PICTURES = DashScopePictures(at_once=AtOnce({"generation": GENERATION, "edit": EDIT}))
RECORDINGS = DashScopeRecordings()
CAT = Film(format="dashscope", model="wan2.5-t2v-preview", prompt="a cat")
DRAWN = Draw(format="dashscope", model="wan2.2-t2i-flash", task="generation", prompt="a cat", n=2)
HEARD = Hear(
    format="dashscope",
    model="paraformer-v2",
    recordings=(Url("https://a.example/b.wav"), Url("https://a.example/a.wav")),
)


class Account:
    """A simulated account, asked through a format."""

    def __init__(self, format: Any) -> None:
        self.desk = TaskDesk()
        self.format = format

    def submit(self, task: Any) -> str:
        request = self.format.submit(task, Losses("them", {}), key="job_1", callback="")
        return self.desk.submit(request.path, json.loads(request.body), "req_1")["output"]["task_id"]

    def asked(self, request: JobRequest) -> bytes:
        url = urlsplit(request.path)
        name = url.path.removeprefix("/tasks/")
        return json.dumps(self.desk.look(name) if name else self.desk.list(url.query)).encode()

    def listed(self, task: Any, since_s: float, until_s: float) -> list[str]:
        search, next, found = self.format.search(task), "", list[str]()
        while True:
            page = search.read_page(self.asked(search.page(task, int(since_s), int(until_s), next)), task)
            found += [one.vendor_id for one in page.traces]
            assert all(one.matches is None for one in page.traces)
            assert all(since_s <= one.created_s <= until_s for one in page.traces)
            next = page.next
            if not next:
                return found

    def told(self, task: Any, vendor_id: str) -> bool | None:
        return self.format.search(task).matches(self.asked(self.format.look(vendor_id, task)), task)


@pytest.mark.parametrize(("format", "task"), [(FILMS, CAT), (PICTURES, DRAWN), (RECORDINGS, HEARD)])
def test_a_task_is_known_once_it_succeeded(format: Any, task: Any):
    account, now_s = Account(format), time.time()
    ours = account.submit(task)

    assert account.listed(task, now_s - 60, now_s + 60) == [ours]
    assert [account.told(task, ours) for _ in range(3)] == [None, None, True]


def test_the_list_has_one_model_one_span_and_many_pages():
    account, now_s = Account(FILMS), time.time()
    for _ in range(120):
        account.submit(CAT)
    account.submit(Film(format="dashscope", model="wan2.6-t2v", prompt="a cat"))

    assert len(set(account.listed(CAT, now_s - 60, now_s + 60))) == 120
    assert account.listed(CAT, now_s - 7200, now_s - 3600) == []


@pytest.mark.parametrize("prompt", ["a dog", "fail InternalError.Timeout"])
def test_another_prompt_and_a_failed_task_are_not_ours(prompt: str):
    account = Account(FILMS)
    theirs = account.submit(Film(format="dashscope", model="wan2.5-t2v-preview", prompt=prompt))

    assert [account.told(CAT, theirs) for _ in range(3)] == [None, None, False]
    if prompt.startswith("fail"):
        assert account.listed(CAT, time.time() - 60, time.time() + 60) == []


def test_what_repeats_nothing_is_not_searched_for():
    frame = Film(format="dashscope", model="wan2.5-i2v-preview", first_frame=Url("https://a.example/a.png"))

    assert FILMS.search(frame) is None
    assert PICTURES.search(Draw(format="dashscope", model="wan2.6-t2i", task="generation", prompt="a cat")) is None
    assert PICTURES.search(Draw(format="dashscope", model="qwen-image-max", task="generation", prompt="a")) is None
    assert RECORDINGS.search(Hear(format="dashscope", model="qwen3-asr-flash-filetrans", recordings=())) is None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":[{"task_id":1}]}'])
def test_a_list_that_cannot_be_read_is_a_failure(body: bytes):
    search = FILMS.search(CAT)
    assert search is not None

    with pytest.raises(UpstreamFailed):
        search.read_page(body, CAT)
