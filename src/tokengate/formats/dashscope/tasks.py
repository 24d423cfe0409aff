"""DashScope's asynchronous tasks, whatever they make: submitted with `X-DashScope-Async: enable`, looked at and ended
by their id.

https://help.aliyun.com/zh/model-studio/manage-asynchronous-tasks, 2026-11. A task and what it made are gone after a
day; one that is not known any more is UNKNOWN, with status 200. Only a task that still waits can be cancelled.
"""

from math import ceil
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.jobs import JobError, JobRequest, JobState, Progress, Storage, Submitted
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.shapes import is_null, is_object

ASYNC: Final = "x-dashscope-async"
TASKS_PATH: Final = "/tasks"

_HEADERS: Final = {ASYNC: "enable"}
_STORED: Final = {"x-dashscope-ossresourceresolve": "enable"}
_STATES: Final = {
    "PENDING": JobState.QUEUED,
    "RUNNING": JobState.RUNNING,
    "SUSPENDED": JobState.RUNNING,  # it goes on by itself
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
    "CANCELED": JobState.CANCELLED,
    "UNKNOWN": JobState.EXPIRED,
}


class Outcome(Struct, frozen=True):
    """What a task that succeeded said: its output, and its usage, which may be null."""

    output: dict[str, Any]
    usage: dict[str, Any]
    raw_usage: bytes


class Tasks(Struct, frozen=True, kw_only=True):
    """The half of `core.jobs.JobFormat` that all tasks share. `base` is before the paths, where the vendor's address is
    that of its compatible mode."""

    base: str = ""

    @property
    def name(self) -> str:
        return NAME

    @property
    def inlines(self) -> bool:
        return False

    @property
    def storage(self) -> Storage | None:
        return None

    @property
    def resubmits(self) -> bool:
        return False

    def calls_back(self, task: object) -> bool:
        return False

    def read_callback(self, body: bytes) -> str:
        return ""

    def look(self, vendor_id: str, task: object) -> JobRequest:
        """Return the question how far a task is."""
        return JobRequest("GET", f"{self.base}{TASKS_PATH}/{quote(vendor_id, safe='')}")

    def cancel(self, vendor_id: str) -> JobRequest | None:
        """Return the request that ends a task which still waits."""
        return JobRequest("POST", f"{self.base}{TASKS_PATH}/{quote(vendor_id, safe='')}/cancel")

    def submission(self, path: str, body: bytes, *, stored: bool = False) -> JobRequest:
        """Return the submission to a service; `stored` files lie in the vendor's own storage."""
        return JobRequest("POST", self.base + path, body, {**_HEADERS, **(_STORED if stored else {})})


def read_submitted(body: bytes) -> Submitted:
    """Read the answer to a submission. Raises UpstreamFailed when it is none."""
    output, _, _ = _read(body)
    task_id = output.get("task_id")
    if type(task_id) is not str or not task_id:
        raise UpstreamFailed("The upstream's answer names no task.", kind="invalid")
    return Submitted(task_id)


def read_state(body: bytes) -> Progress | Outcome:
    """Read how far a task is: what it said when it succeeded, else its progress. Raises UpstreamFailed."""
    output, usage, raw_usage = _read(body)
    state = _STATES.get(str(output.get("task_status")))
    if state is None:
        raise UpstreamFailed("The upstream's answer is no state of a task.", kind="invalid")
    if state is JobState.SUCCEEDED:
        return Outcome(output, usage, raw_usage)
    if state is JobState.FAILED:
        code, message = text_of(output, "code") or "InternalError", text_of(output, "message")
        return Progress(state, error=JobError(code, message or "The task failed."))
    if state is JobState.EXPIRED:
        return Progress(state, error=JobError("InternalError", "The vendor does not know the task any more."))
    return Progress(state)


def nothing_made(outcome: Outcome) -> Progress:
    """Return the end of a task that succeeded and has nothing to show for it: nobody pays for that."""
    said = text_of(outcome.output, "message")
    return Progress(JobState.FAILED, error=JobError("InternalError", said or "The task succeeded without a result."))


def text_of(value: dict[str, Any], name: str) -> str:
    """Return a member that should be a text, or nothing."""
    text = value.get(name)
    return text if type(text) is str else ""


def seconds_of(usage: dict[str, Any], *names: str) -> int:
    """Return the first of these members that is a time, in whole seconds, begun ones too."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, int | float) and value > 0:
            return ceil(value)
    return 0


_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def _read(body: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Return output, usage, and usage as it came."""
    try:
        head = _decode_head(body)
        if head.code or is_null(head.output):
            raise UpstreamFailed(error_message(head.message), kind="invalid")
        output, usage = _decode_object(head.output), _object(head.usage)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's answer about a task cannot be read.", kind="invalid") from error
    return output, usage, bytes(head.usage) if usage else b""


def _object(raw: Raw) -> dict[str, Any]:
    value: Any = msgspec.json.decode(raw)
    return value if is_object(value) else {}
