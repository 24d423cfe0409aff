"""Embeddings in words of no vendor: what is asked, and what is answered."""

from msgspec import Struct

from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.service import Answer, Question, Service


class EmbedMedia(Struct, frozen=True):
    """How much there is besides texts, and how many bytes of the request that takes."""

    images: int = 0
    films: int = 0
    sounds: int = 0
    size_bytes: int = 0


class Embed(Question, frozen=True, kw_only=True):
    """Texts to be embedded, empty ones in the places of media. `extra` is what only its own `format` understands, and
    `essential` names what of that changes what the answer means; `packed` asks for base64."""

    inputs: tuple[str, ...]
    dimensions: int | None = None
    packed: bool = False
    extra: Extra = NO_EXTRA
    essential: frozenset[str] = frozenset()
    media: EmbedMedia = EmbedMedia()


class Vectors(Answer, frozen=True, kw_only=True):
    """The answer, in the order of the inputs."""

    vectors: tuple[tuple[float, ...], ...]


EmbeddingFormat = Service[Embed, Vectors]
