"""What adapters send, and what they make of a vendor's refusal."""

import json
from typing import Any

import pytest

from tokengate.core.http import Timeouts
from tokengate.providers.load import all_providers, provider_of, upstreams_from_environment

OPENAI = provider_of("openai")
KEY = "sk-proj-AbCdEf0123456789AbCdEf"


def body_of(value: object) -> bytes:
    return json.dumps(value).encode()


def error_body(message: str = "No.", **fields: Any) -> bytes:
    return body_of({"error": {"message": message, "type": None, "param": None, "code": None, **fields}})


def test_every_vendor_of_the_design_is_found() -> None:
    assert set(all_providers()) >= {
        "anthropic", "dashscope", "dashscope_native", "deepseek", "google", "minimax", "ollama", "openai",
        "openai_compatible", "sglang", "vllm", "xai", "zhipu",
    }  # fmt: skip


def test_unknown_provider_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no provider 'opeani'; there are anthropic, cqtai"):
        provider_of("opeani")


def test_key_in_the_environment_turns_its_vendor_on() -> None:
    environment = {"DEEPSEEK_API_KEY": "k", "DASHSCOPE_API_KEY": "k", "OPENAI_API_KEY": ""}

    upstreams = upstreams_from_environment(environment.get)

    assert [(upstream.name, upstream.base_url, upstream.api_key_env, upstream.api_key) for upstream in upstreams] == [
        ("dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", ""),
        ("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", ""),
    ]


@pytest.mark.parametrize("name", sorted(all_providers()))
def test_vendor_with_a_key_has_an_address_and_models(name: str) -> None:
    provider = provider_of(name)

    assert bool(provider.base_url) == bool(provider.vendors)
    assert provider.base_url.startswith("https://") if provider.base_url else not provider.key_env
    assert provider.formats or provider.jobs


def test_request_carries_credential_body_and_the_operators_headers() -> None:
    request = OPENAI.request(
        "/chat/completions",
        b'{"model":"m"}',
        credential=KEY,
        base_url="https://proxy.example/v1/",
        headers={"OpenAI-Organization": "org-1"},
        timeouts=Timeouts(first=9),
    )

    assert (request.method, request.url) == ("POST", "https://proxy.example/v1/chat/completions")
    assert request.headers == {
        "user-agent": "tokengate",
        "content-type": "application/json",
        "authorization": f"Bearer {KEY}",
        "openai-organization": "org-1",
    }
    assert (request.body, request.timeouts.first) == (b'{"model":"m"}', 9)


def test_request_without_body_is_a_get_and_without_credential_has_none() -> None:
    request = provider_of("vllm").request(
        "/models", b"", credential="", base_url="http://gpu:8000/v1", headers={}, timeouts=Timeouts()
    )

    assert (request.method, request.url) == ("GET", "http://gpu:8000/v1/models")
    assert request.headers == {"user-agent": "tokengate"}


def test_operators_header_replaces_ours() -> None:
    request = OPENAI.request(
        "/x",
        b"{}",
        credential=KEY,
        base_url="https://a/v1",
        headers={"Authorization": "Basic eA=="},
        timeouts=Timeouts(),
    )

    assert request.headers["authorization"] == "Basic eA=="


@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
def test_callers_fault_is_passed_on_in_the_vendors_words(status: int) -> None:
    body = error_body(
        "'temperature' is too hot.", type="invalid_request_error", param="temperature", code="invalid_value"
    )

    failure = OPENAI.failure(status, {"x-request-id": "req_1"}, body)

    assert (failure.status, failure.kind, failure.message) == (status, "request", "'temperature' is too hot.")
    assert (failure.type, failure.param, failure.code) == ("invalid_request_error", "temperature", "invalid_value")
    assert (failure.upstream_status, failure.upstream_request_id, failure.body) == (status, "req_1", body.decode())


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_of_our_key_does_not_blame_the_callers(status: int) -> None:
    failure = OPENAI.failure(status, {}, error_body(f"Incorrect API key provided: {KEY}.", code="invalid_api_key"))

    assert (failure.status, failure.kind, failure.code) == (502, "auth", "upstream_auth")
    assert "Your API key" not in failure.message
    assert "your API key is fine" in failure.message
    assert (failure.upstream_status, KEY in failure.body) == (status, False)


