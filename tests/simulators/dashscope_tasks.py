"""The asynchronous tasks of a simulated DashScope: taken, looked at, listed, cancelled, and gone after a while.

Each look takes a task one step on: PENDING, RUNNING, SUCCEEDED. The prompt, or the name of a recording's file, may ask
for something else:

    late N          stays RUNNING for N looks more
    queue           stays PENDING
    fail CODE       ends FAILED, with that code
    some fail       all but one picture fail, or every recording whose file is called so
    expire          is not known any more, once it was looked at twice
    refuse CODE     is refused when it is submitted
"""

import json
import re
from datetime import datetime, timedelta, timezone
from math import ceil
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.simulators.dashscope_rules import Refused, bad
from tests.simulators.dashscope_task_rules import FILM, FRAMES, GENERATION, HEARING, class_of
from tests.simulators.films import film_of
from tests.simulators.image_upstream import png

BEIJING = timezone(timedelta(hours=8))
FILM_BYTES = film_of(1, 64, 64)
_STATUS = {"DataInspectionFailed": 400, "Throttling.RateQuota": 429, "Arrearage": 400, "InternalError": 500}
_WORDS = {
    "DataInspectionFailed": "Output data may contain inappropriate content.",
    "InternalError.Timeout": "An internal timeout error has occurred during execution, please try again later.",
    "InvalidFile.DownloadFailed": "The audio file cannot be downloaded.",
}
_ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")


class Task:
    """One task, and how often it was looked at."""

    def __init__(self, task_id: str, path: str, body: Any, request_id: str) -> None:
        self.id, self.path, self.body, self.request_id = task_id, path, body, request_id
        self.looks = 0
        self.status = "PENDING"
        self.output: dict[str, Any] = {}
        self.usage: dict[str, Any] | None = None
        self.submitted = datetime.now(BEIJING)
        self.ended: datetime | None = None

    @property
    def script(self) -> str:
        asked = self.body["input"]
        if self.path == GENERATION:
            return next(part["text"] for part in asked["messages"][0]["content"] if "text" in part)
        if self.path == HEARING:
            return _name(self.recordings[0])
        return asked.get("prompt") or ""

    @property
    def recordings(self) -> list[str]:
        asked = self.body["input"]
        return asked.get("file_urls") or [asked["file_url"]]


