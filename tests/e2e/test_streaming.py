"""Streaming is streaming, and every way in which a stream can end has its bill."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import DONE, Call, Reply, Upstream, chunk, usage_of
from tests.support import eventually
from tokengate.catalog.tokens import estimate_tokens

SSE = {"content-type": "text/event-stream"}
MESSAGES = [{"role": "user", "content": "Tell me a story"}]
ASK: dict[str, Any] = {"model": "ours", "messages": MESSAGES, "stream": True}

NANO_PER_TOKEN = 1_000_000  # ¥1 per 1,000


def text(words: str, **delta: str) -> bytes:
    return chunk("ours", [{"index": 0, "delta": {**delta, "content": words}, "finish_reason": None}])


ROLE = text("", role="assistant")
STOP = chunk("ours", [{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = chunk("ours", [], usage=usage_of(40, 8))
WORDS = [text(f"word{number} ") for number in range(4)]


def streamed(*pieces: bytes, gated: bool = False, ending: str = "complete") -> Callable[[Call], Reply]:
    return lambda _: Reply(headers=SSE, pieces=list(pieces), gated=gated, ending=ending)


def config(*urls: str, max_output: int = 1000, **more: Any) -> str:
    upstreams = "".join(
        upstream(url, "ours", name=f"sim{number}", tier=number + 1, **more) for number, url in enumerate(urls)
    )
    return upstreams + sells("ours", max_output=max_output)


@asynccontextmanager
async def streaming(
    folder: Path,
    *pieces: bytes,
    reply: Reply | None = None,
    gated: bool = False,
    ending: str = "complete",
    balance: str = "10",
    **more: Any,
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway whose upstream streams these pieces, or answers with `reply`."""
    answer = reply or Reply(headers=SSE, pieces=list(pieces), gated=gated, ending=ending)
    async with (
        Upstream(lambda _: answer) as simulator,
        hosted(folder, config(simulator.url, **more), balances={"main": balance}) as gateway,
    ):
        yield simulator, gateway


def deltas(body: bytes) -> str:
    """Return the text that a stream delivered."""
    found = ""
    for event in events(body):
        for choice in event.get("choices", ()):
            found += choice["delta"].get("content") or ""
    return found


def events(body: bytes) -> list[dict[str, Any]]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    return [json.loads(line) for line in lines]


def prompt_tokens() -> int:
    return 6 + estimate_tokens("user" + MESSAGES[0]["content"])  # 3 around a message, 3 for the reply's beginning


@pytest.mark.parametrize("lead", [(), (ROLE,)], ids=["content first", "role first"])
async def test_chunk_n_reaches_the_caller_before_the_upstream_sends_the_next(
    tmp_path: Path, lead: tuple[bytes, ...]
) -> None:
    pieces = [*lead, *WORDS, STOP, USAGE, DONE]
    async with streaming(tmp_path, *pieces, gated=True) as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release()
        head = await caller.read_head()

        got = [await caller.read_piece()]
        for _ in pieces[1:-2]:
            call.release()
            got.append(await caller.read_piece())
        call.release(3)  # the usage chunk and [DONE] wait for the bill
        got.append(await caller.read_rest())

    assert head.status == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    assert "x-request-cost" not in head.headers
    assert got == [*pieces[:-2], DONE]


async def test_the_head_s_balance_is_what_is_left_beside_the_hold(tmp_path: Path) -> None:
    async with (
        streaming(tmp_path, *WORDS, STOP, USAGE, DONE, gated=True) as (simulator, gateway),
        gateway.connect() as caller,
    ):
        await gateway.begin(caller, {**ASK, "max_tokens": 100})
        (await simulator.arrived()).release(20)
        head = await caller.read_head()
        await caller.read_rest()

    assert 8 < float(head.headers["x-account-balance"]) < 9.9


# Bills.


