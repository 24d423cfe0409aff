"""Whole replies: the caller's bytes go to the backend and the backend's come back."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.vendors import ANTHROPIC
from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Reply, Upstream, by_model, completion, usage_of
from tests.support import eventually
from tokengate.catalog.tokens import estimate_tokens

JSON = {"content-type": "application/json; charset=utf-8", "x-vendor": "1", "x-request-id": "req-vendor"}
REQUEST = (
    '{ "messages" :[{"role":"user","content":"\\u4f60\\/ \\"好\\"","unknown":1.0e0}],\t"model"\n: "ours" ,'
    '"x_unknown": {"b":2 , "a":[1e2,-0.0]},"temperature":1.00}\r\n'
).encode()
REPLY = (
    '{ "id":"chatcmpl-1", "object":"chat.completion","created":1,"model" : "theirs",\n"x":{"a":1.50,"model":"x"},'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"\\u4f60 好","x":null},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"x":{}} , "system_fingerprint":null}\n'
).encode()


@asynccontextmanager
async def serving(
    folder: Path,
    reply: Reply | None,
    *,
    theirs: str = "theirs",
    balance: str = "10",
    max_output: int = 1_000,
    on_abort: str = "cancel",
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway that sells `ours`, which its upstream calls `theirs`."""
    async with Upstream(by_model if reply is None else lambda _: reply) as simulator:
        config = upstream(simulator.url, "embedder", on_abort=on_abort).replace(
            'models = ["embedder"]', f'models = {{ ours = "{theirs}", embedder = "embedder" }}'
        )
        config += sells("ours", max_output=max_output, aliases=["our-alias"])
        config += '[[model]]\nid = "embedder"\nkind = "embedding"\nprice = { input = "1" }\n'
        async with hosted(folder, config, balances={"main": balance}) as gateway:
            yield simulator, gateway


async def test_nothing_changes_on_the_way_but_the_model_s_name(tmp_path: Path) -> None:
    async with serving(tmp_path, Reply(headers=JSON, body=REPLY)) as (simulator, gateway):
        answer = await gateway.post(REQUEST)

    assert simulator.calls[0].body == REQUEST.replace(b'"ours"', b'"theirs"')
    assert answer.body == REPLY.replace(b'"theirs"', b'"ours"')


async def test_nothing_at_all_changes_when_the_names_agree(tmp_path: Path) -> None:
    same = REPLY.replace(b'"theirs"', b'"ours"')
    async with serving(tmp_path, Reply(headers=JSON, body=same), theirs="ours") as (simulator, gateway):
        answer = await gateway.post(REQUEST)

    assert (simulator.calls[0].body, answer.body) == (REQUEST, same)


@pytest.mark.parametrize("name", ["our-alias", "OURS"])
async def test_the_reply_calls_the_model_as_the_caller_did(tmp_path: Path, name: str) -> None:
    async with serving(tmp_path, Reply(headers=JSON, body=REPLY)) as (simulator, gateway):
        answer = await gateway.post(REQUEST.replace(b'"ours"', f'"{name}"'.encode()))
        record = await gateway.last_call()

    assert simulator.calls[0].model == "theirs"
    assert answer.json["model"] == name
    assert record["model"] == "ours"


async def test_the_headers_tell_cost_and_balance_and_are_not_the_vendor_s(tmp_path: Path) -> None:
    async with serving(tmp_path, Reply(headers=JSON, body=REPLY)) as (_, gateway):
        answer = await gateway.post(REQUEST)

    assert answer.headers["x-request-cost"] == "0.015"
    assert answer.headers["x-account-balance"] == "9.9850"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["content-type"] == "application/json"
    assert "x-vendor" not in answer.headers


async def test_the_gateway_s_own_headers_do_not_reach_the_upstream(tmp_path: Path) -> None:
    async with serving(tmp_path, Reply(headers=JSON, body=REPLY)) as (simulator, gateway):
        await gateway.post(REQUEST, headers={"idempotency-key": "k", "cookie": "c=1", "x-forwarded-for": "1.2.3.4"})
        key = gateway.keys["main"].key

    head = simulator.calls[0].raw_head.decode().lower()
    assert key.lower() not in head
    assert not [name for name in ("authorization", "idempotency-key", "cookie", "x-forwarded-for") if name in head]


