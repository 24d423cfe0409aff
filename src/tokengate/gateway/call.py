"""One call on its way through the gateway: who asked for what, what was tried, and how it ended."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tokengate.accounts.keys import Principal
from tokengate.billing.charge import Bill
from tokengate.catalog.model import Model
from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import Reply
from tokengate.core.usage import Usage, UsageSource
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.route import Target
from tokengate.ledger.rules import Hold, State
from tokengate.storage.writer import Row
from tokengate.usage.record import CallRecord

Headers = list[tuple[str, str]]

_encode = msgspec.json.Encoder().encode
_MAX_ERROR = 2_000  # characters of an error kept in the record


class Sink(Protocol):
    """The way back to the caller; the web layer implements it."""

    task: asyncio.Task[None] | None  # answers the caller; cancelled when it must end

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole reply."""
        ...

    def open(self, status: int, headers: Headers, first: bytes = b"") -> None:
        """Send the head of a streamed reply, together with its first piece."""
        ...

    async def write(self, data: bytes) -> None:
        """Send a piece of a streamed reply. Raises ClientGone."""
        ...

    def end(self, last: bytes) -> None:
        """Send the last piece of a streamed reply, with which it is whole."""
        ...

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the caller leaves before the reply is whole; at once when it has left."""
        ...


class Options(Struct, frozen=True):
    """What the path and the headers of a call ask for, beside its body."""

    usage_always: bool = False  # the last usage chunk comes without being asked for
    cost_comment: bool = False  # an SSE comment with the cost before the end of a stream
    idempotency_key: str | None = None
    client_request_id: str | None = None
    vendor_headers: Mapping[str, str] = {}  # passed on to backends of the caller's own format
    keep: Callable[[str, Reply], list[Row]] | None = None  # rows that are committed with the bill, by the call's id


class Attempt(Struct):
    """One try at one backend."""

    upstream: str
    outcome: str
    ms: int
    status: int | None = None
    upstream_request_id: str | None = None
    error: str | UnsetType = UNSET


class Call:
    """The mutable state of one call; lives as long as its request."""

    __slots__ = (
        "_chat",
        "asked",
        "attempts",
        "client_gone",
        "draining",
        "dropped",
        "first_token_s",
        "hold",
        "id",
        "model",
        "noted",
        "now_ms",
        "on_abort",
        "operation",
        "options",
        "principal",
        "reply",
        "settling",
        "sink",
        "started_s",
        "task",
        "upstream",
    )

    def __init__(
        self,
        call_id: str,
        principal: Principal,
        operation: Operation,
        asked: Asked,
        model: Model,
        options: Options,
        sink: Sink,
        *,
        started_s: float,
        now_ms: int,
    ) -> None:
        self.id = call_id
        self.principal = principal
        self.operation = operation
        self.asked = asked
        self.model = model
        self.options = options
        self.sink = sink
        self.started_s = started_s
        self.now_ms = now_ms
        self.task = sink.task
        self._chat = asked.chat
        self.attempts: list[Attempt] = []
        self.upstream = ""
        self.on_abort = "cancel"
        self.hold: Hold | None = None
        self.first_token_s: float | None = None
        self.client_gone = False
        self.draining = False
        self.dropped: list[str] = []  # parameters that the backend could not be told
        self.reply: Reply | None = None  # the answer in the vocabulary, when somebody keeps it
        self.settling = False  # its bill is being made durable: nobody may cancel it
        self.noted = False

    @property
    def held_nano(self) -> int:
        """What is set aside for the call now."""
        hold = self.hold
        return hold.nano if hold is not None and hold.state is State.HELD else 0

    def chat(self, body: bytes) -> Chat:
        """Return the request in the vocabulary; it is read when a backend first needs it so. Raises BadRequest."""
        if self._chat is None:
            assert self.operation.read_chat is not None, "only a chat is converted"
            self._chat = self.operation.read_chat(body)
        return self._chat

    def inline(self, chat: Chat) -> Chat:
        """Keep the request with its files inside it, for the next backend too."""
        self._chat = chat
        return chat

    @property
    def known_chat(self) -> Chat | None:
        """The request in the vocabulary, when somebody needed it so."""
        return self._chat

    def begin(self, target: Target) -> None:
        """A backend is about to be asked."""
        self.upstream = target.backend.name
        self.on_abort = target.backend.on_abort

    def record(
        self,
        *,
        status: int,
        outcome: str,
        now_s: float,
        usage: Usage | None = None,
        source: UsageSource | None = None,
        bill: Bill | None = None,
        error: GatewayError | None = None,
    ) -> CallRecord:
        """Return the usage record of the finished call."""
        principal = self.principal
        first_s = self.first_token_s
        return CallRecord(
            id=self.id,
            org_id=principal.org_id,
            project_id=principal.project_id,
            key_id=principal.key_id,
            wallet_id=principal.wallet_id,
            endpoint=self.operation.name,
            model=self.model.id,
            upstream=self.upstream,
            stream=self.asked.stream,
            status=status,
            outcome=outcome,
            error=error.message[:_MAX_ERROR] if error else "",
            started_ms=self.now_ms,
            latency_ms=int((now_s - self.started_s) * 1000),
            first_token_ms=None if first_s is None else int((first_s - self.started_s) * 1000),
            input_tokens=usage.input_total if usage else 0,
            output_tokens=usage.output_total if usage else 0,
            cached_tokens=usage.cache_read if usage else 0,
            usage_source=source.value if source else "",
            cost_nano=bill.cost_nano if bill else 0,
            overrun_nano=bill.overrun_nano if bill else 0,
            bill=bill.json if bill else "",
            attempts=_encode(self.attempts).decode() if self.attempts else "",
            client_request_id=self.options.client_request_id,
        )
