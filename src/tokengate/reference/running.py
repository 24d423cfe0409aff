"""What the reference must know of the gateway that runs: which routes it has, which models can be called now, and
which of them the examples call.
"""

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.reference.kinds import offers_of
from tokengate.reference.table import ApiOperation

PageStatus = Literal["released", "developing"]
LiveStatus = Literal["available", "degraded", "down", "developing"]
BreakerStates = Callable[[], Iterable[tuple[str, str, str]]]

# Whom the examples of an operation call where it is there.
_EMBEDDING = "text-embedding-3-small"
_PICTURES = "gpt-image-2"
_EXAMPLE_MODELS = {
    "responses.compact": "gpt-5.4",
    "embeddings": _EMBEDDING,
    "gemini.embed": _EMBEDDING,
    "gemini.batch_embed": _EMBEDDING,
    "images.generations": _PICTURES,
    "images.edits": _PICTURES,
    "images.variations": _PICTURES,
    "audio.speech": "tts-1-hd",
    "audio.transcriptions": "whisper-1",
    "audio.translations": "whisper-1",
    "videos.create": "wan-t2v",
    "dashscope.multimodal": "qwen-vl-max",
    "dashscope.image_edit": "wan2.5-i2i-preview",
    "dashscope.image_generation": "wan2.6-t2i",
    "dashscope.video": "wan2.6-t2v",
    "dashscope.frames": "wan2.2-kf2v-flash",
    "dashscope.transcription": "paraformer-v2",
}
_ANY_MODEL = "qwen-plus"


class Route(Struct, frozen=True):
    """A row of the table as it is served: under one of its bases."""

    operation: ApiOperation
    base: str = ""

    @property
    def path(self) -> str:
        return self.base + self.operation.path


class Running(Struct, frozen=True, eq=False):
    """The running gateway as the reference sees it. `offers` says whether a backend offers a model; `absent` are those
    of them that it cannot answer for, for want of weights; `breakers` yields (upstream, model, state)."""

    catalog: Catalog
    routes: tuple[Route, ...]
    offers: Callable[[str], bool]
    absent: Callable[[], frozenset[str]]
    breakers: BreakerStates

    def serves(self, operation: ApiOperation) -> bool:
        """Say whether the operation is routed."""
        return any(_same(route.operation, operation) for route in self.routes)

    def bases(self, operation: ApiOperation) -> tuple[str, ...]:
        """Return the bases under which it is routed, or is to be."""
        routed = tuple(route.base for route in self.routes if _same(route.operation, operation))
        return routed or operation.bases

    def callable(self, model: Model) -> bool:
        """Say whether the model has a price and a backend."""
        priced = self.catalog.price_of(model.id) is not None
        return priced and self.offers(model.answered_by) and model.answered_by not in self.absent()

    def status(self, operation: ApiOperation, model: Model | None = None) -> PageStatus:
        """Return whether an operation works here, for a model if one is named."""
        works = self.serves(operation) and (model is None or self.callable(model))
        return "released" if works else "developing"

    def example_model(self, operation: ApiOperation) -> str:
        """Return whom an operation's own examples call: the usual model, or one that can be called here and has what
        they ask for; where nothing says what that is, one of the usual model's kind."""
        usual = _EXAMPLE_MODELS.get(operation.id, _ANY_MODEL)
        known, offers = self.catalog.resolve(usual), offers_of(operation)

        def able(model: Model) -> bool:
            if not offers:
                return known is not None and model.kind == known.kind and self.callable(model)
            return any(offer.fits(model) for offer in offers) and self.callable(model)

        if known is not None and able(known):
            return usual
        return next((model.id for model in self.catalog.models() if able(model)), usual)

    def live(self, model: Model, operations: Iterable[ApiOperation]) -> LiveStatus:
        """Return how a model is doing now, by the breakers of its backends."""
        if not self.callable(model) or not any(self.serves(operation) for operation in operations):
            return "developing"
        states = [state for _, name, state in self.breakers() if name == model.answered_by]
        closed = states.count("closed")
        if closed == len(states):
            return "available"
        return "degraded" if closed else "down"


def _same(one: ApiOperation, other: ApiOperation) -> bool:
    """Whether two rows are the same route: several rows may describe one path, each for a task."""
    return one is other or (one.method, one.path, one.bases) == (other.method, other.path, other.bases)
