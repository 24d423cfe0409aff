"""The same Idempotency-Key gives the same reply and one charge."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import DONE, Reply, Script, Upstream, by_model, chunk, usage_of
from tokengate.idempotency.replies import MAX_BODY_BYTES

SSE = {"content-type": "text/event-stream"}
ASK: dict[str, Any] = {"model": "ours", "messages": [{"role": "user", "content": "Hi"}]}
KEY = {"idempotency-key": "order 4711"}
WORDS = [chunk("ours", [{"index": 0, "delta": {"content": f"word{n} "}, "finish_reason": None}]) for n in range(3)]
STOP = chunk("ours", [{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = chunk("ours", [], usage=usage_of(10, 5))


@asynccontextmanager
async def serving(
    folder: Path, script: Script = by_model, *, balance: str = "10"
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    async with Upstream(script) as simulator:
        config = upstream(simulator.url, "ours", "embedder") + sells("ours")
        config += '[[model]]\nid = "embedder"\nkind = "embedding"\nprice = { input = "1" }\n'
        async with hosted(folder, config, balances={"main": balance, "other": "10"}) as gateway:
            yield simulator, gateway


def apart_from_time(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("date", "idempotent-replayed")}


async def spent(gateway: Hosted, key: str = "main") -> float:
    return round(10 - float((await gateway.balance(key))["balance"]), 9)


async def test_a_repeated_call_gets_the_first_reply_and_is_charged_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway):
        first = await gateway.post(ASK, headers=KEY)
        second = await gateway.post(ASK, headers=KEY)

        assert first.status == second.status == 200
        assert second.body == first.body
        assert apart_from_time(second.headers) == apart_from_time(first.headers)
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert len(simulator.calls) == 1
        assert await spent(gateway) == 0.015


@pytest.mark.parametrize("headers", [KEY, {**KEY, "x-tokengate-cost": "stream"}], ids=["plain", "with its cost"])
async def test_a_repeated_stream_gets_the_same_bytes(tmp_path: Path, headers: dict[str, str]) -> None:
    ask = {**ASK, "stream": True, "stream_options": {"include_usage": True}}
    async with serving(tmp_path, lambda _: Reply(headers=SSE, pieces=[*WORDS, STOP, USAGE, DONE])) as (_, gateway):
        first = await gateway.post(ask, headers=headers)
        second = await gateway.post(ask, headers=headers)

        assert first.body.endswith(DONE)
        assert second.body == first.body
        assert second.headers["content-type"].startswith("text/event-stream")
        assert second.headers["x-request-id"] == first.headers["x-request-id"]
        assert second.headers["idempotent-replayed"] == "true"
        assert await spent(gateway) == 0.015


async def test_embeddings_are_repeated_too(tmp_path: Path) -> None:
    ask = {"model": "embedder", "input": ["a", "b"]}
    async with serving(tmp_path) as (simulator, gateway):
        first = await gateway.post(ask, "/v1/embeddings", headers=KEY)
        second = await gateway.post(ask, "/v1/embeddings", headers=KEY)

    assert second.body == first.body
    assert len(simulator.calls) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_while_the_first_call_runs_the_second_is_told_to_wait(tmp_path: Path, stream: bool) -> None:
    reply = Reply(headers=SSE, pieces=[*WORDS, STOP, USAGE, DONE], gated=True) if stream else Reply(silent=True)
    async with serving(tmp_path, lambda _: reply) as (simulator, gateway), gateway.connect() as first:
        await gateway.begin(first, {**ASK, "stream": stream}, headers=KEY)
        call = await simulator.arrived()

        second = await gateway.post({**ASK, "stream": stream}, headers=KEY)
        other_body = await gateway.post({**ASK, "n": 1, "stream": stream}, headers=KEY)

        assert (second.status, second.error["code"]) == (409, "idempotency_key_in_use")
        assert second.headers["retry-after"] == "1"
        assert (other_body.status, other_body.error["code"]) == (422, "idempotency_key_reused")
        assert len(simulator.calls) == 1
        first.leave()
        await call.closed.wait()


async def test_another_body_with_a_used_key_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway):
        await gateway.post(ASK, headers=KEY)

        refused = await gateway.post({**ASK, "temperature": 1}, headers=KEY)
        other_operation = await gateway.post(json.dumps(ASK).encode(), "/v1/completions", headers=KEY)

        assert (refused.status, refused.error["code"]) == (422, "idempotency_key_reused")
        assert other_operation.status in (400, 422)
        assert len(simulator.calls) == 1
        assert await spent(gateway) == 0.015


async def test_another_api_key_s_calls_are_another_matter(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway):
        await gateway.post(ASK, headers=KEY)
        other = await gateway.post({**ASK, "temperature": 1}, key="other", headers=KEY)

        assert other.status == 200
        assert len(simulator.calls) == 2
        assert await spent(gateway, "other") == 0.015


@pytest.mark.parametrize("failure", [500, 400, 429])
async def test_an_unbilled_error_is_not_kept(tmp_path: Path, failure: int) -> None:
    replies = [Reply(failure, {"content-type": "application/json"}, b'{"error":{"message":"No."}}')]
    async with serving(tmp_path, lambda call: replies.pop() if replies else by_model(call)) as (simulator, gateway):
        first = await gateway.post(ASK, headers=KEY)
        second = await gateway.post(ASK, headers=KEY)

        assert first.status >= 400
        assert second.status == 200
        assert "idempotent-replayed" not in second.headers
        assert len(simulator.calls) == 2


async def test_a_call_refused_for_its_balance_is_not_kept(tmp_path: Path) -> None:
    async with serving(tmp_path, balance="0.5") as (simulator, gateway):
        first = await gateway.post({**ASK, "max_tokens": 900}, headers=KEY)
        second = await gateway.post({**ASK, "max_tokens": 900}, headers=KEY)

        assert first.status == second.status == 402
        assert simulator.calls == []


async def test_a_caller_who_left_before_anything_came_is_not_kept(tmp_path: Path) -> None:
    replies = [Reply(silent=True)]
    async with serving(tmp_path, lambda call: replies.pop() if replies else by_model(call)) as (simulator, gateway):
        async with gateway.connect() as first:
            await gateway.begin(first, ASK, headers=KEY)
            call = await simulator.arrived()
            first.leave()
            await call.closed.wait()
        await gateway.idle()

        assert (await gateway.post(ASK, headers=KEY)).status == 200


async def test_what_was_charged_for_half_a_stream_is_not_charged_again(tmp_path: Path) -> None:
    cut = Reply(headers=SSE, pieces=WORDS, ending="cut")
    async with serving(tmp_path, lambda _: cut) as (simulator, gateway):
        first = await gateway.post({**ASK, "stream": True}, headers=KEY)
        cost = await spent(gateway)
        second = await gateway.post({**ASK, "stream": True}, headers=KEY)

        assert cost > 0
        assert second.body == first.body
        assert await spent(gateway) == cost
        assert len(simulator.calls) == 1


async def test_a_reply_that_is_too_long_is_not_kept_but_charged(tmp_path: Path) -> None:
    long = chunk("ours", [{"index": 0, "delta": {"content": "x" * 500_000}, "finish_reason": None}])
    pieces = [long] * (MAX_BODY_BYTES // len(long) + 1)
    async with serving(tmp_path, lambda _: Reply(headers=SSE, pieces=[*pieces, STOP, USAGE, DONE])) as (_, gateway):
        first = await gateway.post({**ASK, "stream": True, "max_tokens": 900}, headers=KEY)
        second = await gateway.post({**ASK, "stream": True, "max_tokens": 900}, headers=KEY)

        assert first.body.endswith(DONE) and len(first.body) > MAX_BODY_BYTES
        assert "idempotent-replayed" not in second.headers
        assert await spent(gateway) == 0.03


async def test_after_a_restart_the_reply_is_still_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        first = await gateway.post(ASK, headers=KEY)
        key = gateway.keys["main"].key
    async with serving(tmp_path) as (simulator, gateway):
        second = await gateway.post(ASK, headers={**KEY, "authorization": f"Bearer {key}"})

    assert second.body == first.body
    assert simulator.calls == []


async def test_many_at_once_are_one_call(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway):
        answers = await asyncio.gather(*(gateway.post(ASK, headers=KEY) for _ in range(20)))

        assert {answer.status for answer in answers} <= {200, 409}
        assert len({answer.body for answer in answers if answer.status == 200}) == 1
        assert len(simulator.calls) == 1
        assert await spent(gateway) == 0.015
