"""One call on its way through the gateway: who asked for what, what was tried, and how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tokengate.accounts.keys import Principal
from tokengate.billing.charge import Bill
from tokengate.catalog.model import Model
from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.transcription import Recording
from tokengate.core.usage import Usage, UsageSource
from tokengate.core.wire import Inlined
from tokengate.gateway.drawn import Drawn
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.route import Target
from tokengate.ledger.rules import Hold, State
from tokengate.storage.writer import Row
from tokengate.usage.record import CallRecord

Headers = list[tuple[str, str]]
# Rows that are committed with a call's bill, by the last bytes that its caller is told and why they are not the end.
Keep = Callable[[bytes, GatewayError | None], list[Row]]
Begin = Callable[["Call", Headers], Awaitable[None]]

_encode = msgspec.json.Encoder().encode
_MAX_ERROR = 2_000  # characters of an error kept in the record


class Sink(Protocol):
    """The way back to the caller; the web layer implements it."""

    task: asyncio.Task[None] | None  # answers the caller; cancelled when it must end

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole reply."""
        ...

    def break_off(self) -> None:
        """End a streamed reply so that the caller sees that it is not whole."""
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
    resolve_uploads: bool = False  # addresses of uploaded files are looked up here
    vendor_headers: Mapping[str, str] = {}  # passed on to backends of the caller's own format
    webhook: str = ""  # an address to be told of a job's end
    recording: Recording | None = None  # what is to be heard, of which the body has only the facts
    keep: Keep | None = None
    begin: Begin | None = None  # awaited, with the reply's headers, once limits and wallet let the call pass
    outlives: bool = False  # when this process stops, another one makes the call again: no bill for half of it


class Attempt(Struct):
    """One try at one backend."""

    upstream: str
    outcome: str
    ms: int
    status: int | None = None
    upstream_request_id: str | None = None
    error: str | UnsetType = UNSET


class Call(Struct, eq=False):
    """The mutable state of one call; lives as long as its request."""

    id: str
    principal: Principal
    operation: Operation
    asked: Asked
    model: Model
    options: Options
    sink: Sink
    started_s: float
    now_ms: int
    task: asyncio.Task[None] | None = None  # answers the caller
    read_upload: Callable[[str], Awaitable[Inlined]] | None = None  # where its caller's uploads are looked up
    attempts: list[Attempt] = []
    upstream: str = ""
    on_abort: str = "cancel"
    hold: Hold | None = None
    first_token_s: float | None = None
    client_gone: bool = False
    draining: bool = False
    dropped: list[str] = []  # parameters that the backend could not be told
    added: list[str] = []  # what it was told that the caller did not say
    reply_headers: Mapping[str, str] = {}  # of the backend
    reply_type: str = ""  # the media type that the backend gave its reply
    drawn: Drawn | None = None  # the pictures in the backend's reply, when its model draws
    by_tokens: bool = False  # whether sound is paid by tokens, which only the vendor can count
    settling: bool = False  # its bill is being made durable: nobody may cancel it
    noted: bool = False
    resolved: bool = False  # uploaded files are in the request now, which its bytes only name
    known_chat: Chat | None = None  # the request in the vocabulary, when somebody needed it so

    def __post_init__(self) -> None:
        self.task = self.sink.task
        self.known_chat = self.asked.chat

    @property
    def replied_in_events(self) -> bool:
        """Whether the backend's reply is a stream of events, by the type that the backend gave it."""
        return self._reply_type == "text/event-stream"

    @property
    def replied_whole(self) -> bool:
        """Whether the backend's reply is one JSON value, by its type."""
        return self._reply_type == "application/json"

    @property
    def _reply_type(self) -> str:
        return self.reply_type.partition(";")[0].strip().lower()

    @property
    def held_nano(self) -> int:
        """What is set aside for the call now."""
        hold = self.hold
        return hold.nano if hold is not None and hold.state is State.HELD else 0

    def chat(self, body: bytes) -> Chat:
        """Return the request in the vocabulary; it is read when a backend first needs it so. Raises BadRequest."""
        if self.known_chat is None:
            operation, to_chat = self.operation, self.asked.to_chat
            assert operation.read_chat is not None, "only a chat is converted"
            self.known_chat = operation.read_chat(body) if to_chat is None else to_chat()
        return self.known_chat

    def inline(self, chat: Chat) -> Chat:
        """Keep the request with its files inside it, for the next backend too."""
        self.known_chat = chat
        return chat

    def resolve(self, chat: Chat) -> None:
        """Keep the request with uploaded files inside it, for the next backend too."""
        self.known_chat = chat
        self.resolved = True

    def begin(self, target: Target) -> None:
        """A backend is about to be asked."""
        self.upstream = target.backend.name
        self.added = []
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
            usage_source=str(source) if source else "",
            cost_nano=bill.cost_nano if bill else 0,
            overrun_nano=bill.overrun_nano if bill else 0,
            bill=bill.json if bill else "",
            attempts=_encode(self.attempts).decode() if self.attempts else "",
            client_request_id=self.options.client_request_id,
        )