def test_used_up_account_does_not_blame_the_callers_wallet() -> None:
    for provider, status, body in (
        ("openai", 429, error_body("You exceeded your current quota.", type="insufficient_quota")),
        ("openai", 429, error_body("You exceeded your current quota.", code="insufficient_quota")),
        ("deepseek", 402, error_body("Insufficient Balance", type="unknown_error", code="invalid_request_error")),
        (
            "dashscope",
            400,
            error_body("Access denied, please make sure your account is in good standing.", code="Arrearage"),
        ),
        ("zhipu", 429, body_of({"error": {"code": "1113", "message": "您的账户已欠费,请充值后重试。"}})),
        ("anthropic", 400, error_body("Your credit balance is too low.", type="billing_error")),
    ):
        failure = provider_of(provider).failure(status, {}, body)

        assert (failure.status, failure.kind, failure.code) == (503, "quota", "upstream_quota"), provider
        assert "your balance is fine" in failure.message


def test_dashscopes_insufficient_quota_is_too_many_tokens_a_minute() -> None:
    body = error_body("You exceeded your current quota.", code="insufficient_quota", type="insufficient_quota")

    failure = provider_of("dashscope").failure(429, {}, body)

    assert (failure.status, failure.kind) == (429, "limited")


def test_wrong_key_in_the_shapes_of_other_vendors() -> None:
    google = body_of(
        [
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid. Please pass a valid API key.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ]
    )

    assert provider_of("google").failure(400, {}, google).kind == "auth"
    assert (
        provider_of("zhipu")
        .failure(400, {}, body_of({"error": {"code": "1002", "message": "Authorization Token非法"}}))
        .kind
        == "auth"
    )
    assert provider_of("dashscope").failure(400, {}, error_body(code="invalid_api_key")).kind == "auth"


def test_too_many_requests_are_passed_on_with_the_wait() -> None:
    failure = OPENAI.failure(429, {"retry-after": "17"}, error_body("Rate limit reached.", code="rate_limit_exceeded"))

    assert (failure.status, failure.kind, failure.retry_after_s) == (429, "limited", 17.0)
    assert (failure.message, failure.code) == ("Rate limit reached.", "rate_limit_exceeded")


@pytest.mark.parametrize(
    ("status", "headers", "ours", "kind"),
    [
        (500, {}, 502, "status"),
        (502, {}, 502, "status"),
        (503, {}, 502, "status"),
        (503, {"retry-after": "3"}, 503, "limited"),
        (529, {}, 503, "limited"),
        (409, {}, 502, "status"),
        (418, {}, 502, "status"),
    ],
)
def test_vendors_trouble(status: int, headers: dict[str, str], ours: int, kind: str) -> None:
    failure = OPENAI.failure(status, headers, error_body("Busy."))

    assert (failure.status, failure.kind, failure.message) == (ours, kind, "Busy.")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "99999999"}, 3600.0),
        ({"retry-after": "Fri, 21 Nov 2026 10:00:30 GMT", "date": "Fri, 21 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Fri, 21 Nov 2026 09:00:00 GMT", "date": "Fri, 21 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, None),
    ],
)
def test_wait_that_the_vendor_asks_for(headers: dict[str, str], wait_s: float | None) -> None:
    assert OPENAI.failure(429, headers, b"").retry_after_s == wait_s


def test_google_says_in_the_body_how_long_to_wait() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]
    body = body_of([{"error": {"code": 429, "message": "Quota.", "status": "RESOURCE_EXHAUSTED", "details": details}}])

    failure = provider_of("google").failure(429, {}, body)

    assert (failure.retry_after_s, failure.message, failure.type) == (38.0, "Quota.", "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "m", "type": "BadRequestError", "param": None, "code": 400}}, "m", "400"),
        ({"object": "error", "message": "m", "type": "BadRequestError", "code": 400}, "m", "400"),
        ([{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}], "m", "400"),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "m"}, "request_id": "r"}, "m", None),
        ({"code": "Client specified an invalid argument", "error": "m"}, "m", "Client specified an invalid argument"),
        ({"error": "m"}, "m", None),
        ({"code": 400, "msg": "m", "data": None}, "m", "400"),
        ({"code": "InvalidParameter", "message": "m", "request_id": "r"}, "m", "InvalidParameter"),
        ({"detail": "m"}, "m", None),
        ({"detail": [{"loc": ["body", "model"], "msg": "field required"}]}, "body.model: field required", None),
    ],
)
def test_shapes_of_error_bodies(body: object, message: str, code: str | None) -> None:
    plain, streamed = (
        OPENAI.failure(400, {}, text) for text in (body_of(body), b"id:1\nevent:error\ndata:" + body_of(body))
    )

    assert (plain.message, plain.code, plain.kind) == (message, code or "upstream_error", "request")
    assert (streamed.message, streamed.code) == (plain.message, plain.code)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "OpenAI answered 500 without an explanation."),
        (b"upstream connect error", "upstream connect error"),
        (b"<html><head><title>502 Bad\n Gateway</title></head></html>", "502 Bad Gateway"),
        (b"<html><body>no title</body></html>", "OpenAI answered 500 without an explanation."),
        (b'{"error": {"message": ""}}', "OpenAI answered 500 without an explanation."),
        (b'{"error": null}', "OpenAI answered 500 without an explanation."),
        (b"[]", "OpenAI answered 500 without an explanation."),
        (b"[" * 100_000, "OpenAI answered 500 without an explanation."),
        (b"\xff\xfe\x00broken", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} broken"),
        (
            b'{"error": {"message": ["x"], "code": {"a": 1}, "type": true}}',
            "OpenAI answered 500 without an explanation.",
        ),
    ],
)
def test_bodies_that_are_not_errors_in_any_shape(body: bytes, message: str) -> None:
    assert OPENAI.failure(500, {}, body).message == message


