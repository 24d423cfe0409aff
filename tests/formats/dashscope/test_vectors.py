import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.dashscope.wire import fixture
from tokengate.core.errors import BadRequest, Unsupported, UpstreamFailed
from tokengate.core.ranking import Ranking
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.vectors import Embed, Vectors
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.embeddings import DASHSCOPE_EMBEDDINGS, DashScopeEmbeddings
from tokengate.formats.dashscope.rerank import DASHSCOPE_RERANK
from tokengate.formats.openai.vectors import OPENAI_EMBEDDINGS


def read_ranking(body: bytes) -> Ranking:
    return DASHSCOPE_RERANK.read_reply(body, DASHSCOPE_RERANK.read(fixture("rerank-request.json")))


TEXTS = DashScopeEmbeddings(multimodal=False)
MEDIA = DashScopeEmbeddings(multimodal=True)
HEADING = Heading("1", "m", 0)


def write(format: DashScopeEmbeddings, embed: Embed) -> Any:
    return json.loads(format.write(embed, Losses("DashScope", {})))


def read_vectors(body: bytes) -> Vectors:
    return DASHSCOPE_EMBEDDINGS.read_reply(body, TEXTS.read(fixture("embedding-request.json")))


def test_a_request_for_the_vectors_of_texts_is_read_and_written_the_same():
    embed = TEXTS.read(fixture("embedding-request.json"))

    assert (embed.inputs, embed.dimensions) == (("代码改变世界", "hello"), 64)
    assert {name: bytes(raw) for name, raw in embed.extra.items()} == {
        "parameters.output_type": b'"dense&sparse"',
        "parameters.text_type": b'"query"',
        "parameters.instruct": b'"Find code."',
    }
    assert write(TEXTS, embed) == json.loads(fixture("embedding-request.json"))


def test_a_request_for_the_vectors_of_media_is_read_and_written_the_same():
    embed = MEDIA.read(fixture("multimodal-embedding-request.json"))

    assert len(embed.inputs) == 3
    assert (embed.media.images, embed.media.films, embed.media.sounds) == (1, 1, 0)
    assert write(MEDIA, embed) == json.loads(fixture("multimodal-embedding-request.json"))


def test_the_service_of_a_model_is_known_by_its_name():
    assert DASHSCOPE_EMBEDDINGS.path("text-embedding-v4") == "/services/embeddings/text-embedding/text-embedding"
    for model in ("multimodal-embedding-v1", "qwen/qwen3-vl-embedding", "tongyi-embedding-vision-plus"):
        assert DASHSCOPE_EMBEDDINGS.path(model).endswith("/multimodal-embedding")
    embed = Embed(format="openai", model="qwen3-vl-embedding", inputs=("a",))
    assert write(DASHSCOPE_EMBEDDINGS, embed)["input"] == {"contents": [{"text": "a"}]}


def test_only_texts_and_dimensions_are_said_alike_elsewhere():
    losses = Losses("OpenAI", {})
    texts = TEXTS.read(
        b'{"model": "m", "input": {"texts": ["a"]}, "parameters": {"text_type": "query", "output_type": "dense"}}'
    )

    OPENAI_EMBEDDINGS.write(texts, losses)

    assert losses.dropped == ["parameters.text_type", "parameters.output_type"]
    for parameters in ({"output_type": "sparse"}, {"instruct": "Search."}):
        body = {"model": "m", "input": {"texts": ["a"]}, "parameters": parameters}
        with pytest.raises(Unsupported):
            OPENAI_EMBEDDINGS.write(TEXTS.read(json.dumps(body).encode()), losses)
    pictures = MEDIA.read(b'{"model": "m", "input": {"contents": [{"text": "a"}, {"image": "https://x.example/1"}]}}')
    with pytest.raises(Unsupported) as caught:
        OPENAI_EMBEDDINGS.write(pictures, losses)
    assert caught.value.param == "input.contents"
    words = MEDIA.read(b'{"model": "m", "input": {"contents": [{"text": "a"}, {"text": "b"}]}}')
    assert json.loads(OPENAI_EMBEDDINGS.write(words, losses))["input"] == ["a", "b"]


def test_a_request_to_rank_is_read_and_written_the_same():
    request = DASHSCOPE_RERANK.read(fixture("rerank-request.json"))

    assert (len(request.documents), request.top_n, request.return_documents) == (3, 2, True)
    assert json.loads(DASHSCOPE_RERANK.write(request, Losses("DashScope", {}))) == json.loads(
        fixture("rerank-request.json")
    )


def test_vectors_are_read():
    vectors = read_vectors(fixture("embedding-reply.json"))

    expected = json.loads(fixture("embedding-reply.json"))["output"]["embeddings"]
    assert vectors.vectors == tuple(tuple(one["embedding"]) for one in expected)
    assert vectors.usage is not None and vectors.usage.usage == Usage(input=9)


def test_vectors_of_media_are_read():
    embed = MEDIA.read(fixture("multimodal-embedding-request.json"))

    assert len(MEDIA.read_reply(fixture("multimodal-embedding-reply.json"), embed).vectors) == 3


def test_the_first_model_for_media_gives_one_vector():
    vectors = read_vectors(b'{"output": {"embedding": [0.5]}, "usage": {"total_tokens": 1}}')

    assert vectors.vectors == ((0.5,),)