async def test_usage_that_is_missing_is_estimated_and_says_so(tmp_path: Path) -> None:
    body = json.dumps(completion("theirs", "Good morning, dear caller", None)).encode()
    async with serving(tmp_path, Reply(headers=JSON, body=body)) as (_, gateway):
        answer = await gateway.post({"model": "ours", "messages": [{"role": "user", "content": "Say good morning"}]})
        record = await gateway.bill(answer.headers["x-request-id"])

    assert "usage" not in answer.json
    assert record["usage_source"] == "estimated"
    assert record["input_tokens"] == 6 + estimate_tokens("user" + "Say good morning")
    assert record["output_tokens"] == estimate_tokens("Good morning, dear caller")


async def test_usage_that_is_missing_is_counted_where_the_model_has_a_public_tokenizer(tmp_path: Path) -> None:
    reply = Reply(headers=JSON, body=json.dumps(completion("theirs", "你好!", None)).encode())
    async with Upstream(lambda _: reply) as simulator:
        config = upstream(simulator.url, "qwen2.5-14b-instruct") + sells("qwen2.5-14b-instruct")
        async with hosted(tmp_path, config, balances={"main": "10"}) as gateway:
            asked = {"model": "qwen2.5-14b-instruct", "messages": [{"role": "user", "content": "你好"}]}
            answer = await gateway.post(asked)
            record = await gateway.bill(answer.headers["x-request-id"])

    assert answer.headers["x-request-cost"] == "0.022"
    assert record["usage_source"] == record["bill"]["usage_source"] == "counted"
    assert (record["input_tokens"], record["output_tokens"]) == (20, 2)


async def test_what_a_backend_is_told_beyond_the_callers_words_is_in_the_warning(tmp_path: Path) -> None:
    reply = Reply(headers=JSON, body=json.dumps(ANTHROPIC.whole).encode())
    messages = [{"role": "assistant", "content": "How can I help?"}, {"role": "user", "content": "Hi"}]
    async with Upstream(lambda _: reply) as simulator:
        config = upstream(simulator.url, "m", provider="anthropic") + sells("m", max_output=900)
        async with hosted(tmp_path, config, balances={"main": "10"}) as gateway:
            answer = await gateway.post({"model": "m", "messages": messages, "seed": 7})
            sent = simulator.calls[0].json

    assert answer.headers["x-tokengate-warning"] == (
        "dropped, sim has no such parameter: seed; added: a user's turn '...' before the first message"
    )
    assert (sent["max_tokens"], sent["messages"][0]["role"]) == (900, "user")


async def test_a_reply_that_is_only_a_tool_call_is_an_answer(tmp_path: Path) -> None:
    reply = completion("theirs", "", usage_of(10, 5))
    function = {"name": "f", "arguments": "{}"}
    reply["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": [{"function": function}]}
    async with serving(tmp_path, Reply(headers=JSON, body=json.dumps(reply).encode())) as (_, gateway):
        answer = await gateway.post(REQUEST)

    assert (answer.status, answer.headers["x-request-cost"]) == (200, "0.015")


async def test_a_reply_without_text_that_was_paid_for_is_an_answer(tmp_path: Path) -> None:
    """A model may spend its whole cap on thinking: the vendor bills that."""
    body = json.dumps(completion("theirs", "", usage_of(10, 5))).encode()
    async with serving(tmp_path, Reply(headers=JSON, body=body)) as (_, gateway):
        answer = await gateway.post(REQUEST)

    assert (answer.status, answer.headers["x-request-cost"]) == (200, "0.015")


async def test_a_cost_above_the_hold_is_paid_from_the_wallet_and_the_rest_by_the_house(tmp_path: Path) -> None:
    body = json.dumps(completion("theirs", "Hi", usage_of(10, 50_000))).encode()
    async with serving(tmp_path, Reply(headers=JSON, body=body)) as (_, gateway):
        answer = await gateway.post({"model": "ours", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1})

        assert (answer.headers["x-request-cost"], answer.headers["x-account-balance"]) == ("10", "0.0000")
        series = '{endpoint="chat.completions",model="ours",upstream="sim"}'
        assert gateway.counter(f"tokengate_overrun_yuan_total{series}") == 40.01


