"""Gemini's API: content whole and streamed, counts, embeddings, and how its SDKs read the list of models.

The key comes in `x-goog-api-key`, in the query as `key`, or as a Bearer token; model and action are in the path.
"""

import base64
import binascii
from asyncio import Task
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qs

from msgspec import UNSET, Struct, UnsetType

from tokengate.catalog.model import Model
from tokengate.core.errors import BadRequest, ModelNotFound, NotFound
from tokengate.formats.gemini.array import ARRAY_TYPE, ArrayWriter, write_array_error
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.gemini.tokens import write_count_reply
from tokengate.gateway.call import Headers, Sink
from tokengate.gateway.gemini import count_tokens, embed, generate
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.reference.table import ApiOperation
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler, Mount
from tokengate.web.request import Request
from tokengate.web.surfaces.models import Listing
from tokengate.web.surfaces.quote import Quotable

_DEFAULT_PAGE = 50
_MAX_PAGE = 1000  # a larger wish is taken for this, as Google takes it
_TUNED = "tunedModels/"

_OPERATIONS: tuple[tuple[ApiOperation, Callable[[str], Operation]], ...] = (
    (table.GEMINI_GENERATE, lambda model: generate(model, stream=False)),
    (table.GEMINI_EMBED, lambda model: embed(model, single=True)),
    (table.GEMINI_BATCH_EMBED, lambda model: embed(model, single=False)),
)


class GeminiSurface:
    """Hands calls to the pipeline."""

    def __init__(self, gateway: Gateway, admit: Admit) -> None:
        self._gateway = gateway
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return every route, under both versions of the API."""
        return [
            Endpoint(published, handler(base), base, write_error=GEMINI.write_error)
            for base in table.GEMINI_BASES
            for published, handler in (
                *((published, self._caller(published, operation)) for published, operation in _OPERATIONS),
                (table.GEMINI_STREAM, self._streamer),
                (table.GEMINI_COUNT, self._counter),
            )
        ]

    def mounts(self) -> list[Mount]:
        """Return what answers for the rest of the version that is Gemini's alone."""
        return [Mount("/v1beta/", _refuse)]

    def _caller(self, published: ApiOperation, operation: Callable[[str], Operation]) -> Callable[[str], Handler]:
        def at(base: str) -> Handler:
            model_in = _model_in(base, published)

            async def handler(request: Request) -> None:
                principal = self._admit.principal(request, key_of(request))
                asked = options(request)
                body = await self._admit.json_body(request)
                model = model_in(request.path)
                await self._gateway.answer(request.id, principal, operation(model), body, request, asked)

            return handler

        return at

    def _streamer(self, base: str) -> Handler:
        model_in = _model_in(base, table.GEMINI_STREAM)

        async def handler(request: Request) -> None:
            sink: Sink = request
            if parse_qs(request.query).get("alt", [""])[-1].lower() != "sse":
                request.write_error = write_array_error
                sink = _ArraySink(request)
            principal = self._admit.principal(request, key_of(request))
            asked = options(request)
            body = await self._admit.json_body(request)
            operation = generate(model_in(request.path), stream=True)
            await self._gateway.answer(request.id, principal, operation, body, sink, asked)

        return handler

    def _counter(self, base: str) -> Handler:
        model_in = _model_in(base, table.GEMINI_COUNT)

        async def handler(request: Request) -> None:
            principal = self._admit.principal(request, key_of(request))
            body = await self._admit.json_body(request)
            counted = await count_tokens(self._gateway, principal, model_in(request.path), body)
            headers = [("content-type", "application/json"), ("x-request-id", request.id)]
            request.whole(200, headers, write_count_reply(counted))

        return handler


class _ArraySink:
    """Implements the pipeline's `Sink` for callers who want their stream as one JSON array."""

    __slots__ = ("_array", "_request", "task")

    def __init__(self, request: Request) -> None:
        self.task: Task[None] | None = request.task
        self._request = request
        self._array = ArrayWriter()

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self._request.whole(status, headers, body)

    def open(self, status: int, headers: Headers, first: bytes = b"") -> None:
        told = [(name, ARRAY_TYPE if name == "content-type" else value) for name, value in headers]
        self._request.open(status, told, self._array.write(first))

    async def write(self, data: bytes) -> None:
        await self._request.write(self._array.write(data))

    def end(self, last: bytes) -> None:
        self._request.end(self._array.end(last))

    def break_off(self) -> None:
        self._request.break_off()

    def when_gone(self, callback: Callable[[], None]) -> None:
        self._request.when_gone(callback)


