import asyncio
import hashlib
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from tests.support import FakeClock
from tokengate.core.errors import BadRequest, Conflict, KeyReused
from tokengate.core.sealing import Sealer
from tokengate.idempotency.replies import MAX_BODY_BYTES, Replies, StoredReply
from tokengate.storage.engine import Database
from tokengate.storage.tables import idempotency, tellers
from tokengate.storage.writer import Writer

BODY = hashlib.sha256(b"the body").digest()
OTHER_BODY = hashlib.sha256(b"another body").digest()
HEADERS = [("content-type", "application/json"), ("x-request-id", "req_1"), ("x-twice", "1"), ("x-twice", "2")]
DAY_S = 86_400
KEY = bytes(range(32))


@pytest.fixture
async def writer(database: Database) -> AsyncGenerator[Writer, None]:
    writer = Writer(database)
    await writer.start()
    yield writer
    await writer.close()


@pytest.fixture
async def replies(database: Database, writer: Writer, clock: FakeClock) -> Replies:
    await live(database, "tel_1")
    return replies_of(database, writer, clock)


def replies_of(
    database: Database, writer: Writer, clock: FakeClock, *, key: bytes = KEY, teller: str = "tel_1"
) -> Replies:
    return Replies(database, writer, Sealer(key), clock, teller_id=lambda: teller)


async def live(database: Database, teller: str) -> None:
    async with database.tx() as tx:
        await tx.execute(tellers.insert().values(id=teller, started_ms=0, heartbeat_ms=0))


async def die(database: Database, teller: str) -> None:
    async with database.tx() as tx:
        await tx.execute(tellers.delete().where(tellers.c.id == teller))


async def run_once(
    replies: Replies, writer: Writer, clock: FakeClock, *, key: str = "idem", body: bytes = b"reply"
) -> None:
    """Run a call to its billed end."""
    assert await replies.begin("key_1", key, BODY) is None
    now_ms = int(clock.now_s() * 1000)
    await writer.commit(replies.rows_of("key_1", key, BODY, 200, HEADERS, body, now_ms))
    replies.end("key_1", key)
    await writer.commit(())  # what `end` leaves to the writer


async def test_a_finished_call_gives_the_same_reply_again_and_again(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock, body=b"\x00\xff data: [DONE]\n\n")

    first = await replies.begin("key_1", "idem", BODY)
    second = await replies.begin("key_1", "idem", BODY)

    assert first == second == StoredReply(200, tuple(HEADERS), b"\x00\xff data: [DONE]\n\n")


async def test_a_reply_outlives_the_process(replies: Replies, writer: Writer, clock: FakeClock, database: Database):
    await run_once(replies, writer, clock)

    stored = await replies_of(database, writer, clock).begin("key_1", "idem", BODY)

    assert stored is not None and stored.body == b"reply"


async def test_another_body_is_refused_finished_or_running(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock)
    assert await replies.begin("key_1", "running", BODY) is None

    for key in ("idem", "running"):
        with pytest.raises(KeyReused):
            await replies.begin("key_1", key, OTHER_BODY)

    assert await replies.begin("key_1", "idem", BODY) is not None


async def test_a_running_call_is_a_conflict_until_it_ends(replies: Replies):
    assert await replies.begin("key_1", "idem", BODY) is None
    with pytest.raises(Conflict) as refused:
        await replies.begin("key_1", "idem", BODY)
    assert refused.value.retry_after_s == 1

    replies.end("key_1", "idem")

    assert await replies.begin("key_1", "idem", BODY) is None


async def test_of_many_that_begin_at_once_exactly_one_runs(replies: Replies):
    results = await asyncio.gather(*(replies.begin("key_1", "idem", BODY) for _ in range(20)), return_exceptions=True)

    assert results.count(None) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 19


async def test_a_call_whose_process_died_counts_as_never_run(
    replies: Replies, writer: Writer, database: Database, clock: FakeClock
):
    assert await replies.begin("key_1", "idem", BODY) is None
    await die(database, "tel_1")
    await live(database, "tel_2")

    after = replies_of(database, writer, clock, teller="tel_2")
    assert await after.begin("key_1", "idem", OTHER_BODY) is None


@pytest.fixture
async def two(
    postgresql_database: Database, clock: FakeClock
) -> AsyncGenerator[tuple[tuple[Replies, Writer], tuple[Replies, Writer]], None]:
    """Two processes that serve one database."""
    writers = [Writer(postgresql_database) for _ in range(2)]
    for number, writer in enumerate(writers, 1):
        await writer.start()
        await live(postgresql_database, f"tel_{number}")
    first, second = [
        (replies_of(postgresql_database, writer, clock, teller=f"tel_{number}"), writer)
        for number, writer in enumerate(writers, 1)
    ]
    yield first, second
    for writer in writers:
        await writer.close()


Two = tuple[tuple[Replies, Writer], tuple[Replies, Writer]]


async def test_a_call_runs_in_one_of_two_processes(two: Two):
    (first, _), (second, _) = two
    begun = [replies.begin("key_1", "idem", BODY) for replies in (first, second) * 10]

    results = await asyncio.gather(*begun, return_exceptions=True)

    assert results.count(None) == 1
    refused = [result for result in results if isinstance(result, Conflict)]
    assert len(refused) == 19
    assert {one.retry_after_s for one in refused} == {1.0}


async def test_another_body_is_refused_while_another_process_runs_the_call(two: Two):
    (first, _), (second, _) = two
    assert await first.begin("key_1", "idem", BODY) is None

    with pytest.raises(KeyReused):
        await second.begin("key_1", "idem", OTHER_BODY)


