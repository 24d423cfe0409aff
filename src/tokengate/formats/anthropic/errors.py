"""Errors as Anthropic's SDKs parse them: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from typing import Any

import msgspec

from tokengate.core.errors import GatewayError

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def write_error(error: GatewayError, request_id: str = "") -> bytes:
    """Return the body of an error; also what an error event of a stream holds."""
    default = "invalid_request_error" if error.status < 500 else "api_error"
    inner: dict[str, Any] = {"type": _TYPES.get(error.status, default), "message": error.message}
    if error.code is not None:
        inner["details"] = {"error_code": error.code}
    body: dict[str, Any] = {"type": "error", "error": inner}
    if request_id:
        body["request_id"] = request_id
    return msgspec.json.encode(body)
