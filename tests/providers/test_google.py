"""Google: its requests and refusals, and that it takes what is written for it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws import vocabulary as v
from tests.simulators.gemini_rules import Refused, known
from tokengate.core.errors import Unsupported
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.wire import Losses
from tokengate.providers.google import PROVIDER

KEY = "AIzaSyAbCdEf0123456789AbCdEf0123456789"
FORMAT = PROVIDER.formats["gemini"]
MODELS = ["gemini-3-flash-preview", "gemini-3.1-pro-preview", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash"]


def sent(base_url: str = PROVIDER.base_url, credential: str = KEY, **headers: str) -> HttpRequest:
    path = FORMAT.path("gemini-3-flash-preview", stream=True)
    return PROVIDER.request(path, b"{}", credential=credential, base_url=base_url, headers=headers, timeouts=Timeouts())


def error_body(code: int, status: str, message: str = "No.", *details: dict[str, Any]) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "status": status, "details": details}}).encode()


def test_a_request_carries_the_key_in_its_own_header() -> None:
    request = sent()

    assert request.method == "POST"
    assert request.url == (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse"
    )
    assert request.headers == {"user-agent": "tokengate", "content-type": "application/json", "x-goog-api-key": KEY}


def test_an_operators_header_replaces_ours() -> None:
    assert sent(**{"X-Goog-Api-Key": "theirs"}).headers["x-goog-api-key"] == "theirs"


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1beta", "/v1beta/", "/v1beta/openai", "/v1beta/openai/"])
def test_the_address_may_end_with_the_version(end: str) -> None:
    request = sent(f"https://proxy.example{end}", credential="")

    assert request.url.startswith("https://proxy.example/v1beta/models/")
    assert "x-goog-api-key" not in request.headers


@pytest.mark.parametrize(
    ("code", "status", "kind", "ours"),
    [
        (400, "INVALID_ARGUMENT", "request", 400),
        (400, "FAILED_PRECONDITION", "status", 502),
        (403, "PERMISSION_DENIED", "auth", 502),
        (404, "NOT_FOUND", "request", 404),
        (429, "RESOURCE_EXHAUSTED", "limited", 429),
        (500, "INTERNAL", "status", 502),
        (503, "UNAVAILABLE", "status", 502),
        (504, "DEADLINE_EXCEEDED", "status", 502),
    ],
)
def test_each_refusal_is_somebodys_matter(code: int, status: str, kind: str, ours: int) -> None:
    failure = PROVIDER.failure(code, {}, error_body(code, status), credential=KEY)

    assert (failure.kind, failure.status) == (kind, ours)


def test_a_wrong_key_is_the_operators_matter() -> None:
    body = error_body(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")

    failure = PROVIDER.failure(400, {}, body, credential=KEY)

    assert (failure.kind, failure.status) == ("auth", 502)
    assert "API key not valid" not in failure.message


def test_an_error_inside_a_stream_has_its_own_status() -> None:
    inside = PROVIDER.failure_inside({}, b'{"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}')

    assert inside is not None and (inside.kind, inside.status) == ("limited", 429)


@settings(max_examples=200)
@given(data=st.data())
def test_google_knows_every_member_that_is_written_for_it(data: st.DataObject) -> None:
    chat = data.draw(v.any_chats(data.draw(st.sampled_from(v.FORMATS))))
    chat = msgspec.structs.replace(chat, model=data.draw(st.sampled_from(MODELS)), extra={}, essential=frozenset())

    try:
        body = FORMAT.write_chat(chat, Losses("Google", {}))
    except Unsupported:
        return
    request = json.loads(body)
    if "tools" in request:  # opaque ones are not ours
        ours = {"functionDeclarations", "googleSearch"}
        request["tools"] = [tool for tool in request["tools"] if tool.keys() <= ours]
    try:
        known(request, "Request")
    except Refused as refused:
        raise AssertionError(refused.message) from refused
