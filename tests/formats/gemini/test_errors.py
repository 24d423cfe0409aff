import json
from typing import Any

import pytest

from tokengate.core.errors import (
    BadKey,
    BadRequest,
    GatewayError,
    InsufficientBalance,
    ModelNotFound,
    RateLimited,
    Unavailable,
    UpstreamTimeout,
)
from tokengate.formats.gemini.errors import write_error


def written(error: GatewayError) -> dict[str, Any]:
    return json.loads(write_error(error, "req_1"))["error"]


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (BadRequest("No."), 400, "INVALID_ARGUMENT"),
        (BadKey(), 401, "UNAUTHENTICATED"),
        (InsufficientBalance(needed_nano=2, available_nano=1), 402, "FAILED_PRECONDITION"),
        (ModelNotFound("x"), 404, "NOT_FOUND"),
        (RateLimited("Slow.", retry_after_s=1), 429, "RESOURCE_EXHAUSTED"),
        (Unavailable("Later."), 503, "UNAVAILABLE"),
        (UpstreamTimeout("Late.", stage="first"), 504, "DEADLINE_EXCEEDED"),
        (GatewayError("Defect."), 500, "INTERNAL"),
    ],
)
def test_errors_have_googles_words(error: GatewayError, code: int, status: str) -> None:
    body = written(error)

    assert (body["code"], body["status"], body["message"]) == (code, status, error.message)


def test_a_wrong_key_has_the_reason_that_clients_look_for() -> None:
    assert written(BadKey())["details"][0]["reason"] == "API_KEY_INVALID"


def test_the_culprit_is_named() -> None:
    (violations,) = [
        one for one in written(BadRequest("No.", param="contents[0]"))["details"] if "fieldViolations" in one
    ]

    assert violations["fieldViolations"] == [{"field": "contents[0]", "description": "No."}]


@pytest.mark.parametrize(("wait_s", "delay"), [(7.0, "7s"), (1.5, "1.5s"), (100, "100s")])
def test_the_wait_is_told(wait_s: float, delay: str) -> None:
    (info,) = [one for one in written(RateLimited("Slow.", retry_after_s=wait_s))["details"] if "retryDelay" in one]

    assert info == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
