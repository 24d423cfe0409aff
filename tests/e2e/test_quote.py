"""A quote reads a body as its own endpoint would, and neither runs it nor takes money."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model

CHAT: dict[str, Any] = {"model": "ours", "messages": [{"role": "user", "content": "How long is the river?"}]}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Hosted, Upstream]]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours", input="2", output="4", max_output=1000)
        async with hosted(tmp_path, config) as gateway:
            yield gateway, simulator


async def test_a_quote_costs_nothing_and_bounds_what_the_call_costs(served: tuple[Hosted, Upstream]) -> None:
    gateway, simulator = served

    quote = await gateway.post(CHAT | {"max_tokens": 50}, "/v1/quote")

    told: Any = quote.json
    assert quote.status == 200
    assert simulator.calls == []
    assert (told["model"], told["format"], told["output_tokens"]) == ("ours", "openai", {"at_most": 50})
    assert 4 < told["input_tokens"]["expected"] < 20 < told["input_tokens"]["at_most"]
    assert float(told["yuan"]["at_least"]) < float(told["yuan"]["at_most"]) == float(told["yuan"]["held"])
    balance = await gateway.get("/v1/balance")
    assert balance.json["balance"] == balance.json["available"] == "10"
    called = await gateway.post(CHAT | {"max_tokens": 50}, "/v1/chat/completions")
    cost = float(called.headers["x-request-cost"])
    assert float(told["yuan"]["at_least"]) <= cost <= float(told["yuan"]["at_most"])


async def test_without_a_cap_the_models_own_bounds_the_quote(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    quote: Any = (await gateway.post(CHAT, "/v1/quote")).json

    assert quote["output_tokens"] == {"at_most": 1000}


async def test_the_path_says_how_a_body_is_read(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    text = await gateway.post({"model": "ours", "prompt": "Once", "max_tokens": 3}, "/v1/quote?path=/v1/completions")
    embedding = await gateway.post({"model": "ours", "input": "Once"}, "/v1/quote")
    unknown = await gateway.post(CHAT, "/v1/quote?path=/v1/files")
    neither = await gateway.post({"model": "ours"}, "/v1/quote")

    assert text.json["output_tokens"] == {"at_most": 3}
    assert (embedding.status, embedding.json["error"]["code"]) == (400, "model_kind_mismatch")
    assert (unknown.status, unknown.json["error"]["param"]) == (400, "path")
    assert (neither.status, neither.json["error"]["param"]) == (400, "path")


async def test_what_the_call_would_refuse_the_quote_refuses(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    unknown = await gateway.post(CHAT | {"model": "nobody"}, "/v1/quote")
    wrong = await gateway.post(CHAT | {"temperature": 9}, "/v1/quote")
    stranger = await gateway.post(CHAT, "/v1/quote", headers={"authorization": "Bearer sk-wrong"})

    assert (unknown.status, unknown.json["error"]["code"]) == (404, "model_not_found")
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "temperature")
    assert stranger.status == 401
