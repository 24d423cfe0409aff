"""DashScope in its own format: where its services are, and what its codes mean."""

import json
from typing import Any

import pytest

from tokengate.core.http import Timeouts
from tokengate.providers.load import provider_of, upstreams_from_environment

NATIVE = provider_of("dashscope_native")


def body_of(code: str, message: str = "No.") -> bytes:
    return json.dumps({"code": code, "message": message, "request_id": "r-1"}).encode()


def framed(code: str, message: str = "No.") -> bytes:
    return b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:" + body_of(code, message) + b"\n\n"


def test_it_speaks_the_vendors_own_format_alone() -> None:
    assert list(NATIVE.formats) == ["dashscope"]


def test_the_key_in_the_environment_turns_on_the_compatible_mode_alone() -> None:
    upstreams = upstreams_from_environment({"DASHSCOPE_API_KEY": "k"}.get)

    assert [upstream.provider for upstream in upstreams] == ["dashscope"]


def test_a_request_goes_to_the_service_below_the_base_url() -> None:
    format = NATIVE.formats["dashscope"]

    request = NATIVE.request(
        format.path("qwen-vl-max", stream=True),
        b"{}",
        credential="k",
        base_url=NATIVE.base_url,
        headers=format.headers(stream=True),
        timeouts=Timeouts(),
    )

    assert request.url == "https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation"
    assert request.headers["x-dashscope-sse"] == "enable"
    assert request.headers["authorization"] == "Bearer k"


CODES: list[tuple[int, str, str, int]] = [
    (400, "InvalidParameter", "request", 400),
    (400, "DataInspectionFailed", "request", 400),
    (400, "Arrearage", "quota", 503),
    (401, "InvalidApiKey", "auth", 502),
    (403, "AccessDenied.Unpurchased", "auth", 502),
    (403, "AllocationQuota.FreeTierOnly", "quota", 503),
    (404, "ModelNotFound", "request", 404),
    (429, "Throttling.RateQuota", "limited", 429),
    (500, "InternalError.Algo", "status", 502),
    (503, "ModelUnavailable", "status", 502),
]


@pytest.mark.parametrize(("status", "code", "kind", "ours"), CODES, ids=[code for _, code, _, _ in CODES])
@pytest.mark.parametrize("write", [body_of, framed])
def test_codes_say_whose_matter_an_error_is(status: int, code: str, kind: str, ours: int, write: Any) -> None:
    failure = NATIVE.failure(status, {}, write(code))

    assert (failure.kind, failure.status) == (kind, ours)
    assert failure.upstream_request_id == "r-1"


@pytest.mark.parametrize(("status", "code", "kind", "ours"), CODES, ids=[code for _, code, _, _ in CODES])
def test_codes_say_so_inside_a_stream_too(status: int, code: str, kind: str, ours: int) -> None:
    failure = NATIVE.failure_inside({}, body_of(code))

    assert failure is not None
    assert (failure.kind, failure.status) == (kind, ours)


def test_a_model_that_is_served_elsewhere_is_not_the_callers_fault() -> None:
    failure = NATIVE.failure(400, {}, body_of("InvalidParameter", "url error, please check url！"))

    assert failure.kind == "status"
    assert failure.retryable


def test_an_unknown_model_in_openais_shape_is_the_callers_fault() -> None:
    body = {"error": {"message": "model 'x' not found", "type": "invalid_request_error", "code": "model_not_found"}}

    failure = NATIVE.failure(404, {}, json.dumps(body).encode())

    assert (failure.kind, failure.status, failure.code) == ("request", 404, "model_not_found")


def test_an_answer_is_no_error() -> None:
    assert NATIVE.failure_inside({}, b'{"output": {"text": "a"}, "request_id": "r"}') is None
