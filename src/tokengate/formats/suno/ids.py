"""Names under which callers know tasks and clips. A clip is named by the job that made it and its number in it, so
that whoever may see the job, and nobody else, may work on the clip."""

import re

from msgspec import Struct

_is_task = re.compile(r"job_[0-9a-f]{32}").fullmatch
_is_clip = re.compile(r"clip_([0-9a-f]{32})_([1-9]\d?)").fullmatch


class ClipId(Struct, frozen=True):
    """Which clip of which job; the first is 1."""

    job_id: str
    number: int


def is_task_id(text: str) -> bool:
    """Say whether a text may be a task's id."""
    return _is_task(text) is not None


def write_clip_id(job_id: str, number: int) -> str:
    """Return a clip's id, such as `clip_019aa5d3c1f8a1b2c3d4e5f60718293a_1`."""
    return f"clip_{job_id.removeprefix('job_')}_{number}"


def read_clip_id(text: str) -> ClipId | None:
    """Return which clip an id means; None for what is no id of a clip."""
    found = _is_clip(text)
    return ClipId(f"job_{found[1]}", int(found[2])) if found else None
