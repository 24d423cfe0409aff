"""Laws of a call's money, whatever the backend says it used and however the reply travels."""

import json
from collections.abc import AsyncGenerator
from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import DONE, Call, Reply, Upstream, chunk, completion

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAWS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
INPUT, OUTPUT, CACHED = Decimal("0.0123"), Decimal("0.0456"), Decimal("0.0012345")  # yuan per 1,000 tokens


class Scripted(Upstream):
    """Answers with the usage that a test gives it, whole or streamed as asked."""

    usage: dict[str, Any] | None = None

    def __init__(self) -> None:
        super().__init__(self._reply)

    def _reply(self, call: Call) -> Reply:
        if not call.json.get("stream"):
            body = json.dumps(completion("m", "Good morning", self.usage)).encode()
            return Reply(headers={"content-type": "application/json"}, body=body)
        pieces = [
            chunk("m", [{"index": 0, "delta": {"content": "Good "}, "finish_reason": None}]),
            chunk("m", [{"index": 0, "delta": {"content": "morning"}, "finish_reason": None}]),
            chunk("m", [{"index": 0, "delta": {}, "finish_reason": "stop"}]),
        ]
        if self.usage is not None:
            pieces.append(chunk("m", [], usage=self.usage))
        return Reply(headers={"content-type": "text/event-stream"}, pieces=[*pieces, DONE])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncGenerator[Scripted]:
    async with Scripted() as simulator:
        yield simulator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, simulator: Scripted) -> AsyncGenerator[Hosted]:
    price = f'price = {{ input = "{INPUT}", output = "{OUTPUT}", cache_read = "{CACHED}" }}\n'
    config = upstream(simulator.url, "m", "n") + f'[[model]]\nid = "m"\nmax_output = 4000\n{price}' + sells("n")
    folder = tmp_path_factory.mktemp("pipeline")
    async with hosted(folder, config, balances={"main": "1000000", "poor": "0.3"}) as gateway:
        yield gateway


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any] | None:
    prompt, output = draw(st.integers(0, 100_000)), draw(st.integers(1, 100_000))
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    if draw(st.booleans()):
        usage["prompt_tokens_details"] = {"cached_tokens": draw(st.integers(0, prompt))}
    if draw(st.booleans()):
        usage["completion_tokens_details"] = {"reasoning_tokens": draw(st.integers(0, output))}
    return draw(st.sampled_from([usage, usage, usage, None]))


def ask(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Say good morning"}], **more}


def cost_of(usage: dict[str, Any]) -> Decimal:
    """Return the cost in yuan by the text of the design: disjoint buckets x price, rounded up once."""
    cached = usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)
    exact = (usage["prompt_tokens"] - cached) * INPUT + cached * CACHED + usage["completion_tokens"] * OUTPUT
    return (exact / 1000).quantize(Decimal("1e-9"), ROUND_CEILING)


@LAWS
@given(usages())
async def test_a_stream_and_a_whole_reply_cost_the_same_and_exactly_that(
    gateway: Hosted, simulator: Scripted, usage: dict[str, Any] | None
) -> None:
    simulator.usage = usage
    before = Decimal((await gateway.balance())["balance"])

    whole = await gateway.post(ask())
    stream = await gateway.post(ask(stream=True))

    bills = [await gateway.bill(answer.headers["x-request-id"]) for answer in (whole, stream)]
    costs = [Decimal(bill["cost"]) for bill in bills]
    assert costs[0] == costs[1] == Decimal(whole.headers["x-request-cost"])
    assert bills[0]["bill"]["lines"] == bills[1]["bill"]["lines"]
    assert {bill["usage_source"] for bill in bills} == {"vendor" if usage else "estimated"}
    if usage is not None:
        assert costs[0] == cost_of(usage)
    balance = await gateway.balance()
    assert before - Decimal(balance["balance"]) == sum(costs)
    assert balance["held"] == "0"


@LAWS
@given(usages(), st.booleans(), st.none() | st.integers(1, 10))
async def test_a_wallet_never_goes_below_zero(
    gateway: Hosted, simulator: Scripted, usage: dict[str, Any] | None, stream: bool, cap: int | None
) -> None:
    simulator.usage = usage
    before = Decimal((await gateway.balance("poor"))["balance"])

    answer = await gateway.post(ask(stream=stream, max_tokens=cap), key="poor")

    balance = await gateway.balance("poor")
    after = Decimal(balance["balance"])
    assert after >= 0 and balance["held"] == "0"
    if answer.status != 200:
        assert answer.status == 402 and after == before
    elif usage is not None:
        assert before - after == min(before, cost_of(usage))


async def test_a_call_that_is_refused_for_its_balance_says_exactly_what_it_would_have_held(gateway: Hosted) -> None:
    refused = await gateway.post(ask(model="n", max_tokens=1_000), key="poor")
    needed = Decimal(refused.error["message"].split("¥")[1].split(" ")[0])
    body = json.dumps(ask(model="n", max_tokens=1_000))

    # ¥1 per 1,000: every byte may be a token, the template adds its own, and a cache write costs twice the input.
    assert refused.status == 402
    assert needed == 1 + 2 * Decimal(len(body) + 512 + 16) / 1000