async def test_the_bill_is_durable_before_the_last_byte(tmp_path: Path) -> None:
    async with streaming(tmp_path, *WORDS, STOP, USAGE, DONE) as (_, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        head = await caller.read_head()
        await caller.read_until(b"[DONE]")
        record = await gateway.get(f"/v1/usage/{head.headers['x-request-id']}")

    assert record.status == 200
    assert record.json["outcome"] == "ok"
    assert record.json["cost"] == "0.048"
    assert (record.json["input_tokens"], record.json["output_tokens"]) == (40, 8)
    assert record.json["usage_source"] == record.json["bill"]["usage_source"] == "vendor"
    assert record.json["first_token_ms"] is not None


@pytest.mark.parametrize(
    ("path", "asked", "shown"),
    [
        ("/v1", None, False),
        ("/v1", {"include_usage": False}, False),
        ("/v1", {"include_usage": True}, True),
        ("/compatible-mode/v1", None, False),
        ("/api/gpt/v1", None, True),
    ],
)
async def test_the_usage_chunk_comes_where_it_is_wanted(
    tmp_path: Path, path: str, asked: dict[str, bool] | None, shown: bool
) -> None:
    body = ASK if asked is None else {**ASK, "stream_options": asked}
    async with streaming(tmp_path, *WORDS, STOP, USAGE, DONE) as (simulator, gateway):
        answer = await gateway.post(body, f"{path}/chat/completions")
        sent = simulator.calls[0].json

    assert sent["stream_options"] == {"include_usage": True}
    assert answer.body == b"".join((*WORDS, STOP, USAGE if shown else b"", DONE))


async def test_usage_that_never_comes_is_estimated_and_says_so(tmp_path: Path) -> None:
    async with streaming(tmp_path, *WORDS, STOP, DONE) as (_, gateway):
        answer = await gateway.post({**ASK, "stream_options": {"include_usage": True}})
        record = await gateway.bill(answer.headers["x-request-id"])

    output = estimate_tokens("word0 word1 word2 word3 ")
    assert record["usage_source"] == record["bill"]["usage_source"] == "estimated"
    assert (record["input_tokens"], record["output_tokens"]) == (prompt_tokens(), output)
    assert record["bill"]["total_nano"] == (prompt_tokens() + output) * NANO_PER_TOKEN
    usage = events(answer.body)[-1]
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == prompt_tokens() + output
    assert answer.body.endswith(DONE)


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_cost_comes_as_a_comment_for_who_asks(tmp_path: Path, wanted: bool) -> None:
    headers = {"x-tokengate-cost": "stream"} if wanted else {}
    async with streaming(tmp_path, *WORDS, STOP, USAGE, DONE) as (_, gateway):
        answer = await gateway.post(ASK, headers=headers)

    assert answer.body == b"".join((*WORDS, STOP, b": cost 0.048\n\n" if wanted else b"", DONE))


async def test_a_legacy_completion_streams_too(tmp_path: Path) -> None:
    pieces = [chunk("ours", [{"index": 0, "text": word, "finish_reason": None}], chat=False) for word in ("a ", "b ")]
    stop = chunk("ours", [{"index": 0, "text": "", "finish_reason": "stop"}], chat=False)
    async with streaming(tmp_path, *pieces, stop, USAGE, DONE) as (_, gateway):
        answer = await gateway.post({"model": "ours", "prompt": "x", "stream": True}, "/v1/completions")
        record = await gateway.bill(answer.headers["x-request-id"])

    assert answer.body == b"".join((*pieces, stop, DONE))
    assert (record["endpoint"], record["cost"]) == ("completions", "0.048")


# Callers who leave.


async def test_a_caller_who_leaves_before_the_head_ends_the_upstream_call_and_pays_nothing(tmp_path: Path) -> None:
    async with streaming(tmp_path, reply=Reply(silent=True)) as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        assert not call.closed.is_set()
        caller.leave()

        await call.closed.wait()
        record = await gateway.last_call()

        assert (record["status"], record["outcome"], record["cost"]) == (499, "client_gone", "0")
        assert (await gateway.balance())["available"] == "10"


async def test_a_caller_of_a_whole_reply_who_leaves_pays_nothing(tmp_path: Path) -> None:
    async with streaming(tmp_path, reply=Reply(silent=True)) as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, {**ASK, "stream": False})
        call = await simulator.arrived()
        caller.leave()

        await call.closed.wait()
        record = await gateway.last_call()

        assert (record["status"], record["outcome"], record["cost"]) == (499, "client_gone", "0")
        assert (await gateway.balance())["available"] == "10"


