"""Music as CQTAI's tasks: one route takes every task, another says what became of it. It tells nobody of the end."""

from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tokengate.core.jobs import JobRequest, Progress, Submitted
from tokengate.core.music import Compose
from tokengate.core.wire import Losses
from tokengate.formats.cqtai import results
from tokengate.formats.cqtai.requests import body_of

_encode = msgspec.json.encode


class CqtaiMusic(Struct, frozen=True):
    """Implements `core.jobs.JobFormat`."""

    name: str = "cqtai"
    inlines: bool = False
    resubmits: bool = False
    storage: None = None

    def submit(self, task: Compose, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission. Raises Unsupported."""
        return JobRequest("POST", "/api/cqt/generator/suno", _encode(body_of(task, losses)))

    def read_submitted(self, body: bytes, task: Compose) -> Submitted:
        """Read the answer to a submission. Raises UpstreamFailed."""
        return results.read_submitted(body)

    def search(self, task: Compose) -> None:
        """Return None: there is no list of tasks."""
        return None

    def calls_back(self, task: Compose) -> bool:
        return False

    def read_callback(self, body: bytes) -> str:
        return ""

    def look(self, vendor_id: str, task: Compose) -> JobRequest:
        """Return the question what became of a task."""
        return JobRequest("GET", f"/api/cqt/info/suno?id={quote(vendor_id, safe='')}")

    def read_progress(self, body: bytes, task: Compose) -> Progress:
        """Read the answer. Raises UpstreamFailed."""
        return results.read_progress(body, task)

    def cancel(self, vendor_id: str) -> JobRequest | None:
        """Return None: what was submitted is made."""
        return None


CQTAI_MUSIC: Final = CqtaiMusic()
