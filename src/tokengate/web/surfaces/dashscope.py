"""DashScope's own API: text generation and multimodal generation, and its bodies posted to chat completions.

A stream is asked for with `X-DashScope-SSE: enable` or `Accept: text/event-stream`. What inspects contents at the
vendor goes on to DashScope's own backends; what this API cannot do is refused by name.
https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope and the SDK's own headers, 2026-11
"""

import re
from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.core.errors import BadRequest, NotFound
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.images import model_of, task_of
from tokengate.gateway.call import Options
from tokengate.gateway.dashscope import drawing, generation, hearing, is_for_multimodal, speaking
from tokengate.gateway.media import body_with_uploads
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler, Mount
from tokengate.web.request import Request
from tokengate.web.surfaces.pictures import PictureCalls
from tokengate.web.surfaces.quote import Quotable

_is_value = re.compile(r"[\x20-\x7e]{1,2000}").fullmatch

_PASSED_ON = ("X-DashScope-DataInspection",)
_ASYNC = "X-DashScope-Async"
_REFUSED = {
    _ASYNC: "asks for a task, but this is answered at once; leave it out.",
    "X-DashScope-EncryptionKey": "asks for an encrypted body, which the gateway cannot read; leave it out.",
    # Otherwise a caller could choose among the workspaces of the operator's account.
    "X-DashScope-WorkSpace": "names a workspace of the operator's account, who alone chooses it; leave it out.",
}

_TEXT, _MULTIMODAL = (generation(multimodal=multimodal, stream=False) for multimodal in (False, True))
# Without a path only `parameters` tell its bodies from others with `input`; at chat completions nothing else has it.
DASHSCOPE_QUOTABLE = (
    Quotable("/text-generation/generation", lambda names: {"input", "parameters"} <= names, lambda path: _TEXT),
    *(
        Quotable("/multimodal-generation/generation", lambda names: False, lambda path, operation=operation: operation)
        for operation in (_MULTIMODAL, drawing("generation"), speaking(stream=True), hearing(stream=False))
    ),
)
NATIVE_QUOTABLE = Quotable("/chat/completions", lambda names: "input" in names, lambda path: _TEXT)


class DashScopeSurface:
    """Hands chats to the pipeline, and requests for pictures to `pictures`."""

    def __init__(self, gateway: Gateway, pictures: PictureCalls, admit: Admit) -> None:
        self._gateway = gateway
        self._pictures = pictures
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return both routes."""
        return [
            Endpoint(table.DASHSCOPE_TEXT, self._service(multimodal=False), write_error=DASHSCOPE.write_error),
            Endpoint(table.DASHSCOPE_MULTIMODAL, self._service(multimodal=True), write_error=DASHSCOPE.write_error),
        ]

    def mounts(self) -> list[Mount]:
        """Return what answers for services that are not offered, so that the vendor's SDK understands it."""
        return [Mount("/api/v1/", _refuse)]

    async def answer(self, request: Request, principal: Principal, body: bytes) -> None:
        """Answer a body that came to chat completions, as the service that it is for answers."""
        request.write_error = DASHSCOPE.write_error
        await self._answer(request, principal, body, multimodal=is_for_multimodal(body))

    def _service(self, *, multimodal: bool) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            body = await self._admit.json_body(request)
            await self._answer(request, principal, body, multimodal=multimodal)

        return handler

    async def _answer(self, request: Request, principal: Principal, body: bytes, *, multimodal: bool) -> None:
        stream, asked = _streams(request.headers), options_of(request)
        kind = self._kind(body) if multimodal else "chat"
        if kind == "image":
            if stream:
                raise BadRequest("Pictures are not streamed; leave 'X-DashScope-SSE' out.", param="X-DashScope-SSE")
            await self._pictures.answer(request, principal, drawing(task_of(body)), body, asked)
            return
        if kind == "speech":
            operation = speaking(stream=stream)
        elif kind == "transcription":
            operation = hearing(stream=stream)
            if asked.resolve_uploads:
                read = partial(self._gateway.uploads.read, principal.org_id, principal.project_id)
                body = await body_with_uploads(body, read)
        else:
            operation = generation(multimodal=multimodal, stream=stream)
        await self._gateway.answer(request.id, principal, operation, body, request, asked)

    def _kind(self, body: bytes) -> str:
        model = self._gateway.catalog.resolve(model_of(body))
        return "chat" if model is None else model.kind


async def _refuse(request: Request) -> None:
    request.write_error = DASHSCOPE.write_error
    raise NotFound(f"Unknown request URL: {request.method} {request.path[:200]}.")


def _streams(headers: Mapping[str, str]) -> bool:
    return headers.get("x-dashscope-sse") == "enable" or "text/event-stream" in headers.get("accept", "")


def options_of(request: Request, *, is_async: bool = False) -> Options:
    """Return what the headers of a call ask for; a service whose calls are tasks `is_async`. Raises BadRequest."""
    headers = request.headers
    for name, why in _REFUSED.items():
        if headers.get(name.lower()) and not (is_async and name == _ASYNC):
            raise BadRequest(f"'{name}' {why}", param=name)
    passed: dict[str, str] = {}
    for name in _PASSED_ON:
        value = headers.get(name.lower(), "")
        if value and not _is_value(value):
            raise BadRequest(f"'{name}' must be up to 2000 printable characters.", param=name)
        if value:
            passed[name] = value
    return replace(options(request), vendor_headers=passed)
