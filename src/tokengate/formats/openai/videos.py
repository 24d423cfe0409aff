"""Jobs that make films as OpenAI's video objects show them.

https://platform.openai.com/docs/api-reference/videos/object, 2026-11. Ids are `video_` and the job's own digits.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

import msgspec

from tokengate.core.images import Size, read_size
from tokengate.core.jobs import Job, JobState
from tokengate.core.video import SIZES, Film, FilmKept, FilmOrigin, FilmTold

VARIANTS: Final = ("video", "thumbnail", "spritesheet")
Status = Literal["queued", "in_progress", "completed", "failed"]

_STATUSES: Final[Mapping[JobState, Status]] = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "in_progress",
    JobState.SUCCEEDED: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
    JobState.EXPIRED: "failed",
}
_WHY: Final = {
    JobState.FAILED: "The video could not be made.",
    JobState.CANCELLED: "The video was cancelled.",
    JobState.EXPIRED: "The video was not finished in time.",
}
_id_of = re.compile(r"(?:video|job)_([0-9a-f]{32})").fullmatch


def shown_id(job_id: str) -> str:
    """Return a job's id as a video's."""
    return f"video_{job_id.removeprefix('job_')}"


def read_id(id: str) -> str | None:
    """Return the job's id that a video's stands for; None for what is none."""
    found = _id_of(id)
    return f"job_{found[1]}" if found else None


def write_video(job: Job) -> dict[str, Any]:
    """Return a job as a video object."""
    film = cast(Film, job.task)
    told = _decode_told(job.told) if job.told else FilmTold()
    remixed = None if film.remix_of is None else shown_id(film.remix_of)
    return {
        "id": shown_id(job.id),
        "object": "video",
        "model": job.model,
        "status": _STATUSES[job.state],
        "progress": job.percent,
        "created_at": job.created_s,
        "completed_at": job.ended_s,
        "expires_at": job.files_until_s,
        "seconds": str(_seconds_of(job, film, told)),
        "size": str(_size_of(film, told)),
        "prompt": film.prompt,
        "remixed_from_video_id": remixed,
        "error": _error(job),
    }


def origin_of(job: Job) -> FilmOrigin | None:
    """Return where a job's film is for whoever changes it; None when its vendor changes none."""
    return FilmOrigin(job.upstream, _decode_kept(job.kept).vendor_id) if job.kept else None


def write_list(jobs: Sequence[Job], *, has_more: bool) -> dict[str, Any]:
    """Return one page of videos."""
    videos = [write_video(job) for job in jobs]
    first, last = (videos[0]["id"], videos[-1]["id"]) if videos else (None, None)
    return {"object": "list", "data": videos, "first_id": first, "last_id": last, "has_more": has_more}


def write_deleted(job_id: str) -> dict[str, Any]:
    """Return what a deletion is answered with."""
    return {"id": shown_id(job_id), "object": "video.deleted", "deleted": True}


_decode_told = msgspec.json.Decoder(FilmTold).decode
_decode_kept = msgspec.json.Decoder(FilmKept).decode


def _seconds_of(job: Job, film: Film, told: FilmTold) -> int:
    """Return how long it is, or else will be, or else may be."""
    made = job.usage.second if job.usage else 0
    return made or told.seconds or film.seconds or film.most_seconds


def _size_of(film: Film, told: FilmTold) -> Size:
    """Return how large it is, as far as anybody said."""
    made = read_size(told.size) if told.size else None
    return made or film.size or SIZES[film.resolution or "720P"]


def _error(job: Job) -> dict[str, str] | None:
    if job.error is not None:
        return {"code": job.error.code, "message": job.error.message}
    why = _WHY.get(job.state)
    return None if why is None else {"code": f"video_{job.state}", "message": why}
