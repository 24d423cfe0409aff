import asyncio
import base64
import json

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from tests.tasks.film_vendor import FILM
from tests.tasks.place import MASTER_KEY, YUAN, Place
from tokengate.accounts.keys import Budget
from tokengate.core.errors import (
    BadRequest,
    BudgetExhausted,
    Conflict,
    InsufficientBalance,
    KeyReused,
    NotFound,
    UpstreamFailed,
    UpstreamTimeout,
)
from tokengate.core.jobs import JobState
from tokengate.storage import outbox
from tokengate.storage.tables import calls, jobs, journal
from tokengate.tasks.job_hooks import JobHooks
from tokengate.tasks.jobs import Taken
from tokengate.tasks.store import live_holds


async def count(place: Place, table: object) -> int:
    async with place.database.read() as read:
        return (await read.execute(select(func.count()).select_from(table))).scalar_one()  # type: ignore[arg-type]


async def text_of(place: Place, job_id: str, name: str) -> bytes:
    return b"".join([piece async for piece in (await place.results.open(job_id, name)).read()])


async def test_job_is_held_sent_looked_at_fetched_and_settled_by_what_was_delivered(place: Place) -> None:
    taken = await place.submit(seconds=10)

    assert (taken.job.state, taken.job.percent) == (JobState.QUEUED, 0)
    assert await place.money() == (1000, 50)
    assert dict(taken.headers)["x-account-balance"] == "95.0000"
    [(key, body)] = place.vendor.submissions
    assert key == taken.job.id
    assert body["model"] == "their-film"
    assert body["callback"].startswith(f"https://gate.example/v1/callbacks/{taken.job.id}/")

    place.clock.advance(2)
    await place.process.work()
    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert (job.state, job.percent, job.cost_nano) == (JobState.RUNNING, 40, 0)

    place.vendor.delivers(8)
    place.clock.advance(20)
    await place.process.work()
    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert (job.state, job.percent, job.cost_nano) == (JobState.SUCCEEDED, 100, 4 * 10**9)
    assert await place.money() == (960, 0)
    [file] = job.files
    assert (file.name, file.media_type, file.size_bytes) == ("video.mp4", "video/mp4", len(FILM))
    assert file.path.startswith(f"/v1/results/{job.id}/video.mp4?expires=")
    assert await text_of(place, job.id, "video.mp4") == FILM
    assert job.told == b'{"title": "t"}'
    async with place.database.read() as read:
        record = (await read.execute(select(calls))).one()
    assert (record.id, record.cost_nano, record.outcome, record.endpoint) == (job.id, 4 * 10**9, "ok", "/films")


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
async def test_job_that_does_not_succeed_costs_nothing(place: Place, state: str) -> None:
    taken = await place.submit()
    place.vendor.says = {"state": state, "error": ["moderation", "The prompt is refused."]}

    place.clock.advance(2)
    await place.process.work()

    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert job.state == state
    assert job.error is not None
    assert job.error.message == "The prompt is refused."
    assert await place.money() == (1000, 0)


async def test_vendor_that_refuses_a_job_leaves_nothing_behind(place: Place) -> None:
    place.vendor.next_answers = [(400, {"error": {"message": "Bad prompt.", "code": "bad"}})]

    with pytest.raises(UpstreamFailed, match="Bad prompt") as refused:
        await place.submit()

    assert refused.value.status == 400
    assert await place.money() == (1000, 0)
    assert await count(place, jobs) == 0
    assert await count(place, calls) == 1  # of a call that failed


async def test_wallet_that_cannot_pay_is_refused_before_the_vendor_is_asked(place: Place) -> None:
    with pytest.raises(InsufficientBalance, match=r"or ask for a shorter film or a lower resolution\.$"):
        await place.submit(seconds=201)

    assert place.vendor.submissions == []
    assert await count(place, jobs) == 0


async def test_a_budget_that_cannot_pay_is_refused_before_the_vendor_is_asked(place: Place) -> None:
    place.caller = replace(place.caller, budget=Budget(YUAN, "never"))

    with pytest.raises(BudgetExhausted, match=r"up to ¥3 and ¥1 is available .* or ask for a shorter film"):
        await place.submit(seconds=6)

    assert place.vendor.submissions == []
    assert await place.money() == (1000, 0)
    await place.submit(seconds=2)


