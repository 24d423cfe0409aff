"""Our jobs as DashScope's tasks: what is told of one, and of several.

An id is ours, written as the vendor's are. Times are Beijing's. What a job made lies at addresses of ours; once that is
gone, so is the task: UNKNOWN, as the vendor says of every id that it does not know.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from math import ceil
from typing import Any, Final, TypeVar, assert_never

import msgspec

from tokengate.core.errors import BadRequest
from tokengate.core.images import Draw, DrawingTold, Made
from tokengate.core.jobs import Job, JobError, JobFile, JobKind, JobState, Task
from tokengate.core.parts import Url
from tokengate.core.recordings import Hear, Heard, HearingTold
from tokengate.core.video import Film, FilmTold
from tokengate.formats.dashscope.shapes import encode, is_object

Told = TypeVar("Told", Made, Heard)

BEIJING: Final = timezone(timedelta(hours=8))
DAY_S: Final = 86_400
KINDS: Final[tuple[JobKind, ...]] = ("image", "video", "transcription")

_STATUS: Final[dict[JobState, str]] = {
    JobState.QUEUED: "PENDING",
    JobState.RUNNING: "RUNNING",
    JobState.SUCCEEDED: "SUCCEEDED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "CANCELED",
    JobState.EXPIRED: "FAILED",
}
_LATE: Final = JobError("InternalError.Timeout", "The task was not done in time.")
_RESOLUTIONS: Final = {"480P": 480, "720P": 720, "1080P": 1080}

_is_time = re.compile(r"\d{14}").fullmatch
_hex = re.compile(r"(?:job_)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})").fullmatch


def write_task_id(job_id: str) -> str:
    """Return a job's id as this format shows it: 32 digits in five groups."""
    found = _hex(job_id)
    assert found is not None, "a job's id has 32 digits"
    return "-".join(found.groups())


def read_task_id(task_id: str) -> str | None:
    """Return the job that a task's id means, however it is written; None for what was never one."""
    found = _hex(task_id.lower())
    return "job_" + "".join(found.groups()) if found else None


def write_submitted(job: Job, request_id: str) -> bytes:
    """Return the answer to a submission: how far the task is, is for those who look."""
    output = {"task_status": "PENDING", "task_id": write_task_id(job.id)}
    return encode({"output": output, "request_id": request_id})


def write_unknown(task_id: str, request_id: str) -> bytes:
    """Return the answer about a task that there is not."""
    return encode({"request_id": request_id, "output": {"task_id": task_id, "task_status": "UNKNOWN"}})


def write_task(job: Job, request_id: str, own: str) -> bytes:
    """Return what there is to tell of a task. `own` is the address at which its caller reaches this platform."""
    if job.state is JobState.SUCCEEDED and not job.files:
        return write_unknown(write_task_id(job.id), request_id)
    output: dict[str, Any] = {
        "task_id": write_task_id(job.id),
        "task_status": _STATUS[job.state],
        "submit_time": _time(job.created_s),
        **({} if job.started_s is None else {"scheduled_time": _time(job.started_s)}),
        **({} if job.ended_s is None else {"end_time": _time(job.ended_s)}),
    }
    made, total, usage = _made(job, own)
    if job.state in (JobState.FAILED, JobState.EXPIRED):
        error = job.error or _LATE
        # What failed here and not at the vendor has a word of ours.
        output["code"] = error.code if error.code[:1].isupper() else "InternalError"
        output["message"] = error.message
    if total is not None:
        succeeded = len(job.files)
        failed = total - succeeded if job.state.ended else 0
        output["task_metrics"] = {"TOTAL": total, "SUCCEEDED": succeeded, "FAILED": failed}
    if job.state is not JobState.SUCCEEDED:
        return encode({"request_id": request_id, "output": output})
    return encode({"request_id": request_id, "output": {**output, **made}, "usage": _own_usage(job) or usage})


def write_list(jobs: Sequence[Job], request_id: str, *, page: int, size: int, total: int) -> bytes:
    """Return one page of tasks."""
    reply = {
        "total": total,
        "data": [_row(job) for job in jobs],
        "total_page": ceil(total / size),
        "page_no": page,
        "page_size": size,
        "request_id": request_id,
    }
    return encode(reply)


def read_states(status: str) -> tuple[JobState, ...]:
    """Return the states that a status stands for. Raises BadRequest for what is none."""
    states = tuple(state for state, name in _STATUS.items() if name == status)
    if not states and status not in ("SUSPENDED", "UNKNOWN"):
        raise BadRequest("'status' must be one of PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED.", param="status")
    return states


def read_span(start: str | None, end: str | None, now_s: int) -> tuple[int, int]:
    """Return from when to when tasks are asked for, in seconds: a day at most, the last one for who does not say.
    Raises BadRequest."""
    begins = None if start is None else _moment("start_time", start)
    ends = None if end is None else _moment("end_time", end)
    if ends is None:
        ends = now_s + 1 if begins is None else begins + DAY_S
    if begins is None:
        begins = ends - DAY_S
    if not 0 <= ends - begins <= DAY_S:
        raise BadRequest("'start_time' and 'end_time' must be at most 24 hours apart.", param="start_time")
    return begins, ends


