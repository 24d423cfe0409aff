"""Embeddings in Gemini's format: of one text (embedContent) and of several (batchEmbedContents)."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.parts import Extra
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.vectors import Embed, Vectors
from tokengate.core.wire import Heading, Losses
from tokengate.formats.gemini.extra import nest
from tokengate.formats.gemini.fields import Fields, wrong
from tokengate.formats.gemini.path import action
from tokengate.formats.gemini.signatures import NAME

MAX_BATCH: Final = 100  # Google's own limit

_encode = msgspec.json.Encoder().encode


class GeminiEmbeddings(Struct, frozen=True, kw_only=True):
    """Implements `core.vectors.EmbeddingFormat`. `model` is that of a client's path; `single` clients embed one
    text. Vendors are always asked for batches."""

    model: str = ""
    single: bool = False

    @property
    def name(self) -> str:
        return NAME

    def path(self, model: str) -> str:
        return action(model, "batchEmbedContents")

    def read(self, body: bytes) -> Embed:
        """Read a client's request, whose texts must all be asked for alike. Raises BadRequest."""
        fields = Fields(body, "")
        if self.single:
            text, dimensions, extra = _read_one(fields)
            return Embed(format=NAME, model=self.model, inputs=(text,), dimensions=dimensions, extra=extra)
        requests = fields.objects("requests")
        if not 0 < len(requests) <= MAX_BATCH:
            raise wrong("requests", f"a list of 1 to {MAX_BATCH} requests")
        asked = [_read_one(one) for one in requests]
        _, dimensions, extra = asked[0]
        for (_, other, others), request in zip(asked, requests, strict=True):
            if (other, _bytes(others)) != (dimensions, _bytes(extra)):
                raise BadRequest(f"'{request.path}' must be asked like 'requests[0]'.", param=request.path)
        return Embed(
            format=NAME, model=self.model, inputs=tuple(text for text, *_ in asked), dimensions=dimensions, extra=extra
        )

    def forwards(self, question: Embed) -> bool:
        """Say no: a client's one text is a vendor's batch, and the model's name is in every request of it."""
        return False

    def write(self, question: Embed, losses: Losses) -> bytes:
        """Return the body of a batch."""
        asked: dict[str, Any] = {"model": f"models/{question.model}"}
        if question.dimensions is not None:
            asked["outputDimensionality"] = question.dimensions
        if question.format == NAME:
            nest(asked, question.extra)
        else:
            losses.foreign(question)
        return _encode({"requests": [{**asked, "content": {"parts": [{"text": text}]}} for text in question.inputs]})

    def read_reply(self, body: bytes, question: Embed) -> Vectors:
        """Read the answer to one text or to a batch. Raises UpstreamFailed."""
        try:
            reply = _decode(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's embeddings cannot be read.", kind="invalid") from error
        given = reply.embeddings if reply.embedding is None else [reply.embedding]
        if not given:
            raise UpstreamFailed("The upstream's reply has no embeddings.", kind="empty")
        if len(given) != len(question.inputs):
            raise UpstreamFailed("The upstream's embeddings are not those of the texts.", kind="invalid")
        tokens = reply.usage_metadata.prompt_token_count if reply.usage_metadata else None
        usage = None if tokens is None else ReportedUsage(Usage(input=max(0, tokens)), b"")
        return Vectors(vectors=tuple(tuple(one.values) for one in given), usage=usage)

    def write_reply(self, answer: Vectors, heading: Heading, question: Embed) -> bytes:
        """Return the reply to `question`."""
        tokens = answer.usage.usage.input_total if answer.usage else 0
        usage = {"usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens}}
        if self.single:
            return _encode({"embedding": {"values": answer.vectors[0]}, **usage})
        return _encode({"embeddings": [{"values": one} for one in answer.vectors], **usage})


GEMINI_EMBEDDINGS: Final = GeminiEmbeddings()


def _read_one(fields: Fields) -> tuple[str, int | None, Extra]:
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
    config = fields.object("embedContentConfig")  # the newer place of the same members
    if config is None:
        return "\n".join(texts), dimensions, fields.rest()
    dimensions = config.integer("outputDimensionality", least=1) or dimensions
    nested = {f"embedContentConfig.{name}": raw for name, raw in config.rest().items()}
    return "\n".join(texts), dimensions, {**fields.rest(), **nested}


def _bytes(extra: Extra) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in extra.items()}


class _Values(Struct):
    values: list[float]


class _Metadata(Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Reply(Struct, rename="camel"):
    embedding: _Values | None = None
    embeddings: list[_Values] | None = None
    usage_metadata: _Metadata | None = None


_decode = msgspec.json.Decoder(_Reply).decode
