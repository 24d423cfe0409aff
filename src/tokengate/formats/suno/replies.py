"""Replies about music: a task's id, a task with what came of it, and errors, all as `{"code", "message", "data"}`.

The statuses, `progress` and the members of a clip are the widespread ones; addresses are the gateway's own.
https://docs.newapi.pro/api/suno-music, 2026-11
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Raw

from tokengate.core.errors import GatewayError
from tokengate.core.jobs import Job, JobState
from tokengate.core.money import write_yuan
from tokengate.core.music import Clip, Compose, Lyrics, Made, MusicAction, read_made
from tokengate.formats.suno.ids import write_clip_id

_STATUS: Final = {
    JobState.QUEUED: "QUEUED",
    JobState.RUNNING: "IN_PROGRESS",
    JobState.SUCCEEDED: "SUCCESS",
    JobState.FAILED: "FAILURE",
    JobState.CANCELLED: "FAILURE",
    JobState.EXPIRED: "FAILURE",
}
_WHY: Final = {JobState.CANCELLED: "The task was cancelled.", JobState.EXPIRED: "The task took too long."}
# What the widespread shape calls them; there every other one is MUSIC.
_ACTIONS: Final[dict[MusicAction, str]] = {
    "concat": "CONCAT",
    "lyrics": "LYRICS",
    "tags": "UPSAMPLE_TAGS",
    "midi": "MIDI",
    "mp4": "MP4",
    "wav": "WAV",
    "timing": "TIMING",
    "beats": "BEATS",
}

_encode = msgspec.json.encode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


def write_taken(job: Job) -> bytes:
    """Return the answer to a submission: the task's id."""
    return _success(job.id)


def write_task(job: Job, site: str, *, widespread: bool = False) -> bytes:
    """Return the answer about one task; `site` is where callers reach this platform. The `widespread` shape has its
    own words for actions."""
    return _success(_task(job, site, widespread=widespread))


def write_tasks(jobs: Iterable[Job], site: str) -> bytes:
    """Return the answer about several tasks, in the widespread shape."""
    return _success([_task(job, site, widespread=True) for job in jobs])


def write_error(error: GatewayError, request_id: str) -> bytes:
    """Return the body of an error."""
    return _encode({"code": error.code or error.type, "message": error.message, "data": None})


def _success(data: object) -> bytes:
    return _encode({"code": "success", "message": "", "data": data})


def _task(job: Job, site: str, *, widespread: bool) -> dict[str, Any]:
    asked = job.task
    assert isinstance(asked, Compose), "a task of music is asked for in words of music"
    urls = {file.name: site + file.path for file in job.files}
    made = read_made(job.kept) if job.state is JobState.SUCCEEDED else None
    return {
        "task_id": job.id,
        "notify_hook": asked.callback_url,
        "action": _ACTIONS.get(asked.action, "MUSIC") if widespread else asked.action,
        "model": job.model,
        "status": _STATUS[job.state],
        "fail_reason": job.error.message if job.error else _WHY.get(job.state, ""),
        "submit_time": job.created_s,
        "start_time": job.started_s or 0,
        "finish_time": job.ended_s or 0,
        "progress": f"{100 if job.state.ended else job.percent}%",
        "result_url": next(iter(urls.values()), ""),
        "cost": write_yuan(job.cost_nano),
        "data": None if made is None else _result(job.id, asked.action, made, urls),
    }


def _result(job_id: str, action: MusicAction, made: Made, urls: dict[str, str]) -> object:
    if made.lyrics:
        first, *others = (_lyrics(job_id, words) for words in made.lyrics)
        return first | {"alternatives": others}
    if made.clips:
        return [_clip(write_clip_id(job_id, number), clip, urls) for number, clip in enumerate(made.clips, 1)]
    if action == "tags":
        return {"tags": made.tags}
    details = _decode_object(made.details) if bytes(made.details) else {}
    return {**details, **_addresses(made.files, urls)}


def _clip(clip_id: str, clip: Clip, urls: dict[str, str]) -> dict[str, Any]:
    usual = dict.fromkeys(("audio_url", "video_url", "image_url", "image_large_url"), "")
    return {
        "id": clip_id,
        "title": clip.title,
        "status": "complete",
        **usual,
        **_addresses(clip.files, urls),
        "model_name": clip.model,
        "major_model_version": clip.version,
        "created_at": clip.created,
        "metadata": {
            "tags": clip.tags,
            "prompt": clip.prompt,
            "type": clip.kind,
            "duration": None if clip.duration_s is None else Raw(clip.duration_s.encode()),
        },
    }


def _lyrics(job_id: str, words: Lyrics) -> dict[str, Any]:
    return {"id": job_id, "status": "complete", "title": words.title, "text": words.text, "tags": words.tags}


def _addresses(files: dict[str, str], urls: dict[str, str]) -> dict[str, str]:
    """Return the gateway's addresses of files, such as `audio_url`; one that could not be kept has none."""
    return {f"{kind}_url": urls.get(name, "") for kind, name in files.items()}