async def test_a_caller_who_leaves_mid_stream_ends_the_upstream_call_and_pays_what_was_delivered(
    tmp_path: Path,
) -> None:
    async with (
        streaming(tmp_path, ROLE, *WORDS, STOP, USAGE, DONE, gated=True) as (simulator, gateway),
        gateway.connect() as caller,
    ):
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release(3)
        await caller.read_head()
        await caller.read_until(b"word1")
        assert not call.closed.is_set()
        caller.leave()

        await call.closed.wait()
        record = await gateway.last_call()
        balance = await gateway.balance()

    delivered = estimate_tokens("word0 word1 ")
    assert (record["outcome"], record["usage_source"]) == ("client_gone", "estimated")
    assert (record["input_tokens"], record["output_tokens"]) == (prompt_tokens(), delivered)
    assert record["bill"]["total_nano"] == (prompt_tokens() + delivered) * NANO_PER_TOKEN
    assert float(balance["balance"]) == pytest.approx(10 - float(record["cost"]), abs=1e-12)
    assert balance["held"] == "0"


async def test_a_caller_who_leaves_after_a_role_only_chunk_pays_nothing(tmp_path: Path) -> None:
    async with streaming(tmp_path, ROLE, *WORDS, gated=True) as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release()
        await caller.read_head()
        caller.leave()

        await call.closed.wait()
        record = await gateway.last_call()

    assert (record["outcome"], record["cost"]) == ("client_gone", "0")


async def test_a_drained_stream_is_read_to_its_end_and_billed_by_the_vendor_s_usage(tmp_path: Path) -> None:
    pieces = (ROLE, *WORDS, STOP, USAGE, DONE)
    async with streaming(tmp_path, *pieces, gated=True, on_abort="drain") as (simulator, gateway):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ASK)
            call = await simulator.arrived()
            call.release(2)
            await caller.read_head()
            await caller.read_until(b"word0")
            caller.leave()
            await eventually(lambda: gateway.counter("tokengate_drains") == 1)
            call.release(10)

            await call.answered.wait()
            record = await gateway.last_call()

        assert (record["outcome"], record["usage_source"], record["cost"]) == ("client_gone", "vendor", "0.048")
        await eventually(lambda: gateway.counter("tokengate_drains") == 0)


async def test_a_call_that_is_left_before_its_head_is_drained_too(tmp_path: Path) -> None:
    pieces = (ROLE, *WORDS, STOP, USAGE, DONE)
    draining = streaming(tmp_path, *pieces, gated=True, on_abort="drain")
    async with draining as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        caller.leave()
        await eventually(lambda: gateway.counter("tokengate_drains") == 1)
        call.release(len(pieces) + 1)  # the end of the body waits too

        await call.answered.wait()
        record = await gateway.last_call()

    assert (record["outcome"], record["usage_source"], record["cost"]) == ("client_gone", "vendor", "0.048")


async def test_a_drain_that_finds_no_end_is_billed_by_what_was_counted(tmp_path: Path) -> None:
    draining = streaming(tmp_path, ROLE, *WORDS, gated=True, ending="cut", on_abort="drain")
    async with draining as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release(2)
        await caller.read_head()
        await caller.read_until(b"word0")
        caller.leave()
        await eventually(lambda: gateway.counter("tokengate_drains") == 1)
        call.release(10)
        await call.closed.wait()
        record = await gateway.last_call()

    assert record["usage_source"] == "estimated"
    assert record["output_tokens"] == estimate_tokens("word0 word1 word2 word3 ")


