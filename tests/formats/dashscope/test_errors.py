import json

import pytest

from tokengate.core.errors import (
    BadKey,
    BadRequest,
    BodyTooLarge,
    BudgetExhausted,
    Conflict,
    Forbidden,
    GatewayError,
    InsufficientBalance,
    KeyReused,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    RateLimited,
    Unavailable,
    Unsupported,
    UnsupportedMediaType,
    UpstreamFailed,
    UpstreamTimeout,
)
from tokengate.formats.dashscope.errors import write_error

ERRORS: list[tuple[GatewayError, str]] = [
    (BadRequest("no"), "InvalidParameter"),
    (Unsupported("X", "n"), "UnsupportedOperation"),
    (BadKey(), "InvalidApiKey"),
    (InsufficientBalance(needed_nano=2, available_nano=1), "Arrearage"),
    (BudgetExhausted(1, "day", None), "Arrearage"),
    (Forbidden("no"), "AccessDenied"),
    (NotFound("no"), "NotFound"),
    (ModelNotFound("m"), "ModelNotFound"),
    (MethodNotAllowed("GET", "POST"), "InvalidParameter"),
    (Conflict("busy"), "InvalidParameter"),
    (KeyReused("twice"), "InvalidParameter"),
    (BodyTooLarge(1), "BadRequest.TooLarge"),
    (UnsupportedMediaType("text/html"), "BadRequest.UnsupportedFileFormat"),
    (RateLimited("slow down", retry_after_s=1), "Throttling.RateQuota"),
    (Unavailable("gone"), "ServiceUnavailable"),
    (UpstreamTimeout("late", stage="first"), "GatewayTimeout"),
    (UpstreamFailed("broken", kind="status"), "InternalError"),
    (UpstreamFailed("busy", kind="limited", status=429), "Throttling.RateQuota"),
    (UpstreamFailed("no", kind="request", status=400, code="DataInspectionFailed"), "DataInspectionFailed"),
    (UpstreamFailed("no", kind="request", status=400, code="invalid_value"), "InvalidParameter"),
    (UpstreamFailed("no", kind="status", status=502, code="InvalidParameter"), "InternalError"),
    (UpstreamFailed("no", kind="status", status=502, code="ModelUnavailable"), "ModelUnavailable"),
    (
        UpstreamFailed("busy", kind="limited", status=429, code="Throttling.AllocationQuota"),
        "Throttling.AllocationQuota",
    ),
    (UpstreamFailed("cut", kind="cut", code="InternalError.Algo"), "InternalError"),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=[f"{type(e).__name__}-{c}" for e, c in ERRORS])
def test_errors_have_the_vendors_codes(error: GatewayError, code: str):
    body = json.loads(write_error(error, "req_1"))

    assert body["code"] == code
    assert body["request_id"] == "req_1"
    assert body["message"]


def test_a_bad_key_is_told_in_the_vendors_words():
    assert json.loads(write_error(BadKey(), "r"))["message"] == "Invalid API-key provided."
