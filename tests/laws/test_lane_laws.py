"""A whole and a streamed reply with the same usage cost the same, to the last nano: what a decimal oracle says that the
vendor's numbers cost. From the vendor's JSON over a real port to the bill line and the wallet.
"""

import asyncio
import json
from collections.abc import Generator
from contextlib import AsyncExitStack
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.hosted import Hosted, hosted, upstream
from tests.simulators.openai_upstream import DONE, Call, Reply, Upstream, chunk, completion
from tokengate.core.money import NANO_PER_YUAN, read_yuan

MODEL = "priced"
# Yuan per 1,000,000 tokens. What is left out costs what its parent costs.
PRICES = {
    "input": Decimal("2.000000301"),
    "cache_read": Decimal("0.1234567"),
    "output": Decimal("8.7654321"),
    "reasoning": Decimal("9.99"),
    "audio_in": Decimal("33.3"),
}
_GRAIN = Decimal("1e-9")  # a rate that is finer is rounded up, and shown so
PARENTS = {
    "cache_write_5m": (Decimal("1.25") * PRICES["input"]).quantize(_GRAIN, ROUND_CEILING),
    "image_in": PRICES["input"],
    "audio_out": PRICES["output"],
}

COUNT = st.integers(0, 300_000)
BUCKETS = st.fixed_dictionaries({name: COUNT for name in (*PRICES, *PARENTS)}).filter(
    lambda buckets: any(buckets.values())
)


class Lanes(NamedTuple):
    """A gateway, the loop that it lives in, and what its upstream reports."""

    runner: asyncio.Runner
    gateway: Hosted
    reported: dict[str, Any]


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Generator[Lanes]:
    reported: dict[str, Any] = {}

    def script(call: Call) -> Reply:
        usage = reported["usage"]
        if not call.json.get("stream"):
            return Reply(headers={"content-type": "application/json"}, body=_json(completion(MODEL, "Hello", usage)))
        pieces = [
            chunk(MODEL, [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}]),
            chunk(MODEL, [{"index": 0, "delta": {}, "finish_reason": "stop"}]),
            chunk(MODEL, [], usage=usage),
            DONE,
        ]
        return Reply(headers={"content-type": "text/event-stream"}, pieces=pieces)

    written = ", ".join(f'{word} = "{price}"' for word, price in PRICES.items())
    model = f'[[model]]\nid = "{MODEL}"\nmax_output = 1000000\nprice = {{ {written}, per = "mtok" }}\n'
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> Hosted:
            simulator = await stack.enter_async_context(Upstream(script))
            folder = tmp_path_factory.mktemp("lanes")
            config = upstream(simulator.url, MODEL) + model
            return await stack.enter_async_context(hosted(folder, config, balances={"main": "1000000"}))

        yield Lanes(runner, runner.run(start()), reported)
        runner.run(stack.aclose())


def usage_of(buckets: dict[str, int]) -> dict[str, Any]:
    """Return what a vendor reports: details are inside the totals."""
    inputs = ("input", "cache_read", "cache_write_5m", "image_in", "audio_in")
    prompt = sum(buckets[name] for name in inputs)
    output = sum(buckets[name] for name in ("output", "reasoning", "audio_out"))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {
            "cached_tokens": buckets["cache_read"],
            "cache_write_tokens": buckets["cache_write_5m"],
            "image_tokens": buckets["image_in"],
            "audio_tokens": buckets["audio_in"],
        },
        "completion_tokens_details": {
            "reasoning_tokens": buckets["reasoning"],
            "audio_tokens": buckets["audio_out"],
        },
    }


def cost_nano(buckets: dict[str, int]) -> int:
    """The oracle."""
    yuan = sum((count * (PRICES | PARENTS)[name] for name, count in buckets.items()), Decimal(0)) / 1_000_000
    return int((yuan * NANO_PER_YUAN).to_integral_value(ROUND_CEILING))


async def bill_of(gateway: Hosted, *, stream: bool) -> dict[str, Any]:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    before = await gateway.balance()
    answer = await gateway.post(body)
    assert answer.status == 200
    bill = await gateway.bill(answer.headers["x-request-id"])
    after = await gateway.balance()
    assert read_yuan(before["balance"]) - read_yuan(after["balance"]) == read_yuan(bill["cost"])
    assert stream or answer.headers["x-request-cost"] == bill["cost"]
    return bill


@settings(max_examples=40)
@given(buckets=BUCKETS)
@example(buckets=dict.fromkeys((*PRICES, *PARENTS), 0) | {"cache_write_5m": 299_999})
@example(buckets=dict.fromkeys((*PRICES, *PARENTS), 0) | {"cache_write_5m": 4, "image_in": 1})
def test_whole_and_streamed_replies_with_the_same_usage_cost_the_same(lanes: Lanes, buckets: dict[str, int]) -> None:
    lanes.reported["usage"] = usage_of(buckets)

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        return await bill_of(lanes.gateway, stream=False), await bill_of(lanes.gateway, stream=True)

    whole, streamed = lanes.runner.run(both())

    assert read_yuan(whole["cost"]) == cost_nano(buckets)
    assert whole["bill"] == streamed["bill"]
    assert {line["word"]: line["units"] for line in whole["bill"]["lines"]} == {
        name: count for name, count in buckets.items() if count
    }
    told = ("input_tokens", "output_tokens", "cached_tokens", "usage_source", "cost", "status", "outcome")
    assert {name: whole[name] for name in told} == {name: streamed[name] for name in told}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