def test_404_from_something_that_is_not_the_api_is_a_wrong_address() -> None:
    page = OPENAI.failure(404, {}, b"<html><title>Not Found</title></html>")
    model = OPENAI.failure(404, {}, error_body("The model does not exist.", code="model_not_found"))

    assert (page.status, page.kind) == (502, "status")
    assert (model.status, model.kind) == (404, "request")


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "sk-ant-api03-abcDEF_123-xyz",
        "sk-abc***********wxyz",
        "AIzaSyA1234567890abcdefghijklmnop",
        "xai-0123456789abcdef",
        "0123456789abcdef0123456789abcdef.AbCdEfGh12345678",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_123",
    ],
)
def test_anything_that_looks_like_a_key_is_removed(secret: str) -> None:
    for text in (f"Bad key {secret}!", f"Authorization: Bearer {secret}", f'{{"key":"{secret}"}}'):
        failure = OPENAI.failure(400, {}, error_body(text))

        assert secret not in failure.message
        assert secret not in failure.body


def test_own_credential_is_removed_whatever_it_looks_like() -> None:
    failure = OPENAI.failure(500, {}, error_body("Got 'correct horse battery'."), credential="correct horse battery")

    assert failure.message == "Got '[removed]'."
    assert "correct horse" not in failure.body


def test_ordinary_words_are_kept() -> None:
    message = "The bearer of risk-averse task-queues must ask: sk- is a prefix, 3.14 a number."

    assert OPENAI.failure(400, {}, error_body(message)).message == message


def test_body_is_kept_up_to_its_limit_and_a_key_at_the_edge_is_removed_whole() -> None:
    failure = OPENAI.failure(500, {}, b"x" * 2030 + b" " + KEY.encode() + b"y" * 5000)

    assert len(failure.body) <= 2048
    assert "sk-" not in failure.body


@pytest.mark.parametrize(
    ("code", "ours", "kind"),
    [
        (1002, 429, "limited"),
        (1004, 502, "auth"),
        (2049, 502, "auth"),
        (1008, 503, "quota"),
        (2013, 400, "request"),
        (1000, 502, "status"),
    ],
)
def test_minimax_hides_errors_in_a_200(code: int, ours: int, kind: str) -> None:
    body = body_of({"base_resp": {"status_code": code, "status_msg": "refused"}})

    failure = provider_of("minimax").failure_inside({}, body)

    assert failure is not None
    assert (failure.status, failure.kind, failure.upstream_status) == (ours, kind, failure.upstream_status)


def test_200_without_an_error_inside_is_no_failure() -> None:
    for body in (
        b"",
        b"{}",
        body_of({"choices": [], "base_resp": {"status_code": 0, "status_msg": "success"}}),
        body_of({"id": "x", "choices": [{"message": {"content": "error"}}]}),
        body_of({"message": "hello"}),
    ):
        assert provider_of("minimax").failure_inside({}, body) is None
        assert OPENAI.failure_inside({}, body) is None


def test_error_object_in_a_200_is_a_failure() -> None:
    overloaded = OPENAI.failure_inside({}, error_body("Overloaded.", type="server_error"))
    limited = OPENAI.failure_inside({}, error_body("Slow down.", code=429))

    assert overloaded is not None and (overloaded.status, overloaded.kind) == (502, "status")
    assert limited is not None and (limited.status, limited.kind) == (429, "limited")
