"""A key's own balance and calls, on a gateway that has answered some."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Reply, Upstream, by_model, completion
from tokengate.core.clock import SystemClock, day_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = [{"role": "user", "content": "Hi"}]
CALLS = ("a", "b", "a", "gone", "a", "b")  # `gone` is refused and leaves no record
PRICED = (
    '[[model]]\nid = "a"\nmax_output = 1000\nprice = { input = "0.0025", output = "0.00875", cache_read = "0.001" }\n'
)


@asynccontextmanager
async def serving(folder: Path) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "a", "b") + PRICED + sells("b")
        async with hosted(folder, config, balances={"main": "10", "other": "1"}) as gateway:
            yield simulator, gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Hosted]:
    async with serving(tmp_path_factory.mktemp("account")) as (_, gateway):
        for number, model in enumerate(CALLS):
            body = {"model": model, "messages": MESSAGES, "stream": number == 1}
            await gateway.post(body, headers={"x-client-request-id": f"mine-{number}"})
        await gateway.post({"model": "b", "messages": MESSAGES}, key="other")
        yield gateway


async def usage(gateway: Hosted, query: str = "", key: str = "main") -> Any:
    return (await gateway.get(f"/v1/usage{query}", key=key)).json


async def test_the_balance_is_exact(gateway: Hosted) -> None:
    balance = await gateway.balance()

    cost = 3 * (Decimal("0.0025") * 10 + Decimal("0.00875") * 5) / 1000 + 2 * Decimal("0.015")
    wallet = gateway.keys["main"].wallet_id
    assert {name: balance[name] for name in ("object", "wallet", "currency", "held")} == {
        "object": "balance",
        "wallet": wallet,
        "currency": "CNY",
        "held": "0",
    }
    assert Decimal(balance["balance"]) == Decimal(balance["available"]) == 10 - cost


async def test_the_last_calls_come_first(gateway: Hosted) -> None:
    page = await usage(gateway)

    calls = {call["client_request_id"]: call for call in page["data"]}
    assert list(calls) == ["mine-5", "mine-4", "mine-2", "mine-1", "mine-0"]
    assert {name: (call["model"], call["stream"]) for name, call in calls.items()} == {
        "mine-0": ("a", False),
        "mine-1": ("b", True),
        "mine-2": ("a", False),
        "mine-4": ("a", False),
        "mine-5": ("b", False),
    }
    assert (page["has_more"], page["next"]) == (False, None)
    one = calls["mine-5"]
    assert (one["object"], one["endpoint"], one["status"], one["outcome"]) == ("call", "chat.completions", 200, "ok")
    assert (one["input_tokens"], one["output_tokens"], one["cost"]) == (10, 5, "0.015")


async def test_pages_hold_every_call_once(gateway: Hosted) -> None:
    seen: list[str] = []
    query = "?limit=2"
    for _ in range(4):
        page = await usage(gateway, query)
        seen += [call["id"] for call in page["data"]]
        if not page["has_more"]:
            break
        query = f"?limit=2&after={page['next']}"

    assert seen == [call["id"] for call in (await usage(gateway))["data"]]


async def test_calls_are_found_by_model_and_day(gateway: Hosted) -> None:
    today = str(day_of(SystemClock().now_s()))
    dashed = f"{today[:4]}-{today[4:6]}-{today[6:]}"

    assert len((await usage(gateway, "?model=a"))["data"]) == 3
    assert len((await usage(gateway, f"?from={dashed}&to={dashed}"))["data"]) == 5
    assert (await usage(gateway, "?to=2020-01-01"))["data"] == []


async def test_sums_by_model_and_by_day_are_those_of_the_calls(gateway: Hosted) -> None:
    by_model = {row["model"]: row for row in (await usage(gateway, "?by=model"))["data"]}
    (day,) = (await usage(gateway, "?by=day"))["data"]

    assert by_model["a"]["calls"] == 3 and by_model["b"]["calls"] == 2
    assert by_model["b"]["cost"] == "0.03"
    assert (await usage(gateway, "?by=model&model=b"))["data"] == [by_model["b"]]
    assert (day["calls"], day["input_tokens"], day["output_tokens"]) == (5, 50, 25)
    assert Decimal(day["cost"]) == sum(Decimal(call["cost"]) for call in (await usage(gateway))["data"])


async def test_a_bill_can_be_recomputed_from_its_lines(gateway: Hosted) -> None:
    newest = (await usage(gateway, "?model=a"))["data"][0]

    call = await gateway.bill(newest["id"])

    bill = call["bill"]
    for line in bill["lines"]:
        assert Decimal(line["price"]) * line["units"] / line["per"] == Decimal(line["amount"])
    assert sum(Decimal(line["amount"]) for line in bill["lines"]) == Decimal(bill["total"]) == Decimal(call["cost"])
    assert [(line["word"], line["units"], line["price"]) for line in bill["lines"]] == [
        ("input", 10, "2.5"),
        ("output", 5, "8.75"),
    ]
    assert bill["price_version"] > 0
    assert bill["vendor_usage"] == {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    assert [attempt["outcome"] for attempt in call["attempts"]] == ["ok"]


async def test_cached_tokens_have_their_own_line_and_are_counted_once(tmp_path: Path) -> None:
    used = {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "total_tokens": 105,
        "prompt_tokens_details": {"cached_tokens": 80},
    }
    body = json.dumps({**completion("a", "Hi", None), "usage": used}).encode()
    async with serving(tmp_path) as (simulator, gateway):
        simulator.script = lambda _: Reply(headers={"content-type": "application/json"}, body=body)
        answer = await gateway.post({"model": "a", "messages": MESSAGES})
        call = await gateway.bill(answer.headers["x-request-id"])

    assert [(line["word"], line["units"]) for line in call["bill"]["lines"]] == [
        ("input", 20),
        ("cache_read", 80),
        ("output", 5),
    ]
    assert (call["input_tokens"], call["cached_tokens"]) == (100, 80)


async def test_another_key_s_calls_do_not_exist(gateway: Hosted) -> None:
    theirs = (await usage(gateway, key="other"))["data"]
    answer = await gateway.get(f"/v1/usage/{theirs[0]['id']}")

    assert len(theirs) == 1
    assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize("call_id", ["req_1", "x", "req_" + "f" * 32, "a/b", "%00", f"%00_{'0' * 32}", "x" * 3_000])
async def test_an_unknown_call_is_a_404(gateway: Hosted, call_id: str) -> None:
    assert (await gateway.get(f"/v1/usage/{call_id}")).status == 404


@pytest.mark.parametrize("question", [f"?after=%00_{'0' * 32}", "?model=%00"])
async def test_a_question_with_a_nul_is_refused(gateway: Hosted, question: str) -> None:
    """Not every database takes one."""
    answer = await gateway.get(f"/v1/usage{question}")

    assert answer.status == 400
    assert "NUL" in answer.error["message"]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=many", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=9999999999999", "limit"),
        ("?from=yesterday", "from"),
        ("?to=2026-13-45", "to"),
        ("?from=0", "from"),
        ("?by=key", "by"),
        ("?after=nonsense", "after"),
        ("?surprise=1", "surprise"),
    ],
)
async def test_a_wrong_question_is_named(gateway: Hosted, query: str, param: str) -> None:
    answer = await gateway.get(f"/v1/usage{query}")

    assert (answer.status, answer.error["param"]) == (400, param)