# Upstreams that fail in the middle.


@pytest.mark.parametrize("ending", ["cut", "reset"])
async def test_a_cut_stream_ends_with_an_error_event_and_what_was_delivered_is_billed(
    tmp_path: Path, ending: str
) -> None:
    pieces = [ROLE, *WORDS[:2]]
    async with (
        streaming(tmp_path, *pieces, gated=True, ending=ending) as (simulator, gateway),
        gateway.connect() as caller,
    ):
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release(3)
        head = await caller.read_head()
        body = await caller.read_until(b"word1")
        call.release()
        body += await caller.read_rest()
        record = await gateway.bill(head.headers["x-request-id"])

    *delivered, error = events(body)
    assert deltas(body) == "word0 word1 "
    assert set(error) == {"error"}
    assert error["error"]["code"] == "upstream_error"
    assert b"[DONE]" not in body
    assert all("error" not in event for event in delivered)
    assert (record["outcome"], record["status"], record["usage_source"]) == ("upstream_cut", 502, "estimated")
    assert record["output_tokens"] == estimate_tokens("word0 word1 ")
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["cut"]


async def test_a_stream_that_just_ends_is_cut_too(tmp_path: Path) -> None:
    async with streaming(tmp_path, ROLE, *WORDS) as (_, gateway):
        answer = await gateway.post(ASK)

    assert events(answer.body)[-1]["error"]["code"] == "upstream_error"
    assert b"[DONE]" not in answer.body


async def test_an_upstream_s_error_inside_a_stream_reaches_the_caller_without_secrets(tmp_path: Path) -> None:
    error = (
        b'data: {"error":{"message":"GPU on fire: vendor-secret","type":"server_error","param":"n","code":"fire"}}\n\n'
    )
    async with streaming(tmp_path, *WORDS, error, DONE, api_key="vendor-secret") as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert answer.body == b"".join((*WORDS, error.replace(b"vendor-secret", b"[removed]")))
    assert record["outcome"] == "upstream_cut"
    assert record["error"] == "GPU on fire: [removed]"
    assert record["output_tokens"] == estimate_tokens("word0 word1 word2 word3 ")


async def test_an_error_before_any_content_is_an_http_error_and_free(tmp_path: Path) -> None:
    error = b'data: {"error": {"message": "GPU on fire", "type": "server_error", "param": null, "code": null}}\n\n'
    async with streaming(tmp_path, ROLE, error) as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.last_call()

    assert answer.status == 502
    assert answer.error["message"] == "GPU on fire"
    assert (record["outcome"], record["cost"]) == ("error", "0")


EMPTY = {
    "no body": Reply(headers=SSE),
    "no pieces": Reply(headers=SSE, pieces=[]),
    "role only": Reply(headers=SSE, pieces=[ROLE, STOP, DONE]),
    "done only": Reply(headers=SSE, pieces=[DONE]),
    "comments only": Reply(headers=SSE, pieces=[b": ping\n\n"]),
    "cut after the role": Reply(headers=SSE, pieces=[ROLE], ending="cut"),
}


@pytest.mark.parametrize("name", EMPTY)
async def test_an_empty_stream_is_tried_elsewhere_and_not_charged(tmp_path: Path, name: str) -> None:
    async with (
        Upstream(lambda _: EMPTY[name]) as first,
        Upstream(streamed(ROLE, *WORDS, STOP, USAGE, DONE)) as second,
        hosted(tmp_path, config(first.url, second.url)) as gateway,
    ):
        answer = await gateway.post(ASK)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert len(first.calls) == len(second.calls) == 1
    assert answer.body == b"".join((ROLE, *WORDS, STOP, DONE))
    assert record["cost"] == "0.048"
    assert [attempt["upstream"] for attempt in record["attempts"]] == ["sim0", "sim1"]


