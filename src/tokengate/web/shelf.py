"""Holds the reference library of the running gateway, and makes it when it is first asked for: neither the start nor
the memory of a gateway whose portal nobody reads pays for it.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import tokengate
from tokengate.catalog.load import Catalog
from tokengate.core.clock import Clock, day_of
from tokengate.gateway.backends import Backends
from tokengate.storage.engine import Database
from tokengate.usage.store import calls_by_model
from tokengate.web.dispatch import Endpoint
from tokengate.web.late import load_late

if TYPE_CHECKING:
    from tokengate.reference.library import Library

_RECENT_S = 30 * 86_400
_COUNT_EVERY_S = 300


class Shelf:
    """`endpoints` are those of dispatch, known once it is made."""

    def __init__(
        self,
        catalog: Catalog,
        backends: Backends,
        endpoints: Callable[[], Iterable[Endpoint]],
        database: Database,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._backends = backends
        self._endpoints = endpoints
        self._database = database
        self._clock = clock
        self._library: Library | None = None
        self._counted_s: float | None = None
        self._lock = asyncio.Lock()

    async def library(self) -> "Library":
        """Return the library, made on the first call."""
        if self._library is None:
            async with self._lock:
                if self._library is None:
                    self._library = await load_late(self._make)
        return self._library

    async def counted_library(self) -> "Library":
        """Return the library with recent counts of calls, for lists that are ordered by them."""
        library = await self.library()
        now_s = self._clock.monotonic_s()
        if self._counted_s is None or now_s - self._counted_s > _COUNT_EVERY_S:
            self._counted_s = now_s
            first_day = day_of(self._clock.now_s() - _RECENT_S)
            async with self._database.read() as read:
                library.models.count_calls(await calls_by_model(read, first_day))
        return library

    def renew(self) -> None:
        """Make the library anew when it is asked for next: the catalogue has changed."""
        self._library = None
        self._counted_s = None

    def count_anew(self) -> None:
        """Count calls again for the next list that is ordered by them."""
        self._counted_s = None

    def _make(self) -> "Library":
        from tokengate.reference.guides import Guides, docs_folder
        from tokengate.reference.library import Library
        from tokengate.reference.running import Route, Running

        routes = tuple(Route(endpoint.operation, endpoint.base) for endpoint in self._endpoints())
        running = Running(
            catalog=self._catalog,
            routes=routes,
            offers=self._backends.routes.__contains__,
            absent=self._backends.absent,
            breakers=self._backends.breaker_states,
        )
        return Library(running, Guides(docs_folder()), version=tokengate.__version__)
