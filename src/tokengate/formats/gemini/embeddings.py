"""Embeddings: embedContent and batchEmbedContents, read to and written from what OpenAI's embeddings say.

The words between the two are `Embed` and `Vectors`; a body in OpenAI's spelling is made of them, or read into them, by
its own format.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.formats.gemini.fields import Fields, wrong

MAX_BATCH: Final = 100  # Google's own limit

_encode = msgspec.json.Encoder().encode


class Embed(Struct, frozen=True, kw_only=True):
    """What is to be embedded. `extra` holds what only Google understands, such as taskType."""

    inputs: tuple[str, ...]
    dimensions: int | None = None
    extra: Extra = NO_EXTRA


class Vectors(Struct, frozen=True, kw_only=True):
    """The answer, in the order of the inputs. `tokens` is None when the vendor does not say."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int | None = None


def read_embed(body: bytes) -> Embed:
    """Return what an embedContent request asks. Raises BadRequest."""
    return _read_one(Fields(body, ""))


def read_batch(body: bytes) -> Embed:
    """Return what a batchEmbedContents request asks, whose parts must all be asked alike. Raises BadRequest."""
    fields = Fields(body, "")
    requests = fields.objects("requests")
    if not 0 < len(requests) <= MAX_BATCH:
        raise wrong("requests", f"a list of 1 to {MAX_BATCH} requests")
    asked = [_read_one(one) for one in requests]
    first = asked[0]
    for one, request in zip(asked, requests, strict=True):
        if (one.dimensions, _bytes(one.extra)) != (first.dimensions, _bytes(first.extra)):
            raise BadRequest(f"'{request.path}' must be asked like 'requests[0]'.", param=request.path)
    inputs = tuple(text for one in asked for text in one.inputs)
    return Embed(inputs=inputs, dimensions=first.dimensions, extra=first.extra)


def write_embed_reply(vectors: Vectors) -> bytes:
    """Return the answer to an embedContent request."""
    return _encode({"embedding": {"values": vectors.vectors[0]}, **_usage(vectors.tokens)})


def write_batch_reply(vectors: Vectors) -> bytes:
    """Return the answer to a batchEmbedContents request."""
    return _encode({"embeddings": [{"values": one} for one in vectors.vectors], **_usage(vectors.tokens)})


def write_batch(embed: Embed, model: str) -> bytes:
    """Return a batchEmbedContents request for Google."""
    asked: dict[str, Any] = {"model": f"models/{model}"}
    if embed.dimensions is not None:
        asked["outputDimensionality"] = embed.dimensions
    asked |= embed.extra
    return _encode({"requests": [{**asked, "content": {"parts": [{"text": text}]}} for text in embed.inputs]})


def read_batch_reply(body: bytes) -> Vectors:
    """Return Google's vectors, of one request or of a batch. Raises UpstreamFailed."""
    try:
        reply = _decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's embeddings cannot be read.", kind="invalid") from error
    given = reply.embeddings if reply.embedding is None else [reply.embedding]
    if not given:
        raise UpstreamFailed("The upstream's reply has no embeddings.", kind="empty")
    tokens = reply.usage_metadata.prompt_token_count if reply.usage_metadata else None
    return Vectors(vectors=tuple(tuple(one.values) for one in given), tokens=tokens)


def read_openai_request(body: bytes) -> Embed:
    """Return what an OpenAI request, which its own format has checked, asks. Raises BadRequest for token numbers."""
    asked = _decode_openai(body)
    inputs = (asked.input,) if isinstance(asked.input, str) else tuple(asked.input)
    if not all(isinstance(one, str) for one in inputs):
        raise BadRequest("'input' must be text; this model takes no token numbers.", param="input")
    return Embed(inputs=tuple(str(one) for one in inputs), dimensions=asked.dimensions)


def write_openai_request(embed: Embed, model: str) -> bytes:
    """Return the same question in OpenAI's spelling."""
    asked: dict[str, Any] = {"model": model, "input": list(embed.inputs), "encoding_format": "float"}
    if embed.dimensions is not None:
        asked["dimensions"] = embed.dimensions
    return _encode(asked)


def read_openai_reply(body: bytes) -> Vectors:
    """Return the vectors of a reply in OpenAI's spelling. Raises UpstreamFailed."""
    try:
        reply = _decode_openai_reply(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's embeddings cannot be read.", kind="invalid") from error
    if not reply.data:
        raise UpstreamFailed("The upstream's reply has no embeddings.", kind="empty")
    ordered = sorted(reply.data, key=lambda one: one.index)
    tokens = reply.usage.prompt_tokens if reply.usage else None
    return Vectors(vectors=tuple(tuple(one.embedding) for one in ordered), tokens=tokens)


def _read_one(fields: Fields) -> Embed:
    fields.raw("model")  # said in the path
    content = fields.object("content")
    if content is None:
        raise wrong(fields.at("content"), "an object")
    texts: list[str] = []
    for part in content.objects("parts"):
        text = part.text("text")
        if text is None:
            raise BadRequest(f"'{part.path}' must be text.", param=part.path)
        texts.append(text)
    if not texts:
        raise wrong(content.at("parts"), "a list with at least one part")
    dimensions = fields.integer("outputDimensionality", least=1)
    return Embed(inputs=("\n".join(texts),), dimensions=dimensions, extra=fields.rest())


def _bytes(extra: Extra) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in extra.items()}


def _usage(tokens: int | None) -> dict[str, Any]:
    return {} if tokens is None else {"usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens}}


class _Values(Struct):
    values: list[float]


class _Metadata(Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Reply(Struct, rename="camel"):
    embedding: _Values | None = None
    embeddings: list[_Values] | None = None
    usage_metadata: _Metadata | None = None


class _OpenAIRequest(Struct):
    input: str | list[str | int | list[int]]
    dimensions: int | None = None


class _OpenAIVector(Struct):
    embedding: list[float]
    index: int = 0


class _OpenAIUsage(Struct):
    prompt_tokens: int | None = None


class _OpenAIReply(Struct):
    data: list[_OpenAIVector] | None = None
    usage: _OpenAIUsage | None = None


_decode = msgspec.json.Decoder(_Reply).decode
_decode_openai = msgspec.json.Decoder(_OpenAIRequest).decode
_decode_openai_reply = msgspec.json.Decoder(_OpenAIReply).decode
