"""Parts of a gateway made by hand, for tests of one of them."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from tests.support import FakeClock
from tokengate.accounts.keys import Principal
from tokengate.catalog.model import Model
from tokengate.core.errors import ClientGone
from tokengate.core.http import Exchange, HttpRequest, Timeouts
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.call import Call, Headers, Options
from tokengate.gateway.health import Breaker, Policy
from tokengate.gateway.openai import CHAT_COMPLETIONS
from tokengate.gateway.operation import Operation
from tokengate.gateway.other_way import OtherWay
from tokengate.gateway.route import Backend, Target
from tokengate.providers.compatible import OpenAICompatible

PRINCIPAL = Principal(key_id="key_1", name="k", org_id="org_1", project_id="prj_1", wallet_id="wal_1")
MODEL = Model(id="m", kind="chat", vendor="v", name="M")
CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


class NoTransport:
    """Stands where a transport is not used."""

    async def send(self, request: HttpRequest) -> Exchange:
        raise NotImplementedError


def backend(name: str = "one", *, tier: int = 1, weight: int = 1, **provider: Any) -> Backend:
    return Backend(
        name=name,
        provider=OpenAICompatible(name="test", **provider),
        transport=NoTransport(),
        base_url="http://upstream/v1",
        credential="",
        headers={},
        timeouts=Timeouts(),
        on_abort="cancel",
        weight=weight,
        tier=tier,
    )


def target(
    of: Backend | None = None,
    *,
    model: str = "m",
    clock: FakeClock | None = None,
    policy: Policy | None = None,
    parameters: Mapping[str, bytes] | None = None,
) -> Target:
    of = of or backend()
    breaker = Breaker(of.name, model, clock or FakeClock(), policy or Policy())
    return Target(of, model, breaker, parameters or {}, of.provider.formats)


class MemorySink:
    """A caller who takes everything and leaves when told to."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.left = False
        self.broken = False
        self.task: asyncio.Task[None] | None = None
        self._when_gone: Callable[[], None] | None = None

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def open(self, status: int, headers: Headers, first: bytes = b"") -> None:
        self.status, self.headers, self.body = status, headers, first

    def end(self, last: bytes) -> None:
        if not self.left:
            self.body += last

    def break_off(self) -> None:
        self.broken = True

    async def write(self, data: bytes) -> None:
        if self.left:
            raise ClientGone
        self.body += data

    def when_gone(self, callback: Callable[[], None]) -> None:
        self._when_gone = callback

    def leave(self) -> None:
        """Leave now."""
        self.left = True
        if self._when_gone is not None:
            self._when_gone()


def call(
    body: bytes = CHAT, *, operation: Operation = CHAT_COMPLETIONS, call_id: str = "req_1", sink: Any = None
) -> Call:
    return Call(
        call_id,
        PRINCIPAL,
        operation,
        operation.read(body),
        replace(MODEL),
        Options(),
        sink or MemorySink(),
        started_s=0.0,
        now_ms=0,
    )


def json_of(adapter: Adapter) -> Any:
    """Return the JSON that a backend is sent."""
    assert isinstance(adapter.body, bytes)
    return json.loads(adapter.body)


def inner_of(adapter: Adapter) -> Adapter:
    """Return what writes the request and reads the reply that was asked for."""
    return adapter.inner if isinstance(adapter, OtherWay) else adapter
