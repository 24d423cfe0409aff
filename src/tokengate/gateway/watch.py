"""Looks after the calls in flight: ends or drains those whose callers leave, and notes long ones for the operator.

Most calls end before the first look. A call whose bill is being made durable is never cancelled.
"""

import asyncio
import contextlib
from collections.abc import Callable

from tokengate.core.clock import Clock
from tokengate.gateway.call import Call
from tokengate.storage.tables import open_calls
from tokengate.storage.writer import Delete, Insert, Writer

_PACE_S = 0.25
_END_PACE_S = 0.05
_NOTED_AFTER_S = 1.0
_MAX_DRAINS = 256  # read on for so many absent callers at once; the upstream calls of more are closed


class Watch:
    """The calls in flight."""

    def __init__(self, writer: Writer, clock: Clock, teller_id: Callable[[], str]) -> None:
        self._writer = writer
        self._clock = clock
        self._teller_id = teller_id
        self._calls: dict[str, Call] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.drains = 0  # calls that are read to their end for an absent caller

    def __len__(self) -> int:
        return len(self._calls)

    def enter(self, call: Call) -> None:
        self._calls[call.id] = call
        self._idle.clear()
        call.sink.when_gone(lambda: self._departed(call))

    def leave(self, call: Call) -> None:
        del self._calls[call.id]
        if call.draining:
            self.drains -= 1
        if call.noted:
            self._writer.later([Delete(open_calls, (call.id,))])
        if not self._calls:
            self._idle.set()

    def of_wallet(self, wallet_id: str) -> list[Call]:
        """Return the calls that hold money of a wallet now, the oldest first."""
        return [call for call in self._calls.values() if call.principal.wallet_id == wallet_id and call.held_nano]

    async def idle(self) -> None:
        """Return when no call is in flight."""
        await self._idle.wait()

    async def end_all(self) -> None:
        """End every call now, and return when all have settled what they delivered."""
        while self._calls:
            for call in list(self._calls.values()):
                if call.task is not None and not call.settling:
                    call.task.cancel()
            # Whoever was settling has its last bytes to send, for which nobody waits for ever either.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_PACE_S):
                    await self._idle.wait()

    async def run(self) -> None:
        """Look at the calls until cancelled."""
        while True:
            await asyncio.sleep(_PACE_S)
            self.look()

    def look(self) -> None:
        """One look at every call."""
        now_s = self._clock.monotonic_s()
        for call in self._calls.values():
            if not call.noted and call.held_nano and now_s - call.started_s > _NOTED_AFTER_S:
                call.noted = True
                self._note(call)

    def _departed(self, call: Call) -> None:
        call.client_gone = True
        if call.settling:
            return
        if call.on_abort == "drain" and self.drains < _MAX_DRAINS:
            self.drains += 1
            call.draining = True
        elif call.task is not None:
            call.task.cancel()

    def _note(self, call: Call) -> None:
        row = (
            call.id,
            self._teller_id(),
            call.principal.key_id,
            call.principal.wallet_id,
            call.model.id,
            call.upstream,
            call.held_nano,
            call.now_ms,
        )
        self._writer.later([Insert(open_calls, row)])
