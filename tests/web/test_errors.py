import json
from typing import Any

import pytest

from tokengate.core import errors
from tokengate.core.errors import GatewayError
from tokengate.web.errors import BadKeyWords, error_body, error_headers


def body_of(error: GatewayError, words: BadKeyWords | None = None) -> dict[str, Any]:
    return json.loads(error_body(error, words))


EVERY = [
    (errors.BadRequest("No.", param="n"), 400, "invalid_request_error", None),
    (errors.Unsupported("this model", "tools"), 400, "invalid_request_error", "unsupported_parameter"),
    (errors.BadKey(), 401, "invalid_request_error", "invalid_api_key"),
    (
        errors.InsufficientBalance(needed_nano=5, available_nano=-1),
        402,
        "insufficient_balance",
        "insufficient_balance",
    ),
    (errors.NotSignedIn(), 401, "authentication_error", "not_signed_in"),
    (errors.BudgetExhausted(1, "month", 0), 402, "insufficient_balance", "budget_exhausted"),
    (errors.Forbidden("No."), 403, "permission_error", "forbidden"),
    (errors.NotFound("No."), 404, "invalid_request_error", "not_found"),
    (errors.ModelNotFound("m"), 404, "invalid_request_error", "model_not_found"),
    (errors.MethodNotAllowed("PUT", "GET, POST"), 405, "invalid_request_error", "method_not_allowed"),
    (errors.BodyTimeout("Late."), 408, "invalid_request_error", "request_timeout"),
    (errors.Conflict("Busy."), 409, "invalid_request_error", "idempotency_key_in_use"),
    (errors.PreconditionFailed(), 412, "invalid_request_error", "precondition_failed"),
    (errors.BodyTooLarge(7), 413, "invalid_request_error", "request_too_large"),
    (errors.UnsupportedMediaType("x"), 415, "invalid_request_error", "unsupported_media_type"),
    (errors.BadRange(7), 416, "invalid_request_error", "range_not_satisfiable"),
    (errors.KeyReused("Used."), 422, "invalid_request_error", "idempotency_key_reused"),
    (errors.RateLimited("Slow.", retry_after_s=1), 429, "rate_limit_error", "rate_limit_exceeded"),
    (errors.UpstreamFailed("Ill.", kind="status"), 502, "upstream_error", "upstream_error"),
    (errors.Unavailable("Busy."), 503, "server_error", "unavailable"),
    (errors.UpstreamTimeout("Late.", stage="first"), 504, "upstream_error", "upstream_timeout"),
]


@pytest.mark.parametrize(("error", "status", "kind", "code"), EVERY)
def test_every_error_has_openai_s_shape(error: GatewayError, status: int, kind: str, code: str | None):
    body = body_of(error)

    assert error.status == status
    assert body == {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}
    assert list(body["error"]) == ["message", "type", "param", "code"]


def test_every_class_of_the_tree_is_in_this_table_but_for_those_that_no_caller_reads():
    found = {type(error) for error, *_ in EVERY}
    tree = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, GatewayError)}

    assert tree - found == {GatewayError, errors.ClientGone}


def test_the_vendor_s_own_words_replace_ours():
    error = errors.UpstreamFailed("Too long.", kind="request", status=400, type="bad", code="c_1", param="messages")

    assert body_of(error) == {"error": {"message": "Too long.", "type": "bad", "param": "messages", "code": "c_1"}}


def test_a_base_path_has_its_own_words_for_a_bad_key_and_nothing_else():
    words = BadKeyWords("Invalid API-KEY", None)

    assert body_of(errors.BadKey("This API key is disabled."), words)["error"]["message"] == "Invalid API-KEY"
    assert body_of(errors.BadKey(), words)["error"]["code"] is None
    assert body_of(errors.NotFound("No."), words)["error"]["message"] == "No."


@pytest.mark.parametrize(("wait_s", "header"), [(0.1, "1"), (1.0, "1"), (1.2, "2"), (30.0, "30"), (30.4, "31")])
def test_retry_after_is_whole_seconds_and_never_too_early(wait_s: float, header: str):
    assert ("retry-after", header) in error_headers(errors.RateLimited("Slow.", retry_after_s=wait_s))


def test_an_error_that_names_no_time_has_no_retry_after():
    assert error_headers(errors.BadRequest("No.")) == []


def test_an_overload_always_says_when():
    assert error_headers(errors.Unavailable("Busy.")) == [("retry-after", "1")]


def test_a_wrong_method_comes_with_those_that_are_right():
    assert error_headers(errors.MethodNotAllowed("PUT", "GET, POST")) == [("allow", "GET, POST")]


def test_a_limit_comes_with_its_headers():
    limits = (("x-ratelimit-limit-requests", "3"), ("x-ratelimit-remaining-requests", "0"))

    assert set(limits) <= set(error_headers(errors.RateLimited("Slow.", retry_after_s=1, headers=limits)))


@pytest.mark.parametrize(
    ("theirs", "headers"),
    [
        ("req_011CS", [("x-upstream-request-id", "req_011CS")]),
        (None, []),
        ("a\r\nset-cookie: b", []),  # an id in a vendor's body may be anything
        ("x" * 201, []),
        ("编号", []),
    ],
)
def test_a_vendors_failure_comes_with_its_own_id(theirs: str | None, headers: list[tuple[str, str]]):
    failed = errors.UpstreamFailed("Busy.", kind="status", upstream_request_id=theirs)

    assert error_headers(failed) == headers


def test_amounts_are_exact_and_never_negative():
    message = errors.InsufficientBalance(needed_nano=1_234_567_891, available_nano=-5).message

    assert "¥1.234567891" in message and "¥0 is available" in message
