"""A database that goes away between any two steps of a job: once it is back the job goes on, or is undone, in the same
process, and no money stays held.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.tasks.place import Place
from tokengate.core.errors import Conflict, UpstreamFailed
from tokengate.core.jobs import JobState
from tokengate.ledger.holds import store as holds
from tokengate.storage.engine import Database, Tx

REFUSED = 3  # connections: those of what is being done, and of what is done about its failure


class Outage:
    """Of a database: `begin` lets it refuse the next connections, and be back then."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._left = 0
        self.over = asyncio.Event()

    async def begin(self) -> None:
        self._left = REFUSED

    def connect(self) -> object:
        if self._left:
            self._left -= 1
            if not self._left:
                self.over.set()
            raise ConnectionRefusedError("the database is away")
        return self._engine.connect()

    async def dispose(self) -> None:
        await self._engine.dispose()


@contextmanager
def outage(place: Place) -> Generator[Outage]:
    database = place.database
    engine = database.engine
    database.engine = found = Outage(database)  # pyright: ignore[reportAttributeAccessIssue]  # what tx and read use
    try:
        yield found
    finally:
        database.engine = engine


async def settled(place: Place, balance: int) -> None:
    """Return once nothing is held any more, neither in the wallet nor by the teller."""
    async with asyncio.timeout(60):
        while await place.money() != (balance, 0) or place.process.teller.held_nano(place.wallet):
            place.clock.advance(20)
            await place.process.work()
            await asyncio.sleep(0.01)


async def test_job_whose_look_met_an_outage_goes_on(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    place.clock.advance(2)
    with outage(place) as away:
        place.vendor.before_answer = _once(place, away.begin)
        await place.process.worker.look()
        await away.over.wait()

        await settled(place, 950)

    assert (await place.process.jobs.get(place.caller, taken.job.id)).state is JobState.SUCCEEDED


@pytest.mark.parametrize("refuses", [True, False])
async def test_submission_that_met_an_outage_is_undone(place: Place, refuses: bool) -> None:
    if refuses:
        place.vendor.next_answers = [(400, {"error": {"message": "No cats."}})]
    with outage(place) as away:
        place.vendor.before_answer = _once(place, away.begin)
        with pytest.raises(UpstreamFailed if refuses else ConnectionRefusedError):
            await place.submit(key="again")
        await away.over.wait()

        await settled(place, 1000)

        taken = await place.submit(key="again")
    assert len(place.vendor.submissions) == 2
    assert taken.job.state is JobState.QUEUED


@pytest.mark.parametrize("commits", [True, False])
async def test_submission_that_could_not_be_recorded_holds_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, commits: bool
) -> None:
    """Whether the row was written is known only when the database is back."""
    take_over = holds.take_over
    with outage(place) as away:

        async def and_leave(tx: Tx, *args: Any) -> None:
            await take_over(tx, *args)
            if commits:
                await tx.commit()
            await away.begin()
            raise ConnectionResetError("the database is away")

        monkeypatch.setattr(holds, "take_over", and_leave)
        with pytest.raises(ConnectionResetError):
            await place.submit(key="again")
        monkeypatch.setattr(holds, "take_over", take_over)
        await away.over.wait()

        await settled(place, 1000)

        await place.submit(key="again")
    assert len(place.vendor.submissions) == 1


async def test_job_whose_cancelling_met_an_outage_goes_on(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    place.vendor.next_answers = [(400, {"error": {"message": "It is too late."}})]
    with outage(place) as away:
        place.vendor.before_answer = _once(place, away.begin)
        with pytest.raises(Conflict):
            await place.process.jobs.cancel(place.caller, taken.job.id)
        await away.over.wait()

        await settled(place, 950)


def _once(place: Place, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def do() -> None:
        place.vendor.before_answer = None
        await work()

    return do
