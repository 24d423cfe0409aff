"""Between a caller and one backend: what is sent there, and how its answer becomes the caller's.

When both speak the same format, bytes are forwarded (lane.py, forward.py); otherwise the call passes through the
vocabulary (convert.py). The pipeline does not know which.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

from msgspec import Struct

from tokengate.core.errors import GatewayError
from tokengate.core.http import Exchange
from tokengate.core.reply import Failure
from tokengate.core.upload import Upload
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.gateway.media import Fetch
from tokengate.gateway.written import Written


class WholeReply(Struct, frozen=True):
    """A reply ready for the caller, and what it says of usage (None when the backend never said)."""

    body: bytes
    has_content: bool
    usage: ReportedUsage | None
    texts: tuple[str, ...] = ()  # what the model wrote; only looked at when usage is None
    write: Callable[[Usage], bytes] | None = None  # the body with the usage that was counted, when usage is None
    fetching: Callable[[Fetch], Awaitable[bytes]] | None = None  # the body, when something must be fetched for it first
    content_type: str = "application/json"


class Lane(Protocol):
    """One streamed reply. Feed it what the backend sends; it returns what the caller may have now.

    The last bytes are never among it: they wait for `end()`, so that the call can be settled first. Before
    `has_content` is set nothing of an answer was returned, and another backend may still be tried.
    """

    @property
    def has_content(self) -> bool: ...

    @property
    def usage(self) -> ReportedUsage | None:
        """The last that the backend reported."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the reply came to its own end."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing more will be forwarded, whatever the backend still sends."""
        ...

    @property
    def failure(self) -> Failure | None:
        """The backend's own error, which came inside the stream, as a body that its provider can read."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece of the backend's body. Raises UpstreamFailed for what cannot be read."""
        ...

    def close(self) -> bytes:
        """Take note that the backend's body has ended; return what was held back and may go."""
        ...

    def count(self) -> None:
        """Add what was forwarded so far to what was written, as far as that has waited."""
        ...

    def end(self, usage: Usage | None = None) -> bytes:
        """Return the last bytes of the reply; `usage` is what the call was billed for."""
        ...

    def length_end(self, usage: Usage | None = None) -> bytes:
        """Return the end of a stream that is cut because it got too long."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit error with which a stream ends that cannot be whole."""
        ...


class Adapter(Protocol):
    """One attempt's request, and the readers of its reply."""

    @property
    def path(self) -> str:
        """Below the backend's base URL."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What the format needs besides credentials."""
        ...

    @property
    def body(self) -> bytes | Upload: ...

    @property
    def dropped(self) -> list[str]:
        """The caller's parameters that the backend's format cannot say and that were left out."""
        ...

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply. Raises UpstreamFailed when it is none."""
        ...

    def lane(self, written: Written) -> Lane:
        """Return the reader of a streamed reply, which adds the model's texts to `written`."""
        ...

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return what the lane is fed: the backend's body, or a stream made of it."""
        ...
