"""Calls that programs work on: so many at once, each until it is done or nobody waits for it any more.

The work is done on a slot's thread; when nobody reads, the programs that it holds are killed, which ends it.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, MutableSet
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from tokengate.core.errors import GatewayError, UpstreamFailed
from tokengate.core.http import Timeouts
from tokengate.engines.feed import End, Feed, Reading
from tokengate.engines.program import Crew, ProgramEnded, Worker
from tokengate.engines.slots import Slots

T = TypeVar("T")
K = TypeVar("K")
W = TypeVar("W", bound=Worker)

_ROOM = 16  # items that wait for a slow reader


class Killable(Protocol):
    """What runs until it is killed, which any thread may do, and which does not wait."""

    def kill(self) -> None: ...


class Stoppable(Protocol):
    """What can be told that nobody waits for it."""

    def stop(self) -> None: ...


class Work(Generic[T]):
    """One call. Starts with its making, as soon as a slot is free. Must be stopped; before the end, that kills it."""

    def __init__(
        self,
        do: "Callable[[Work[T]], None]",
        slots: Slots,
        timeouts: Timeouts,
        backend: str,
        among: MutableSet[Stoppable],
    ) -> None:
        """`do` runs on the slot's thread, and hands over what it makes with `put`. Raises Unavailable."""
        self._do = do
        self._backend = backend
        self._among = among
        self._feed = Feed[T](asyncio.get_running_loop(), _ROOM)
        self._reading = Reading(self._feed, timeouts, backend)
        self._held: list[Killable] = []
        self._stopped = False
        self._changing = threading.Lock()
        self._take_back = slots.submit([self._run])
        among.add(self)

    def stop(self) -> None:
        """Nobody reads any more. Safe to call twice."""
        if self not in self._among:
            return
        self._among.discard(self)
        self._feed.close()
        self._take_back()
        with self._changing:
            self._stopped = True
            for program in self._held:
                program.kill()

    async def items(self) -> AsyncGenerator[T, None]:
        """Yield what is made. Raises what the work failed with, or UpstreamTimeout."""
        try:
            while not isinstance(item := await self._reading.next(), End):
                yield item
        finally:
            self.stop()

    def put(self, item: T) -> None:
        """Hand over an item; waits for room. Raises ProgramEnded when nobody reads."""
        if not self._feed.put(item):
            raise ProgramEnded("nobody waits for it.")

    def hold(self, program: Killable) -> None:
        """Have a program killed when the work is stopped; at once if it was."""
        with self._changing:
            self._held.append(program)
            if self._stopped:
                program.kill()

    def release(self, program: Killable) -> None:
        """It is killed no longer: somebody else may use it."""
        with self._changing:
            self._held = [one for one in self._held if one is not program]

    @contextmanager
    def worker(self, crew: Crew[K, W], key: K) -> Generator[W]:
        """Hold a worker; it is kept for the next call unless this one fails. Raises ProgramEnded."""
        worker = crew.take(key)
        usable = False
        try:
            self.hold(worker)
            yield worker
            usable = True
        finally:
            self.release(worker)
            crew.give_back(key, worker, usable=usable and worker.alive)

    def _run(self) -> None:
        if self._feed.closed:
            return
        try:
            self._do(self)
        except ProgramEnded as ended:
            self._feed.put(UpstreamFailed(f"The local model failed: {ended}", kind="cut", backend=self._backend))
        except GatewayError as error:
            self._feed.put(error)
        else:
            self._feed.put(End(0))


class Workshop(Generic[K, W]):
    """The workers of an engine, and the calls that they work on; `count` at once."""

    def __init__(self, backend: str, start: Callable[[K], W], count: int) -> None:
        self.crew = Crew[K, W](start, count)
        self._backend = backend
        self._slots = Slots(backend, count)
        self._open: set[Stoppable] = set()

    @property
    def running(self) -> int:
        """Calls that are worked on now."""
        return self._slots.running

    @property
    def waiting(self) -> int:
        """Calls that wait for a worker."""
        return self._slots.waiting

    def begin(self, do: Callable[[Work[T]], None], timeouts: Timeouts) -> Work[T]:
        """Return the work on one call, which has begun. Raises Unavailable when too many wait already."""
        return Work(do, self._slots, timeouts, self._backend, self._open)

    async def close(self) -> None:
        """Stop all work, and end the workers."""
        for work in tuple(self._open):
            work.stop()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._slots.close()
        self.crew.close()
