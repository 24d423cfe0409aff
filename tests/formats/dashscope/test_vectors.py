import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.dashscope.wire import fixture
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.usage import Usage
from tokengate.formats.dashscope.embeddings import (
    read_embedding_reply,
    read_multimodal_embedding,
    read_text_embedding,
    write_embedding,
    write_embedding_reply,
)
from tokengate.formats.dashscope.rerank import read_rerank, read_rerank_reply, write_rerank, write_rerank_reply


def test_a_request_for_the_vectors_of_texts_is_read_and_written_the_same():
    request = read_text_embedding(fixture("embedding-request.json"))

    assert request.texts == ("代码改变世界", "hello")
    assert (request.dimension, request.output_type, request.text_type) == (64, "dense&sparse", "query")
    assert json.loads(write_embedding(request)) == json.loads(fixture("embedding-request.json"))


def test_a_request_for_the_vectors_of_media_is_read_and_written_the_same():
    request = read_multimodal_embedding(fixture("multimodal-embedding-request.json"))

    assert len(request.contents) == 3
    assert json.loads(write_embedding(request)) == json.loads(fixture("multimodal-embedding-request.json"))


def test_a_request_to_rank_is_read_and_written_the_same():
    request = read_rerank(fixture("rerank-request.json"))

    assert (len(request.documents), request.top_n, request.return_documents) == (3, 2, True)
    assert json.loads(write_rerank(request)) == json.loads(fixture("rerank-request.json"))


def test_vectors_are_read_and_written_the_same():
    reply = read_embedding_reply(fixture("embedding-reply.json"))

    assert [vector.index for vector in reply.vectors] == [0, 1]
    assert reply.usage is not None and reply.usage.usage == Usage(input=9)
    written = json.loads(write_embedding_reply(reply, reply.id))
    assert written == json.loads(fixture("embedding-reply.json"))


def test_vectors_of_media_are_read_and_written_the_same():
    reply = read_embedding_reply(fixture("multimodal-embedding-reply.json"))

    assert [vector.kind for vector in reply.vectors] == ["text", "image", "video"]
    written = json.loads(write_embedding_reply(reply, reply.id, multimodal=True))
    assert written["output"] == json.loads(fixture("multimodal-embedding-reply.json"))["output"]


def test_the_first_model_for_media_gives_one_vector():
    reply = read_embedding_reply(b'{"output": {"embedding": [0.5]}, "usage": {"total_tokens": 1}}')

    assert [bytes(vector.dense or b"") for vector in reply.vectors] == [b"[0.5]"]


def test_a_ranking_is_read_and_written_the_same():
    reply = read_rerank_reply(fixture("rerank-reply.json"))

    assert [found.index for found in reply.results] == [0, 2]
    assert json.loads(write_rerank_reply(reply, reply.id)) == json.loads(fixture("rerank-reply.json"))


BAD: list[tuple[Any, dict[str, Any], str]] = [
    (read_text_embedding, {"model": "m", "input": {"texts": []}}, "input.texts"),
    (read_text_embedding, {"model": "m", "input": {"texts": ["a", ""]}}, "input.texts[1]"),
    (read_text_embedding, {"model": "m", "input": {"texts": [1]}}, "input.texts[0]"),
    (read_text_embedding, {"model": "m", "input": {"texts": "a"}}, "input.texts"),
    (read_text_embedding, {"model": "m", "input": {"texts": ["a"] * 2049}}, "input.texts"),
    (read_text_embedding, {"model": "m"}, "input"),
    (
        read_text_embedding,
        {"model": "m", "input": {"texts": ["a"]}, "parameters": {"dimension": 0}},
        "parameters.dimension",
    ),
    (
        read_text_embedding,
        {"model": "m", "input": {"texts": ["a"]}, "parameters": {"output_type": "x"}},
        "parameters.output_type",
    ),
    (read_multimodal_embedding, {"model": "m", "input": {"contents": []}}, "input.contents"),
    (read_multimodal_embedding, {"model": "m", "input": {"contents": [{"x": 1}]}}, "input.contents[0]"),
    (read_rerank, {"model": "m", "input": {"query": "", "documents": ["a"]}}, "input.query"),
    (read_rerank, {"model": "m", "input": {"query": "a", "documents": []}}, "input.documents"),
    (read_rerank, {"model": "m", "input": {"query": "a", "documents": ["a", 1]}}, "input.documents[1]"),
    (
        read_rerank,
        {"model": "m", "input": {"query": "a", "documents": ["a"]}, "parameters": {"top_n": 0}},
        "parameters.top_n",
    ),
]


@pytest.mark.parametrize(("read", "body", "param"), BAD, ids=range(len(BAD)))
def test_requests_that_cannot_be_read_are_refused_by_name(read: Any, body: dict[str, Any], param: str):
    with pytest.raises(BadRequest) as caught:
        read(json.dumps(body).encode())

    assert caught.value.param == param


@pytest.mark.parametrize("read", [read_embedding_reply, read_rerank_reply])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"output": 1}', fixture("error.json")])
def test_what_is_no_answer_is_the_upstreams_failure(read: Any, body: bytes):
    with pytest.raises(UpstreamFailed):
        read(body)


READERS: list[tuple[str, Any, type[Exception]]] = [
    ("embedding-request.json", read_text_embedding, BadRequest),
    ("multimodal-embedding-request.json", read_multimodal_embedding, BadRequest),
    ("rerank-request.json", read_rerank, BadRequest),
    ("embedding-reply.json", read_embedding_reply, UpstreamFailed),
    ("rerank-reply.json", read_rerank_reply, UpstreamFailed),
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
