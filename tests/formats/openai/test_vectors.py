import base64
import json
import struct

import pytest
from msgspec import Raw

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.vectors import Embed, Vectors
from tokengate.core.wire import Heading, Losses
from tokengate.formats.openai.vectors import OPENAI_EMBEDDINGS

HEADING = Heading("1", "mine", 1)


def test_texts_are_asked_for() -> None:
    embed = OPENAI_EMBEDDINGS.read(b'{"model": "m", "input": ["a", "b"], "dimensions": 4, "encoding_format": "base64"}')

    assert embed == Embed(format="openai", model="m", inputs=("a", "b"), dimensions=4, packed=True)
    assert OPENAI_EMBEDDINGS.read(b'{"model": "m", "input": "a"}').inputs == ("a",)


def test_token_numbers_are_refused() -> None:
    with pytest.raises(BadRequest):
        OPENAI_EMBEDDINGS.read(b'{"model": "m", "input": [1, 2]}')


def test_another_formats_question_is_asked() -> None:
    losses = Losses("vendor", {})
    body = OPENAI_EMBEDDINGS.write(
        Embed(format="gemini", model="m", inputs=("a",), dimensions=4, extra={"taskType": Raw(b'"X"')}), losses
    )

    assert json.loads(body) == {"model": "m", "input": ["a"], "encoding_format": "float", "dimensions": 4}
    assert losses.dropped == ["taskType"]


def test_vectors_come_in_the_order_of_their_index() -> None:
    vectors = OPENAI_EMBEDDINGS.read_reply(
        b'{"data": [{"index": 1, "embedding": [3]}, {"index": 0, "embedding": [2]}], "usage": {"prompt_tokens": 4}}',
        Embed(format="openai", model="m", inputs=("a", "b")),
    )

    assert vectors.vectors == ((2.0,), (3.0,))
    assert vectors.usage is not None and vectors.usage.usage == Usage(input=4)


@pytest.mark.parametrize("packed", [False, True])
def test_vectors_are_written_as_they_were_asked_for(packed: bool) -> None:
    vectors = Vectors(vectors=((0.5, -1.0),), usage=ReportedUsage(Usage(input=5), b""))

    reply = json.loads(
        OPENAI_EMBEDDINGS.write_reply(vectors, HEADING, Embed(format="x", model="m", inputs=("a",), packed=packed))
    )

    written = reply["data"][0]["embedding"]
    assert (struct.unpack("<2f", base64.b64decode(written)) if packed else tuple(written)) == (0.5, -1.0)
    assert reply["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert reply["model"] == "mine"


@pytest.mark.parametrize(
    "body", [b"{}", b"x", b'{"data": []}', b'{"data": [{"embedding": "AAAA"}]}', b'{"data": [{"embedding": []}]}']
)
def test_a_reply_without_vectors_fails(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        OPENAI_EMBEDDINGS.read_reply(body, Embed(format="openai", model="m", inputs=("a", "b")))
