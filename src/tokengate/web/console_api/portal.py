"""What the portal's pages show: the tree, pages, models, prices, search. For everybody, or by setting for who is
signed in.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from litestar import Controller, get
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from tokengate.catalog.store import versions_of
from tokengate.core.errors import BadRequest, ModelNotFound, NotFound
from tokengate.reference.generated import (
    OperationGroup,
    OperationParameters,
    StatusEntry,
    checked_parameters,
    operation_groups,
    status_entries,
)
from tokengate.reference.listing import MAX_PAGE, Count, Sort
from tokengate.reference.models import ModelCard, ModelSummary
from tokengate.reference.pages import Link, Page
from tokengate.reference.prices import ModelPrice, stored_model_price
from tokengate.reference.search import Found
from tokengate.reference.tree import Node
from tokengate.reference.words import Lang
from tokengate.web.console_api.access import READER
from tokengate.web.console_api.authenticate import AnyRequest, base_url_of
from tokengate.web.console_api.given import Services

Language = Annotated[Lang, QueryParameter(description="Language of titles and texts.")]
Values = Annotated[list[str] | None, QueryParameter(max_items=50, description="One or several; any of them fits.")]
Words = Annotated[str, QueryParameter(max_length=200, description="Words to look for.")]

_SORTS: dict[str, Sort] = {
    "default": "default",
    "name": "name",
    "vendor": "vendor",
    "context": "context",
    "input": "input",
    "output": "output",
    "updated": "updated",
    "calls": "calls",
}
_HOME_MODELS = 10


class TreeOut(Struct, frozen=True):
    """The documentation's tree, the help menu, and the pages made of tables."""

    data: tuple[Node, ...]
    help: tuple[Link, ...]
    reference: tuple[Link, ...]


class FoundOut(Struct, frozen=True):
    """Search results, the best first."""

    data: list[Found]


class ModelsOut(Struct, frozen=True):
    """A page of models, and how many there are by each facet."""

    data: tuple[ModelSummary, ...]
    next: str | None
    total: int
    facets: Mapping[str, tuple[Count, ...]]


class PriceVersion(Struct, frozen=True):
    """A price as it was from a time on."""

    effective_ms: int
    price: ModelPrice


class ModelOut(ModelCard, frozen=True):
    """A model's card with the history of its price, the newest first."""

    price_history: tuple[PriceVersion, ...] = ()


class HomeOut(Struct, frozen=True):
    """The lists of the home page, and how to reach the operator."""

    newest: tuple[ModelSummary, ...]
    followed: tuple[ModelSummary, ...]
    contact: str
    base_url: str


class PricesOut(Struct, frozen=True):
    """A page of the price list."""

    data: tuple[ModelSummary, ...]
    next: str | None
    total: int


class StatusesOut(Struct, frozen=True):
    """Every kind of error."""

    data: tuple[StatusEntry, ...]


class ParametersOut(Struct, frozen=True):
    """The checked parameters by operation."""

    data: tuple[OperationParameters, ...]


class OperationsOut(Struct, frozen=True):
    """Every operation by family."""

    data: tuple[OperationGroup, ...]


