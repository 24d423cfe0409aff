"""OpenAI's API: chat completions, completions, embeddings and models, under every base path of the product pages."""

from msgspec import Struct

from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.core.errors import ModelNotFound
from tokengate.gateway.openai import CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.errors import BadKeyWords
from tokengate.web.request import Request


class Base(Struct, frozen=True):
    """A base path, and what its product page shows differently from the others."""

    path: str
    usage_always: bool = False  # the last usage chunk of a stream comes without being asked for
    bad_key: BadKeyWords | None = None


BASES = (
    Base("/v1"),
    Base("/api/gpt/v1", usage_always=True, bad_key=BadKeyWords("Invalid API-KEY", None)),
    Base("/compatible-mode/v1"),
)

_OPERATIONS = (
    (table.CHAT_COMPLETIONS, CHAT_COMPLETIONS),
    (table.COMPLETIONS, COMPLETIONS),
    (table.EMBEDDINGS, EMBEDDINGS),
)


class _Model(Struct):
    id: str
    created: int
    owned_by: str
    object: str = "model"


class _Models(Struct):
    data: list[_Model]
    object: str = "list"


class OpenAISurface:
    """Hands calls to the pipeline; lists the models that can be called."""

    def __init__(self, gateway: Gateway, catalog: Catalog, admit: Admit) -> None:
        self._gateway = gateway
        self._catalog = catalog
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return every route, under every base path."""
        found: list[Endpoint] = []
        for base in BASES:
            for published, operation in _OPERATIONS:
                found.append(Endpoint(published, self._call(operation, base), base.path, base.bad_key))
            found.append(Endpoint(table.LIST_MODELS, self._list, base.path, base.bad_key))
            show = self._show(f"{base.path}/models/")
            found.append(Endpoint(table.SHOW_MODEL, show, base.path, base.bad_key))
        return found

    def _call(self, operation: Operation, base: Base) -> Handler:
        admit, answer = self._admit, self._gateway.answer

        async def handler(request: Request) -> None:
            principal = admit.principal(request)
            asked = options(request, usage_always=base.usage_always)
            body = await admit.json_body(request)
            await answer(request.id, principal, operation, body, request, asked)

        return handler

    async def _list(self, request: Request) -> None:
        allowed = self._admit.principal(request).models
        models = [
            _listing(model)
            for model in self._catalog.models()
            if model.id in self._gateway.routes and (allowed is None or model.id in allowed)
        ]
        request.json(_Models(models))

    def _show(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            allowed = self._admit.principal(request).models
            name = request.path[len(head) :]
            model = self._catalog.resolve(name)
            if model is None or (allowed is not None and model.id not in allowed):
                raise ModelNotFound(name)
            request.json(_listing(model))

        return handler


def _listing(model: Model) -> _Model:
    return _Model(model.id, model.created_s, model.owned_by)
