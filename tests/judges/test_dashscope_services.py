"""DashScope's own SDK embeds and ranks: straight at the simulated vendor, and through the gateway, at every vendor."""

import base64
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.judges.dashscope_place import PIXEL
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_upstream import ThreadedUpstream, by_model
from tests.simulators.rerank_upstream import KEY, RerankSimulator

sdk: Any = dashscope  # its own types are loose

TEXTS = ["one", "two words"]
DOCUMENTS = ["the sun shines", "a brown dog", "the dog and the sun"]
EMBEDDINGS = ["text-embedding-v4"]
RANKERS = ["qwen3-rerank"]
# Models of the gateway: whose they are, and what they are called there.
ELSEWHERE = {"embedding": ["openai-vectors"], "rerank": ["vllm-ranker", "sglang-ranker", "compatible-ranker"]}


class Place(Struct, frozen=True):
    url: str
    key: str
    vendor: DashScope
    embeddings: list[str]
    rankers: list[str]


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    with (
        DashScope() as vendor,
        ThreadedUpstream(by_model) as openai,
        ThreadedUpstream(RerankSimulator("vllm")) as vllm,
        ThreadedUpstream(RerankSimulator("sglang")) as sglang,
        ThreadedUpstream(RerankSimulator("dashscope")) as compatible,
    ):
        if kind == "vendor":
            yield Place(vendor.url, vendor.key, vendor, EMBEDDINGS, RANKERS)
            return
        own = ["text-embedding-v4", "multimodal-embedding-v1", "qwen3-rerank"]
        config = _upstream("dashscope_native", vendor.url, vendor.key, *own)
        config += _upstream("openai", openai.url, "sk", "openai-vectors")
        config += _upstream("vllm", vllm.url, KEY, "vllm-ranker")
        config += _upstream("sglang", sglang.url, KEY, "sglang-ranker")
        mode = compatible.url.removesuffix("/v1") + "/compatible-mode/v1"
        config += _upstream("dashscope", mode, KEY, "compatible-ranker")
        for kind, names in ELSEWHERE.items():
            config += "".join(_priced(name, kind) for name in names)
        config += _priced("text-embedding-v4", "embedding") + _priced("multimodal-embedding-v1", "embedding")
        config += _priced("qwen3-rerank", "rerank")
        with GatewayProcess(folder, config) as gateway:
            yield Place(
                f"{gateway.url}/api/v1",
                gateway.create_key("1000"),
                vendor,
                EMBEDDINGS + ELSEWHERE["embedding"],
                RANKERS + ELSEWHERE["rerank"],
            )


def _upstream(provider: str, url: str, key: str, *models: str) -> str:
    return (
        f'[[upstream]]\nname = "{provider}"\nprovider = "{provider}"\nbase_url = "{url}"\napi_key = "{key}"\n'
        f"models = {list(models)}\n"
    )


def _priced(name: str, kind: str) -> str:
    return f'[[model]]\nid = "{name}"\nkind = "{kind}"\nprice = {{ input = "0.001" }}\n'


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("services")) as place:
        yield place


@pytest.fixture
def place(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    monkeypatch.setattr(dashscope, "base_http_api_url", opened.url)
    monkeypatch.setattr(dashscope, "api_key", opened.key)
    yield opened
    close_shared_sync_session()


def test_texts_get_vectors_from_every_vendor(place: Place) -> None:
    for model in place.embeddings:
        reply = sdk.TextEmbedding.call(model, TEXTS, dimension=64, text_type="query")

        assert reply.status_code == 200, reply
        found = reply.output["embeddings"]
        assert [one["text_index"] for one in found] == [0, 1]
        assert [len(one["embedding"]) for one in found] == [64, 64]
        assert reply.usage["total_tokens"] > 0
        assert reply.request_id


def test_media_get_vectors(place: Place) -> None:
    contents: Any = [{"text": "a dog"}, {"image": "https://img.example/dog.png"}]

    reply = sdk.MultiModalEmbedding.call("multimodal-embedding-v1", contents)

    assert [one["type"] for one in reply.output["embeddings"]] == ["text", "image"]
    assert place.vendor.last["input"]["contents"] == contents


def test_a_local_picture_gets_a_vector(place: Place, tmp_path: Path) -> None:
    picture = tmp_path / "图片.png"
    picture.write_bytes(PIXEL)

    reply = sdk.MultiModalEmbedding.call("multimodal-embedding-v1", [{"image": f"file://{picture}"}])

    assert reply.status_code == 200, reply
    assert [one["type"] for one in reply.output["embeddings"]] == ["image"]
    (content,) = place.vendor.last["input"]["contents"]
    inside = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    assert content["image"] in (*place.vendor.uploads, inside)


def test_documents_are_ranked_alike_by_every_vendor(place: Place) -> None:
    for model in place.rankers:
        reply = sdk.TextReRank.call(model, "the dog", DOCUMENTS, top_n=2, return_documents=True)

        assert reply.status_code == 200, reply
        ranked = [(one.index, one.relevance_score, one["document"]["text"]) for one in reply.output.results]
        assert ranked == [(2, 1.0, DOCUMENTS[2]), (0, 0.5, DOCUMENTS[0])]
        assert reply.usage["total_tokens"] > 0


def test_refusals_are_told_in_the_vendors_words(place: Place) -> None:
    unknown = sdk.TextEmbedding.call("no-such-model", TEXTS)
    wrong_key = sdk.TextReRank.call("qwen3-rerank", "the dog", DOCUMENTS, api_key="sk-wrong")
    wrong = sdk.TextReRank.call("qwen3-rerank", "the dog", ["a", ""])

    assert unknown.status_code == 404
    assert (wrong_key.status_code, wrong_key.code) == (401, "InvalidApiKey")
    assert (wrong.status_code, wrong.code) == (400, "InvalidParameter")
