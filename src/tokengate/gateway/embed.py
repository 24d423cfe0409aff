"""Embeddings through the vocabulary, for a caller and a backend of different formats. Bills like the lane."""

from collections.abc import Mapping
from typing import NoReturn

from msgspec.structs import replace

from tokengate.catalog.tokens import estimate_tokens
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.vectors import EmbeddingFormat
from tokengate.core.wire import Losses
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.heading import heading_of
from tokengate.gateway.route import Target


class Embedded:
    """Implements `Adapter`."""

    __slots__ = ("_call", "_caller", "_embed", "_format", "body", "dropped", "headers", "path")

    def __init__(self, call: Call, target: Target, body: bytes) -> None:
        caller, format = call.operation.embedding, target.backend.provider.embedding
        assert caller is not None and format is not None, "such a backend is not asked"
        self._call = call
        self._caller: EmbeddingFormat = caller
        self._format: EmbeddingFormat = format
        self._embed = caller.read(body)
        losses = Losses(target.backend.name, {})
        self.body = format.write(replace(self._embed, model=target.model), losses)
        self.dropped = losses.dropped
        self.path = format.path(target.model)
        self.headers: Mapping[str, str] = {}

    def whole(self, data: bytes) -> WholeReply:
        """Read a reply and write it in the caller's format."""
        vectors = self._format.read_reply(data)
        usage = vectors.usage
        if usage is None:
            tokens = sum(map(estimate_tokens, self._embed.inputs))
            vectors = replace(vectors, usage=ReportedUsage(Usage(input=tokens), b""))
        written = self._caller.write_reply(vectors, heading_of(self._call), self._embed)
        return WholeReply(written, has_content=True, usage=usage)

    def lane(self) -> NoReturn:
        raise AssertionError("embeddings do not stream")
