"""What is kept of responses in the background: whose they are, who makes them, and the events of their streams."""

import json
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import func, insert, select

from tests.support import FakeClock
from tokengate.conversations.background import Background, Backgrounds
from tokengate.conversations.responses import Conversations, StoredResponse
from tokengate.core.errors import BadRequest
from tokengate.core.sealing import Sealer
from tokengate.storage.engine import Database
from tokengate.storage.tables import background_responses, response_events, tellers
from tokengate.storage.writer import CommitFailed, Writer

KEY = bytes(range(32))
DAY_S = 86_400
ORG, PROJECT = "org_1", "proj_1"
ONE = Background(
    id="resp_1",
    org_id=ORG,
    project_id=PROJECT,
    key_id="key_1",
    previous_id=None,
    body=b'{"input":"a secret"}',
    items=(b'{"id":"in_1"}',),
    response=b'{"id":"resp_1","status":"queued","background":true,"output":[]}',
    client_request_id=None,
    streams=True,
    created_ms=0,
)


@pytest.fixture
async def writer(database: Database) -> AsyncGenerator[Writer, None]:
    writer = Writer(database)
    await writer.start()
    yield writer
    await writer.close()


@pytest.fixture
def kept(database: Database, clock: FakeClock) -> Backgrounds:
    return Backgrounds(database, Sealer(KEY), clock)


@pytest.fixture
def conversations(database: Database, kept: Backgrounds, clock: FakeClock) -> Conversations:
    return Conversations(database, kept, Sealer(KEY), clock)


async def live(database: Database, *names: str) -> None:
    async with database.tx() as tx:
        for name in names:
            await tx.execute(insert(tellers).values(id=name, started_ms=0, heartbeat_ms=0))


async def test_one_is_shown_as_it_stands(
    kept: Backgrounds, conversations: Conversations, writer: Writer, database: Database
) -> None:
    await live(database, "tel_1")
    await writer.commit([kept.row_of(ONE, "tel_1")])
    statuses = [(await conversations.get(ORG, PROJECT, "resp_1")).standing.status]
    await kept.begin("resp_1", "tel_1")
    statuses.append((await conversations.get(ORG, PROJECT, "resp_1")).standing.status)
    await kept.ask(ORG, PROJECT, "resp_1", "cancel")
    shown = await conversations.get(ORG, PROJECT, "resp_1")

    assert [*statuses, shown.standing.status] == ["queued", "in_progress", "cancelled"]
    assert shown.items == ONE.items and json.loads(shown.response)["id"] == "resp_1"
    assert await kept.wishes("tel_1") == [("resp_1", "cancel")] and await kept.wishes("tel_2") == []


async def test_one_of_another_org_or_project_is_not_there(kept: Backgrounds, writer: Writer) -> None:
    await writer.commit([kept.row_of(ONE, "tel_1")])

    for org_id, project_id in (("org_2", PROJECT), (ORG, "proj_2")):
        assert await kept.find(org_id, project_id, "resp_1") is None
        assert not await kept.ask(org_id, project_id, "resp_1", "cancel")
        assert not await kept.is_there(org_id, project_id, "resp_1")


async def test_one_that_is_deleted_is_there_for_its_maker_alone(kept: Backgrounds, writer: Writer) -> None:
    await writer.commit([kept.row_of(ONE, "tel_1")])
    await kept.ask(ORG, PROJECT, "resp_1", "delete")

    assert await kept.find(ORG, PROJECT, "resp_1") is None
    assert not await kept.ask(ORG, PROJECT, "resp_1", "cancel")
    assert await kept.is_there(ORG, PROJECT, "resp_1") and await kept.wishes("tel_1") == [("resp_1", "delete")]


async def test_one_cannot_be_continued_before_it_has_ended_well(
    kept: Backgrounds, conversations: Conversations, writer: Writer
) -> None:
    refusals: list[str] = []
    await writer.commit([kept.row_of(ONE, "tel_1")])
    for status in ("queued", "failed", "cancelled"):
        if status != "queued":
            response = json.dumps({"id": status, "status": status, "output": []}).encode()
            await writer.commit([conversations.row_of(ORG, PROJECT, StoredResponse(status, None, response, ()))])
        with pytest.raises(BadRequest) as refused:
            await conversations.history(ORG, PROJECT, "resp_1" if status == "queued" else status)
        refusals.append(refused.value.message)

    assert [status in words for status, words in zip(("queued", "failed", "cancelled"), refusals, strict=True)] == [
        True
    ] * 3


