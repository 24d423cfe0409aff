"""A simulated DashScope: text and multimodal generation, embeddings, rerank, tasks, and the upload of files.

    with DashScope() as dashscope:
        ...                     # the SDK, or a gateway, calls dashscope.url with dashscope.key

It answers from the request alone. The last message of the user may ask for something:

    weather in A and B      calls the first tool once for each place; then repeats what the tools gave back
    fail CODE               an error, such as `fail Throttling`
    break CODE              the same in the middle of a stream
    cut                     closes the connection in the middle of a stream

Models that make pictures return a PNG of the size that was asked for; those that speak do what `openai_speech` does,
as PCM or at the address of a WAV file, and `BREAK CODE` breaks them off. Anything else is repeated: `You said: …`, with
what was there to see and hear.
"""

import base64
import json
import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.simulators.dashscope_mind import Mind, events_of, ranking, vectors, whole
from tests.simulators.dashscope_rules import (
    DRAWS,
    HEARS,
    MULTIMODAL,
    MULTIMODAL_EMBEDDING,
    RERANK,
    SPEAKS,
    SPEAKS_BY_TOKENS,
    TEXT,
    TEXT_EMBEDDING,
    Refused,
    characters,
    check,
)
from tests.simulators.dashscope_task_rules import TASK_SERVICES, check_task
from tests.simulators.dashscope_tasks import TaskDesk
from tests.simulators.image_upstream import png
from tests.simulators.openai_speech import duration_s, pieces_of, sound_of
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream

_BASE = "/api/v1"
_STATUS = {
    "Arrearage": 400,
    "DataInspectionFailed": 400,
    "AccessDenied": 403,
    "Throttling": 429,
    "Throttling.AllocationQuota": 429,
    "InternalError": 500,
    "ModelUnavailable": 503,
}
_ERROR, _BREAK = re.compile(r"ERROR ([\w.]+)"), re.compile(r"BREAK ([\w.]+)")
_SERVICES = (TEXT, MULTIMODAL, TEXT_EMBEDDING, MULTIMODAL_EMBEDDING, RERANK)