async def test_a_cap_that_the_wallet_cannot_pay_is_lowered_for_whole_replies_too(tmp_path: Path) -> None:
    async with serving(tmp_path, None, theirs="echo", balance="3", max_output=100_000) as (simulator, gateway):
        answer = await gateway.post(REQUEST)

    cap = simulator.calls[0].json["max_tokens"]
    assert answer.headers["x-tokengate-warning"] == f"max_tokens lowered to {cap} (balance)"
    assert json.loads(REQUEST) | {"max_tokens": cap, "model": "echo"} == simulator.calls[0].json


@pytest.mark.parametrize(
    ("path", "body", "kind", "cost"),
    [
        ("/v1/completions", {"model": "ours", "prompt": "Once upon"}, "text_completion", "0.015"),
        ("/v1/embeddings", {"model": "embedder", "input": ["a", "b"]}, "list", "0.008"),
        ("/v1/embeddings", {"model": "embedder", "input": "a", "dimensions": 4}, "list", "0.004"),
    ],
)
async def test_the_other_operations_are_billed_the_same_way(
    tmp_path: Path, path: str, body: dict[str, Any], kind: str, cost: str
) -> None:
    async with serving(tmp_path, None, theirs="echo") as (_, gateway):
        answer = await gateway.post(body, path)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert (answer.status, answer.json["object"]) == (200, kind)
    assert answer.headers["x-request-cost"] == record["cost"] == cost
    assert record["endpoint"] == path.removeprefix("/v1/")


TEXTS: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 7,
    "model": "echo",
    "choices": [{"index": 0, "text": "Hello there", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


async def test_a_text_completion_is_understood_in_the_other_way_too(tmp_path: Path) -> None:
    """A whole one in place of a stream, and a stream in place of a whole one, with the vendor's usage."""
    asked = {"model": "ours", "prompt": "Once upon"}
    plain = TEXTS | {"usage": None, "choices": [TEXTS["choices"][0] | {"text": "Hello ", "finish_reason": None}]}
    last = TEXTS | {"choices": [TEXTS["choices"][0] | {"text": "there"}]}
    pieces = [f"data: {json.dumps(one)}\n\n".encode() for one in (plain, last)] + [b"data: [DONE]\n\n"]
    streamed = Reply(headers={"content-type": "text/event-stream"}, pieces=pieces)
    whole = Reply(headers=JSON, body=json.dumps(TEXTS, indent=1).encode())

    async with serving(tmp_path / "a", streamed, theirs="echo") as (_, gateway):
        answer = await gateway.post(asked, "/v1/completions")
    async with serving(tmp_path / "b", whole, theirs="echo") as (_, gateway):
        events = await gateway.post(asked | {"stream": True}, "/v1/completions")
        bill = await gateway.bill(events.headers["x-request-id"])

    assert answer.json == TEXTS | {"model": "ours"}
    chunk, done = [line for line in events.body.splitlines() if line.startswith(b"data: ")]
    unasked = {name: value for name, value in TEXTS.items() if name != "usage"}
    assert json.loads(chunk[6:]) == unasked | {"model": "ours"} and done == b"data: [DONE]"
    assert (bill["input_tokens"], bill["output_tokens"], bill["usage_source"]) == (10, 5, "vendor")


async def test_the_bill_is_durable_before_the_reply_leaves(tmp_path: Path) -> None:
    async with serving(tmp_path, Reply(headers=JSON, body=REPLY)) as (_, gateway):
        answer = await gateway.post(REQUEST)
        record = await gateway.get(f"/v1/usage/{answer.headers['x-request-id']}")

    assert (record.status, record.json["outcome"]) == (200, "ok")


async def test_a_whole_reply_that_nobody_waits_for_is_drained_and_billed_where_the_policy_says_so(
    tmp_path: Path,
) -> None:
    reply = Reply(headers=JSON, pieces=[REPLY], gated=True)
    draining = serving(tmp_path, reply, on_abort="drain")
    async with draining as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, REQUEST)
        call = await simulator.arrived()
        caller.leave()
        await eventually(lambda: gateway.counter("tokengate_drains") == 1)
        call.release(2)

        record = await gateway.last_call()

    assert (record["outcome"], record["usage_source"], record["cost"]) == ("client_gone", "vendor", "0.015")
