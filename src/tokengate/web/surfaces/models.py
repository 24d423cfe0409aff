"""`GET /v1/models` and `/v1/models/{id}`: the models that a key may call, in the shape of whose SDK asks.

An `anthropic-version` header asks in Anthropic's shape, a Gemini key in Gemini's, everything else in OpenAI's.
"""

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qs

from msgspec import Struct

from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.core.errors import ModelNotFound
from tokengate.reference import table
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import ErrorWriter, Request
from tokengate.web.surfaces.bases import BASES

Family = Callable[[Request], str]


class Listing(Struct, frozen=True):
    """How one family of SDKs reads models."""

    key: Callable[[Request], str]  # where its SDK puts the key; empty: the Authorization header
    many: Callable[[Iterable[Model], Request], object]
    one: Callable[[Model], object]
    write_error: ErrorWriter | None = None  # None: as OpenAI does
    bare: Callable[[str], str] = str  # a model's name without what the family puts before it


class ModelsSurface:
    """Lists what can be called: what has a route, and is not `absent` as a local model without weights is.

    `listings` are the shapes by family: `openai`, `anthropic`, `gemini`.
    """

    def __init__(
        self,
        catalog: Catalog,
        routes: Mapping[str, object],
        absent: Callable[[], frozenset[str]],
        admit: Admit,
        listings: Mapping[str, Listing],
    ) -> None:
        self._catalog = catalog
        self._routes = routes
        self._absent = absent
        self._admit = admit
        self._listings = listings

    def endpoints(self) -> list[Endpoint]:
        """Return both routes, under every base path and under Gemini's, which knows one shape."""
        found: list[Endpoint] = []
        for base in BASES:
            found.append(Endpoint(table.LIST_MODELS, self._list(_family_of), base.path, base.bad_key))
            show = self._show(f"{base.path}/models/", _family_of)
            found.append(Endpoint(table.SHOW_MODEL, show, base.path, base.bad_key))
        write_error = self._listings["gemini"].write_error
        for version in table.GEMINI_LIST_MODELS.bases:
            show = self._show(f"{version}/models/", _gemini)
            found.append(Endpoint(table.GEMINI_LIST_MODELS, self._list(_gemini), version, write_error=write_error))
            found.append(Endpoint(table.GEMINI_SHOW_MODEL, show, version, write_error=write_error))
        return found

    def _list(self, family: Family) -> Handler:
        async def handler(request: Request) -> None:
            listing = self._listing(request, family)
            allowed = self._admit.principal(request, listing.key(request)).models
            absent = self._absent()
            models = [
                model
                for model in self._catalog.models()
                if model.answered_by in self._routes
                and model.answered_by not in absent
                and (allowed is None or model.id in allowed)
            ]
            request.json(listing.many(models, request))

        return handler

    def _show(self, head: str, family: Family) -> Handler:
        async def handler(request: Request) -> None:
            listing = self._listing(request, family)
            allowed = self._admit.principal(request, listing.key(request)).models
            name = listing.bare(request.path[len(head) :])
            model = self._catalog.resolve(name)
            if model is None or (allowed is not None and model.id not in allowed):
                raise ModelNotFound(name)
            request.json(listing.one(model))

        return handler

    def _listing(self, request: Request, family: Family) -> Listing:
        listing = self._listings[family(request)]
        request.write_error = listing.write_error
        return listing


def _family_of(request: Request) -> str:
    if "anthropic-version" in request.headers:
        return "anthropic"
    if "x-goog-api-key" in request.headers or "key" in parse_qs(request.query):
        return "gemini"
    return "openai"


def _gemini(request: Request) -> str:
    return "gemini"


class _Model(Struct):
    id: str
    created: int
    owned_by: str
    object: str = "model"


class _Models(Struct):
    data: list[_Model]
    object: str = "list"


def _openai_model(model: Model) -> _Model:
    return _Model(model.id, model.created_s, model.owned_by)


def _openai_models(models: Iterable[Model], request: Request) -> _Models:
    return _Models(list(map(_openai_model, models)))


OPENAI_LISTING = Listing(key=lambda request: "", many=_openai_models, one=_openai_model)