def key_of(request: Request) -> str:
    """Return the key where Google's clients may put it; empty leaves it to the Authorization header."""
    key: str | None = request.headers.get("x-goog-api-key")
    if key is None and request.query:
        key = parse_qs(request.query).get("key", [""])[-1]
    return (key or "").strip()


def _model_in(base: str, published: ApiOperation) -> Callable[[str], str]:
    """Return what finds the model's name in the path of an operation."""
    head, _, tail = (base + published.path).partition("{model}")
    return lambda path: _bare(path[len(head) : -len(tail)])


def _bare(name: str) -> str:
    """Return a model's name without its kind of resource. Raises ModelNotFound."""
    if name.startswith(_TUNED):
        raise ModelNotFound(name, f"Tuned models such as '{name[:200]}' are not offered here.")
    return name.removeprefix("models/")


async def _refuse(request: Request) -> None:
    """Answer in Gemini's words for what is not served of its API."""
    request.write_error = GEMINI.write_error
    rest = request.path.removeprefix("/v1beta/")
    if rest.startswith(_TUNED):
        _bare(rest.partition(":")[0])
    raise NotFound(f"Unknown request URL: {request.method} {request.path[:200]}.")


class _Model(Struct, rename="camel", kw_only=True, omit_defaults=True):
    name: str
    version: str
    display_name: str
    description: str = ""
    input_token_limit: int | UnsetType = UNSET
    output_token_limit: int | UnsetType = UNSET
    supported_generation_methods: tuple[str, ...]


class _Models(Struct, rename="camel"):
    models: list[_Model]
    next_page_token: str | UnsetType = UNSET


_METHODS: Mapping[str, tuple[str, ...]] = {
    "chat": ("generateContent", "countTokens"),
    "embedding": ("embedContent", "batchEmbedContents"),
}


def _model(model: Model) -> _Model:
    return _Model(
        name=f"models/{model.id}",
        version=model.updated or "001",
        display_name=model.name,
        description=model.description,
        input_token_limit=model.context or UNSET,
        output_token_limit=model.max_output or UNSET,
        supported_generation_methods=_METHODS.get(model.kind, ()),
    )


def _models(models: Iterable[Model], request: Request) -> _Models:
    """Return one page, which begins after the model that the token names. Raises BadRequest."""
    query = parse_qs(request.query)
    found = list(models)
    start, size = 0, _page_size(query)
    token = query.get("pageToken", [""])[-1]
    if token:
        ids = [model.id for model in found]
        after = _read_token(token)
        if after not in ids:
            raise BadRequest("'pageToken' is not one that was given with a page.", param="pageToken")
        start = ids.index(after) + 1
    page = found[start : start + size]
    more = start + size < len(found)
    return _Models(list(map(_model, page)), _write_token(page[-1].id) if more else UNSET)


def _page_size(query: Mapping[str, list[str]]) -> int:
    text = query.get("pageSize", ["0"])[-1]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest("'pageSize' must be a whole number, not negative.", param="pageSize")
    return min(int(text) or _DEFAULT_PAGE, _MAX_PAGE)


def _write_token(model: str) -> str:
    return base64.urlsafe_b64encode(model.encode()).decode().rstrip("=")


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


GEMINI_LISTING = Listing(key=key_of, many=_models, one=_model, write_error=GEMINI.write_error, bare=_bare)


def _quotable(ends: str, operation: Callable[[str], Operation], *members: str) -> Quotable:
    def at(path: str) -> Operation:
        model = path.partition("models/")[2].removesuffix(ends)
        if not model:
            raise BadRequest(f"Say where it would be posted, such as /v1beta/models/MODEL{ends}.", param="path")
        return operation(_bare(model))

    return Quotable(ends, lambda names: any(member in names for member in members), at)


# The model is in the path alone, so these need it; members only tell what to say to a body that came without.
GEMINI_QUOTABLE = (
    _quotable(":generateContent", lambda model: generate(model, stream=False), "contents"),
    _quotable(":streamGenerateContent", lambda model: generate(model, stream=True)),
    _quotable(":embedContent", lambda model: embed(model, single=True)),
    _quotable(":batchEmbedContents", lambda model: embed(model, single=False), "requests"),
)