def test_vectors_are_written_for_either_service():
    vectors = Vectors(vectors=((0.5,), (1.0,)), usage=ReportedUsage(Usage(input=9), b""))
    embed = Embed(format="dashscope", model="m", inputs=("a", "b"))

    texts = json.loads(TEXTS.write_reply(vectors, HEADING, embed))
    media = json.loads(MEDIA.write_reply(vectors, HEADING, embed))

    assert texts["output"]["embeddings"] == [
        {"text_index": 0, "embedding": [0.5]},
        {"text_index": 1, "embedding": [1.0]},
    ]
    assert media["output"]["embeddings"][1] == {"index": 1, "embedding": [1.0], "type": "text"}
    assert (texts["usage"], media["usage"]) == ({"total_tokens": 9}, {"input_tokens": 9, "total_tokens": 9})
    assert texts["request_id"]


@pytest.mark.parametrize(
    "embeddings", [b"[]", b'[{"text_index": 0, "embedding": [1]}]', b'[{"text_index": 0}, {"text_index": 1}]']
)
def test_callers_of_other_formats_get_a_vector_for_each_text(embeddings: bytes):
    embed = Embed(format="openai", model="text-embedding-v4", inputs=("a", "b"))

    with pytest.raises(UpstreamFailed):
        DASHSCOPE_EMBEDDINGS.read_reply(b'{"output": {"embeddings": %b}}' % embeddings, embed)


def test_a_ranking_is_read_and_written_the_same():
    request = DASHSCOPE_RERANK.read(fixture("rerank-request.json"))
    reply = DASHSCOPE_RERANK.read_reply(fixture("rerank-reply.json"), request)

    assert [found.index for found in reply.results] == [0, 2]
    written = json.loads(DASHSCOPE_RERANK.write_reply(reply, HEADING, request))
    expected = json.loads(fixture("rerank-reply.json"))
    assert (written["output"], written["usage"]) == (expected["output"], expected["usage"])


BAD: list[tuple[Any, dict[str, Any], str]] = [
    (TEXTS.read, {"model": "m", "input": {"texts": []}}, "input.texts"),
    (TEXTS.read, {"model": "m", "input": {"texts": ["a", ""]}}, "input.texts[1]"),
    (TEXTS.read, {"model": "m", "input": {"texts": [1]}}, "input.texts[0]"),
    (TEXTS.read, {"model": "m", "input": {"texts": "a"}}, "input.texts"),
    (TEXTS.read, {"model": "m", "input": {"texts": ["a"] * 2049}}, "input.texts"),
    (TEXTS.read, {"model": "m"}, "input"),
    (
        TEXTS.read,
        {"model": "m", "input": {"texts": ["a"]}, "parameters": {"dimension": 0}},
        "parameters.dimension",
    ),
    (
        TEXTS.read,
        {"model": "m", "input": {"texts": ["a"]}, "parameters": {"output_type": "x"}},
        "parameters.output_type",
    ),
    (MEDIA.read, {"model": "m", "input": {"contents": []}}, "input.contents"),
    (MEDIA.read, {"model": "m", "input": {"contents": [{"x": 1}]}}, "input.contents[0]"),
    (MEDIA.read, {"model": "m", "input": {"contents": [{"text": ""}]}}, "input.contents[0]"),
    (DASHSCOPE_RERANK.read, {"model": "m", "input": {"query": "", "documents": ["a"]}}, "input.query"),
    (DASHSCOPE_RERANK.read, {"model": "m", "input": {"query": "a", "documents": []}}, "input.documents"),
    (DASHSCOPE_RERANK.read, {"model": "m", "input": {"query": "a", "documents": ["a", 1]}}, "input.documents[1]"),
    (
        DASHSCOPE_RERANK.read,
        {"model": "m", "input": {"query": "a", "documents": ["a"]}, "parameters": {"top_n": 0}},
        "parameters.top_n",
    ),
]


@pytest.mark.parametrize(("read", "body", "param"), BAD, ids=range(len(BAD)))
def test_requests_that_cannot_be_read_are_refused_by_name(read: Any, body: dict[str, Any], param: str):
    with pytest.raises(BadRequest) as caught:
        read(json.dumps(body).encode())

    assert caught.value.param == param


@pytest.mark.parametrize("read", [read_vectors, read_ranking])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"output": 1}', fixture("error.json")])
def test_what_is_no_answer_is_the_upstreams_failure(read: Any, body: bytes):
    with pytest.raises(UpstreamFailed):
        read(body)


READERS: list[tuple[str, Any, type[Exception]]] = [
    ("embedding-request.json", TEXTS.read, BadRequest),
    ("multimodal-embedding-request.json", MEDIA.read, BadRequest),
    ("rerank-request.json", DASHSCOPE_RERANK.read, BadRequest),
    ("embedding-reply.json", read_vectors, UpstreamFailed),
    ("rerank-reply.json", read_ranking, UpstreamFailed),
]


@pytest.mark.parametrize(("name", "read", "expected"), READERS, ids=[name for name, _, _ in READERS])
@settings(max_examples=50)
@given(data=st.data())
def test_what_is_mutated_is_read_or_refused(name: str, read: Any, expected: type[Exception], data: st.DataObject):
    body = bytearray(fixture(name))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"]", b"7"]))

    with suppress(expected):
        assert read(bytes(body)) is not None
