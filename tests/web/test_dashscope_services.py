"""DashScope's embeddings and rerank as their callers meet them: bytes, errors and bills."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.formats.dashscope.wire import fixture
from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model

TEXT_EMBEDDING = "/api/v1/services/embeddings/text-embedding/text-embedding"
MULTIMODAL_EMBEDDING = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
RERANK = "/api/v1/services/rerank/text-rerank/text-rerank"
JSON = {"content-type": "application/json"}
PARAMETERS = [
    (TEXT_EMBEDDING, "embedding", "embedding", 9),
    (MULTIMODAL_EMBEDDING, "multimodal-embedding", "embedding", 0),
    (RERANK, "rerank", "rerank", 79),
]


@asynccontextmanager
async def before(folder: Path, answers: bytes, kind: str) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    async with Upstream(lambda call: Reply(headers=JSON, body=answers)) as simulator:
        config = upstream(simulator.url, "ours", provider="dashscope_native")
        config = config.replace('["ours"]', '{ ours = "theirs" }') + sells("ours", kind=kind)
        async with hosted(folder, config, balances={"main": "1000"}) as gateway:
            yield simulator, gateway


@pytest.mark.parametrize(("path", "name", "kind", "tokens"), PARAMETERS)
async def test_only_the_models_name_changes_on_the_way(
    tmp_path: Path, path: str, name: str, kind: str, tokens: int
) -> None:
    asked = json.loads(fixture(f"{name}-request.json")) | {"model": "ours"}
    body = json.dumps(asked, ensure_ascii=False, indent=1).encode()
    answers = fixture(f"{name}-reply.json")
    async with before(tmp_path, answers, kind) as (simulator, gateway):
        reply = await gateway.post(body, path, headers={"x-dashscope-datainspection": "{}"})
        bill = await gateway.bill(reply.headers["x-request-id"])

    call = simulator.calls[0]
    assert call.body == body.replace(b'"ours"', b'"theirs"')
    assert call.path == path.replace("/api/v1", "/v1")
    assert call.headers["x-dashscope-datainspection"] == "{}"
    expected = json.loads(answers)
    assert (reply.json["output"], reply.json["usage"]) == (expected["output"], expected["usage"])
    assert reply.json["request_id"] == reply.headers["x-request-id"]
    assert bill["usage_source"] == "vendor"
    if tokens:
        assert bill["cost"] == str(Decimal(tokens) / 1000)


async def test_openais_callers_get_vectors_from_dashscopes_own_service(tmp_path: Path) -> None:
    async with before(tmp_path, fixture("embedding-reply.json"), "embedding") as (simulator, gateway):
        reply = await gateway.post({"model": "ours", "input": ["a", "b"], "dimensions": 64}, "/v1/embeddings")
        one = await gateway.post({"model": "ours", "input": "a"}, "/v1/embeddings")

    assert simulator.calls[0].json == {
        "model": "theirs",
        "input": {"texts": ["a", "b"]},
        "parameters": {"dimension": 64},
    }
    assert [row["index"] for row in reply.json["data"]] == [0, 1]
    assert reply.json["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert one.status == 502  # two vectors for one text


BAD: list[tuple[str, dict[str, Any], str]] = [
    (TEXT_EMBEDDING, {"input": {"texts": []}}, "'input.texts'"),
    (TEXT_EMBEDDING, {"input": {"texts": ["a"]}, "parameters": {"dimension": 0}}, "'parameters.dimension'"),
    (MULTIMODAL_EMBEDDING, {"input": {"contents": [{}]}}, "'input.contents[0]'"),
    (RERANK, {"input": {"query": "", "documents": ["a"]}}, "'input.query'"),
    (RERANK, {"input": {"query": "a"}}, "'input.documents'"),
]


@pytest.mark.parametrize(("path", "body", "named"), BAD)
async def test_bad_requests_are_refused_by_name_and_cost_nothing(
    tmp_path: Path, path: str, body: dict[str, Any], named: str
) -> None:
    async with before(tmp_path, b"", "embedding") as (simulator, gateway):
        reply = await gateway.post({"model": "ours", **body}, path)

        assert (reply.status, reply.json["code"]) == (400, "InvalidParameter")
        assert named in reply.json["message"]
        assert reply.json["request_id"] == reply.headers["x-request-id"]
        assert simulator.calls == []
        assert (await gateway.balance())["balance"] == "1000"


async def test_what_only_dashscope_has_is_refused_by_name_elsewhere(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "vectors", "chat") + sells("vectors", kind="embedding") + sells("chat")
        async with hosted(tmp_path, config, balances={"main": "1000"}) as gateway:
            texts = {"model": "vectors", "input": {"texts": ["a"]}}
            sparse = await gateway.post({**texts, "parameters": {"output_type": "sparse"}}, TEXT_EMBEDDING)
            tuned = await gateway.post({**texts, "parameters": {"text_type": "query"}}, TEXT_EMBEDDING)
            picture = {"model": "vectors", "input": {"contents": [{"image": "https://x.example/1.png"}]}}
            media = await gateway.post(picture, MULTIMODAL_EMBEDDING)
            chat = await gateway.post({**texts, "model": "chat"}, TEXT_EMBEDDING)
            task = await gateway.post(texts, TEXT_EMBEDDING, headers={"x-dashscope-async": "enable"})

    for refused, named in ((sparse, "output_type"), (media, "input.contents"), (chat, "chat"), (task, "Async")):
        assert refused.status == 400 and named in refused.json["message"]
    assert sparse.json["code"] == media.json["code"] == "UnsupportedOperation"
    assert tuned.status == 200
    assert "parameters.text_type" in tuned.headers["x-tokengate-warning"]
    assert len(simulator.calls) == 1


@pytest.mark.parametrize(("path", "name", "kind", "tokens"), PARAMETERS[::2])
async def test_a_quote_reads_the_body_by_its_path(tmp_path: Path, path: str, name: str, kind: str, tokens: int) -> None:
    asked = json.loads(fixture(f"{name}-request.json")) | {"model": "ours"}
    async with before(tmp_path, b"", kind) as (_, gateway):
        quote = await gateway.post(asked, f"/v1/quote?path={path}")

    assert (quote.status, quote.json["format"]) == (200, "dashscope")
    assert quote.json["input_tokens"]["at_most"] >= tokens


async def test_an_error_in_a_200_is_the_vendors(tmp_path: Path) -> None:
    def refuses(call: Call) -> Reply:
        return Reply(headers=JSON, body=b'{"code": "InvalidParameter", "message": "batch size", "request_id": "1"}')

    async with Upstream(refuses) as simulator:
        config = upstream(simulator.url, "ours", provider="dashscope_native") + sells("ours", kind="embedding")
        async with hosted(tmp_path, config) as gateway:
            reply = await gateway.post({"model": "ours", "input": {"texts": ["a"]}}, TEXT_EMBEDDING)

            assert (reply.status, reply.json["code"], reply.json["message"]) == (400, "InvalidParameter", "batch size")
            assert (await gateway.balance())["balance"] == "10"