async def test_what_nobody_makes_is_claimed_once_and_made_again(
    kept: Backgrounds, writer: Writer, database: Database, clock: FakeClock
) -> None:
    await live(database, "tel_1", "tel_2")
    await writer.commit([kept.row_of(ONE, "tel_1")])
    living = await kept.claim("tel_2", 10)
    await kept.leave("resp_1", "tel_2", tries=0, pause_ms=0)  # not its own
    foreign = await kept.claim("tel_2", 10)
    await kept.leave("resp_1", "tel_1", tries=1, pause_ms=5_000)
    early = await kept.claim("tel_2", 10)
    clock.advance(5)
    (claimed,) = await kept.claim("tel_2", 10)
    again = await kept.claim("tel_1", 10)

    assert living == foreign == early == again == []
    assert (claimed.body, claimed.tries, claimed.state) == (ONE.body, 2, "queued")


async def test_only_who_makes_one_ends_it(
    kept: Backgrounds, conversations: Conversations, writer: Writer, database: Database
) -> None:
    await writer.commit([kept.row_of(ONE, "tel_1")])
    stored = conversations.row_of(ORG, PROJECT, StoredResponse("resp_1", None, ONE.response, ()))

    assert not await kept.end("resp_1", "tel_2", [stored])
    assert await kept.end("resp_1", "tel_1", [stored])
    assert not await kept.end("resp_1", "tel_1", [stored])


async def test_of_two_that_made_the_same_one_is_stored(
    kept: Backgrounds, conversations: Conversations, writer: Writer
) -> None:
    await writer.commit([kept.row_of(ONE, "tel_1")])
    rows = [
        conversations.row_of(ORG, PROJECT, StoredResponse("resp_1", None, ONE.response, ())),
        kept.dropped("resp_1"),
    ]
    await writer.commit(rows)

    with pytest.raises(CommitFailed):
        await writer.commit(rows)


async def test_events_are_read_from_any_number_on_also_where_rows_overlap(kept: Backgrounds, writer: Writer) -> None:
    frames = [b"%d" % number for number in range(12)]
    await writer.commit([kept.events_of(ONE, 0, frames[:2])])
    await writer.commit([kept.events_of(ONE, 2, frames[2:5])])
    await writer.commit([kept.events_of(ONE, 3, frames[3:9])])
    await writer.commit([kept.events_of(ONE, 5, frames[5:])])

    for number in range(13):
        assert await kept.events(ORG, PROJECT, "resp_1", number) == frames[number:]
    assert await kept.told("resp_1") == 12


async def test_what_is_missing_between_events_is_not_passed_over(kept: Backgrounds, writer: Writer) -> None:
    await writer.commit([kept.events_of(ONE, 0, [b"0", b"1"]), kept.events_of(ONE, 3, [b"3"])])

    assert await kept.events(ORG, PROJECT, "resp_1", 0) == [b"0", b"1"]


async def test_all_of_it_is_sealed_and_gone_under_another_master_key(
    kept: Backgrounds, writer: Writer, database: Database, clock: FakeClock
) -> None:
    await live(database, "tel_2")
    await writer.commit([kept.row_of(ONE, "tel_1"), kept.events_of(ONE, 0, [b"a secret"])])
    async with database.read() as read:
        rows = [
            (await read.execute(select(table.c.content))).scalar_one()
            for table in (background_responses, response_events)
        ]
    other = Backgrounds(database, Sealer(bytes(32)), clock)

    assert all(b"secret" not in row for row in rows)
    assert await other.find(ORG, PROJECT, "resp_1") is None
    assert await other.events(ORG, PROJECT, "resp_1", 0) == []
    assert await other.claim("tel_2", 10) == [] and not await kept.is_there(ORG, PROJECT, "resp_1")


async def test_events_live_as_long_as_responses(
    kept: Backgrounds, conversations: Conversations, writer: Writer, database: Database, clock: FakeClock
) -> None:
    await writer.commit([kept.events_of(ONE, 0, [b"0"])])
    clock.advance(29 * DAY_S)
    await conversations.purge()
    early = await kept.told("resp_1")
    clock.advance(2 * DAY_S)
    await conversations.purge()
    async with database.read() as read:
        left = (await read.execute(select(func.count()).select_from(response_events))).scalar_one()

    assert (early, left) == (1, 0)
