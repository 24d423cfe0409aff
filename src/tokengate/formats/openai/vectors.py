"""Embeddings in OpenAI's format, to and from the vocabulary."""

import base64
import struct
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.usage import Usage
from tokengate.core.vectors import Embed, Vectors
from tokengate.core.wire import Heading, Losses
from tokengate.formats.openai.requests import read_embedding
from tokengate.formats.openai.usage import read_usage

_encode = msgspec.json.Encoder().encode


class OpenAIEmbeddings(Struct, frozen=True):
    """Implements `core.vectors.EmbeddingFormat`."""

    @property
    def name(self) -> str:
        return "openai"

    def path(self, model: str) -> str:
        return "/embeddings"

    def read(self, body: bytes) -> Embed:
        """Read a client's request. Raises BadRequest, also for token numbers, which only their own vendor reads."""
        asked = read_embedding(body)
        given = _decode_input(body).input
        inputs = (given,) if isinstance(given, str) else tuple(given)
        texts = tuple(text for text in inputs if isinstance(text, str))
        if len(texts) != len(inputs):
            raise BadRequest("'input' must be text: this model takes no token numbers.", param="input")
        return Embed(
            format=self.name, model=asked.model, inputs=texts, dimensions=asked.dimensions, packed=asked.base64
        )

    def forwards(self, question: Embed) -> bool:
        return True

    def write(self, question: Embed, losses: Losses) -> bytes:
        """Return the body of a request."""
        losses.foreign(question)
        asked: dict[str, Any] = {"model": question.model, "input": question.inputs, "encoding_format": "float"}
        if question.dimensions is not None:
            asked["dimensions"] = question.dimensions
        return _encode(asked)

    def read_reply(self, body: bytes, question: Embed) -> Vectors:
        """Read a reply. Raises UpstreamFailed."""
        try:
            reply = _decode_reply(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's embeddings cannot be read.", kind="invalid") from error
        if not reply.data:
            raise UpstreamFailed("The upstream's reply has no embeddings.", kind="empty")
        if len(reply.data) != len(question.inputs):
            raise UpstreamFailed("The upstream's embeddings are not those of the texts.", kind="invalid")
        ordered = sorted(reply.data, key=lambda one: one.index)
        return Vectors(vectors=tuple(tuple(one.embedding) for one in ordered), usage=read_usage(bytes(reply.usage)))

    def write_reply(self, answer: Vectors, heading: Heading, question: Embed) -> bytes:
        """Return the reply to `question`."""
        usage = answer.usage.usage if answer.usage else Usage()
        return _encode(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": at, "embedding": _packed(one) if question.packed else one}
                    for at, one in enumerate(answer.vectors)
                ],
                "model": heading.model,
                "usage": {"prompt_tokens": usage.input_total, "total_tokens": usage.input_total},
            }
        )


OPENAI_EMBEDDINGS: Final = OpenAIEmbeddings()


class _Input(Struct):
    input: str | list[str | int | list[int]]


class _Vector(Struct):
    embedding: list[float]
    index: int = 0


class _Reply(Struct):
    data: list[_Vector] | None = None
    usage: Raw = Raw(b"null")


_decode_input = msgspec.json.Decoder(_Input).decode
_decode_reply = msgspec.json.Decoder(_Reply).decode


def _packed(vector: tuple[float, ...]) -> str:
    """Return a vector as base64 of little-endian 32-bit floats, which OpenAI's SDK asks for."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
