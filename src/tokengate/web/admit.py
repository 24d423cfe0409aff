"""From a request to a principal and a body: the key, the content type, the size and the time limits of a body."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from tokengate.accounts.keyring import KeyRing
from tokengate.accounts.keys import Principal
from tokengate.core.errors import BadRequest, Forbidden, Unavailable
from tokengate.core.networks import Network
from tokengate.core.networks import within as within_networks
from tokengate.gateway.call import Options
from tokengate.web.address import caller_address
from tokengate.web.forms import Part, is_form, read_form
from tokengate.web.request import Request

T = TypeVar("T")

_MAX_IDEMPOTENCY_KEY = 255
_MAX_CLIENT_REQUEST_ID = 200
_MEGABYTE = 1024 * 1024


class Admit:
    """What every surface asks of a request before it looks at the body's meaning."""

    def __init__(
        self, keyring: KeyRing, *, max_body_mb: int, body_timeout_s: float, trusted_proxies: tuple[Network, ...] = ()
    ) -> None:
        self._find = keyring.find
        self._max_body_bytes = max_body_mb * _MEGABYTE
        self._body_timeout_s = body_timeout_s
        self._trusted_proxies = trusted_proxies
        self.stopping = False

    def principal(self, request: Request, key: str = "") -> Principal:
        """Return who calls, by the `key` that the surface found where its SDK puts it, else by the Authorization
        header. Raises BadKey; Forbidden for an address that the key may not be used from; Unavailable while the
        gateway stops."""
        self.require_open()
        principal = self._find(key or request.bearer())
        if principal.networks is not None:
            self._require_address(request, principal.networks)
        return principal

    def require_open(self) -> None:
        """Raise Unavailable while the gateway stops."""
        if self.stopping:
            raise Unavailable("The gateway is stopping; another one will take over.", retry_after_s=2)

    async def json_body(self, request: Request) -> bytes:
        """Return the body. Raises UnsupportedMediaType, BodyTooLarge, BadRequest, TimeoutError."""
        request.require_json()
        body = await self._body(request)
        if not body:
            raise BadRequest("The request body is empty; a JSON object is needed.")
        return body

    async def form(self, request: Request) -> list[Part] | None:
        """Return the parts of a form; None when the body is no form. Raises BodyTooLarge, BadRequest, TimeoutError."""
        kind = request.headers.get("content-type", "")
        return read_form(kind, await self._body(request)) if is_form(kind) else None

    async def _body(self, request: Request) -> bytes:
        body = request.received_body(self._max_body_bytes)
        if body is None:
            body = await within(self._body_timeout_s, request.body(self._max_body_bytes))
        return body

    def _require_address(self, request: Request, allowed: tuple[Network, ...]) -> None:
        peer = request.client.rpartition(":")[0]
        address = caller_address(peer, request.headers.get("x-forwarded-for", ""), self._trusted_proxies)
        if not within_networks(address, allowed):
            raise Forbidden(f"This API key may not be used from {address or 'here'}.", code="address_not_allowed")


def options(request: Request, *, usage_always: bool = False) -> Options:
    """Return what the headers of a call ask for. Raises BadRequest."""
    headers = request.headers
    idempotency_key: str | None = headers.get("idempotency-key")
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _MAX_IDEMPOTENCY_KEY:
        raise BadRequest(f"Idempotency-Key must be 1 to {_MAX_IDEMPOTENCY_KEY} characters.", param="Idempotency-Key")
    client_request_id: str | None = headers.get("x-client-request-id") or headers.get("x-request-id")
    return Options(
        usage_always=usage_always,
        webhook=headers.get("x-tokengate-webhook", ""),
        cost_comment=headers.get("x-tokengate-cost") == "stream",
        idempotency_key=idempotency_key,
        resolve_uploads=headers.get("x-dashscope-ossresourceresolve") == "enable",
        client_request_id=client_request_id and client_request_id[:_MAX_CLIENT_REQUEST_ID],
    )


async def within(timeout_s: float, work: Coroutine[None, None, T]) -> T:
    """Await, or raise TimeoutError; does what asyncio.timeout does, at a third of its cost."""
    task = asyncio.current_task()
    assert task is not None
    late = False

    def end() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(timeout_s, end)
    try:
        return await work
    except asyncio.CancelledError:
        if late:
            task.uncancel()
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
