"""A simulated DashScope: text and multimodal generation, embeddings, rerank, and the upload of files.

    with DashScope() as dashscope:
        ...                     # the SDK, or a gateway, calls dashscope.url with dashscope.key

It answers from the request alone. The last message of the user may ask for something:

    weather in A and B      calls the first tool once for each place; then repeats what the tools gave back
    fail CODE               an error, such as `fail Throttling`
    break CODE              the same in the middle of a stream
    cut                     closes the connection in the middle of a stream

Anything else is repeated: `You said: …`, with what was there to see and hear.
"""

import base64
import json
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.simulators.dashscope_mind import Mind, events_of, ranking, vectors, whole
from tests.simulators.dashscope_rules import (
    MULTIMODAL,
    MULTIMODAL_EMBEDDING,
    RERANK,
    TEXT,
    TEXT_EMBEDDING,
    Refused,
    check,
)
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
_SERVICES = (TEXT, MULTIMODAL, TEXT_EMBEDDING, MULTIMODAL_EMBEDDING, RERANK)


class DashScope:
    """The server. `error_form` is how a refused stream is answered: whole (a JSON body), events (status 200), framed
    (the error's own status), or mislabelled (the same, said to be JSON): the vendor has been seen to do all four."""

    def __init__(self) -> None:
        self.key = "sk-dashscope-simulated"
        self.error_form = "whole"
        self.uploads: dict[str, bytes] = {}
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
            if call.headers.get("authorization") != f"Bearer {self.key}":
                raise Refused(401, "InvalidApiKey", "Invalid API-key provided.")
            if url.path == f"{_BASE}/uploads":
                return _json(200, {"data": self._policy(parse_qs(url.query)), "request_id": request_id}, request_id)
            path = url.path.removeprefix(_BASE)
            if call.method != "POST" or path not in _SERVICES:
                raise Refused(404, "NotFound", "Unknown path.")
            body = json.loads(call.body)
            resolve = call.headers.get("x-dashscope-ossresourceresolve") == "enable"
            check(path, body, stream=stream, resolve=resolve, uploads=self.uploads)
            return _serve(path, body, request_id, stream=stream)
        except Refused as error:
            return self._refuse(error, request_id, stream=stream)

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