def _moment(param: str, text: str) -> int:
    try:
        if _is_time(text):
            return int(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING).timestamp())
    except ValueError:
        pass
    raise BadRequest(f"'{param}' must be a time of Beijing such as 20261121200000.", param=param)


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, BEIJING).strftime("%Y-%m-%d %H:%M:%S.000")


def _made(job: Job, own: str) -> tuple[dict[str, Any], int | None, dict[str, Any]]:
    """Return what a job made, of how many parts it is to be, and its usage."""
    task = job.task
    match task:
        case Film():
            return _film(job, task, own), None, _film_usage(job, task)
        case Draw() if task.in_messages:
            message = {"finish_reason": "stop"}
            choices = [
                {**message, "message": {"role": "assistant", "content": [{"image": own + one.path, "type": "image"}]}}
                for one in job.files
            ]
            size = {"size": f"{task.size.width}*{task.size.height}"} if task.size else {}
            return {"finished": True, "choices": choices}, None, {"image_count": len(choices), **size}
        case Draw():
            told = _decode_drawing(job.told).pictures if job.told else ()
            results = [_picture(one, task, file, own) for one, file in _paired(told, job.files, Made())]
            return {"results": results}, max(task.n, len(results)), {"image_count": len(job.files)}
        case Hear():
            return _hearing(job, task, own)
        case Task():
            return {}, None, {}
        case _:
            assert_never(task)


def _film(job: Job, task: Film, own: str) -> dict[str, Any]:
    film = next((one for one in job.files if one.media_type.startswith("video/")), None)
    made: dict[str, Any] = {"video_url": own + film.path if film else "", "orig_prompt": task.prompt}
    revised = _decode_film(job.told).revised_prompt if job.told else ""
    return {**made, "actual_prompt": revised} if revised else made


def _film_usage(job: Job, task: Film) -> dict[str, Any]:
    seconds = job.usage.second if job.usage else 0
    usage: dict[str, Any] = {
        "duration": seconds,
        "input_video_duration": 0,
        "output_video_duration": seconds,
        "video_count": 1,
    }
    if task.most.resolution is not None:
        usage["SR"] = _RESOLUTIONS[task.most.resolution]
    return {**usage, "size": f"{task.size.width}*{task.size.height}"} if task.size else usage


def _picture(one: Made, task: Draw, file: JobFile | None, own: str) -> dict[str, str]:
    if file is None:
        return {"code": one.code or "InternalError", "message": one.message}
    prompts = {"orig_prompt": task.prompt} if task.prompt else {}
    if one.revised_prompt:
        prompts["actual_prompt"] = one.revised_prompt
    return {**prompts, "url": own + file.path}


def _hearing(job: Job, task: Hear, own: str) -> tuple[dict[str, Any], int | None, dict[str, Any]]:
    told = _decode_hearing(job.told).recordings if job.told else ()
    seconds = job.usage.second if job.usage else 0
    if task.alone:
        result = {"transcription_url": own + job.files[0].path} if job.files else {}
        return {"result": result}, None, {"seconds": seconds}
    urls = [one.url if isinstance(one, Url) else "" for one in task.recordings]
    results: list[dict[str, str]] = []
    for url, (one, file) in zip(urls, _paired(told, job.files, Heard()), strict=False):
        if file is None:
            failed = {"code": one.code, "message": one.message, "subtask_status": "FAILED"}
            results.append({"file_url": url, **failed})
        else:
            done = {"transcription_url": own + file.path, "subtask_status": "SUCCEEDED"}
            results.append({"file_url": url, **done})
    return {"results": results}, len(urls), {"duration": seconds}


def _paired(told: Sequence[Told], files: Sequence[JobFile], nothing: Told) -> list[tuple[Told, JobFile | None]]:
    """Return what was told of each part with its file; parts that failed have none."""
    left = list(files)
    paired: list[tuple[Told, JobFile | None]] = []
    for one in told:
        paired.append((one, None if one.code or not left else left.pop(0)))
    return [*paired, *((nothing, file) for file in left)]


def _own_usage(job: Job) -> dict[str, Any] | None:
    """Return the vendor's own usage where the vendor was DashScope and its words are those of the service."""
    if not job.raw_usage or isinstance(job.task, Hear):
        return None
    usage = msgspec.json.decode(job.raw_usage)
    own = is_object(usage) and usage.keys() & {"video_count", "video_duration", "image_count"}
    return usage if own else None


def _row(job: Job) -> dict[str, Any]:
    row: dict[str, Any] = {
        "gmt_create": job.created_s * 1000,
        "model_name": job.model,
        "status": _STATUS[job.state],
        "task_id": write_task_id(job.id),
        "user_api_unique_key": f"apikey:v1:{_service(job)}:{job.model}",
    }
    if job.started_s is not None:
        row["start_time"] = job.started_s * 1000
    if job.ended_s is not None:
        row["end_time"] = job.ended_s * 1000
    return row


def _service(job: Job) -> str:
    match job.task:
        case Draw(in_messages=True):
            return "aigc:image-generation:generation"
        case Draw(task=work):
            return f"aigc:{'text2image' if work == 'generation' else 'image2image'}:image-synthesis"
        case Hear():
            return "audio:asr:transcription"
        case _:
            return "aigc:video-generation:video-synthesis"


_decode_drawing = msgspec.json.Decoder(DrawingTold).decode
_decode_film = msgspec.json.Decoder(FilmTold).decode
_decode_hearing = msgspec.json.Decoder(HearingTold).decode