async def test_what_a_job_holds_is_not_left_of_its_key_s_budget_until_it_ends(place: Place) -> None:
    place.caller = replace(place.caller, budget=Budget(10 * YUAN, "month"))
    taken = await asyncio.gather(*(place.submit(seconds=8) for _ in range(5)), return_exceptions=True)
    jobs_taken = [one for one in taken if isinstance(one, Taken)]

    assert len(jobs_taken) == 2
    assert sum(isinstance(one, BudgetExhausted) for one in taken) == 3
    await place.process.jobs.cancel(place.caller, jobs_taken[0].job.id)
    place.vendor.delivers(6)
    place.clock.advance(2)
    await place.process.work()

    with pytest.raises(BudgetExhausted, match=r"¥7 is available"):
        await place.submit(seconds=15)
    await place.submit(seconds=14)


async def test_a_refused_submission_leaves_a_budget_as_it_was(place: Place) -> None:
    place.caller = replace(place.caller, budget=Budget(4 * YUAN, "month"))
    place.vendor.next_answers = [(400, {"error": {"message": "Bad prompt.", "code": "bad"}})]
    with pytest.raises(UpstreamFailed):
        await place.submit(seconds=8)

    await place.submit(seconds=8)

    async with place.database.read() as read:
        assert [(key_id, nano) for _, key_id, nano in await live_holds(read)] == [("key_1", 4 * YUAN)]


async def test_two_jobs_cannot_hold_the_same_money(place: Place) -> None:
    taken = await asyncio.gather(*(place.submit(seconds=60) for _ in range(5)), return_exceptions=True)

    assert sum(isinstance(one, InsufficientBalance) for one in taken) == 2
    assert await place.money() == (1000, 900)


async def test_submission_whose_answer_is_lost_is_not_sent_again(place: Place) -> None:
    place.vendor.next_answers = [UpstreamTimeout("late", stage="first")]

    with pytest.raises(UpstreamFailed, match="not sent again") as lost:
        await place.submit()

    assert lost.value.code == "submission_lost"
    assert len(place.vendor.submissions) == 1
    assert place.process.metrics.alarms == {"submission_lost": 1}
    assert await place.money() == (1000, 0)


async def test_same_idempotency_key_makes_one_job(place: Place) -> None:
    first = await place.submit(key="k1")
    second = await place.submit(key="k1")

    assert second.job.id == first.job.id
    assert dict(second.headers)["idempotent-replayed"] == "true"
    assert len(place.vendor.submissions) == 1
    with pytest.raises(KeyReused):
        await place.submit(seconds=9, key="k1")


async def test_an_idempotency_key_is_known_as_long_as_its_job_is_kept(place: Place) -> None:
    first = await place.submit(key="k1")
    place.vendor.delivers(10)
    place.clock.advance(2)
    await place.process.work()
    place.clock.advance(29 * 86_400)
    await place.process.jobs.purge()
    late = await place.submit(key="k1")
    place.clock.advance(2 * 86_400)
    await place.process.jobs.purge()

    after = await place.submit(key="k1")

    assert late.job.id == first.job.id
    assert after.job.id != first.job.id
    await place.process.jobs.cancel(place.caller, after.job.id)
    await place.process.jobs.delete(place.caller, after.job.id)
    assert (await place.submit(key="k1")).job.id != after.job.id


async def test_same_idempotency_key_at_once_makes_one_job(place: Place) -> None:
    taken = await asyncio.gather(*(place.submit(key="k1") for _ in range(4)), return_exceptions=True)

    assert len(place.vendor.submissions) == 1
    assert sum(isinstance(one, Conflict) for one in taken) == 3
    assert await place.money() == (1000, 50)


async def test_cancelled_job_frees_its_money(place: Place) -> None:
    taken = await place.submit()

    job = await place.process.jobs.cancel(place.caller, taken.job.id)

    assert job.state is JobState.CANCELLED
    assert place.vendor.cancelled == ["/films/film-1"]
    assert await place.money() == (1000, 0)
    with pytest.raises(Conflict, match="has ended"):
        await place.process.jobs.cancel(place.caller, taken.job.id)


async def test_vendor_that_does_not_let_go_keeps_the_job(place: Place) -> None:
    taken = await place.submit()
    place.vendor.next_answers = [(400, {"error": {"message": "It is running."}})]

    with pytest.raises(Conflict, match="It is running"):
        await place.process.jobs.cancel(place.caller, taken.job.id)

    place.vendor.delivers(10)
    place.clock.advance(2)
    await place.process.work()
    assert await place.money() == (950, 0)


async def test_deleted_job_takes_its_files_along(place: Place) -> None:
    taken = await place.submit()
    with pytest.raises(Conflict):
        await place.process.jobs.delete(place.caller, taken.job.id)
    place.vendor.delivers(10)
    place.clock.advance(2)
    await place.process.work()

    await place.process.jobs.delete(place.caller, taken.job.id)

    with pytest.raises(NotFound):
        await place.process.jobs.get(place.caller, taken.job.id)
    assert place.kept() == set()


