"""A desk that asks a simulated seller of music through a format, without a network and without a gateway."""

import json
from typing import Any, NamedTuple

from tests.simulators.music_vendor import JSON, KEY, MusicVendor
from tests.simulators.openai_upstream import Reply
from tokengate.core.jobs import JobFormat, JobRequest, Progress
from tokengate.core.music import Compose, Made, MusicAction, Origin, read_made
from tokengate.core.service import Form
from tokengate.core.wire import Losses

CALLBACK = "https://gate.example/v1/callbacks/job_1/token"


class Call(NamedTuple):
    """A request as a simulator reads it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


class Desk:
    """One format and one vendor. `losses` are those of the last submission."""

    def __init__(self, format: JobFormat[Compose], vendor: MusicVendor) -> None:
        self.format = format
        self.vendor = vendor
        self.losses = Losses("them", {})

    def make(self, task: Compose, *, callback: str = CALLBACK) -> Progress:
        """Submit a task and look until it has ended."""
        self.losses = Losses("them", {})
        request = self.format.submit(task, self.losses, key="job_1", callback=callback)
        submitted = self.format.read_submitted(self.asked(request).body, task)
        progress = submitted.progress
        while progress is None or not progress.state.ended:
            progress = self.look(submitted.vendor_id, task)
        return progress

    def look(self, vendor_id: str, task: Compose) -> Progress:
        return self.format.read_progress(self.asked(self.format.look(vendor_id, task)).body, task)

    def asked(self, request: JobRequest) -> Reply:
        """Return the vendor's answer to a request."""
        assert not isinstance(request.body, Form)
        headers = {"authorization": f"Bearer {KEY}", "host": "vendor.example", **(JSON if request.body else {})}
        return self.vendor(Call(request.method, request.path, headers, request.body))

    def got(self, url: str) -> bytes:
        """Return the file at an address of the vendor's."""
        reply = self.vendor(Call("GET", url.removeprefix("http://vendor.example"), {"host": "vendor.example"}))
        assert reply.status == 200
        return reply.body


def compose(action: MusicAction, **more: Any) -> Compose:
    return Compose(format="suno", model=more.pop("model", "sunoV2"), action=action, **more)


def made(progress: Progress) -> Made:
    """Return what came of a task that succeeded."""
    assert progress.state == "succeeded" and progress.usage, progress
    assert progress.usage.usage.request == 1
    found = read_made(progress.kept)
    assert found is not None
    return found


def origin(progress: Progress, action: MusicAction, at: int = 0, part_of: str = "") -> Origin:
    """Return a clip of a task as the next one works on it."""
    done = made(progress)
    return Origin(done.clips[at].id, done.task, action, part_of=part_of)


def details(progress: Progress) -> Any:
    return json.loads(bytes(made(progress).details))