async def test_when_every_stream_is_empty_the_caller_gets_a_502_for_free(tmp_path: Path) -> None:
    async with streaming(tmp_path, reply=EMPTY["role only"]) as (_, gateway):
        answer = await gateway.post(ASK)

        assert answer.status == 502
        assert (await gateway.balance())["balance"] == "10"


# Wallets that run out.


async def test_a_cap_that_the_wallet_cannot_pay_is_lowered_and_the_reply_says_so(tmp_path: Path) -> None:
    async with streaming(tmp_path, *WORDS, STOP, USAGE, DONE, max_output=100_000, balance="3") as (simulator, gateway):
        answer = await gateway.post({**ASK, "max_tokens": None})
        record = await gateway.bill(answer.headers["x-request-id"])
        sent = simulator.calls[0].json

    cap = sent["max_tokens"]
    assert 1_000 < cap < 2_000
    assert answer.headers["x-tokengate-warning"] == f"max_tokens lowered to {cap} (balance)"
    assert record["outcome"] == "ok"


async def test_a_stream_that_outruns_the_wallet_ends_with_length(tmp_path: Path) -> None:
    endless = [text("many words in one chunk " * 40) for _ in range(200)]
    async with streaming(tmp_path, ROLE, *endless, ending="stall", max_output=1_000_000, balance="9") as (
        simulator,
        gateway,
    ):
        answer = await gateway.post({**ASK, "stream_options": {"include_usage": True}})
        record = await gateway.bill(answer.headers["x-request-id"])
        await simulator.calls[0].closed.wait()
        balance = await gateway.balance()

    *_, finish, usage = events(answer.body)
    assert finish["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}]
    assert usage["usage"]["completion_tokens"] == record["output_tokens"]
    assert answer.body.endswith(DONE)
    assert (record["outcome"], record["status"]) == ("length", 200)
    assert float(record["cost"]) > 6
    assert float(balance["balance"]) == pytest.approx(9 - float(record["cost"]), abs=1e-12)
    assert float(balance["balance"]) >= 0


async def test_what_a_vendor_reports_beyond_the_wallet_is_borne_by_the_house(tmp_path: Path) -> None:
    huge = chunk("ours", [], usage=usage_of(40, 50_000))
    async with streaming(tmp_path, *WORDS, STOP, huge, DONE, balance="9") as (_, gateway):
        answer = await gateway.post({**ASK, "max_tokens": 100})
        record = await gateway.bill(answer.headers["x-request-id"])
        balance = await gateway.balance()

        assert answer.body.endswith(DONE)
        assert (record["cost"], record["bill"]["total"]) == ("9", "50.04")
        assert (balance["balance"], balance["held"]) == ("0", "0")
        assert gateway.counter('tokengate_alarms_total{kind="overrun"}') == 1
        series = '{endpoint="chat.completions",model="ours",upstream="sim0"}'
        assert gateway.counter(f"tokengate_overrun_yuan_total{series}") == 41.04


# The bytes.


async def test_a_stream_is_the_upstream_s_byte_for_byte_but_for_the_model_s_name(tmp_path: Path) -> None:
    odd = [
        b": keep-alive\n\n",
        b'data: { "id" : "x", "model":"theirs" , "choices":[{"delta":{"content":"\\u4f60\\n"},"new":1.0e0}] }\n\n',
        b'event: message\ndata: {"model":"theirs","choices":[{"delta":{"content":"\xe5\xa5\xbd"}}],"p":1e2}\n\n',
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"model":"theirs","extra":{"a":null}}\n\n',
    ]
    async with Upstream(streamed(*odd, USAGE, DONE)) as simulator:
        renamed = f'[[upstream]]\nname = "sim"\nbase_url = "{simulator.url}"\nmodels = {{ "ours" = "theirs" }}\n'
        async with hosted(tmp_path, renamed + sells("ours")) as gateway:
            answer = await gateway.post(ASK)

    assert answer.body == b"".join(odd).replace(b'"theirs"', b'"ours"') + DONE
