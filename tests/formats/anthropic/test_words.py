"""Usage, errors and the format's own words."""

import json
from typing import Any

import pytest

from tests.formats.anthropic.examples import HEADING, body
from tokengate.core.errors import (
    BadKey,
    BadRequest,
    BodyTimeout,
    BodyTooLarge,
    Conflict,
    Forbidden,
    GatewayError,
    InsufficientBalance,
    ModelNotFound,
    RateLimited,
    Unavailable,
    UpstreamFailed,
    UpstreamTimeout,
)
from tokengate.core.usage import Usage
from tokengate.core.wire import Format, Losses
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.anthropic.read import read_chat
from tokengate.formats.anthropic.usage import merge_usage, read_usage


@pytest.mark.parametrize(
    ("report", "usage"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, Usage(input=3, output=4)),
        (
            {"input_tokens": 3, "output_tokens": 4, "cache_creation_input_tokens": 9},
            Usage(input=3, output=4, cache_write_5m=9),
        ),
        (
            {
                "input_tokens": 3,
                "output_tokens": 4,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 0},
            },
            Usage(input=3, output=4, cache_write_5m=5, cache_write_1h=4),
        ),
        (
            {"input_tokens": 3, "output_tokens": 4, "cache_creation": {"ephemeral_5m_input_tokens": 2}},
            Usage(input=3, output=4, cache_write_5m=2),
        ),
        ({"output_tokens": 4, "output_tokens_details": {"thinking_tokens": 9}}, Usage(reasoning=4)),
        ({"input_tokens": -1, "output_tokens": 1e30, "cache_creation": None}, Usage()),
        ({"input_tokens": 3.0, "output_tokens": 4, "server_tool_use": None}, Usage(input=3, output=4)),
    ],
)
def test_usage_is_read_into_buckets_that_do_not_overlap(report: dict[str, Any], usage: Usage) -> None:
    raw = json.dumps(report).encode()

    read = read_usage(raw)

    assert read is not None and read.usage == usage and read.raw == raw


@pytest.mark.parametrize("raw", [b"", b"null", b"{}", b"[]", b'{"input_tokens": "3"}', b'{"a": ' + b"[" * 9999])
def test_what_is_no_usage_is_none(raw: bytes) -> None:
    assert read_usage(raw) is None


def test_a_report_that_cannot_be_merged_stands_for_itself() -> None:
    assert merge_usage(b'{"input_tokens":1}', b"[]") == b"[]"
    assert merge_usage(b'{"a":null,"b":"x"}', b'{"a":{"c":1},"b":"y"}') == b'{"a":{"c":1},"b":"y"}'


@pytest.mark.parametrize(
    ("error", "type"),
    [
        (BadRequest("no"), "invalid_request_error"),
        (BadKey(), "authentication_error"),
        (InsufficientBalance(needed_nano=2, available_nano=1), "billing_error"),
        (Forbidden("no"), "permission_error"),
        (ModelNotFound("m"), "not_found_error"),
        (BodyTimeout("slow"), "invalid_request_error"),
        (Conflict("busy"), "conflict_error"),
        (BodyTooLarge(9), "request_too_large"),
        (RateLimited("slow down", retry_after_s=1), "rate_limit_error"),
        (GatewayError("defect"), "api_error"),
        (UpstreamFailed("gone", kind="connect"), "api_error"),
        (Unavailable("full"), "overloaded_error"),
        (UpstreamTimeout("late", stage="first"), "timeout_error"),
    ],
)
def test_an_error_has_the_type_of_its_status(error: GatewayError, type: str) -> None:
    written = json.loads(ANTHROPIC.write_error(error, "req_1"))

    assert (written["type"], written["error"]["type"], written["request_id"]) == ("error", type, "req_1")
    assert written["error"]["message"] == error.message
    assert written["error"].get("details", {}).get("error_code") == error.code


def test_the_format_is_one_object() -> None:
    format: Format = ANTHROPIC

    assert format.name == "anthropic" and format.names["stop"] == "stop_sequences"
    assert format.path("m", stream=True) == "/v1/messages"
    assert format.headers(stream=False) == {"anthropic-version": "2023-06-01"}
    assert not format.must_inline("image", "https://e/a.png") and not format.must_stream("m")
    assert format.stream_type == "text/event-stream; charset=utf-8"
    chat = read_chat(body())
    assert json.loads(format.write_chat(chat, Losses("x", {}))) == {
        "model": "m",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }
    reply = format.read_reply(b'{"id":"a","content":[{"type":"text","text":"yes"}],"usage":{"output_tokens":1}}')
    assert json.loads(format.write_reply(reply, HEADING, chat))["content"][0]["text"] == "yes"
    assert format.stream_reader().close() and format.stream_writer(HEADING, chat).fail(BadKey()).startswith(
        b"event: error"
    )
