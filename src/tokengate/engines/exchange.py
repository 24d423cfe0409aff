"""Replies of an engine, behind the same protocol as replies from the network."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping

from tokengate.core.errors import UpstreamFailed


class Headers(Mapping[str, str]):
    """Reply headers; look-ups ignore case."""

    def __init__(self, content_type: str) -> None:
        self._fields = {"content-type": content_type}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


_JSON = Headers("application/json")
EVENTS = Headers("text/event-stream")


class WholeExchange:
    """A reply that is complete."""

    status = 200
    headers = _JSON

    def __init__(self, backend: str, body: bytes) -> None:
        self._backend = backend
        self._body = body

    async def read(self, limit_bytes: int) -> bytes:
        """Return the body. Raises UpstreamFailed when it is longer than the limit."""
        if len(self._body) > limit_bytes:
            raise too_large(self._backend, limit_bytes)
        return self._body

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        yield self._body

    def close(self) -> None:
        """Do nothing: the reply was complete before it got here."""


class StreamExchange:
    """A reply that is still being written: its first piece, and where the others come from."""

    status = 200

    def __init__(
        self,
        backend: str,
        first: bytes,
        rest: AsyncGenerator[bytes, None],
        stop: Callable[[], None],
        headers: Headers = EVENTS,
    ) -> None:
        self.headers = headers
        self._backend = backend
        self._first = first
        self._rest = rest
        self._stop = stop

    async def read(self, limit_bytes: int) -> bytes:
        """Return all pieces. Raises UpstreamFailed when they are longer than the limit."""
        parts: list[bytes] = []
        size_bytes = 0
        async for part in self.chunks():
            parts.append(part)
            size_bytes += len(part)
            if size_bytes > limit_bytes:
                self.close()
                raise too_large(self._backend, limit_bytes)
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield pieces as the model makes them."""
        yield self._first
        async for part in self._rest:
            yield part

    def close(self) -> None:
        """Stop the generation. Safe to call twice."""
        self._stop()


def too_large(backend: str, limit_bytes: int) -> UpstreamFailed:
    """Return the failure of a reply that is longer than its reader allows."""
    return UpstreamFailed(f"The reply is longer than {limit_bytes} bytes.", kind="too_large", backend=backend)
