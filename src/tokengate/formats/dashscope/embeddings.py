"""Embeddings of texts and of media: requests and replies of the two services, read and written.

Vectors are not looked into: they stay JSON.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.usage import ReportedUsage
from tokengate.formats.dashscope.parameters import MAX_TEXTS, Body, ContentsInput, EmbeddingParameters, TextsInput
from tokengate.formats.dashscope.refusal import must_be
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.requests import read_object, read_others, read_value
from tokengate.formats.dashscope.shapes import NULL, encode, is_null, is_object
from tokengate.formats.dashscope.usage import read_usage

TEXT_EMBEDDING_PATH = "/services/embeddings/text-embedding/text-embedding"
MULTIMODAL_EMBEDDING_PATH = "/services/embeddings/multimodal-embedding/multimodal-embedding"

_EMPTY = Raw(b"{}")
_KINDS = ("text", "image", "video", "audio", "multi_images")


class EmbeddingRequest(Struct, frozen=True, kw_only=True):
    """What to embed: texts, or `contents`, entries of which each is a text, a picture, a film or a sound as JSON."""

    model: str
    texts: tuple[str, ...] = ()
    contents: tuple[Raw, ...] = ()
    text_type: str | None = None  # query, document
    dimension: int | None = None
    output_type: str | None = None  # dense, sparse, dense&sparse
    instruct: str | None = None
    extra: Extra = NO_EXTRA


class Vector(Struct, frozen=True):
    """One vector: JSON lists. `kind` says of which sort of entry it is."""

    index: int
    dense: Raw | None = None
    sparse: Raw | None = None
    kind: str = ""


class EmbeddingReply(Struct, frozen=True):
    vectors: tuple[Vector, ...]
    usage: ReportedUsage | None = None
    id: str = ""


def read_text_embedding(body: bytes) -> EmbeddingRequest:
    """Read a request for the embeddings of texts. Raises BadRequest."""
    wire, members = read_object(body, _decode_body)
    asked, input_members = read_object(wire.input, _decode_texts, "input")
    if not 1 <= len(asked.texts) <= MAX_TEXTS:
        raise must_be("input.texts")
    for index, text in enumerate(asked.texts):
        if not text:
            raise must_be(f"input.texts[{index}]")
    known = {"texts": tuple(asked.texts)}
    return _read_parameters(wire, read_others(members, _BODY) | read_others(input_members, _TEXTS, "input."), known)


def read_multimodal_embedding(body: bytes) -> EmbeddingRequest:
    """Read a request for the embeddings of media. Raises BadRequest."""
    wire, members = read_object(body, _decode_body)
    asked, input_members = read_object(wire.input, _decode_contents, "input")
    if not 1 <= len(asked.contents) <= MAX_TEXTS:
        raise must_be("input.contents")
    for index, raw in enumerate(asked.contents):
        value = read_value(raw, f"input.contents[{index}]")
        if not is_object(value) or not any(kind in value for kind in _KINDS):
            raise must_be(f"input.contents[{index}]")
    known = {"contents": tuple(Raw(bytes(raw)) for raw in asked.contents)}
    return _read_parameters(wire, read_others(members, _BODY) | read_others(input_members, _CONTENTS, "input."), known)


def write_embedding(request: EmbeddingRequest) -> bytes:
    """Return the body of a request."""
    asked = {"texts": request.texts} if request.texts else {"contents": request.contents}
    parameters = {
        "text_type": request.text_type,
        "dimension": request.dimension,
        "output_type": request.output_type,
        "instruct": request.instruct,
    }
    return write_body(request.model, asked, parameters, request.extra)


def write_body(model: str, asked: dict[str, Any], parameters: dict[str, Any], extra: Extra) -> bytes:
    """Return a request of any service: what is None is left out, and what has no word goes back where it was."""
    body: dict[str, Any] = {
        "model": model,
        "input": asked,
        "parameters": {name: value for name, value in parameters.items() if value is not None},
    }
    for name, raw in extra.items():
        where, dot, member = name.partition(".")
        (body[where] if dot and where in ("input", "parameters") else body).setdefault(member if dot else name, raw)
    return encode(body)


def read_embedding_reply(body: bytes) -> EmbeddingReply:
    """Read a reply. Raises UpstreamFailed when it is not one, also for an error that came with status 200."""
    try:
        head = _decode_head(body)
        if head.code or is_null(head.output):
            raise UpstreamFailed(error_message(head.message), kind="invalid")
        output = _decode_output(head.output)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
    found = output.embeddings
    if found is None:  # the first of its models gives one vector for all entries
        found = [] if is_null(output.embedding) else [_Embedding(embedding=output.embedding)]
    return EmbeddingReply(
        tuple(_read_vector(place, embedding) for place, embedding in enumerate(found)),
        None if is_null(head.usage) else read_usage(bytes(head.usage)),
        head.request_id or "",
    )


def write_embedding_reply(reply: EmbeddingReply, request_id: str, *, multimodal: bool = False) -> bytes:
    """Return a reply; the two services name a vector's place differently."""
    place = "index" if multimodal else "text_index"
    embeddings: list[dict[str, Any]] = []
    for vector in reply.vectors:
        written: dict[str, Any] = {place: vector.index}
        if vector.sparse is not None:
            written["sparse_embedding"] = vector.sparse
        if vector.dense is not None:
            written["embedding"] = vector.dense
        if vector.kind:
            written["type"] = vector.kind
        embeddings.append(written)
    usage = reply.usage.usage.input_total if reply.usage else 0
    return encode({"output": {"embeddings": embeddings}, "usage": {"total_tokens": usage}, "request_id": request_id})


class _Embedding(Struct):
    embedding: Raw = NULL
    sparse_embedding: Raw = NULL
    text_index: int | None = None
    index: int | None = None
    type: str | None = None


class _Output(Struct):
    embeddings: list[_Embedding] | None = None
    embedding: Raw = NULL


_BODY = frozenset(Body.__struct_fields__)
_TEXTS = frozenset(TextsInput.__struct_fields__)
_CONTENTS = frozenset(ContentsInput.__struct_fields__)
_PARAMETERS = frozenset(EmbeddingParameters.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_texts = msgspec.json.Decoder(TextsInput).decode
_decode_contents = msgspec.json.Decoder(ContentsInput).decode
_decode_parameters = msgspec.json.Decoder(EmbeddingParameters).decode
_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(_Output).decode


def _read_parameters(wire: Body, extra: dict[str, Raw], known: dict[str, Any]) -> EmbeddingRequest:
    raw = _EMPTY if is_null(wire.parameters) else wire.parameters
    given, members = read_object(raw, _decode_parameters, "parameters")
    return EmbeddingRequest(
        model=wire.model,
        text_type=given.text_type,
        dimension=given.dimension,
        output_type=given.output_type,
        instruct=given.instruct,
        extra=extra | read_others(members, _PARAMETERS, "parameters."),
        **known,
    )


def _read_vector(place: int, wire: _Embedding) -> Vector:
    index = wire.text_index if wire.index is None else wire.index
    return Vector(
        place if index is None else index,
        None if is_null(wire.embedding) else Raw(bytes(wire.embedding)),
        None if is_null(wire.sparse_embedding) else Raw(bytes(wire.sparse_embedding)),
        wire.type or "",
    )