class Portal(Controller):
    """`/portal`."""

    path = "/portal"
    tags = ("portal",)

    @get("/tree", guards=[READER], summary="Show the documentation's tree")
    async def tree(self, console: Services, lang: Language = "zh") -> TreeOut:
        """Titles are in the language; slugs lead to `/portal/pages/{slug}`."""
        library = await console.shelf.library()
        found = await asyncio.to_thread(library.navigation, lang)
        return TreeOut(found.tree, found.help, found.reference)

    @get("/pages/{slug:path}", guards=[READER], summary="Show a page of the documentation")
    async def page(self, request: AnyRequest, console: Services, slug: FromPath[str], lang: Language = "zh") -> Page:
        """Endpoints have parameters, examples and answers; all pages have Markdown."""
        library = await console.shelf.library()
        wanted = slug.strip("/")
        found = await asyncio.to_thread(library.page, wanted, lang, base_url_of(request, console))
        if found is None:
            raise NotFound(f"There is no page '{wanted[:200]}'.", param="slug")
        return found

    @get("/search", guards=[READER], summary="Search all pages")
    async def search(
        self,
        console: Services,
        q: Words = "",
        lang: Language = "zh",
        limit: Annotated[int, QueryParameter(ge=1, le=50, description="How many at most.")] = 20,
    ) -> FoundOut:
        """Every word must be on the page; the last one may be the beginning of a word."""
        library = await console.shelf.library()
        return FoundOut(await asyncio.to_thread(library.search, q, lang, limit))

    @get("/home", guards=[READER], summary="Show what the home page lists")
    async def home(self, request: AnyRequest, console: Services, lang: Language = "zh") -> HomeOut:
        """The most used models are those of the last 30 days; before any call, those of the product pages."""
        library = await console.shelf.counted_library()
        home = library.models.home(lang, _HOME_MODELS)
        return HomeOut(home.newest, home.followed, console.portal.now.contact, base_url_of(request, console))

    @get("/models", guards=[READER], summary="List models")
    async def list_models(
        self,
        console: Services,
        vendor: Values = None,
        kind: Values = None,
        series: Values = None,
        capability: Values = None,
        region: Values = None,
        status: Values = None,
        q: Words = "",
        sort: Annotated[str, QueryParameter(description="A column; with - before it, descending.")] = "default",
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = 50,
        after: Annotated[str, QueryParameter(max_length=9, description="The `next` of the page before.")] = "",
        lang: Language = "zh",
    ) -> ModelsOut:
        """Counts of a facet respect all other filters."""
        column = _SORTS.get(sort.removeprefix("-"))
        if column is None:
            raise BadRequest(f"'sort' must be one of {', '.join(_SORTS)}.", param="sort", code="invalid_request")
        library = await console.shelf.counted_library()
        chosen = {
            "vendor": vendor or [],
            "kind": kind or [],
            "series": series or [],
            "capability": capability or [],
            "region": region or [],
            "status": status or [],
        }
        found = await asyncio.to_thread(
            library.models.page,
            chosen,
            lang,
            q=q,
            sort=column,
            descending=sort.startswith("-"),
            limit=limit,
            after=after,
        )
        return ModelsOut(found.data, found.next, found.total, found.facets)

    @get("/models/{id:path}", guards=[READER], summary="Show a model")
    async def model(self, request: AnyRequest, console: Services, id: FromPath[str], lang: Language = "zh") -> ModelOut:
        """By id or any alias."""
        name = id.strip("/")
        model = console.catalog.resolve(name)
        if model is None:
            raise ModelNotFound(name[:200])
        library = await console.shelf.library()
        card = await asyncio.to_thread(library.card, model, lang, base_url_of(request, console))
        async with console.database.read() as read:
            stored = await versions_of(read, model.id)
        history = tuple(PriceVersion(one.effective_ms, stored_model_price(one, model, lang)) for one in stored)
        return ModelOut(**{name: getattr(card, name) for name in card.__struct_fields__}, price_history=history)

    @get("/prices", guards=[READER], summary="Show the price list")
    async def prices(
        self,
        console: Services,
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = MAX_PAGE,
        after: Annotated[str, QueryParameter(max_length=9, description="The `next` of the page before.")] = "",
        lang: Language = "zh",
    ) -> PricesOut:
        """Models with their prices, those that can be called first; tiers are on a model's card."""
        library = await console.shelf.library()
        found = await asyncio.to_thread(library.models.page, {}, lang, limit=limit, after=after)
        return PricesOut(found.data, found.next, found.total)

    @get("/operations", guards=[READER], summary="List every operation by family")
    async def operations(self, console: Services, lang: Language = "zh") -> OperationsOut:
        """What is served, and what is in development."""
        library = await console.shelf.library()
        return OperationsOut(operation_groups(library.running, lang))

    @get("/status-codes", guards=[READER], summary="Explain every kind of error")
    async def status_codes(self, lang: Language = "zh") -> StatusesOut:
        """From the gateway's own tree of errors."""
        return StatusesOut(status_entries(lang))

    @get("/parameters", guards=[READER], summary="Explain the checked parameters")
    async def checked(self, lang: Language = "zh") -> ParametersOut:
        """Types and ranges are those that the gateway checks."""
        return ParametersOut(checked_parameters(lang))
