"""One question about a job to the vendor that has it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.core.jobs import JobFormat, JobKind, JobRequest
from tokengate.core.service import Form
from tokengate.gateway.route import Route, Target

T = TypeVar("T")

_MAX_REPLY_BYTES = 192 * 1024 * 1024  # of a vendor that draws at once: ten pictures of 3840x2160, in base64
_MAX_FAILURE_BYTES = 64 * 1024


def format_of(target: Target, kind: JobKind) -> JobFormat[Any] | None:
    """Return how a backend is asked for jobs of a kind; None when it does not take them."""
    return target.backend.provider.jobs.get(kind)


def target_named(route: Route | None, upstream: str) -> Target | None:
    """Return the backend that has a job; None when the configuration has it no more."""
    return next((one for one in route.targets if one.backend.name == upstream), None) if route is not None else None


async def ask(
    target: Target,
    request: JobRequest,
    read: Callable[[bytes], T],
    *,
    read_refusal: Callable[[bytes], T | None] | None = None,
) -> T:
    """Return what `read` makes of the vendor's answer, or `read_refusal` of one with an error status. Raises
    UpstreamFailed, in the vendor's words where it has some."""
    async with asking(target, request, read_refusal is not None) as exchange:
        body = await exchange.read(_MAX_REPLY_BYTES)
        if read_refusal is not None and not _is_good(exchange):
            found = read_refusal(body)
            if found is None:
                raise _refusal(target, exchange, body)
            return found
        try:
            return read(body)
        except UpstreamFailed as unreadable:
            backend = target.backend
            said = backend.provider.failure_inside(exchange.headers, body, credential=backend.credential)
            raise said or unreadable from None


@asynccontextmanager
async def asking(target: Target, request: JobRequest, with_refusals: bool = False) -> AsyncGenerator[Exchange]:
    """Send, and yield the answer once its head has come. Raises UpstreamFailed, also for an error status unless they
    are asked for."""
    backend, headers = target.backend, dict(request.headers)
    body = request.body
    if isinstance(body, Form):
        headers["content-type"] = body.content_type
        body = body.body
    made = replace(backend.request(request.path, body, headers), method=request.method)
    try:
        exchange = await backend.transport.send(made)
    except UpstreamFailed as failure:
        raise _of(failure, target) from None
    try:
        if not with_refusals and not _is_good(exchange):
            raise _refusal(target, exchange, await exchange.read(_MAX_FAILURE_BYTES))
        yield exchange
    except UpstreamFailed as failure:
        raise _of(failure, target) from None
    finally:
        exchange.close()


def _is_good(exchange: Exchange) -> bool:
    return 200 <= exchange.status < 300


def _refusal(target: Target, exchange: Exchange, said: bytes) -> UpstreamFailed:
    backend = target.backend
    return backend.provider.failure(exchange.status, exchange.headers, said, credential=backend.credential)


def _of(failure: UpstreamFailed, target: Target) -> UpstreamFailed:
    failure.backend = target.backend.name
    return failure
