"""Embeddings in words of no vendor: what is asked, what is answered, and what a format can do with both."""

from typing import Protocol

from msgspec import Struct

from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Heading, Losses


class Embed(Struct, frozen=True, kw_only=True):
    """Texts to be embedded. `extra` is what only its own `format` understands; `packed` asks for base64."""

    format: str
    model: str
    inputs: tuple[str, ...]
    dimensions: int | None = None
    packed: bool = False
    extra: Extra = NO_EXTRA


class Vectors(Struct, frozen=True, kw_only=True):
    """The answer, in the order of the inputs."""

    vectors: tuple[tuple[float, ...], ...]
    usage: ReportedUsage | None = None


class EmbeddingFormat(Protocol):
    """How one wire format asks for embeddings and answers."""

    @property
    def name(self) -> str: ...

    def path(self, model: str) -> str:
        """Return the path below a vendor's base URL."""
        ...

    def read(self, body: bytes) -> Embed:
        """Read a client's request. Raises BadRequest."""
        ...

    def write(self, embed: Embed, losses: Losses) -> bytes:
        """Return the body of a request."""
        ...

    def read_reply(self, body: bytes) -> Vectors:
        """Read a reply. Raises UpstreamFailed."""
        ...

    def write_reply(self, vectors: Vectors, heading: Heading, embed: Embed) -> bytes:
        """Return the reply to `embed`; `vectors.usage` is always there."""
        ...
