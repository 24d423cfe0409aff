"""From a request line to a surface: one dictionary for exact paths, a few prefixes matched to their end, and whatever
is mounted below a path with all its methods.

Answers unknown paths, wrong methods, CORS preflights and every expected error; an unexpected one is a logged 500
with the request id and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from msgspec import Struct

from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, BodyTimeout, GatewayError, MethodNotAllowed, NotFound, UpstreamFailed
from tokengate.core.ids import NewId
from tokengate.reference.table import ApiOperation
from tokengate.web.errors import BadKeyWords, error_body, error_headers
from tokengate.web.request import ErrorWriter, Headers, Request

Handler = Callable[[Request], Awaitable[None]]
Pages = Callable[[Request], bool]  # asked about what was not found: answers when a browser wants a page, and says so

_log = structlog.get_logger("tokengate.web")

_EXPOSED = (
    "x-request-id, request-id, x-account-balance, x-request-cost, x-tokengate-warning, idempotent-replayed, "
    "x-upstream-request-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, "
    "x-ratelimit-remaining-requests, "
    "x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens, "
    "accept-ranges, content-disposition, content-range, etag"
)
_METHODS = "GET, HEAD, POST, DELETE, OPTIONS"


class Endpoint(Struct, frozen=True, eq=False):
    """One public route: a row of the operation table, served under one of its bases.

    A path with names in braces is matched by what is before the first and what is behind the last; what is between may
    contain slashes. Whoever asks for the head of what may be got, gets it: handlers for GET see HEAD, too.
    """

    operation: ApiOperation
    handler: Handler
    base: str = ""
    bad_key: BadKeyWords | None = None
    write_error: ErrorWriter | None = None  # the body in the words of another format than OpenAI's

    @property
    def method(self) -> str:
        return self.operation.method

    @property
    def path(self) -> str:
        return self.base + self.operation.path


class Mount(Struct, frozen=True, eq=False):
    """Everything below a path, with any method: its handler finds the route and answers errors by itself. Browsers
    of other origins may not read it."""

    prefix: str
    handler: Handler


class Dispatch:
    """The server's application object."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        *,
        mounts: Iterable[Mount] = (),
        pages: Pages | None = None,
        clock: Clock,
        new_id: NewId,
        cors: Sequence[str],
        body_timeout_s: float,
        on_refused: Callable[[str], None] | None = None,
    ) -> None:
        """`on_refused` is told the code (or else the status) of each refusal, for metrics."""
        self._exact: dict[str, dict[str, Endpoint]] = {}
        prefixes: dict[tuple[str, str], dict[str, Endpoint]] = {}
        self.endpoints = tuple(endpoints)
        for endpoint in self.endpoints:
            head, brace, rest = endpoint.path.partition("{")
            methods = (
                prefixes.setdefault((head, rest.rpartition("}")[2]), {}) if brace else self._exact.setdefault(head, {})
            )
            methods[endpoint.method] = endpoint
        # What is matched by more comes first: `/v1/models/{model}:countTokens` before `/v1/models/{model}`.
        self._prefixes = tuple(
            (head, tail, prefixes[head, tail])
            for head, tail in sorted(prefixes, key=lambda one: (len(one[0]), len(one[1])), reverse=True)
        )
        self._mounts = tuple(mounts)
        self._pages = pages
        self._clock = clock
        self._new_id = new_id
        self._any_origin = "*" in cors
        self._origins = frozenset(cors)
        self._body_timeout_s = body_timeout_s
        self._on_refused = on_refused

    async def answer(self, request: Request) -> None:
        """Answer one request; what the server calls."""
        request.id = self._new_id("req", self._clock.now_s())
        endpoint: Endpoint | None = None
        origin = request.headers.get("origin")
        if origin is not None:
            self._allow_origin(request, origin)
        try:
            endpoint = self._find(request)
            if endpoint is not None:
                _require_no_nul(request)
                await endpoint.handler(request)
            elif not request.status:
                await self._enter_mount(request)
        except NotFound as error:
            if self._pages is None or request.status or not self._pages(request):
                self._refuse(request, error, endpoint)
        except GatewayError as error:
            self._refuse(request, error, endpoint)
        except TimeoutError:
            late = BodyTimeout(f"The request body did not arrive within {self._body_timeout_s:g} s.")
            self._refuse(request, late, endpoint)
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("defect", request_id=request.id, path=request.path)
            self._refuse(request, GatewayError("The gateway has a defect; the operator has been told."), endpoint)

    def _find(self, request: Request) -> Endpoint | None:
        """Return the endpoint; None for a preflight, which is answered, and for a path that no endpoint has."""
        path = request.path
        methods = self._exact.get(path)
        if methods is None:
            methods = self._find_prefix(path)
            if methods is None:
                return None
        endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            if request.method == "OPTIONS":
                self._preflight(request)
                return None
            request.write_error = next(iter(methods.values())).write_error
            allowed = {*methods, "HEAD"} if "GET" in methods else {*methods}
            raise MethodNotAllowed(request.method, ", ".join(sorted(allowed)))
        return endpoint

    def _find_prefix(self, path: str) -> dict[str, Endpoint] | None:
        for head, tail, methods in self._prefixes:
            if path.startswith(head) and path.endswith(tail) and len(path) > len(head) + len(tail):
                return methods
        return None

    async def _enter_mount(self, request: Request) -> None:
        for mount in self._mounts:
            if request.path.startswith(mount.prefix):
                request.extra.clear()
                await mount.handler(request)
                return
        raise NotFound(f"Unknown request URL: {request.method} {request.path[:200]}.")

    def _refuse(self, request: Request, error: GatewayError, endpoint: Endpoint | None) -> None:
        if request.status:  # the head is out: what the surface has not ended by an error of its own has no clean end
            request.break_off()
            return
        if self._on_refused is not None and not isinstance(error, UpstreamFailed):
            self._on_refused(error.code or str(error.status))
        headers: Headers = [("content-type", "application/json"), ("x-request-id", request.id)]
        headers.extend(error_headers(error))
        write = request.write_error or (endpoint.write_error if endpoint else None)
        if write is not None:
            body = write(error, request.id)
        else:
            body = error_body(error, endpoint.bad_key if endpoint else None)
        request.whole(error.status, headers, body)

    def _allow_origin(self, request: Request, origin: str) -> None:
        if self._any_origin:
            request.extra.append(("access-control-allow-origin", "*"))
        elif origin in self._origins:
            request.extra.append(("access-control-allow-origin", origin))
            request.extra.append(("vary", "origin"))
        else:
            return
        request.extra.append(("access-control-expose-headers", _EXPOSED))

    def _preflight(self, request: Request) -> None:
        headers: Headers = [("x-request-id", request.id), ("access-control-allow-methods", _METHODS)]
        wanted = request.headers.get("access-control-request-headers")
        if wanted:
            headers.append(("access-control-allow-headers", wanted))
        headers.append(("access-control-max-age", "86400"))
        request.whole(204, headers, b"")


def _require_no_nul(request: Request) -> None:
    """Raise NotFound or BadRequest for an address with a NUL in it, which not every database takes."""
    if "\0" in request.path:
        raise NotFound(f"Unknown request URL: {request.method} {request.path[:200]}.")
    if "%00" in request.query:
        raise BadRequest("The query must not have a NUL in it.")
