"""Errors in the shape that Google's clients parse: {error: {code, message, status, details}}."""

from typing import Any, Final

import msgspec

from tokengate.core.errors import BadRequest, GatewayError

_DOMAIN: Final = "tokengate"
_TYPE: Final = "type.googleapis.com/google.rpc."

# https://cloud.google.com/apis/design/errors, 2026-11
_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_encode = msgspec.json.Encoder().encode


def write_error(error: GatewayError, request_id: str) -> bytes:
    """Return the body of an error."""
    details: list[dict[str, Any]] = []
    if error.code:
        reason = "API_KEY_INVALID" if error.code == "invalid_api_key" else error.code.upper()
        details.append({"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": _DOMAIN})
    if error.param is not None and isinstance(error, BadRequest):
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if error.retry_after_s is not None:
        details.append(
            {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{error.retry_after_s:.3f}".rstrip("0").rstrip(".") + "s"}
        )
    if request_id:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    body: dict[str, Any] = {
        "code": error.status,
        "message": error.message,
        "status": _STATUS.get(error.status, "INVALID_ARGUMENT" if error.status < 500 else "INTERNAL"),
    }
    if details:
        body["details"] = details
    return _encode({"error": body})
