"""Rerank in words of no vendor: documents in the order of how well they answer a query."""

from msgspec import Raw, Struct

from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.service import Answer, Question, Service


class Document(Struct, frozen=True):
    """A text; or an object, kept as JSON, in which there may be a text among other things. `text` is None for what
    has none, such as a picture."""

    text: str | None
    raw: Raw | None = None


class Rerank(Question, frozen=True, kw_only=True):
    """Documents to be ranked. `extra` is what only its own `format` understands."""

    query: Document
    documents: tuple[Document, ...]
    top_n: int | None = None
    return_documents: bool | None = None  # None leaves it to the vendor
    instruct: str | None = None
    max_tokens_per_doc: int | None = None
    extra: Extra = NO_EXTRA


class Ranked(Struct, frozen=True):
    """A document's place in the request, and how well it answers the query."""

    index: int
    score: float


class Ranking(Answer, frozen=True, kw_only=True):
    """The answer, best first."""

    results: tuple[Ranked, ...]


RerankFormat = Service[Rerank, Ranking]


def best(results: list[Ranked], rerank: Rerank) -> tuple[Ranked, ...] | None:
    """Return as many results as were asked for, best first; None unless each is about a document of the request, and
    none about the same as another."""
    places = {one.index for one in results}
    if not results or len(places) != len(results) or min(places) < 0 or max(places) >= len(rerank.documents):
        return None
    return tuple(sorted(results, key=lambda one: (-one.score, one.index))[: rerank.top_n])
