"""Whatever a vendor says when it fails, it becomes a declared error without secrets, in the shape of every format."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.mutation import mutated
from tokengate.core.errors import UpstreamFailed
from tokengate.core.wire import Format
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.suno.replies import write_error as write_suno_error
from tokengate.providers.error_body import MAX_KEPT
from tokengate.providers.load import all_providers
from tokengate.providers.provider import Provider
from tokengate.web.errors import error_body, error_headers

CREDENTIAL = "sk-live-0123456789abcdef0123456789abcdef"
PROVIDERS = all_providers()
FORMATS: tuple[Format, ...] = (OPENAI_CHAT, RESPONSES, ANTHROPIC, GEMINI, DASHSCOPE)
KINDS = {"request", "auth", "quota", "limited", "status"}
BODIES: list[Any] = [
    {"error": {"message": f"No {CREDENTIAL}", "type": CREDENTIAL, "param": "n", "code": 404}, "request_id": "r"},
    [{"error": {"message": "No", "status": "NOT_FOUND", "code": 404, "details": [{"retryDelay": "3s"}]}}],
    {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}, "request_id": "req_1"},
    {"code": "Some resource has been exhausted", "error": "No"},
    {"object": "error", "message": "No", "type": "BadRequestError", "param": None, "code": 400},
    {"code": "Throttling.RateQuota", "message": "Slow down", "request_id": CREDENTIAL},
    {"base_resp": {"status_code": 1004, "status_msg": "login fail"}},
    {"code": 455, "msg": f"Maintenance {CREDENTIAL}", "data": None},
    {"detail": [{"loc": ["body", "messages", 0], "msg": "field required"}]},
]
PLAIN = [json.dumps(body).encode() for body in BODIES]
SPELLED = [
    *PLAIN,
    *(b"event: error\ndata: " + body + b"\n\n" for body in PLAIN),
    b"<html><title>Bad gateway</title></html>",
    b"upstream connect error",
    b"",
    b"\xff\xfe",
]
WAITS = ["", "0", "3", "-1", "1e999", "nan", "x", "Wed, 21 Oct 2026 07:28:00 GMT", "٣"]
HEADER_TEXTS = st.sampled_from(WAITS) | st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "x-request-id", "request-id", "content-type"]),
    HEADER_TEXTS,
)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@settings(max_examples=150)
@given(body=mutated(SPELLED), status=st.integers(201, 599), headers=HEADERS)
def test_every_failure_is_a_declared_error_without_secrets(
    provider: Provider, body: bytes, status: int, headers: dict[str, str]
) -> None:
    failure = provider.failure(status, headers, body, credential=CREDENTIAL)

    assert isinstance(failure, UpstreamFailed)
    assert failure.kind in KINDS and 400 <= failure.status < 600
    assert failure.message and len(failure.message) <= 4_000 and len(failure.body) <= MAX_KEPT
    assert failure.retry_after_s is None or 0 <= failure.retry_after_s < float("inf")
    told = [error_body(failure), write_suno_error(failure, "req_1")]
    told += [one.write_error(failure, "req_1") for one in FORMATS]
    for shape in told:
        json.loads(shape)
        assert CREDENTIAL.encode() not in shape
    assert CREDENTIAL not in f"{failure.body}{failure.upstream_request_id}"
    for name, value in error_headers(failure):
        assert f"{name}: {value}".isascii() and f"{name}{value}".isprintable() and CREDENTIAL not in value


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@settings(max_examples=100)
@given(body=mutated(SPELLED), headers=HEADERS)
def test_an_error_inside_a_200_is_one_or_is_none(provider: Provider, body: bytes, headers: dict[str, str]) -> None:
    failure = provider.failure_inside(headers, body, credential=CREDENTIAL)

    if failure is not None:
        assert failure.kind in KINDS and 400 <= failure.status < 600
        assert CREDENTIAL not in f"{failure.message}{failure.type}{failure.code}{failure.param}{failure.body}"