class DashScope:
    """The server. `error_form` is how a refused stream is answered: whole (a JSON body), events (status 200), framed
    (the error's own status), or mislabelled (the same, said to be JSON): the vendor has been seen to do all four."""

    def __init__(self) -> None:
        self.key = "sk-dashscope-simulated"
        self.error_form = "whole"
        self.uploads: dict[str, bytes] = {}
        self.pictures: dict[str, bytes] = {}
        self.desk = TaskDesk()
        self._server = ThreadedUpstream(self._answer)
        self._count = 0

    @property
    def url(self) -> str:
        """The base URL as the vendor's SDK takes it."""
        return f"http://127.0.0.1:{self._server.upstream.port}{_BASE}"

    @property
    def calls(self) -> list[Call]:
        return self._server.calls

    @property
    def last(self) -> Any:
        """The body of the last call to a service."""
        return next(call.json for call in reversed(self.calls) if "/services/" in call.path)

    def __enter__(self) -> Self:
        self._server.__enter__()
        self.desk.url = self.url.removesuffix(_BASE)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._server.__exit__(kind, error, trace)

    def _answer(self, call: Call) -> Reply:
        self._count += 1
        request_id = f"{self._count:08x}-5d2b-916d-9c6a-7af95993e275"
        url = urlsplit(call.path)
        stream = call.headers.get("x-dashscope-sse") == "enable"
        try:
            if url.path == "/oss":
                return self._store(call)
            if url.path in self.pictures:
                return Reply(200, {"content-type": "image/png"}, self.pictures[url.path])
            if url.path in self.desk.files:
                kind, data = self.desk.files[url.path]
                return Reply(200, {"content-type": kind}, data)
            if call.headers.get("authorization") != f"Bearer {self.key}":
                raise Refused(401, "InvalidApiKey", "Invalid API-key provided.")
            if url.path == f"{_BASE}/uploads":
                return _json(200, {"data": self._policy(parse_qs(url.query)), "request_id": request_id}, request_id)
            path = url.path.removeprefix(_BASE)
            if path.split("/")[1] == "tasks":
                return _json(200, {**self._tasks(call.method, path, url.query), "request_id": request_id}, request_id)
            is_async = call.headers.get("x-dashscope-async") == "enable"
            if call.method == "POST" and path in (*TASK_SERVICES, *_SERVICES) and (path in TASK_SERVICES) != is_async:
                kind = "asynchronous" if is_async else "synchronous"
                raise Refused(403, "AccessDenied", f"current user api does not support {kind} calls.")
            if call.method == "POST" and path in TASK_SERVICES:
                asked = json.loads(call.body)
                resolve = call.headers.get("x-dashscope-ossresourceresolve") == "enable"
                check_task(path, asked, resolve=resolve, uploads=self.uploads)
                submitted = self.desk.submit(path, asked, request_id)
                return _json(200, {**submitted, "request_id": request_id}, request_id)
            if call.method != "POST" or path not in _SERVICES:
                raise Refused(404, "NotFound", "Unknown path.")
            body = json.loads(call.body)
            resolve = call.headers.get("x-dashscope-ossresourceresolve") == "enable"
            check(path, body, stream=stream, resolve=resolve, uploads=self.uploads)
            return self._served(path, body, request_id, stream=stream)
        except Refused as error:
            return self._refuse(error, request_id, stream=stream)

    def _served(self, path: str, body: Any, request_id: str, *, stream: bool) -> Reply:
        if body["model"] in DRAWS:
            return _json(200, {**self._draw(body), "request_id": request_id}, request_id)
        if body["model"] in SPEAKS:
            return self._speak(body, request_id, stream=stream)
        if body["model"] in HEARS:
            return _hear(body, request_id, stream=stream)
        return _serve(path, body, request_id, stream=stream)

    def _tasks(self, method: str, path: str, query: str) -> dict[str, Any]:
        match method, path.removeprefix("/tasks").strip("/").split("/"):
            case "GET", [""]:
                return self.desk.list(query)
            case "GET", [task_id]:
                return self.desk.look(task_id)
            case "POST", [task_id, "cancel"]:
                self.desk.cancel(task_id)
                return {}
            case _:
                raise Refused(404, "NotFound", "Unknown path.")

    def _draw(self, body: Any) -> dict[str, Any]:
        """Make pictures, which lie at addresses of object storage."""
        (message,), parameters = body["input"]["messages"], body.get("parameters", {})
        text = next(part["text"] for part in message["content"] if "text" in part)
        verb, _, code = text.partition(" ")
        if verb == "fail" and code in _STATUS:
            raise Refused(_STATUS[code], code, f"Simulated {code}.")
        width, height = map(int, parameters.get("size", "1664*928").split("*"))
        choices: list[dict[str, Any]] = []
        for at in range(parameters.get("n", 1)):
            path = f"/pictures/{len(self.pictures)}.png"
            self.pictures[path] = png(width, height, f"{text}{at}")
            content = [{"image": self.url.removesuffix(_BASE) + path}]
            choices.append({"finish_reason": "stop", "message": {"role": "assistant", "content": content}})
        usage = {"image_count": len(choices), "width": width, "height": height}
        return {"output": {"choices": choices}, "usage": usage}

    def _speak(self, body: Any, request_id: str, *, stream: bool) -> Reply:
        """Read a text aloud: in pieces, or as a file that lies at an address."""
        text = body["input"]["text"]
        if asked := _ERROR.search(text):
            raise Refused(_STATUS[asked[1]], asked[1], f"Simulated {asked[1]}.")
        spoken = {"input": text}
        path = f"/sounds/{len(self.desk.files)}.wav"
        self.desk.files[path] = ("audio/wav", sound_of(spoken, "wav"))
        audio = {"expires_at": 1795968000, "id": f"audio_{request_id}"}
        last = {"finish_reason": "stop", "audio": {**audio, "data": "", "url": self.url.removesuffix(_BASE) + path}}
        ended = {"output": last, "usage": _spoken_usage(body), "request_id": request_id}
        if not stream:
            return _json(200, ended, request_id)
        pieces = pieces_of(sound_of(spoken, "pcm"))
        events: list[Any] = [
            {
                "output": {"finish_reason": "null", "audio": {**audio, "data": base64.b64encode(piece).decode()}},
                "request_id": request_id,
            }
            for piece in pieces
        ]
        frames = [_frame(number, "result", 200, event) for number, event in enumerate([*events, ended], 1)]
        headers = {"content-type": "text/event-stream;charset=UTF-8", "x-request-id": request_id}
        if "NOTHING" in text:
            return Reply(200, headers)
        if asked := _BREAK.search(text):
            error = {"code": asked[1], "message": f"Simulated {asked[1]}.", "request_id": request_id}
            frames[2:] = [_frame(3, "error", _STATUS[asked[1]], error)]
        if "HALF" in text:
            return Reply(200, headers, pieces=frames[:2], ending="cut")
        return Reply(200, headers, pieces=frames)

    def _refuse(self, error: Refused, request_id: str, *, stream: bool) -> Reply:
        if error.code == "model_not_found":
            value: dict[str, Any] = {"message": error.message, "type": "invalid_request_error", "code": error.code}
            return _json(404, {"error": value}, request_id)
        value = {"code": error.code, "message": error.message, "request_id": request_id}
        if not stream or self.error_form == "whole":
            return _json(error.status, value, request_id)
        kind = "application/json" if self.error_form == "mislabelled" else "text/event-stream;charset=UTF-8"
        status = 200 if self.error_form == "events" else error.status
        return Reply(
            status, {"content-type": kind, "x-request-id": request_id}, body=_frame(1, "error", error.status, value)
        )

    def _policy(self, query: dict[str, list[str]]) -> dict[str, Any]:
        if query.get("action") != ["getPolicy"] or not query.get("model"):
            raise Refused(400, "InvalidParameter", "action and model are needed.")
        directory = f"dashscope-instant/{self._count:032x}/2026-11-21/{self._count:08x}"
        return {
            "policy": base64.b64encode(json.dumps({"directory": directory}).encode()).decode(),
            "signature": f"signed {directory}",
            "upload_dir": directory,
            "upload_host": self.url.removesuffix(_BASE) + "/oss",
            "expire_in_seconds": 300,
            "max_file_size_mb": 100,
            "capacity_limit_mb": 999999999,
            "oss_access_key_id": "simulated",
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }

    def _store(self, call: Call) -> Reply:
        """Take a form as object storage does; the policy in it must be one of ours."""
        head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser(policy=policy.HTTP).parsebytes(head + call.body)
        assert isinstance(message, EmailMessage)
        form: dict[str, bytes] = {}
        for part in message.iter_parts():
            assert isinstance(part, EmailMessage)
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            form[str(part.get_param("name", header="content-disposition"))] = payload
        directory = json.loads(base64.b64decode(form["policy"]))["directory"]
        key = form["key"].decode()
        if form["Signature"].decode() != f"signed {directory}" or not key.startswith(f"{directory}/"):
            return Reply(403, {"content-type": "application/xml"}, body=b"<Error><Code>AccessDenied</Code></Error>")
        self.uploads[f"oss://{key}"] = form["file"]
        return Reply(200)