class TaskDesk:
    """Keeps tasks and what they made. `url` is where its files lie, once the server knows."""

    def __init__(self) -> None:
        self.url = ""
        self.tasks: dict[str, Task] = {}
        self.files: dict[str, tuple[str, bytes]] = {}  # media type and bytes, by path

    def submit(self, path: str, body: Any, request_id: str) -> dict[str, Any]:
        """Take a task that was checked."""
        task = Task(f"{len(self.tasks):08x}-5ff8-4d82-bcb6-7b4a5d2b9a1e", path, body, request_id)
        verb, _, code = task.script.partition(" ")
        if verb == "refuse":
            raise Refused(_STATUS.get(code, 400), code, _WORDS.get(code, f"Simulated {code}."))
        self.tasks[task.id] = task
        return {"output": {"task_status": "PENDING", "task_id": task.id}}

    def look(self, task_id: str) -> dict[str, Any]:
        """Say how far a task is, and take it a step on."""
        task = self.tasks.get(task_id)
        if task is None:
            return {"output": {"task_id": task_id, "task_status": "UNKNOWN"}}
        if task.status not in _ENDED:
            self._step(task)
        if task.status == "UNKNOWN":
            return {"output": {"task_id": task_id, "task_status": "UNKNOWN"}}
        output: dict[str, Any] = {
            "task_id": task.id,
            "task_status": task.status,
            "submit_time": _time(task.submitted),
            "scheduled_time": _time(task.submitted),
        }
        if task.ended is not None:
            output["end_time"] = _time(task.ended)
        if task.path not in (FILM, FRAMES, GENERATION):
            output["task_metrics"] = {"TOTAL": 1, "SUCCEEDED": 0, "FAILED": 0}
        reply: dict[str, Any] = {"output": output | task.output}
        if task.usage is not None:
            reply["usage"] = task.usage
        return reply

    def cancel(self, task_id: str) -> None:
        """End a task that waits."""
        task = self.tasks.get(task_id)
        if task is None or task.status != "PENDING":
            message = "Failed to cancel the task, please confirm if the task is in PENDING status."
            raise Refused(400, "UnsupportedOperation", message)
        task.status, task.ended = "CANCELED", datetime.now(BEIJING)

    def list(self, query: str) -> dict[str, Any]:
        """List the tasks of the last day, the newest first."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        for name in ("start_time", "end_time"):
            if name in asked and not re.fullmatch(r"\d{14}", asked[name]):
                raise bad(f"{name} is invalid")
        found = [
            task
            for task in reversed(self.tasks.values())
            if asked.get("status") in (None, task.status)
            and asked.get("model_name") in (None, task.body["model"])
            and asked.get("task_id") in (None, task.id)
            and asked.get("start_time", "") <= task.submitted.strftime("%Y%m%d%H%M%S") <= asked.get("end_time", "9")
        ]
        page, size = int(asked.get("page_no", 1)), int(asked.get("page_size", 10))
        return {
            "total": len(found),
            "data": [_listed(task) for task in found[(page - 1) * size : page * size]],
            "total_page": ceil(len(found) / size),
            "page_no": page,
            "page_size": size,
        }

    def _step(self, task: Task) -> None:
        task.looks += 1
        verb, _, rest = task.script.partition(" ")
        late = int(rest.split()[0]) if verb == "late" else 0
        if verb == "queue" or task.looks == 1:
            return
        if verb == "expire":
            task.status = "UNKNOWN" if task.looks > 2 else "RUNNING"
        elif task.looks <= 2 + late:
            task.status = "RUNNING"
        else:
            task.status, task.ended = "SUCCEEDED", datetime.now(BEIJING)
            if verb == "fail":
                task.status = "FAILED"
                task.output = {"code": rest, "message": _WORDS.get(rest, f"Simulated {rest}.")}
            elif task.path in (FILM, FRAMES):
                self._film(task)
            elif task.path == HEARING:
                self._hear(task)
            else:
                self._draw(task)

    def _film(self, task: Task) -> None:
        parameters, model = task.body.get("parameters", {}), task.body["model"]
        prompt, seconds = task.script, parameters.get("duration", 5)
        task.output = {"video_url": self._keep("mp4", "video/mp4", FILM_BYTES), "orig_prompt": prompt}
        if parameters.get("prompt_extend", True):
            task.output["actual_prompt"] = f"{prompt}, in a wide shot"
        resolution = int(class_of(task.body)[:-1])
        if model.startswith(("wan2.2", "wanx2.1")):
            task.usage = {"video_duration": seconds, "video_count": 1, "SR": resolution}
            return
        task.usage = {
            "duration": seconds,
            "input_video_duration": 0,
            "output_video_duration": seconds,
            "video_count": 1,
            "SR": resolution,
        }
        if "size" in parameters:
            task.usage["size"] = parameters["size"]

    def _draw(self, task: Task) -> None:
        parameters = task.body.get("parameters", {})
        n, size = parameters.get("n", 4 if task.body["model"].startswith("wan") else 1), parameters.get("size")
        width, height = map(int, (size or "1024*1024").split("*"))
        delivered = 1 if task.script.startswith("some fail") else n
        urls = [self._keep("png", "image/png", png(width, height, f"{task.script}{at}")) for at in range(delivered)]
        if task.path == GENERATION:
            content = [{"image": url, "type": "image"} for url in urls]
            choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
            task.output = {"finished": True, "choices": [choice]}
            task.usage = {"size": size or "1280*1280", "total_tokens": 0, "image_count": delivered}
            task.usage |= {"output_tokens": 0, "input_tokens": 0}
            return
        code = "InternalError.Timeout"
        results: list[dict[str, str]] = [
            {"orig_prompt": task.script, "actual_prompt": f"{task.script}, in oil", "url": url} for url in urls
        ]
        results[0:0] = [{"code": code, "message": _WORDS[code]} for _ in range(n - delivered)]
        metrics = {"TOTAL": n, "SUCCEEDED": delivered, "FAILED": n - delivered}
        task.output, task.usage = {"results": results, "task_metrics": metrics}, {"image_count": delivered}

    def _hear(self, task: Task) -> None:
        results: list[dict[str, str]] = []
        for url in task.recordings:
            if _name(url).startswith("some fail"):
                code = "InvalidFile.DownloadFailed"
                results.append({"file_url": url, "code": code, "message": _WORDS[code], "subtask_status": "FAILED"})
                continue
            words = f"This is {_name(url)}."
            sentence: dict[str, Any] = {"begin_time": 100, "end_time": 3820, "text": words, "words": []}
            transcript = {"channel_id": 0, "content_duration_in_milliseconds": 3720, "text": words}
            properties = {"audio_format": "pcm_s16le", "channels": [0], "original_sampling_rate": 16000}
            value: dict[str, Any] = {
                "file_url": url,
                "properties": properties | {"original_duration_in_milliseconds": 3834},
                "transcripts": [transcript | {"sentences": [sentence]}],
            }
            kept = self._keep("json", "application/json", json.dumps(value).encode())
            results.append({"file_url": url, "transcription_url": kept, "subtask_status": "SUCCEEDED"})
        good = sum("transcription_url" in one for one in results)
        metrics = {"TOTAL": len(results), "SUCCEEDED": good, "FAILED": len(results) - good}
        if not good:
            task.status = "FAILED"
            task.output = {"code": results[0]["code"], "message": results[0]["message"]}
        if "file_url" in task.body["input"]:
            task.output |= {"result": {"transcription_url": results[0]["transcription_url"]}} if good else {}
            task.usage = {"seconds": 4 * good} if good else None
            return
        task.output |= {"results": results, "task_metrics": metrics}
        task.usage = {"duration": 4 * good} if good else None

    def _keep(self, suffix: str, media_type: str, data: bytes) -> str:
        path = f"/results/{len(self.files)}.{suffix}"
        self.files[path] = (media_type, data)
        return self.url + path


def _listed(task: Task) -> dict[str, Any]:
    _, _, group, kind, function = task.path.split("/")
    made: dict[str, Any] = {
        "api_key_id": "15",
        "caller_parent_id": "1808342417264262",
        "caller_uid": "1808342417264262",
        "gmt_create": int(task.submitted.timestamp() * 1000),
        "model_name": task.body["model"],
        "region": "cn-beijing",
        "request_id": task.request_id,
        "start_time": int(task.submitted.timestamp() * 1000),
        "status": task.status,
        "task_id": task.id,
        "user_api_unique_key": f"apikey:v1:{group}:{kind}:{function}:{task.body['model']}",
    }
    if task.ended is not None:
        made["end_time"] = int(task.ended.timestamp() * 1000)
    return made


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _name(url: str) -> str:
    """Return the name of a recording's file, without what it ends in."""
    return unquote(url.rpartition("/")[2]).rpartition(".")[0]
