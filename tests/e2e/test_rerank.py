"""Rerank through a running gateway: every vendor that offers it, whatever its shape, and the bill."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, upstream
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream, Upstream, by_model
from tests.simulators.rerank_upstream import KEY, RerankSimulator, Vendor, words

QUERY = "what is a cat"
DOCUMENTS = ["a dog is a pet", "what a cat is", "rain"]
SHARES = [(1, 1.0), (0, 0.5), (2, 0.0)]  # of the query's words, best first
PROVIDERS: dict[Vendor, str] = {
    "vllm": "vllm",
    "sglang": "sglang",
    "dashscope": "dashscope",
    "jina": "openai_compatible",
    "cohere": "openai_compatible",
}
TOKENS = sum(len(words(QUERY)) + len(words(text)) for text in DOCUMENTS)


def body(**more: Any) -> dict[str, Any]:
    return {"model": "ranker", "query": QUERY, "documents": DOCUMENTS, **more}


def ranker(**price: str) -> str:
    words = ", ".join(f'{word} = "{amount}"' for word, amount in price.items())
    return f'[[model]]\nid = "ranker"\nkind = "rerank"\nprice = {{ {words}, per = "ktok" }}\n'


@asynccontextmanager
async def ranked_by(folder: Path, vendor: Vendor, **price: str) -> AsyncGenerator[tuple[Hosted, ThreadedUpstream]]:
    with ThreadedUpstream(RerankSimulator(vendor)) as simulator:
        url = simulator.url
        if vendor == "dashscope":
            url = url.removesuffix("/v1") + "/compatible-mode/v1"
        config = upstream(url, "ranker", provider=PROVIDERS[vendor], api_key=KEY) + ranker(**(price or {"input": "1"}))
        async with hosted(folder, config) as gateway:
            yield gateway, simulator


def results_of(reply: Any) -> list[tuple[int, float]]:
    return [(one["index"], one["relevance_score"]) for one in reply["results"]]


@pytest.mark.parametrize("vendor", ["vllm", "sglang", "dashscope", "jina"])
async def test_every_vendor_ranks_alike_and_is_billed_by_its_tokens(tmp_path: Path, vendor: Vendor) -> None:
    async with ranked_by(tmp_path, vendor) as (gateway, _):
        plain = await gateway.post(body(), "/v1/rerank")
        whole = await gateway.post(body(top_n=2, return_documents=True), "/compatible-mode/v1/rerank")
        bare = await gateway.post(body(top_n=1, return_documents=False), "/api/gpt/v1/rerank")
        cohere = await gateway.post(body(top_n=1, return_documents=False), "/v2/rerank")

        assert (plain.status, plain.json["model"]) == (200, "ranker")
        assert results_of(plain.json) == SHARES
        assert plain.json["usage"]["total_tokens"] == TOKENS
        assert plain.headers["x-request-cost"] == str(Decimal(TOKENS) / 1000)
        assert results_of(whole.json) == SHARES[:2]
        assert [one["document"] for one in whole.json["results"]] == [{"text": DOCUMENTS[1]}, {"text": DOCUMENTS[0]}]
        assert bare.json["results"] == cohere.json["results"] == [{"index": 1, "relevance_score": 1.0}]
        bill = await gateway.bill(plain.headers["x-request-id"])
        assert (bill["endpoint"], bill["usage_source"]) == ("rerank", "vendor")
        costs = [Decimal(one.headers["x-request-cost"]) for one in (plain, whole, bare, cohere)]
        assert Decimal((await gateway.balance())["balance"]) == Decimal(10) - sum(costs)


async def test_cohere_is_billed_by_its_searches(tmp_path: Path) -> None:
    async with ranked_by(tmp_path, "cohere", search="0.014") as (gateway, simulator):
        reply = await gateway.post(body(documents=["a cat"] * 101), "/v1/rerank")
        held = (await gateway.post(body(documents=["a cat"] * 101), "/v1/quote?path=/v1/rerank")).json["yuan"]["held"]

        assert (reply.status, reply.headers["x-request-cost"]) == (200, "0.028")
        assert reply.json["meta"]["billed_units"] == {"search_units": 2}
        assert held == "0.028"
        assert simulator.calls[0].json == body(documents=["a cat"] * 101)


async def test_what_is_said_alike_goes_byte_for_byte(tmp_path: Path) -> None:
    async with ranked_by(tmp_path, "jina") as (gateway, simulator):
        sent = b'{"query" : "what is a cat","documents":["a cat", {"text":"a dog"}],  "model":"ranker" }'

        reply = await gateway.post(sent, "/v1/rerank")

        assert reply.status == 200
        assert simulator.calls[0].body == sent
        assert reply.json["id"] == "jina-1"


async def test_what_a_vendor_lacks_is_refused_or_named_in_the_warning(tmp_path: Path) -> None:
    async with ranked_by(tmp_path, "vllm") as (gateway, simulator):
        refused = await gateway.post(body(instruct="Find animals."), "/v1/rerank")
        warned = await gateway.post(body(max_tokens_per_doc=512), "/v1/rerank")

        assert (refused.status, refused.json["error"]["param"]) == (400, "instruct")
        assert refused.json["error"]["code"] == "unsupported_parameter"
        assert "max_tokens_per_doc" in warned.headers["x-tokengate-warning"]
        assert results_of(warned.json) == SHARES
        assert len(simulator.calls) == 1


async def test_the_vendors_refusal_is_the_callers_and_costs_nothing(tmp_path: Path) -> None:
    async with ranked_by(tmp_path, "vllm") as (gateway, _):
        limited = await gateway.post(body(query="fail 429"), "/v1/rerank")

        assert (limited.status, limited.json["error"]["message"]) == (429, "Slow down.")
        assert (await gateway.balance())["balance"] == "10"


async def test_dashscopes_own_service_ranks_too(tmp_path: Path) -> None:
    with DashScope() as vendor:
        config = upstream(vendor.url, "ranker", provider="dashscope_native", api_key=vendor.key)
        config = config.replace('["ranker"]', '{ ranker = "qwen3-rerank" }') + ranker(input="1")
        async with hosted(tmp_path, config) as gateway:
            reply = await gateway.post(body(top_n=2, return_documents=True), "/v1/rerank")

            assert results_of(reply.json) == SHARES[:2]
            assert reply.json["results"][0]["document"] == {"text": DOCUMENTS[1]}
            assert reply.json["model"] == "ranker"
            assert vendor.last == {
                "model": "qwen3-rerank",
                "input": {"query": QUERY, "documents": DOCUMENTS},
                "parameters": {"top_n": 2},
            }


async def test_a_vendor_without_rerank_is_refused_by_name(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ranker", provider="deepseek") + ranker(input="1")
        async with hosted(tmp_path, config) as gateway:
            reply = await gateway.post(body(), "/v1/rerank")

        assert (reply.status, reply.json["error"]["code"]) == (400, "operation_not_offered")
        assert reply.json["error"]["message"] == "No upstream of 'ranker' offers /rerank."
        assert simulator.calls == []


async def test_a_model_without_a_price_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "unpriced", "qwen-plus") + '[[model]]\nid = "unpriced"\nkind = "rerank"\n'
        async with hosted(tmp_path, config) as gateway:
            unpriced = await gateway.post(body(model="unpriced"), "/v1/rerank")
            chat = await gateway.post(body(model="qwen-plus"), "/v1/rerank")
            wrong = await gateway.post({"model": "unpriced", "input": "a"}, "/v1/embeddings")

        assert (unpriced.status, unpriced.json["error"]["code"]) == (403, "forbidden")
        assert (chat.status, chat.json["error"]["code"]) == (400, "model_kind_mismatch")
        assert (wrong.status, wrong.json["error"]["code"]) == (400, "model_kind_mismatch")
        assert simulator.calls == []


async def test_a_bill_without_the_vendors_usage_is_estimated_and_in_the_reply(tmp_path: Path) -> None:
    def silent(call: Call) -> Reply:
        return Reply(200, {"content-type": "application/json"}, b'[{"score": 0.5, "index": 0}]')

    async with Upstream(silent) as simulator:
        config = upstream(simulator.url, "ranker", provider="sglang") + ranker(input="1")
        async with hosted(tmp_path, config) as gateway:
            reply = await gateway.post(body(), "/v1/rerank")
            bill = await gateway.bill(reply.headers["x-request-id"])

    assert bill["usage_source"] == "estimated"
    counted = reply.json["usage"]["total_tokens"]
    assert 0.5 * TOKENS < counted < 2 * TOKENS
    assert reply.headers["x-request-cost"] == str(Decimal(counted) / 1000)


async def test_another_backend_ranks_when_the_first_gives_nonsense(tmp_path: Path) -> None:
    def nonsense(call: Call) -> Reply:
        return Reply(200, {"content-type": "application/json"}, b'{"results": [{"index": 7, "relevance_score": 1}]}')

    async with Upstream(nonsense) as broken:
        with ThreadedUpstream(RerankSimulator("jina")) as sound:
            config = upstream(broken.url, "ranker", name="broken", tier=1) + ranker(input="1")
            config += upstream(sound.url, "ranker", name="sound", tier=2, api_key=KEY)
            async with hosted(tmp_path, config) as gateway:
                reply = await gateway.post(body(), "/v1/rerank")
                bill = await gateway.bill(reply.headers["x-request-id"])

    assert results_of(reply.json) == SHARES
    assert [attempt["outcome"] for attempt in bill["attempts"]] == ["invalid", "ok"]
    assert bill["cost"] == str(Decimal(TOKENS) / 1000)