def _spoken_usage(body: Any) -> dict[str, int]:
    """Return what is paid: characters, or tokens, 50 for each second of sound."""
    text = body["input"]["text"]
    if body["model"] != SPEAKS_BY_TOKENS:
        return {"characters": characters(text)}
    words, sound = len(text.split()), max(50, round(duration_s({"input": text}) * 50))
    return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}


def _hear(body: Any, request_id: str, *, stream: bool) -> Reply:
    """Say what a recording is: its length in bytes, or its address. One that is called `silence` has no text; one that
    is called `ERROR CODE` is refused."""
    *before, last = body["input"]["messages"]
    (part,) = last["content"]
    options = body.get("parameters", {}).get("asr_options", {})
    url = unquote(part["audio"])
    if asked := _ERROR.search(url):
        raise Refused(_STATUS[asked[1]], asked[1], f"Simulated {asked[1]}.")
    about = f"{len(base64.b64decode(url.partition(',')[2]))} bytes" if url.startswith("data:") else url
    words = ["I heard ", about, *(f" about {message['content'][0]['text']}" for message in before)]
    if "silence" in url:
        words = []
    note = {"type": "audio_info", "language": options.get("language", "en"), "emotion": "neutral"}
    details: dict[str, Any] = {"input_tokens_details": {"text_tokens": 0}, "output_tokens_details": {"text_tokens": 6}}
    usage = {**details, "seconds": 4}

    def said(text: str, finish: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": [{"text": text}] if text else [], "annotations": [note]}
        return {"output": {"choices": [{"finish_reason": finish, "message": message}]}, "request_id": request_id}

    if not stream:
        return _json(200, {**said("".join(words), "stop"), "usage": usage}, request_id)
    events: list[dict[str, Any]] = [said(word, "null") for word in words]
    events.append({**said("", "stop"), "usage": usage})
    frames = [_frame(number, "result", 200, event) for number, event in enumerate(events, 1)]
    return Reply(200, {"content-type": "text/event-stream;charset=UTF-8", "x-request-id": request_id}, pieces=frames)


def _serve(path: str, body: Any, request_id: str, *, stream: bool) -> Reply:
    if path in (TEXT_EMBEDDING, MULTIMODAL_EMBEDDING):
        return _json(200, {**vectors(path, body), "request_id": request_id}, request_id)
    if path == RERANK:
        return _json(200, {**ranking(body), "request_id": request_id}, request_id)
    mind = Mind(path, body)
    verb, _, code = mind.text.partition(" ")
    if verb == "fail" and code in _STATUS:
        raise Refused(_STATUS[code], code, f"Simulated {code}.")
    if not stream:
        return _json(200, {**whole(mind), "request_id": request_id}, request_id)
    events = [{**event, "request_id": request_id} for event in events_of(mind)]
    frames = [_frame(number, "result", 200, event) for number, event in enumerate(events, 1)]
    ending = "complete"
    if verb == "break" and code in _STATUS:
        error = {"code": code, "message": f"Simulated {code}.", "request_id": request_id}
        frames[2:] = [_frame(3, "error", _STATUS[code], error)]
    elif verb == "cut":
        frames, ending = frames[:2], "cut"
    headers = {
        "content-type": "text/event-stream;charset=UTF-8",
        "x-request-id": request_id,
        "x-dashscope-finished": "false",
    }
    return Reply(200, headers, pieces=frames, ending=ending)


def _json(status: int, value: Any, request_id: str) -> Reply:
    headers = {"content-type": "application/json", "x-request-id": request_id, "x-dashscope-finished": "true"}
    return Reply(status, headers, body=json.dumps(value, ensure_ascii=False).encode())


def _frame(number: int, kind: str, status: int, data: Any) -> bytes:
    value = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:{kind}\n:HTTP_STATUS/{status}\ndata:{value}\n\n".encode()
