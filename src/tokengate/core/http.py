"""One HTTP exchange with a backend, seen from above: the seam between the pipeline and any transport.

`upstream/` is a transport over the network; every engine in `engines/` is one in this process. Adapters build an
`HttpRequest` and never send it.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from tokengate.core.upload import Upload

Seconds = Annotated[float, Meta(gt=0)]


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True):
    """Deadlines of one exchange, in seconds."""

    connect: Seconds = 10.0
    first: Seconds = 120.0  # from the request's last byte to the first byte of the reply's body
    between: Seconds = 60.0  # between two pieces of a reply
    total: Seconds = 900.0


class HttpRequest(Struct, frozen=True):
    """A request ready to be sent: its `body`, or an `upload` in place of it. `headers` includes credentials: never log
    it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeouts: Timeouts
    upload: Upload | None = None


class Exchange(Protocol):
    """A reply whose head has arrived. Must be closed; closing before the end aborts it at the backend."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Reply headers; look-ups ignore case."""
        ...

    async def read(self, limit_bytes: int) -> bytes:
        """Return the whole body. Raises UpstreamFailed when it is longer than the limit, is cut, or is late."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield pieces of the body as they arrive, unbuffered. Raises UpstreamFailed when cut or late."""
        ...

    def close(self) -> None:
        """End the exchange now; unless the body was read to its end, the backend sees the connection close
        (an engine stops generating). Safe to call twice."""
        ...


class Transport(Protocol):
    """Something that answers HttpRequests."""

    async def send(self, request: HttpRequest) -> Exchange:
        """Send, and return when the reply's head has arrived. Raises UpstreamFailed. Cancelling the call
        aborts the request at the backend."""
        ...
