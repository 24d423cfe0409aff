"""A vendor of films that does as it is told, and its wire format."""

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any
from urllib.parse import parse_qs

from tests.media_files import media_file
from tests.support import FakeClock
from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import HttpRequest
from tokengate.core.jobs import (
    JobError,
    JobRequest,
    JobState,
    Progress,
    Submitted,
    Trace,
    TracePage,
    VendorFile,
)
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.video import Film
from tokengate.core.wire import Losses

FILM = media_file("mp4", 1)


class PlainFilms:
    """The wire format of the vendor below."""

    name = "plain"
    inlines = False
    storage = None

    def __init__(self, *, resubmits: bool = False, cancels: bool = True) -> None:
        self.resubmits = resubmits
        self.lists = False
        self.tells = False
        self._cancels = cancels

    def submit(self, task: Film, losses: Losses, *, key: str, callback: str) -> JobRequest:
        body = json.dumps({"prompt": task.prompt, "model": task.model, "callback": callback})
        return JobRequest("POST", "/films", body.encode(), {"idempotency-key": key})

    def read_submitted(self, body: bytes, task: Film) -> Submitted:
        said = _read(body)
        return Submitted(said["id"], _progress(said) if "state" in said else None)

    def search(self, task: Film) -> "PlainSearch | None":
        return PlainSearch() if self.lists else None

    def calls_back(self, task: Film) -> bool:
        return self.tells

    def read_callback(self, body: bytes) -> str:
        return body.decode()

    def look(self, vendor_id: str, task: Film) -> JobRequest:
        return JobRequest("GET", f"/films/{vendor_id}")

    def read_progress(self, body: bytes, task: Film) -> Progress:
        return _progress(_read(body))

    def cancel(self, vendor_id: str) -> JobRequest | None:
        return JobRequest("DELETE", f"/films/{vendor_id}") if self._cancels else None


class PlainSearch:
    """The list has two films a page; of what was asked it shows the prompt, or nothing."""

    def page(self, task: Film, since_s: int, until_s: int, next: str) -> JobRequest:
        return JobRequest("GET", f"/films?since={since_s}&until={until_s}&after={next}")

    def read_page(self, body: bytes, task: Film) -> TracePage:
        said = _read(body)
        traces = (Trace(one["id"], one["created"], _is_it(one, task)) for one in said["films"])
        return TracePage(tuple(traces), said["next"])

    def matches(self, body: bytes, task: Film) -> bool | None:
        return _is_it(_read(body), task)


def _is_it(said: dict[str, Any], task: Film) -> bool | None:
    return said["prompt"] == task.prompt if "prompt" in said else None


def _read(body: bytes) -> dict[str, Any]:
    try:
        return json.loads(body)
    except ValueError:
        raise UpstreamFailed("unreadable", kind="invalid") from None


def _progress(said: dict[str, Any]) -> Progress:
    if "state" not in said:
        raise UpstreamFailed("not a job", kind="invalid")
    state = JobState(said["state"])
    usage = ReportedUsage(Usage(second=said["seconds"], request=1), b'{"s":1}') if "seconds" in said else None
    files = tuple(VendorFile(**one) for one in said.get("files", []))
    error = JobError(*said["error"]) if "error" in said else None
    return Progress(state, said.get("percent"), files, usage, error, json.dumps(said.get("told", {})).encode())


class Answer:
    def __init__(self, status: int, body: bytes, content_type: str) -> None:
        self.status = status
        self.headers = {"content-type": content_type}
        self._body = body

    async def read(self, limit_bytes: int) -> bytes:
        return self._body

    async def chunks(self) -> AsyncGenerator[bytes]:
        for start in range(0, len(self._body), 1000):
            yield self._body[start : start + 1000]

    def close(self) -> None:
        pass


class Vendor:
    """Makes films. `says` is what it tells of each; whatever is in `next_answers` is done or raised instead, once."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.made: list[dict[str, Any]] = []  # what its list has
        self.takes = True  # what it is sent; else the request got lost on its way
        self.shows_prompts = True
        self.submissions: list[tuple[str, dict[str, Any]]] = []  # idempotency key and body
        self.looks = 0
        self.cancelled: list[str] = []
        self.says: dict[str, Any] = {"state": "running", "percent": 40}
        self.files: dict[str, bytes] = {"/film.mp4": FILM}
        self.next_answers: list[BaseException | tuple[int, object]] = []
        self.before_answer: Callable[[], Any] | None = None
        self.before_file: Callable[[], Any] | None = None

    def delivers(self, seconds: int) -> None:
        self.says = {
            "state": "succeeded",
            "seconds": seconds,
            "files": [{"name": "video.mp4", "path": "/film.mp4"}],
            "told": {"title": "t"},
        }

    def make(self, prompt: str) -> str:
        """Have a film in the list, of whoever asked for it, and return its name."""
        name = f"film-{len(self.made) + 1}"
        self.made.append({"id": name, "created": int(self._clock.now_s()), "prompt": prompt})
        return name

    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        begin = int(query.get("after", ["0"])[0])
        newest = [one for one in reversed(self.made) if int(query["since"][0]) <= one["created"]]
        films = newest[begin : begin + 2]
        if not self.shows_prompts:
            films = [{"id": one["id"], "created": one["created"]} for one in films]
        return {"films": films, "next": str(begin + 2) if newest[begin + 2 :] else ""}

    async def send(self, request: HttpRequest) -> Answer:
        path = request.url.partition("/v1")[2] or request.url
        answer: tuple[int, object] = (200, self.says)
        match request.method:
            case "POST":
                asked = json.loads(request.body)
                self.submissions.append((request.headers["idempotency-key"], asked))
                if self.takes:
                    answer = (200, {"id": self.make(asked["prompt"])})
            case "DELETE":
                self.cancelled.append(path)
                answer = (200, {})
            case _ if path in self.files:
                film = Answer(200, self.files[path], "video/mp4")
                if self.before_file is not None:
                    await self.before_file()
                return film
            case _ if path.endswith(".mp4"):
                answer = (404, {"error": {"message": "There is no such file."}})
            case _ if path.startswith("/films?"):
                answer = (200, self._list(parse_qs(path.partition("?")[2])))
            case _:
                self.looks += 1
        if self.before_answer is not None:
            await self.before_answer()
        if self.next_answers:
            planned = self.next_answers.pop(0)
            if isinstance(planned, BaseException):
                raise planned
            answer = planned
        return Answer(answer[0], json.dumps(answer[1]).encode(), "application/json")
