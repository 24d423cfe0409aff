"""The threads of an engine: so many calls run at once, some more wait, and the rest are refused.

Waiting can be cancelled. What runs ends by itself: an engine sees to it that it does so soon when nobody reads.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tokengate.core.errors import Unavailable

_MAX_WAITING = 64  # jobs that wait for a slot; more are refused
_BUSY_RETRY_S = 5.0

Job = Callable[[], None]


class Slots:
    """Runs jobs on threads. `close` blocks; `submit` does not."""

    def __init__(self, backend: str, count: int) -> None:
        self._backend = backend
        self._count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=backend)
        self._counting = threading.Lock()
        self._waiting = 0
        self._running = 0

    @property
    def running(self) -> int:
        """Jobs that hold a slot."""
        return self._running

    @property
    def waiting(self) -> int:
        """Jobs that wait for a slot."""
        return self._waiting

    def close(self) -> None:
        """Wait for the running jobs."""
        self._pool.shutdown(cancel_futures=True)

    def submit(self, jobs: Sequence[Job]) -> Callable[[], None]:
        """Start the jobs of a call, and return what takes back those that still wait.

        Raises Unavailable when too many wait already.
        """
        with self._counting:
            if self._waiting + len(jobs) > _MAX_WAITING + self._count - self._running:
                raise Unavailable(
                    f"The local model '{self._backend}' has {self._waiting} calls waiting; try again later.",
                    retry_after_s=_BUSY_RETRY_S,
                    code="model_busy",
                )
            self._waiting += len(jobs)
        futures = [self._pool.submit(self._run, job) for job in jobs]
        return functools.partial(self._take_back, futures)

    def _take_back(self, futures: list[Future[None]]) -> None:
        taken = sum(future.cancel() for future in futures)
        with self._counting:
            self._waiting -= taken

    def _run(self, job: Job) -> None:
        with self._counting:
            self._waiting -= 1
            self._running += 1
        try:
            job()
        finally:
            with self._counting:
                self._running -= 1
