import json
from typing import Any

import pytest
from msgspec import Raw

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.vectors import Embed, EmbeddingFormat, Vectors
from tokengate.core.wire import Heading, Losses
from tokengate.formats.gemini.embeddings import GEMINI_EMBEDDINGS, GeminiEmbeddings

ONE: dict[str, Any] = {"model": "models/m", "content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"}
SINGLE = GeminiEmbeddings(model="m", single=True)
BATCH = GeminiEmbeddings(model="m")
HEADING = Heading("1", "m", 1)


def read(format: EmbeddingFormat, body: object) -> Embed:
    return format.read(json.dumps(body).encode())


def write(embed: Embed) -> tuple[list[dict[str, Any]], list[str]]:
    losses = Losses("Google", {})
    return json.loads(GEMINI_EMBEDDINGS.write(embed, losses))["requests"], losses.dropped


def test_one_text_is_asked_for() -> None:
    embed = read(SINGLE, {**ONE, "output_dimensionality": 64})

    assert (embed.model, embed.inputs, embed.dimensions, list(embed.extra)) == ("m", ("a",), 64, ["taskType"])


def test_the_newer_place_of_the_same_members_is_read_too() -> None:
    config = {"outputDimensionality": 64, "taskType": "CLUSTERING", "autoTruncate": False}
    embed = read(SINGLE, {"content": {"parts": [{"text": "a"}]}, "embedContentConfig": config})

    assert (embed.dimensions, list(embed.extra)) == (
        64,
        ["embedContentConfig.taskType", "embedContentConfig.autoTruncate"],
    )
    (asked,), dropped = write(embed)
    assert asked["embedContentConfig"] == {"taskType": "CLUSTERING", "autoTruncate": False}
    assert asked["outputDimensionality"] == 64 and not dropped


def test_a_batch_is_asked_for_at_once() -> None:
    two = {**ONE, "content": {"parts": [{"text": "b"}, {"text": "c"}]}}

    assert read(BATCH, {"requests": [ONE, two]}).inputs == ("a", "b\nc")


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
        read(BATCH, body)


def test_google_is_asked_for_batches() -> None:
    embed = read(BATCH, {"requests": [ONE, ONE]})

    assert write(embed)[0] == [ONE, ONE]
    assert GEMINI_EMBEDDINGS.path("m") == "/v1beta/models/m:batchEmbedContents"


def test_what_another_format_added_is_dropped_by_name() -> None:
    asked, dropped = write(Embed(format="openai", model="m", inputs=("a",), dimensions=4, extra={"user": Raw(b'"u"')}))

    assert asked == [{"model": "models/m", "outputDimensionality": 4, "content": {"parts": [{"text": "a"}]}}]
    assert dropped == ["user"]


ASKED = Embed(format="gemini", model="m", inputs=("a",))


def test_vectors_are_read_of_one_text_and_of_a_batch() -> None:
    batch = GEMINI_EMBEDDINGS.read_reply(
        b'{"embeddings": [{"values": [1, 2]}], "usageMetadata": {"promptTokenCount": 3}}', ASKED
    )
    single = GEMINI_EMBEDDINGS.read_reply(b'{"embedding": {"values": [1, 2]}}', ASKED)

    assert batch == Vectors(vectors=((1.0, 2.0),), usage=ReportedUsage(Usage(input=3), b""))
    assert single == Vectors(vectors=((1.0, 2.0),))


def test_vectors_are_written_for_one_text_and_for_a_batch() -> None:
    vectors = Vectors(vectors=((1.0,), (2.0,)), usage=ReportedUsage(Usage(input=5), b""))
    embed = Embed(format="gemini", model="m", inputs=("a", "b"))
    usage = {"promptTokenCount": 5, "totalTokenCount": 5}

    assert json.loads(SINGLE.write_reply(vectors, HEADING, embed)) == {
        "embedding": {"values": [1.0]},
        "usageMetadata": usage,
    }
    assert json.loads(BATCH.write_reply(vectors, HEADING, embed)) == {
        "embeddings": [{"values": [1.0]}, {"values": [2.0]}],
        "usageMetadata": usage,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"x",
        b'{"embeddings": []}',
        b'{"embeddings": [{}]}',
        b'{"embeddings": [{"values": [1]}, {"values": [2]}]}',
    ],
)
def test_a_reply_without_vectors_fails(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        GEMINI_EMBEDDINGS.read_reply(body, ASKED)
