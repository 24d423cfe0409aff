import json
from typing import Any

import pytest
from msgspec import Raw

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.formats.gemini.embeddings import (
    Embed,
    Vectors,
    read_batch,
    read_batch_reply,
    read_embed,
    read_openai_reply,
    read_openai_request,
    write_batch,
    write_batch_reply,
    write_embed_reply,
    write_openai_request,
)

ONE: dict[str, Any] = {"model": "models/m", "content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"}


def test_one_text_is_asked_in_openais_words() -> None:
    embed = read_embed(json.dumps({**ONE, "outputDimensionality": 64}).encode())

    assert (embed.inputs, embed.dimensions, list(embed.extra)) == (("a",), 64, ["taskType"])
    assert json.loads(write_openai_request(embed, "m")) == {
        "model": "m",
        "input": ["a"],
        "encoding_format": "float",
        "dimensions": 64,
    }


def test_a_batch_is_asked_at_once() -> None:
    body = {"requests": [ONE, {**ONE, "content": {"parts": [{"text": "b"}, {"text": "c"}]}}]}

    assert read_batch(json.dumps(body).encode()).inputs == ("a", "b\nc")


NO_BATCHES: list[dict[str, Any]] = [
    {"requests": []},
    {"requests": [ONE] * 101},
    {"requests": [ONE, {**ONE, "taskType": "CLUSTERING"}]},
    {"requests": [{"content": {"parts": []}}]},
    {"requests": [{"content": {"parts": [{"inlineData": {}}]}}]},
    {"requests": [{}]},
]


@pytest.mark.parametrize("body", NO_BATCHES)
def test_a_batch_that_is_not_of_one_kind_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        read_batch(json.dumps(body).encode())


def test_openais_question_is_asked_of_google() -> None:
    embed = read_openai_request(b'{"model": "x", "input": ["a", "b"], "dimensions": 4}')

    assert json.loads(write_batch(embed, "m")) == {
        "requests": [
            {"model": "models/m", "outputDimensionality": 4, "content": {"parts": [{"text": text}]}} for text in "ab"
        ]
    }


def test_token_numbers_are_refused() -> None:
    with pytest.raises(BadRequest):
        read_openai_request(b'{"input": [1, 2]}')


def test_what_only_google_understands_goes_back_to_google() -> None:
    embed = Embed(inputs=("a",), extra={"taskType": Raw(b'"X"')})

    assert json.loads(write_batch(embed, "m"))["requests"][0]["taskType"] == "X"


def test_vectors_are_read_from_both() -> None:
    google = read_batch_reply(b'{"embeddings": [{"values": [1, 2]}], "usageMetadata": {"promptTokenCount": 3}}')
    single = read_batch_reply(b'{"embedding": {"values": [1, 2]}}')
    openai = read_openai_reply(
        b'{"data": [{"index": 1, "embedding": [3.0]}, {"index": 0, "embedding": [2.0]}], "usage": {"prompt_tokens": 4}}'
    )

    assert google == Vectors(vectors=((1.0, 2.0),), tokens=3)
    assert single == Vectors(vectors=((1.0, 2.0),))
    assert openai == Vectors(vectors=((2.0,), (3.0,)), tokens=4)


def test_vectors_are_written_for_googles_clients() -> None:
    vectors = Vectors(vectors=((1.0,), (2.0,)), tokens=5)
    usage = {"promptTokenCount": 5, "totalTokenCount": 5}

    assert json.loads(write_embed_reply(vectors)) == {"embedding": {"values": [1.0]}, "usageMetadata": usage}
    assert json.loads(write_batch_reply(vectors)) == {
        "embeddings": [{"values": [1.0]}, {"values": [2.0]}],
        "usageMetadata": usage,
    }


@pytest.mark.parametrize("body", [b"{}", b"x", b'{"embeddings": []}', b'{"embeddings": [{}]}'])
def test_a_reply_without_vectors_fails(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        read_batch_reply(body)
    with pytest.raises(UpstreamFailed):
        read_openai_reply(body)
