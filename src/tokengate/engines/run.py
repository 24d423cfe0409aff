"""The generations of one request, from their start to their end, within the request's deadlines."""

import asyncio
from collections.abc import AsyncIterator, MutableSet

from tokengate.core.http import Timeouts
from tokengate.engines.feed import End, Feed, Reading
from tokengate.engines.pieces import Piece
from tokengate.engines.plan import Plan
from tokengate.engines.runtime import Runtime


class Run:
    """Starts with its making. Must be stopped; stopping before the end frees the slots."""

    def __init__(
        self,
        runtime: Runtime,
        plan: Plan,
        attempt: int,
        timeouts: Timeouts,
        backend: str,
        among: MutableSet["Run"],
    ) -> None:
        self._among = among
        self._open = plan.choices
        self._feed = Feed[Piece](asyncio.get_running_loop())
        self._reading = Reading(self._feed, timeouts, backend)
        bodies = {choice: plan.body(choice, attempt) for choice in range(plan.choices)}
        self._take_back = runtime.submit(plan.kind, bodies, self._feed)
        among.add(self)

    def stop(self) -> None:
        """Nobody reads any more. Safe to call twice."""
        if self in self._among:
            self._among.discard(self)
            self._feed.close()
            self._take_back()

    async def pieces(self) -> AsyncIterator[Piece]:
        """Yield pieces until every choice has ended. Raises what a generation failed with, or UpstreamTimeout."""
        while self._open:
            match await self._reading.next():
                case Piece() as piece:
                    yield piece
                case End():
                    self._open -= 1
