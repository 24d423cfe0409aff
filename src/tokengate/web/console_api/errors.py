"""The one shape of every error of the console's API: `{"error": {"message", "code", "param", "request_id"}}`."""

from collections.abc import Callable, Mapping

import structlog
from litestar import Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from msgspec import Struct

from tokengate.core.errors import GatewayError
from tokengate.web.console_api.authenticate import AnyRequest
from tokengate.web.console_api.words import in_words
from tokengate.web.errors import error_headers

_log = structlog.get_logger("tokengate.console")


class ErrorDetail(Struct, frozen=True):
    """Why a request was refused. `code` is stable; `message` is for people, in their language where it is known;
    `param` names the field at fault."""

    message: str
    code: str
    param: str | None
    request_id: str


class ErrorBody(Struct, frozen=True):
    """The body of every error."""

    error: ErrorDetail


def _refuse(request: AnyRequest, error: Exception) -> Response[ErrorBody]:
    match error:
        case GatewayError():
            headers = dict(error_headers(error))
            return _response(request, error.status, error.code or "server_error", error.message, error.param, headers)
        case MethodNotAllowedException():
            return _response(request, 405, "method_not_allowed", error.detail, None, dict(error.headers or {}))
        case ValidationException():
            return _response(request, 400, "invalid_request", *_first_of(error))
        case HTTPException():
            code = {404: "not_found", 413: "request_too_large", 415: "unsupported_media_type"}.get(error.status_code)
            return _response(request, error.status_code, code or "invalid_request", error.detail, None)
        case _:
            _log.exception("defect", request_id=_request_id(request), path=request.scope["path"], exc_info=error)
            sentence = "The gateway has a defect; the operator has been told."
            return _response(request, 500, "server_error", sentence, None)


EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[AnyRequest, Exception], Response[ErrorBody]]] = {
    Exception: _refuse
}


def _first_of(error: ValidationException) -> tuple[str, str | None]:
    """Return the sentence about the first field at fault, and its name."""
    match error.extra:
        case [{"message": str(message), "key": str(key)}, *_]:
            return f"{key}: {message}", key
        case [{"message": str(message)}, *_]:
            return message, None
        case _:
            return error.detail, None


def _response(
    request: AnyRequest,
    status: int,
    code: str,
    message: str,
    param: str | None,
    headers: Mapping[str, str] | None = None,
) -> Response[ErrorBody]:
    message = in_words(code, request.headers.get("accept-language", "")) or message
    body = ErrorBody(ErrorDetail(message, code, param, _request_id(request)))
    return Response(body, status_code=status, headers=dict(headers or {}), media_type="application/json")


def _request_id(request: AnyRequest) -> str:
    return str(request.scope["state"].get("request_id", ""))
