"""Requests and tokens per minute, concurrent calls and spend per day, as a caller meets them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import DONE, Reply, Script, Upstream, by_model, chunk, usage_of
from tokengate.accounts import store as accounts
from tokengate.accounts.keys import NO_LIMITS, KeyLimits
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.core.money import NANO_PER_YUAN

ASK: dict[str, Any] = {"model": "ours", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 10}


@asynccontextmanager
async def limited(
    folder: Path, limits: KeyLimits = NO_LIMITS, *, script: Script = by_model, config: str = ""
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway whose first key has these limits, its second none of its own."""
    async with Upstream(script) as simulator:
        config = upstream(simulator.url, "ours", "free") + sells("ours") + sells("free", input="0", output="0") + config
        balances = {"main": "10", "other": "10"}
        async with hosted(folder, config, balances=balances, limits={"main": limits}) as gateway:
            yield simulator, gateway


async def test_a_key_without_limits_gets_no_limit_headers(tmp_path: Path) -> None:
    async with limited(tmp_path) as (_, gateway):
        answer = await gateway.post(ASK)

    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_requests_per_minute_are_counted_down_and_then_refused(tmp_path: Path) -> None:
    async with limited(tmp_path, KeyLimits(requests_per_minute=3)) as (simulator, gateway):
        answers = [await gateway.post(ASK) for _ in range(4)]

        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["2", "1", "0", "0"]
        assert {answer.headers["x-ratelimit-limit-requests"] for answer in answers} == {"3"}
        refused = answers[-1]
        assert (refused.error["type"], refused.error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        assert "3 requests per minute for this key" in refused.error["message"]
        assert 15 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["x-ratelimit-reset-requests"].endswith("s")
        assert len(simulator.calls) == 3
        assert (await gateway.balance())["balance"] == "9.955"


async def test_one_key_s_limit_is_not_another_s(tmp_path: Path) -> None:
    async with limited(tmp_path, KeyLimits(requests_per_minute=1)) as (_, gateway):
        await gateway.post(ASK)

        assert (await gateway.post(ASK)).status == 429
        assert (await gateway.post(ASK, key="other")).status == 200


async def test_tokens_per_minute_are_charged_by_their_bound_and_corrected_by_usage(tmp_path: Path) -> None:
    async with limited(tmp_path, KeyLimits(tokens_per_minute=2_000)) as (_, gateway):
        first = await gateway.post(ASK)
        second = await gateway.post(ASK)
        too_much = await gateway.post({**ASK, "max_tokens": 1_900})

    assert int(first.headers["x-ratelimit-remaining-tokens"]) < 1_500
    assert second.status == 200, "the bound of the first call was given back when it turned out to use 15"
    assert first.headers["x-ratelimit-limit-tokens"] == "2000"
    assert too_much.status == 429
    assert "2000 tokens per minute" in too_much.error["message"]


async def test_a_refused_call_gives_back_what_it_had_taken(tmp_path: Path) -> None:
    refusal = Reply(400, {"content-type": "application/json"}, b'{"error":{"message":"No."}}')
    async with limited(tmp_path, KeyLimits(tokens_per_minute=1_000), script=lambda _: refusal) as (_, gateway):
        answers = [await gateway.post(ASK) for _ in range(5)]

    assert {answer.status for answer in answers} == {400}


async def test_concurrent_calls_are_limited_and_free_their_place(tmp_path: Path) -> None:
    waiting = limited(tmp_path, KeyLimits(concurrency=2), script=lambda _: Reply(silent=True))
    async with waiting as (simulator, gateway), gateway.connect() as first, gateway.connect() as second:
        for number, caller in enumerate((first, second), start=1):
            await gateway.begin(caller, ASK)
            await simulator.arrived(number)
        refused = await gateway.post(ASK)
        first.leave()
        await simulator.calls[0].closed.wait()
        simulator.script = by_model
        freed = await _until_served(gateway)
        second.leave()

    assert refused.status == 429
    assert "2 concurrent calls" in refused.error["message"]
    assert refused.headers["retry-after"] == "1"
    assert freed == 200


async def _until_served(gateway: Hosted) -> int:
    async with asyncio.timeout(60):
        while (answer := await gateway.post(ASK)).status == 429:
            await asyncio.sleep(0.01)
    return answer.status


async def test_a_stream_keeps_its_place_until_its_end(tmp_path: Path) -> None:
    word = chunk("ours", [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}])
    stop = chunk("ours", [{"index": 0, "delta": {}, "finish_reason": "stop"}])
    pieces = [word, stop, chunk("ours", [], usage=usage_of(10, 5)), DONE]
    reply = Reply(headers={"content-type": "text/event-stream"}, pieces=pieces, gated=True)
    async with limited(tmp_path, KeyLimits(concurrency=1), script=lambda _: reply) as (simulator, gateway):
        async with gateway.connect() as caller:
            await gateway.begin(caller, {**ASK, "stream": True})
            call = await simulator.arrived()
            call.release()
            await caller.read_head()
            await caller.read_piece()
            meanwhile = await gateway.post(ASK)
            call.release(5)
            await caller.read_rest()
        simulator.script = by_model
        afterwards = await gateway.post(ASK)

    assert (meanwhile.status, afterwards.status) == (429, 200)


async def test_spend_per_day_stops_a_key_that_still_has_money(tmp_path: Path) -> None:
    async with limited(tmp_path, KeyLimits(spend_per_day_nano=NANO_PER_YUAN // 100)) as (_, gateway):
        first = await gateway.post(ASK)
        second = await gateway.post(ASK)

    assert first.headers["x-request-cost"] == "0.015"
    assert second.status == 429
    assert "¥0.01 of spend per UTC day" in second.error["message"]
    assert 0 < int(second.headers["retry-after"]) <= 86_400


async def test_what_was_spent_today_is_remembered_over_a_restart(tmp_path: Path) -> None:
    limits = KeyLimits(spend_per_day_nano=NANO_PER_YUAN // 100)
    async with limited(tmp_path, limits) as (_, gateway):
        await gateway.post(ASK)
        key = gateway.keys["main"].key
    async with limited(tmp_path, limits) as (_, gateway):
        answer = await gateway.post(ASK, headers={"authorization": f"Bearer {key}"})

    assert answer.status == 429


async def test_the_configuration_s_limits_hold_for_keys_that_name_none(tmp_path: Path) -> None:
    defaults = "[limits]\nrequests_per_minute = 1\n"
    async with limited(tmp_path, KeyLimits(requests_per_minute=2), config=defaults) as (_, gateway):
        own = [(await gateway.post(ASK)).status for _ in range(3)]
        default = [(await gateway.post(ASK, key="other")).status for _ in range(2)]

    assert own == [200, 200, 429]
    assert default == [200, 429]


async def test_a_limit_set_on_a_running_gateway_holds_within_a_second(tmp_path: Path) -> None:
    async with limited(tmp_path) as (_, gateway):
        assert (await gateway.post(ASK)).status == 200
        async with gateway.platform.database.tx() as tx:
            await accounts.set_limits(tx, DEFAULT_ORG, gateway.keys["main"].id, KeyLimits(requests_per_minute=1))

        async with asyncio.timeout(1):
            while (answer := await gateway.post(ASK)).status == 200:
                await asyncio.sleep(0.01)

    assert answer.status == 429


async def test_a_free_model_is_limited_all_the_same(tmp_path: Path) -> None:
    async with limited(tmp_path, KeyLimits(requests_per_minute=1)) as (_, gateway):
        answers = [await gateway.post({**ASK, "model": "free"}) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 429]
    assert answers[0].headers["x-request-cost"] == "0"