async def test_a_reply_of_one_process_is_given_by_the_other(two: Two, clock: FakeClock):
    (first, writer), (second, others) = two
    await run_once(first, writer, clock)

    stored = [await second.begin("key_1", "idem", BODY) for _ in range(2)]

    assert [one and one.body for one in stored] == [b"reply"] * 2
    await others.commit(())
    assert await first.begin("key_1", "idem", BODY) == stored[0]


async def test_what_ended_without_a_reply_may_run_in_the_other_process(two: Two):
    (first, writer), (second, _) = two
    assert await first.begin("key_1", "idem", BODY) is None
    first.end("key_1", "idem")
    await writer.commit(())

    assert await second.begin("key_1", "idem", OTHER_BODY) is None


async def test_a_call_that_is_repeated_at_once_keeps_its_claim(two: Two):
    """Giving up the claim of the first must not take that of the second with it."""
    (first, writer), (second, _) = two
    for _ in range(3):
        assert await first.begin("key_1", "idem", BODY) is None
        first.end("key_1", "idem")
    assert await first.begin("key_1", "idem", BODY) is None
    await writer.commit(())

    with pytest.raises(Conflict):
        await second.begin("key_1", "idem", BODY)


async def test_what_a_dead_process_was_running_may_run_in_the_other(two: Two, postgresql_database: Database):
    (first, _), (second, _) = two
    assert await first.begin("key_1", "idem", BODY) is None
    await die(postgresql_database, "tel_1")

    assert await second.begin("key_1", "idem", OTHER_BODY) is None


async def test_a_caller_who_leaves_while_the_reply_is_looked_up_leaves_no_mark(replies: Replies):
    task = asyncio.create_task(replies.begin("key_1", "idem", BODY))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await replies.begin("key_1", "idem", BODY) is None


async def test_the_scope_is_the_api_key(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock)

    assert await replies.begin("key_2", "idem", OTHER_BODY) is None


async def test_a_reply_is_kept_for_24_hours_and_then_replaced(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock, body=b"first")
    clock.advance(DAY_S)
    assert await replies.begin("key_1", "idem", BODY) is not None

    clock.advance(1)
    await run_once(replies, writer, clock, body=b"second")

    stored = await replies.begin("key_1", "idem", BODY)
    assert stored is not None and stored.body == b"second"


async def test_an_expired_key_may_come_with_another_body(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock)
    clock.advance(DAY_S + 1)

    assert await replies.begin("key_1", "idem", OTHER_BODY) is None


async def test_a_body_of_4_mib_is_kept_and_a_larger_one_is_not(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock, body=b"x" * MAX_BODY_BYTES)

    stored = await replies.begin("key_1", "idem", BODY)
    rows = replies.rows_of("key_1", "idem", BODY, 200, HEADERS, b"x" * (MAX_BODY_BYTES + 1), 0)

    assert stored is not None and len(stored.body) == MAX_BODY_BYTES
    assert rows == []


async def test_a_key_that_cannot_be_one_is_refused(replies: Replies):
    for key in ("", "k" * 256, "a\0b", "a\nb", "a\udcff"):
        with pytest.raises(BadRequest, match="Idempotency-Key"):
            await replies.begin("key_1", key, BODY)


async def test_a_key_of_255_characters_is_kept(replies: Replies, writer: Writer, clock: FakeClock):
    await run_once(replies, writer, clock, key="键" * 255)

    assert await replies.begin("key_1", "键" * 255, BODY) is not None


async def test_only_expired_replies_are_purged(replies: Replies, writer: Writer, clock: FakeClock, database: Database):
    for number in range(120):
        await run_once(replies, writer, clock, key=f"old {number}")
    clock.advance(DAY_S + 1)
    await run_once(replies, writer, clock, key="new")

    assert await replies.purge() == 120

    async with database.read() as read:
        assert (await read.execute(select(func.count()).select_from(idempotency))).scalar() == 1
    assert await replies.begin("key_1", "new", BODY) is not None


async def test_nothing_of_a_kept_reply_can_be_read_in_the_database(
    replies: Replies, writer: Writer, clock: FakeClock, database: Database
):
    await run_once(replies, writer, clock, body=b"the words of the model")

    async with database.read() as read:
        kept = (await read.execute(select(idempotency))).one()

    whole = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in kept)
    assert b"words" not in whole
    assert b"application/json" not in whole


async def test_a_reply_under_another_master_key_counts_as_never_run_with_one_warning(
    replies: Replies, writer: Writer, clock: FakeClock, database: Database
):
    await run_once(replies, writer, clock, body=b"first")
    changed = replies_of(database, writer, clock, key=bytes(32))

    with capture_logs() as logs:
        await run_once(changed, writer, clock, body=b"second")
        stored = await changed.begin("key_1", "idem", BODY)

    assert stored is not None and stored.body == b"second"
    assert [(log["event"], log["log_level"], log["key_id"]) for log in logs] == [
        ("kept_reply_unsealable", "warning", "key_1")
    ]


async def test_a_reply_does_not_open_under_another_idempotency_key(
    replies: Replies, writer: Writer, clock: FakeClock, database: Database
):
    await run_once(replies, writer, clock, key="mine")
    async with database.tx() as tx:
        await tx.execute(text("UPDATE idempotency SET idempotency_key = 'theirs'"))

    assert await replies.begin("key_1", "theirs", BODY) is None
