"""What the reference must know of the gateway that runs: which routes it has, and which models can be called now."""

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.reference.openapi import Route
from tokengate.reference.table import ApiOperation

PageStatus = Literal["released", "developing"]
LiveStatus = Literal["available", "degraded", "down", "developing"]
BreakerStates = Callable[[], Iterable[tuple[str, str, str]]]


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
