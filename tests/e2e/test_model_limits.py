"""What each key may ask of one model, as the configuration says it and a caller meets it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream
from tokengate.accounts.keys import KeyLimits


def asking(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Good morning"}], "max_tokens": 50}


def limited(model: str, limits: str) -> str:
    return f"{sells(model)}limits = {{ {limits} }}\n"


@pytest.fixture
async def simulator() -> AsyncGenerator[Upstream]:
    async with Upstream() as simulator:
        yield simulator


@pytest.fixture
async def gateway(tmp_path: Path, simulator: Upstream) -> AsyncGenerator[Hosted]:
    config = "".join(
        [
            limited("rare", "requests_per_minute = 1"),
            limited("short", "tokens_per_minute = 100"),
            limited("dear", 'spend_per_day = "0.000000001"'),
            sells("free"),
            # A model of the catalogue under one of its other names.
            "[[model]]\nid = 'qwen/QWEN-MAX'\nlimits = { requests_per_minute = 1 }\n",
            upstream(simulator.url, "rare", "short", "dear", "free", "qwen-max"),
        ]
    )
    balances = {"main": "10", "other": "10", "tight": "10"}
    tight = KeyLimits(requests_per_minute=2, tokens_per_minute=None, concurrency=None, spend_per_day_nano=None)
    async with hosted(tmp_path, config, balances=balances, limits={"tight": tight}) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("rare", "1 requests per minute for the model 'rare' with this key"),
        ("short", "100 tokens per minute for the model 'short' with this key"),
        ("dear", "¥0.000000001 of spend per UTC day for the model 'dear' with this key"),
        ("qwen-max", "1 requests per minute for the model 'qwen-max' with this key"),
    ],
)
async def test_a_call_beyond_a_models_limit_gets_429_that_names_the_model(gateway: Hosted, model: str, told: str):
    first = await gateway.post(asking(model))
    balance = await gateway.balance()

    refused = await gateway.post(asking(model))

    assert (first.status, refused.status) == (200, 429)
    assert told in refused.error["message"]
    assert (refused.error["type"], refused.error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) > 0
    assert await gateway.balance() == balance


async def test_a_models_limit_is_each_keys_own_and_leaves_other_models_alone(gateway: Hosted):
    assert (await gateway.post(asking("rare"))).status == 200
    assert (await gateway.post(asking("rare"))).status == 429

    assert (await gateway.post(asking("rare"), key="other")).status == 200
    assert [(await gateway.post(asking("free"))).status for _ in range(3)] == [200] * 3


async def test_a_keys_own_limit_holds_beside_the_models(gateway: Hosted):
    one = await gateway.post(asking("rare"), key="tight")
    model_refused = await gateway.post(asking("rare"), key="tight")
    two = await gateway.post(asking("free"), key="tight")
    key_refused = await gateway.post(asking("free"), key="tight")

    assert [answer.status for answer in (one, model_refused, two, key_refused)] == [200, 429, 200, 429]
    assert one.headers["x-ratelimit-limit-requests"] == "1"
    assert two.headers["x-ratelimit-limit-requests"] == "2"
    assert "2 requests per minute for this key" in key_refused.error["message"]


async def test_the_days_spend_on_a_model_outlives_the_gateway(tmp_path: Path, simulator: Upstream):
    config = limited("dear", 'spend_per_day = "0.000000001"') + upstream(simulator.url, "dear")
    async with hosted(tmp_path, config) as gateway:
        assert (await gateway.post(asking("dear"))).status == 200
        first = gateway.keys["main"]

    async with hosted(tmp_path, config, balances={"second": "10"}) as gateway:
        headers = {"authorization": f"Bearer {first.key}"}

        again, other = await gateway.post(asking("dear"), headers=headers), await gateway.post(asking("dear"))

    assert (again.status, other.status) == (429, 200)
    assert "for the model 'dear'" in again.error["message"]
