"""The official JavaScript SDK against a real gateway process. What it does is in `tests/node/client.mjs`."""

import json
import os
import subprocess
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.customer import LOCAL_EMBEDDING, NODE, Customer, node, refusal, stream, whole
from tests.simulators.openai_upstream import Reply, chunk, completion, usage_of


def run(customer: Customer, scenario: str, model: str = "", key: str = "") -> Any:
    """Return what a scenario printed."""
    settings = {"BASE_URL": customer.v1, "API_KEY": key or customer.key, "MODEL": model or customer.model}
    done = subprocess.run(
        [node(), NODE / "client.mjs", scenario], capture_output=True, text=True, env=os.environ | settings, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def piece(model: str, finish: str | None = None, **delta: Any) -> bytes:
    return chunk(model, [{"index": 0, "delta": delta, "finish_reason": finish}])


def test_a_whole_chat_says_everything_and_is_billed(customer: Customer):
    customer.answer(whole(completion(customer.model, "Hello!", usage_of(10, 5))))

    reply = run(customer, "chat")

    assert reply["content"] == "Hello!"
    assert reply["usage"] == usage_of(10, 5)
    assert (reply["cost"], reply["balance"]) == ("0.00002", "9.9999")
    assert customer.send(f"/v1/usage/{reply['requestId']}").json["cost"] == "0.00002"
    assert customer.calls[0].json["top_k"] == 20


def test_a_stream_is_whole_with_and_without_usage(customer: Customer):
    frames = [piece(customer.model, content="Hel"), piece(customer.model, content="lo!"), piece(customer.model, "stop")]
    customer.answer(stream(*frames, chunk(customer.model, [], usage=usage_of(10, 2))))

    bare = run(customer, "stream")
    asked = run(customer, "stream-with-usage")

    assert [part["choices"][0]["delta"].get("content") for part in bare] == ["Hel", "lo!", None]
    assert bare[-1]["choices"][0]["finish_reason"] == "stop"
    assert asked == [*bare, {**bare[0], "choices": [], "usage": usage_of(10, 2)}]


def test_the_sdk_puts_a_streamed_tool_call_together(customer: Customer):
    function = {"name": "get_weather", "arguments": '{"city":'}
    called = {"index": 0, "id": "call_1", "type": "function", "function": function}
    customer.answer(
        stream(
            piece(customer.model, role="assistant", tool_calls=[called]),
            piece(customer.model, tool_calls=[{"index": 0, "function": {"arguments": '"北京"}'}}]),
            piece(customer.model, "tool_calls"),
        )
    )

    calls = run(customer, "streamed-tool-call")

    assert calls[0]["id"] == "call_1"
    assert calls[0]["function"]["arguments"] == '{"city":"北京"}'


def test_embeddings_are_the_same_in_base64_and_as_floats(customer: Customer):
    reply = run(customer, "embeddings", LOCAL_EMBEDDING)

    assert [len(row["embedding"]) for row in reply["packed"]] == [256, 256]
    for one, other in zip(reply["packed"], reply["plain"], strict=True):
        assert one["embedding"] == pytest.approx(other["embedding"], abs=1e-6)
    assert reply["usage"]["prompt_tokens"] > 0


def test_models_are_listed_and_found(customer: Customer):
    reply = run(customer, "models", "qwen/qwen3-vl-8b-instruct")

    assert "Qwen3-VL-8B-Instruct" in reply["ids"]
    assert reply["one"]["id"] == "Qwen3-VL-8B-Instruct"


def test_errors_have_the_sdks_classes(customer: Customer):
    errors = run(customer, "errors")

    assert [(error["name"], error["status"], error["code"], error["param"]) for error in errors] == [
        ("AuthenticationError", 401, "invalid_api_key", None),
        ("NotFoundError", 404, "model_not_found", "model"),
        ("BadRequestError", 400, None, "temperature"),
        ("NotFoundError", 404, "model_not_found", "model"),
    ]
    assert customer.calls == []


def test_an_empty_wallet_is_a_402(customer: Customer, poor_key: str):
    error = run(customer, "thousand-tokens", key=poor_key)

    assert (error["name"], error["status"], error["code"]) == ("APIError", 402, "insufficient_balance")
    assert "¥0.001 is available" in error["message"]


def test_a_keys_limit_is_a_rate_limit_error(customer: Customer, limited_key: str):
    run(customer, "chat", key=limited_key)
    run(customer, "chat", key=limited_key)

    error = run(customer, "one-error", key=limited_key)

    assert (error["name"], error["status"], error["code"]) == ("RateLimitError", 429, "rate_limit_exceeded")


def test_the_sdk_waits_as_long_as_the_vendor_asked_and_tries_again(customer: Customer):
    customer.answer(
        refusal(429, "Slow down.", retry_after="1"),
        refusal(500, "Out of order."),
        whole(completion(customer.model, "Now.", usage_of(10, 1))),
    )

    reply = run(customer, "retry")

    assert reply["content"] == "Now."
    assert reply["ms"] >= 1000
    assert len(customer.calls) == 3
    assert customer.balance() == "9.999988"  # charged once


def test_a_clients_timeout_closes_the_vendors_request(customer: Customer):
    customer.answer(Reply(silent=True))

    error = run(customer, "timeout")

    assert error["name"] == "APIConnectionTimeoutError"
    customer.wait_closed(customer.arrived())
    assert customer.balance() == "10"


def test_aborting_a_stream_closes_the_vendors_and_bills_what_came(customer: Customer):
    customer.answer(stream(piece(customer.model, content="Hello"), ending="stall"))

    first = run(customer, "abort")

    assert first == "Hello"
    customer.wait_closed(customer.arrived())
    bill = customer.settled()
    assert bill["outcome"] == "client_gone"
    assert Decimal(bill["cost"]) > 0


def test_a_stream_that_is_cut_throws_instead_of_ending(customer: Customer):
    customer.answer(stream(piece(customer.model, content="Hel"), ending="cut"))

    reply = run(customer, "error-in-stream")

    assert reply["heard"] == ["Hel"]
    assert (reply["error"]["name"], reply["error"]["code"]) == ("APIError", "upstream_error")


def test_the_same_idempotency_key_gives_the_same_reply_and_one_charge(customer: Customer):
    customer.answer(
        whole(completion(customer.model, "First.", usage_of(10, 5))),
        whole(completion(customer.model, "Second.", usage_of(10, 5))),
    )

    first, again = run(customer, "twice-with-one-idempotency-key")

    assert first == {"content": "First.", "replayed": None}
    assert again == {"content": "First.", "replayed": "true"}
    assert customer.balance() == "9.99998"
