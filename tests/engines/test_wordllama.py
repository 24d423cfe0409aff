import asyncio
import base64
import math
import struct
import sys
from typing import Any

import pytest

from tests.engines.support import request, whole
from tokengate.core.errors import BadRequest, Unavailable, Unsupported
from tokengate.core.settings import EmbeddingEngineSettings
from tokengate.engines.wordllama import EmbeddingEngine


def embeddings(value: Any, **body: Any) -> Any:
    return request("/embeddings", input=value, **body)


def vectors(reply: dict[str, Any]) -> list[list[float]]:
    return [item["embedding"] for item in reply["data"]]


def similarity(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_a_reply_has_openai_fields(wordllama: EmbeddingEngine) -> None:
    reply = await whole(wordllama, embeddings("hello world", model="wordllama-256"))

    assert set(reply) == {"object", "data", "model", "usage"}
    assert (reply["object"], reply["model"]) == ("list", "wordllama-256")
    assert reply["data"][0]["object"] == "embedding"
    assert reply["data"][0]["index"] == 0
    assert len(reply["data"][0]["embedding"]) == 256
    assert reply["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


async def test_like_meanings_are_near(wordllama: EmbeddingEngine) -> None:
    texts = ["The cat sleeps on the sofa", "A kitten naps on the couch", "Interest rates rose again in March"]

    cat, kitten, rates = vectors(await whole(wordllama, embeddings(texts)))

    assert similarity(cat, kitten) > 2 * similarity(cat, rates)


async def test_texts_keep_their_order_and_do_not_touch_each_other(wordllama: EmbeddingEngine) -> None:
    texts = [f"text number {number} " * (number + 1) for number in range(100)]

    together = await whole(wordllama, embeddings(texts))
    alone = [await whole(wordllama, embeddings(text)) for text in texts[:3]]

    assert [item["index"] for item in together["data"]] == list(range(100))
    for one, single in zip(vectors(together), alone, strict=False):
        assert one == pytest.approx(vectors(single)[0], abs=1e-6)
    assert together["usage"]["prompt_tokens"] > 100 * sum(one["usage"]["prompt_tokens"] for one in alone) / 10


@pytest.mark.parametrize("dimensions", [256, 128, 64, None])
async def test_dimensions_cut_the_vector_and_keep_its_length_one(
    wordllama: EmbeddingEngine, dimensions: int | None
) -> None:
    full = vectors(await whole(wordllama, embeddings("hello world")))[0]

    vector = vectors(await whole(wordllama, embeddings("hello world", dimensions=dimensions)))[0]

    assert len(vector) == (dimensions or 256)
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-6)
    scale = full[0] / vector[0]
    assert [number * scale for number in vector] == pytest.approx(full[: len(vector)], abs=1e-6)


async def test_base64_is_the_same_numbers_as_little_endian_float32(wordllama: EmbeddingEngine) -> None:
    plain = vectors(await whole(wordllama, embeddings(["a", "b"], encoding_format="float")))
    packed = await whole(wordllama, embeddings(["a", "b"], encoding_format="base64"))

    unpacked = [struct.unpack("<256f", base64.b64decode(item["embedding"])) for item in packed["data"]]
    assert [list(vector) for vector in unpacked] == plain


async def test_any_script_and_any_length_has_a_vector(wordllama: EmbeddingEngine) -> None:
    reply = await whole(wordllama, embeddings(["你好，世界", "🎉", " ", "\n", "\u200b", "x" * 100_000]))

    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-5) for vector in vectors(reply))


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("dimensions", {"input": "a", "dimensions": 100}),
        ("dimensions", {"input": "a", "dimensions": 512}),
        ("encoding_format", {"input": "a", "encoding_format": "int8"}),
        ("input", {"input": ""}),
        ("input", {"input": []}),
        ("input", {"input": ["a", ""]}),
        ("input", {"input": 5}),
        ("input", {}),
    ],
)
async def test_a_mistake_is_named(wordllama: EmbeddingEngine, param: str, body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        await wordllama.send(request("/embeddings", **body))

    assert caught.value.param == param


@pytest.mark.parametrize("tokens", [[1, 2, 3], [[1], [2, 3]]])
async def test_token_ids_are_refused_by_name(wordllama: EmbeddingEngine, tokens: list[Any]) -> None:
    with pytest.raises(Unsupported) as caught:
        await wordllama.send(embeddings(tokens))

    assert caught.value.param == "input"


async def test_many_calls_at_once_are_all_answered(wordllama: EmbeddingEngine) -> None:
    texts = ["word " + "again " * number for number in range(50)]
    one_by_one = [vectors(await whole(wordllama, embeddings(text))) for text in texts]

    replies = await asyncio.gather(*(whole(wordllama, embeddings(text)) for text in texts))

    assert [vectors(reply) for reply in replies] == one_by_one
    assert len({tuple(one[0]) for one in one_by_one}) == 50


async def test_an_engine_that_was_not_started_says_so() -> None:
    with pytest.raises(Unavailable, match="being loaded"):
        await EmbeddingEngine(EmbeddingEngineSettings()).send(embeddings("a"))


async def test_loading_leaves_the_package_and_its_downloader_out(wordllama: EmbeddingEngine) -> None:
    assert wordllama.state.name == "ready"
    assert "wordllama" not in sys.modules
