"""Submissions whose answers were lost: what the vendor took is found and charged once, what it did not take is free,
and nothing is sent twice, nor given to two."""

import asyncio

import pytest

from tests.tasks.place import Place, Process, at_answer, die, successor
from tokengate.core.errors import UpstreamFailed, UpstreamTimeout
from tokengate.core.jobs import Job, JobState

LATE = UpstreamTimeout("late", stage="first")
LOST = "submission_lost"


@pytest.fixture
def listing(place: Place) -> Place:
    """A place whose vendor has a list."""
    place.formats["one"].lists = True
    return place


async def lose(place: Place, *, taken: bool, seconds: int = 10) -> Job:
    """Submit a film whose answer is lost."""
    place.vendor.takes = taken
    place.vendor.next_answers = [LATE]
    job = (await place.submit(seconds=seconds)).job
    place.vendor.takes = True
    return job


async def work(place: Place, seconds: float = 120, process: Process | None = None) -> None:
    """Let time pass in steps of what a step waits for at least, and do what is due."""
    for _ in range(int(seconds) // 2):
        await (process or place.process).work()
        place.clock.advance(2)
    await (process or place.process).work()


async def seen(place: Place, job: Job) -> tuple[JobState, str]:
    found = await place.process.jobs.get(place.caller, job.id)
    return found.state, found.error.code if found.error else ""


async def test_what_the_vendor_took_is_found_followed_and_charged_once(listing: Place) -> None:
    job = await lose(listing, taken=True)
    assert (job.state, await listing.money()) == (JobState.QUEUED, (1000, 50))

    await work(listing, 4)
    listing.vendor.delivers(10)
    await work(listing, 4)

    assert await seen(listing, job) == (JobState.SUCCEEDED, "")
    assert await listing.money() == (950, 0)
    assert len(listing.vendor.submissions) == 1
    assert listing.process.metrics.alarms == {}


async def test_what_the_vendor_did_not_take_fails_free_after_a_while(listing: Place) -> None:
    job = await lose(listing, taken=False)

    await work(listing, 60)
    assert await seen(listing, job) == (JobState.QUEUED, "")
    await work(listing, 120)

    assert await seen(listing, job) == (JobState.FAILED, LOST)
    assert await listing.money() == (1000, 0)
    assert len(listing.vendor.submissions) == 1
    assert listing.process.metrics.alarms == {LOST: 1}


async def test_two_of_the_same_never_get_one_film(listing: Place) -> None:
    jobs = [await lose(listing, taken=True), await lose(listing, taken=False)]
    listing.vendor.delivers(10)

    await work(listing, 200)

    states = [await seen(listing, job) for job in jobs]
    assert sorted(states) == [(JobState.FAILED, LOST), (JobState.SUCCEEDED, "")]
    assert await listing.money() == (950, 0)


async def test_two_of_the_same_get_a_film_each(listing: Place) -> None:
    jobs = [await lose(listing, taken=True) for _ in range(2)]
    listing.vendor.delivers(10)

    await work(listing, 20)

    assert [await seen(listing, job) for job in jobs] == [(JobState.SUCCEEDED, "")] * 2
    assert await listing.money() == (900, 0)


async def test_two_processes_that_find_the_same_film_do_not_share_it(listing: Place) -> None:
    jobs = [await lose(listing, taken=True), await lose(listing, taken=False)]
    other = Process(listing)
    await other.writer.start()
    other.teller.id = listing.process.teller.id + "x"
    listing.vendor.delivers(10)

    for _ in range(100):
        await asyncio.gather(listing.process.worker.look(), other.worker.look())
        await asyncio.gather(listing.process.worker.idle(), other.worker.idle())
        listing.clock.advance(2)

    assert sorted([await seen(listing, job) for job in jobs]) == [(JobState.FAILED, LOST), (JobState.SUCCEEDED, "")]
    assert await listing.money() == (950, 0)
    await other.writer.close()


async def test_more_of_the_same_than_we_asked_for_are_nobodys(listing: Place) -> None:
    """Another client of the same account asked for the same at the same time."""
    job = await lose(listing, taken=True)
    listing.vendor.make("a cat")

    await work(listing, 4)

    assert await seen(listing, job) == (JobState.FAILED, LOST)
    assert await listing.money() == (1000, 0)
    assert listing.process.metrics.alarms == {"submission_ambiguous": 1}


async def test_what_two_different_submissions_may_have_made_is_nobodys(listing: Place) -> None:
    """The list does not show the length, in which they differ."""
    jobs = [await lose(listing, taken=True, seconds=5), await lose(listing, taken=False, seconds=10)]

    await work(listing, 150)

    assert [await seen(listing, job) for job in jobs] == [(JobState.FAILED, LOST)] * 2
    assert await listing.money() == (1000, 0)


async def test_what_a_submission_under_way_may_have_made_is_left_to_it(listing: Place) -> None:
    lost = await lose(listing, taken=False)
    reached, go = await at_answer(listing)
    asking = asyncio.create_task(listing.submit())
    await reached.wait()

    await work(listing, 30)
    assert await seen(listing, lost) == (JobState.QUEUED, "")
    go.set()
    other = (await asking).job
    listing.vendor.delivers(10)
    await work(listing, 150)

    assert await seen(listing, lost) == (JobState.FAILED, LOST)
    assert await seen(listing, other) == (JobState.SUCCEEDED, "")
    assert await listing.money() == (950, 0)


async def test_older_and_other_films_are_not_ours(listing: Place) -> None:
    listing.vendor.make("a cat")
    listing.clock.advance(3600)
    listing.vendor.make("a dog")
    listing.vendor.make("a cow")
    job = await lose(listing, taken=False)

    await work(listing, 150)

    assert await seen(listing, job) == (JobState.FAILED, LOST)
    assert listing.process.metrics.alarms == {LOST: 1}


async def test_it_is_found_by_the_next_process(listing: Place) -> None:
    await listing.submit_unheard(key="k")
    await die(listing.process)

    process = await successor(listing)
    listing.vendor.delivers(10)
    await work(listing, 10)

    job = (await listing.submit(process, key="k")).job  # its caller, who never heard of it
    assert job.state is JobState.SUCCEEDED
    assert await listing.money() == (950, 0)
    assert len(listing.vendor.submissions) == 1


async def test_search_goes_on_in_the_next_process(listing: Place) -> None:
    job = await lose(listing, taken=True)
    await die(listing.process)

    process = await successor(listing)
    listing.vendor.delivers(10)
    await work(listing, 10, process)

    assert await seen(listing, job) == (JobState.SUCCEEDED, "")
    assert await listing.money() == (950, 0)


async def test_list_that_does_not_answer_is_asked_later(listing: Place) -> None:
    job = await lose(listing, taken=True)
    for _ in range(20):
        listing.vendor.next_answers = [UpstreamFailed("away", kind="connect")]
        await listing.process.work()
        listing.clock.advance(60)
    assert await seen(listing, job) == (JobState.QUEUED, "")

    listing.vendor.delivers(10)
    listing.vendor.next_answers = []
    await work(listing, 70)

    assert await seen(listing, job) == (JobState.SUCCEEDED, "")


async def test_vendor_that_has_no_list_after_all_has_lost_it(listing: Place) -> None:
    job = await lose(listing, taken=True)
    listing.vendor.next_answers = [(404, {"error": {"message": "No such page."}})]

    await listing.process.work()

    assert await seen(listing, job) == (JobState.FAILED, LOST)


async def test_film_that_says_what_it_is_only_when_it_is_done_is_waited_for(listing: Place) -> None:
    listing.vendor.shows_prompts = False
    jobs = [await lose(listing, taken=True), await lose(listing, taken=False)]
    await work(listing, 600)
    assert [await seen(listing, job) for job in jobs] == [(JobState.QUEUED, "")] * 2

    listing.vendor.delivers(10)
    listing.vendor.says["prompt"] = "a cat"
    await work(listing, 200)

    states = [await seen(listing, job) for job in jobs]
    assert sorted(states) == [(JobState.FAILED, LOST), (JobState.SUCCEEDED, "")]
    assert await listing.money() == (950, 0)


async def test_vendors_call_names_what_it_took(place: Place) -> None:
    place.formats["one"].tells = True
    job = await lose(place, taken=True)
    await work(place, 300)
    assert await seen(place, job) == (JobState.QUEUED, "")

    place.vendor.delivers(10)
    for _ in range(2):
        await place.process.jobs.called_back(job.id, b"film-1")
        await work(place, 4)

    assert await seen(place, job) == (JobState.SUCCEEDED, "")
    assert await place.money() == (950, 0)


async def test_vendors_call_names_what_a_dead_process_sent(place: Place) -> None:
    place.formats["one"].tells = True
    await place.submit_unheard(key="k")
    await die(place.process)

    process = await successor(place)
    key, asked = place.vendor.submissions[0]
    assert f"/callbacks/{key}/" in asked["callback"]
    await process.jobs.called_back(key, b"film-1")
    place.vendor.delivers(10)
    await work(place, 4)

    assert await place.money() == (950, 0)
    assert len(place.vendor.submissions) == 1


async def test_call_before_the_answer_changes_nothing(place: Place) -> None:
    place.formats["one"].tells = True
    reached, go = await at_answer(place)
    asking = asyncio.create_task(place.submit())
    await reached.wait()
    await place.process.jobs.called_back(place.vendor.submissions[0][0], b"film-1")
    go.set()
    job = (await asking).job

    place.vendor.delivers(10)
    await work(place, 4)

    assert await seen(place, job) == (JobState.SUCCEEDED, "")
    assert await place.money() == (950, 0)


async def test_call_that_never_comes_leaves_the_job_free(place: Place) -> None:
    place.formats["one"].tells = True
    job = await lose(place, taken=True)

    await work(place, 1000)

    assert await seen(place, job) == (JobState.FAILED, LOST)
    assert await place.money() == (1000, 0)
    assert place.process.metrics.alarms == {LOST: 1}
