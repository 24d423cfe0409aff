"""Processes that die between any two steps of a job: another one sees it through, and the money is right."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import FakeClock
from tests.tasks.film_vendor import PlainFilms, Vendor
from tests.tasks.place import Place, Process, at_answer, die, successor
from tokengate.core.errors import UpstreamFailed, UpstreamTimeout
from tokengate.core.jobs import JobState
from tokengate.ledger.store import return_leases


async def test_job_goes_on_after_its_process_died(place: Place) -> None:
    taken = await place.submit()
    await die(place.process)

    process = await successor(place)
    place.vendor.delivers(10)
    place.clock.advance(2)
    await process.work()

    job = await process.jobs.get(place.caller, taken.job.id)
    assert job.state is JobState.SUCCEEDED
    assert await place.money() == (950, 0)
    assert len(place.vendor.submissions) == 1


async def test_submission_during_which_the_process_died_is_not_sent_again(place: Place) -> None:
    await place.submit_unheard()
    assert await place.money() == (1000, 50)
    await die(place.process)

    process = await successor(place)
    place.clock.advance(2)
    await process.work()

    assert len(place.vendor.submissions) == 1
    assert await place.money() == (1000, 0)


async def test_vendor_that_knows_the_key_is_asked_again(place: Place) -> None:
    place.formats["one"].resubmits = True
    place.vendor.next_answers = [UpstreamTimeout("late", stage="first")]

    taken = await place.submit()

    assert [key for key, _ in place.vendor.submissions] == [taken.job.id] * 2


async def test_vendor_that_refuses_the_connection_is_left_for_the_next(
    database: Any, clock: FakeClock, tmp_path: Path
) -> None:
    place = Place(database, clock, tmp_path)
    place.vendors["two"], place.formats["two"] = Vendor(clock), PlainFilms()
    await place.open()
    for vendor in place.vendors.values():
        vendor.next_answers = [UpstreamFailed("unreachable", kind="connect")]
    with pytest.raises(UpstreamFailed, match="unreachable"):
        await place.submit()
    assert await place.money() == (1000, 0)

    first = place.vendors["one"]
    first.next_answers = [UpstreamFailed("unreachable", kind="connect")] * 3
    for _ in range(4):
        await place.submit(seconds=1)
    assert await place.money() == (1000, 20)
    await place.process.close()
    assert await place.differences() == []


async def test_process_that_dies_while_it_fetches_is_followed_by_one_that_does(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    place.clock.advance(2)
    files, place.vendor.files = place.vendor.files, {}
    place.vendor.next_answers = [(200, place.vendor.says), (503, {"error": {"message": "busy"}})]
    await place.process.worker.look()
    await place.process.worker.idle()
    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert (job.state, job.percent) == (JobState.RUNNING, 99)
    await die(place.process)

    process = await successor(place)
    place.vendor.files = files
    looks = place.vendor.looks
    place.clock.advance(60)
    await process.work()

    job = await process.jobs.get(place.caller, taken.job.id)
    assert job.state is JobState.SUCCEEDED
    assert place.vendor.looks == looks
    assert await place.money() == (950, 0)


async def test_result_that_cannot_be_fetched_in_the_end_costs_nothing(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    place.vendor.files = {}

    for _ in range(12):
        place.clock.advance(120)
        await place.process.work()

    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert job.error is not None
    assert (job.state, job.error.code) == (JobState.FAILED, "result_lost")
    assert await place.money() == (1000, 0)
    assert place.process.metrics.alarms == {"result_lost": 1}


async def test_vendor_that_never_ends_a_job_loses_it(place: Place) -> None:
    taken = await place.submit()

    for _ in range(30):
        place.clock.advance(3600)
        await place.process.work()

    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert job.state is JobState.EXPIRED
    assert place.vendor.cancelled == ["/films/film-1"]
    assert await place.money() == (1000, 0)

    place.vendor.delivers(10)  # too late
    await place.process.jobs.called_back(taken.job.id, b"")
    await place.process.work()
    assert await place.money() == (1000, 0)


async def test_vendor_that_does_not_answer_is_asked_later(place: Place) -> None:
    await place.submit()
    place.vendor.next_answers = [UpstreamFailed("gone", kind="connect"), (200, {"nothing": "known"})]
    for _ in range(2):
        place.clock.advance(70)
        await place.process.work()
    place.vendor.delivers(10)
    place.clock.advance(70)
    await place.process.work()

    assert await place.money() == (950, 0)


async def test_callback_makes_a_job_due_at_once_and_is_harmless_when_it_comes_again(place: Place) -> None:
    taken = await place.submit()
    place.clock.advance(2)
    await place.process.work()
    place.vendor.delivers(10)
    await place.process.work()
    assert await place.money() == (1000, 50)  # not due yet

    for _ in range(3):
        await place.process.jobs.called_back(taken.job.id, b"")
        await place.process.work()

    assert await place.money() == (950, 0)


async def test_two_processes_settle_a_job_once(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    other = Process(place)
    await other.writer.start()
    other.teller.id = place.process.teller.id + "x"
    place.clock.advance(2)

    await asyncio.gather(place.process.worker.look(), other.worker.look())
    await asyncio.gather(place.process.worker.idle(), other.worker.idle())

    assert place.vendor.looks == 1
    assert await place.money() == (950, 0)
    assert (await other.jobs.get(place.caller, taken.job.id)).cost_nano == 5 * 10**9
    await other.writer.close()


async def test_job_whose_owner_lost_it_is_ended_by_its_new_owner_alone(place: Place) -> None:
    """The first process is taken for dead while it waits for its vendor; what it then hears changes nothing."""
    taken = await place.submit()
    place.vendor.delivers(10)
    reached, go = await at_answer(place)
    place.clock.advance(2)
    await place.process.worker.look()
    await reached.wait()
    async with place.database.tx() as tx:
        assert await return_leases(tx, place.process.teller.id)

    second = Process(place)
    await second.writer.start()
    second.teller.id = "tel_other"
    await second.work()
    go.set()
    await place.process.worker.idle()

    assert await place.money() == (950, 0)
    assert (await second.jobs.get(place.caller, taken.job.id)).cost_nano == 5 * 10**9
    await second.writer.close()


async def test_file_that_was_stored_for_a_job_that_ended_meanwhile_is_swept(place: Place) -> None:
    """The first process is taken for dead while it gets the film, which the second one cannot get any more."""
    taken = await place.submit()
    place.vendor.delivers(10)
    reached, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        reached.set()
        await go.wait()

    place.vendor.before_file = wait
    place.clock.advance(2)
    await place.process.worker.look()
    await reached.wait()
    async with place.database.tx() as tx:
        assert await return_leases(tx, place.process.teller.id)
    place.vendor.files = {}
    second = Process(place)
    await second.writer.start()
    second.teller.id = "tel_other"
    for _ in range(12):
        await second.work()
        place.clock.advance(120)

    go.set()
    await place.process.worker.idle()
    job = await second.jobs.get(place.caller, taken.job.id)
    assert (job.state, job.files, place.kept()) == (JobState.FAILED, (), {job.id})

    hours_after_now(place, 2)
    await second.jobs.purge()
    assert place.kept() == set()
    assert await place.money() == (1000, 0)
    await second.writer.close()


async def test_files_of_a_job_that_is_not_settled_yet_are_kept(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    place.vendor.says["files"].append({"name": "second.mp4", "path": "/second.mp4"})
    place.clock.advance(2)
    await place.process.work()
    assert place.kept() == {taken.job.id}
    await die(place.process)

    process = await successor(place)
    hours_after_now(place, 2)
    await process.jobs.purge()
    assert place.kept() == {taken.job.id}

    place.vendor.files["/second.mp4"] = place.vendor.files["/film.mp4"]
    await process.work()
    job = await process.jobs.get(place.caller, taken.job.id)
    assert [one.name for one in job.files] == ["video.mp4", "second.mp4"]
    assert await place.money() == (950, 0)


def hours_after_now(place: Place, hours: int) -> None:
    """Set the clock by that of the files."""
    place.clock.advance(time.time() + hours * 3600 - place.clock.now_s())
