"""The generations of one request, from their start to their end, within the request's deadlines."""

import asyncio
from collections.abc import AsyncIterator, MutableSet

from tokengate.core.errors import GatewayError, UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Timeouts
from tokengate.engines.feed import End, Feed
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
        loop = asyncio.get_running_loop()
        self._timeouts = timeouts
        self._backend = backend
        self._among = among
        self._open = plan.choices
        self._feed = Feed(loop)
        self._ends_s = loop.time() + timeouts.total
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
        stage, wait_s = "first", self._timeouts.first
        while self._open:
            match await self._next(stage, wait_s):
                case Piece() as piece:
                    yield piece
                case End():
                    self._open -= 1
                case GatewayError() as error:
                    raise error
                case None:
                    raise UpstreamFailed("The local model was stopped.", kind="cut", backend=self._backend)
            stage, wait_s = "between", self._timeouts.between

    async def _next(self, stage: str, wait_s: float) -> Piece | End | GatewayError | None:
        left_s = self._ends_s - asyncio.get_running_loop().time()
        if left_s < wait_s:
            stage, wait_s = "total", left_s
        try:
            async with asyncio.timeout(wait_s):
                return await self._feed.get()
        except TimeoutError:
            raise UpstreamTimeout(
                f"The local model '{self._backend}' did not answer in time ({stage}).",
                stage=stage,
                backend=self._backend,
            ) from None