async def test_job_of_another_project_is_not_there(place: Place) -> None:
    from msgspec.structs import replace

    taken = await place.submit()
    other = replace(place.caller, project_id="prj_2")

    for ask in (place.process.jobs.get, place.process.jobs.cancel, place.process.jobs.delete):
        with pytest.raises(NotFound):
            await ask(other, taken.job.id)
    assert await place.process.jobs.list(other) == []


async def test_list_is_paged_and_filtered(place: Place) -> None:
    ids = [(await place.submit(seconds=1)).job.id for _ in range(5)]
    listed = place.process.jobs.list

    assert [job.id for job in await listed(place.caller, limit=2)] == ids[:2:-1]
    assert [job.id for job in await listed(place.caller, before=ids[3], limit=2)] == [ids[2], ids[1]]
    assert [job.id for job in await listed(place.caller, newest_first=False, limit=1)] == ids[:1]
    assert await listed(place.caller, kinds=("music",)) == []
    assert len(await listed(place.caller, states=(JobState.QUEUED,), model="film")) == 5


async def test_vendor_above_the_hold_takes_what_is_free_and_the_house_bears_the_rest(place: Place) -> None:
    await place.submit(seconds=100)
    await place.submit(seconds=90)
    place.vendor.delivers(115)
    await place.process.teller.refresh(place.wallet)

    place.clock.advance(2)
    await place.process.work()

    balance, held = await place.money()
    assert held == 0
    assert balance >= 0
    assert await count(place, journal) >= 3


async def test_files_and_jobs_go_when_their_days_are_over(place: Place) -> None:
    taken = await place.submit()
    place.vendor.delivers(10)
    place.clock.advance(2)
    await place.process.work()

    place.clock.advance(7 * 86_400)
    await place.process.jobs.purge()

    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert (job.files, job.files_until_s) == ((), None)
    assert place.kept() == set()
    place.clock.advance(30 * 86_400)
    await place.process.jobs.purge()
    assert await count(place, jobs) == 0


async def test_end_is_told_to_the_address_that_the_caller_named(place: Place) -> None:
    hooks = JobHooks(place.database, MASTER_KEY)
    taken = await place.submit(callback_url="https://caller.example/told")
    place.vendor.delivers(10)
    place.clock.advance(2)
    await place.process.work()

    async with place.database.read() as read:
        [message] = await outbox.list_messages(read, place.caller.org_id, taken.job.id)
    destination = await hooks.destination(taken.job.id)

    assert message.kind == "job.succeeded"
    assert json.loads(message.body)["data"] == {
        "id": taken.job.id,
        "kind": "video",
        "model": "film",
        "state": "succeeded",
    }
    assert destination is not None
    assert destination.url == "https://caller.example/told"
    assert hooks.secret("prj_1") == "whsec_" + base64.b64encode(destination.secret).decode()
    assert hooks.secret("prj_2") != hooks.secret("prj_1")


@pytest.mark.parametrize("url", ["ftp://caller.example", "caller.example", "https://a" + "a" * 2000, "https://a\n"])
async def test_address_that_nothing_can_be_sent_to_is_refused(place: Place, url: str) -> None:
    with pytest.raises(BadRequest):
        await place.submit(callback_url=url)

    assert place.vendor.submissions == []


async def test_an_error_that_tells_of_a_failed_job_ends_it(place: Place) -> None:
    taken = await place.submit()
    place.vendor.next_answers = [(500, {"state": "failed", "error": ["out_of_memory", "Too large."]})]

    place.clock.advance(2)
    await place.process.work()

    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert job.state is JobState.FAILED
    assert job.error is not None and (job.error.code, job.error.message) == ("out_of_memory", "Too large.")
    assert await place.money() == (1000, 0)


async def test_an_error_that_says_that_a_job_succeeded_is_an_error(place: Place) -> None:
    taken = await place.submit()
    place.vendor.next_answers = [(500, {"state": "succeeded", "seconds": 8})]

    place.clock.advance(2)
    await place.process.work()

    assert (await place.process.jobs.get(place.caller, taken.job.id)).state is JobState.QUEUED


async def test_a_job_that_its_vendor_does_not_know_any_more_expires(place: Place) -> None:
    taken = await place.submit()
    unknown = (404, {"error": {"message": "There is no such film."}})

    for _ in range(4):
        place.vendor.next_answers = [unknown]
        assert not (await place.process.jobs.get(place.caller, taken.job.id)).state.ended
        place.clock.advance(60)
        await place.process.work()

    job = await place.process.jobs.get(place.caller, taken.job.id)
    assert job.state is JobState.EXPIRED
    assert job.error is not None and job.error.message == "There is no such film."
    assert await place.money() == (1000, 0)
