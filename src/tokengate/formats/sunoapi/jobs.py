"""Music as sunoapi.org's tasks, each with a route and a record of its own."""

from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tokengate.core.jobs import JobRequest, Progress, Submitted
from tokengate.core.music import Compose, MusicAction
from tokengate.core.wire import Losses
from tokengate.formats.sunoapi import results
from tokengate.formats.sunoapi.requests import asked, is_told

_RECORDS: Final[dict[MusicAction, str]] = {
    "lyrics": "lyrics",
    "stems": "vocal-removal",
    "midi": "midi",
    "mp4": "mp4",
    "wav": "wav",
}
_USUAL: Final = "generate"
_encode = msgspec.json.encode


class SunoApiMusic(Struct, frozen=True):
    """Implements `core.jobs.JobFormat`."""

    name: str = "sunoapi"
    inlines: bool = False
    resubmits: bool = False
    storage: None = None

    def submit(self, task: Compose, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission. Raises Unsupported."""
        path, body = asked(task, losses, callback)
        return JobRequest("POST", path, _encode(body))

    def read_submitted(self, body: bytes, task: Compose) -> Submitted:
        """Read the answer to a submission. Raises UpstreamFailed."""
        return results.read_submitted(body, task)

    def search(self, task: Compose) -> None:
        """Return None: there is no list of tasks."""
        return None

    def calls_back(self, task: Compose) -> bool:
        """Whether the task is told of; what is answered at once is not."""
        return is_told(task)

    def read_callback(self, body: bytes) -> str:
        """Return the task that a callback is about."""
        return results.read_callback(body)

    def look(self, vendor_id: str, task: Compose) -> JobRequest:
        """Return the question what became of a task."""
        kind = _RECORDS.get(task.action, _USUAL)
        return JobRequest("GET", f"/api/v1/{kind}/record-info?taskId={quote(vendor_id, safe='')}")

    def read_progress(self, body: bytes, task: Compose) -> Progress:
        """Read the answer. Raises UpstreamFailed."""
        return results.read_progress(body, task)

    def cancel(self, vendor_id: str) -> JobRequest | None:
        """Return None: what was submitted is made."""
        return None


SUNOAPI_MUSIC: Final = SunoApiMusic()
