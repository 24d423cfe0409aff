"""Errors as DashScope's SDKs parse them: `{"code", "message", "request_id"}`, with the vendor's own codes."""

from collections.abc import Mapping

from tokengate.core.errors import (
    BadKey,
    BudgetExhausted,
    GatewayError,
    InsufficientBalance,
    NotFound,
    Unsupported,
    UpstreamFailed,
    UpstreamTimeout,
)
from tokengate.formats.dashscope.shapes import encode

BAD_KEY = "Invalid API-key provided."

# Codes of a backend that are told as they are, by whose matter the failure is.
_VENDOR_CODES: Mapping[str, tuple[str, ...]] = {
    "request": ("InvalidParameter", "DataInspectionFailed", "BadRequest.", "InvalidURL", "UnsupportedOperation"),
    "limited": ("Throttling", "LimitRequests"),
    "status": ("InternalError", "SystemError", "ModelUnavailable", "ModelServingError", "ModelServiceFailed"),
}

# https://help.aliyun.com/zh/model-studio/error-code, 2026-11
_BY_CLASS: Mapping[type[GatewayError], str] = {
    Unsupported: "UnsupportedOperation",
    BadKey: "InvalidApiKey",
    InsufficientBalance: "Arrearage",
    BudgetExhausted: "Arrearage",
    NotFound: "NotFound",
    UpstreamTimeout: "GatewayTimeout",
}
_BY_STATUS = {
    400: "InvalidParameter",
    401: "InvalidApiKey",
    402: "Arrearage",
    403: "AccessDenied",
    404: "ModelNotFound",
    408: "RequestTimeOut",
    413: "BadRequest.TooLarge",
    415: "BadRequest.UnsupportedFileFormat",
    429: "Throttling.RateQuota",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def kind_of(code: str) -> str:
    """Return whose matter a failure is that the vendor tells by a code alone, as `UpstreamFailed.kind` has it: request,
    limited or status."""
    return next((kind for kind, heads in _VENDOR_CODES.items() if code.startswith(heads)), "status")


def code_of(error: GatewayError) -> str:
    """Return the vendor's code for an error."""
    if isinstance(error, UpstreamFailed) and (error.code or "").startswith(_VENDOR_CODES.get(error.kind, ())):
        return error.code or ""
    known = _BY_CLASS.get(type(error)) or _BY_STATUS.get(error.status)
    return known or ("InvalidParameter" if error.status < 500 else "InternalError")


def write_error(error: GatewayError, request_id: str) -> bytes:
    """Return the body of an error."""
    message = BAD_KEY if isinstance(error, BadKey) else error.message
    return encode({"code": code_of(error), "message": message, "request_id": request_id})
