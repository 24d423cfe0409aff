"""Takes up jobs that are due, a bounded number at once: whichever gateway process claims one does its next step."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tokengate.core.clock import Clock, now_ms
from tokengate.ledger.teller import Teller
from tokengate.storage.engine import Database
from tokengate.tasks import store
from tokengate.tasks.steps import Steps
from tokengate.tasks.stored import StoredJob

_PACE_S = 0.25
_AT_ONCE = 64
_PAUSE_MS = 10_000  # after a step that failed in a way that nobody foresaw
_MOST_TRIES = 20
_AGAIN_S, _MOST_AGAIN_S = 0.25, 30.0  # before what could not be written is written again, at first and at most

_log = structlog.get_logger("tokengate.tasks")


class Worker:
    """The one worker of a process. Its name is its teller's: when that dies, others take its jobs over."""

    def __init__(self, database: Database, steps: Steps, teller: Teller, clock: Clock) -> None:
        self._database = database
        self._steps = steps
        self._teller = teller
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._insisting: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()

    def __len__(self) -> int:
        """Return how many steps are being done, for metrics."""
        return len(self._running)

    def wake(self) -> None:
        """Look at once: something is due."""
        self._awake.set()

    async def run(self) -> None:
        """Look until cancelled; what is being done then is given up, and taken up again by whoever comes next."""
        try:
            while True:
                self._awake.clear()
                try:
                    await self.look()
                except Exception:  # the database is away: the next look tries again
                    _log.exception("jobs")
                try:
                    async with asyncio.timeout(_PACE_S):
                        await self._awake.wait()
                except TimeoutError:
                    pass
        finally:
            tasks = self._running | self._insisting
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> int:
        """Begin the steps that are due, as many as there is room for; return of how many jobs."""
        room = _AT_ONCE - len(self._running)
        if room <= 0:
            return 0
        at_ms = now_ms(self._clock)
        async with self._database.read() as read:
            due = await store.any_due(read, at_ms)
        if not due:
            return 0
        async with self._database.tx() as tx:
            claimed = await store.claim_due(tx, self._teller.id, at_ms, room)
        for job in claimed:
            task = asyncio.create_task(self._take(job), name=job.id)
            self._running.add(task)
            task.add_done_callback(self._done)
        return len(claimed)

    async def idle(self) -> None:
        """Wait until every step that was begun is done."""
        while self._running:
            await asyncio.wait(self._running)

    async def insist(self, job_id: str, write: Callable[[], Awaitable[object]]) -> None:
        """Have it written how it goes on with a job that is ours. Nobody else may see to it, so while the database is
        away it is tried again and again, behind whoever asks, until this process ends."""
        try:
            await write()
        except Exception:
            _log.exception("job_not_written", job=job_id)
            task = asyncio.create_task(self._insist(job_id, write), name=job_id)
            self._insisting.add(task)
            task.add_done_callback(self._insisting.discard)

    async def _insist(self, job_id: str, write: Callable[[], Awaitable[object]]) -> None:
        pause_s = _AGAIN_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await write()
            except Exception as failure:
                pause_s = min(2 * pause_s, _MOST_AGAIN_S)
                _log.warning("job_not_written", job=job_id, reason=type(failure).__name__)
            else:
                self.wake()
                return

    async def _take(self, job: StoredJob) -> None:
        try:
            await self._steps.take(job)
        except Exception:  # the database is away, or there is a defect
            _log.exception("job_step", job=job.id, step=job.step)
            await self.insist(job.id, lambda: self._give_up(job))

    async def _give_up(self, job: StoredJob) -> None:
        """Leave a job for a later look, or end it after too many."""
        if job.tries >= _MOST_TRIES:
            await self._steps.abandon(job)
            return
        async with self._database.tx() as tx:
            await store.change(tx, job, owner="", due_ms=now_ms(self._clock) + _PAUSE_MS, tries=job.tries + 1)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._awake.set()
