"""Responses that are kept: whose they are, for how long, and the conversation that they make."""

import json
from collections.abc import AsyncGenerator

import pytest
from msgspec import Raw
from sqlalchemy import func, select, update

from tests.support import FakeClock
from tokengate.conversations.background import Backgrounds
from tokengate.conversations.responses import MAX_CHAIN, Conversations, StoredResponse
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.sealing import Sealer
from tokengate.storage.engine import Database
from tokengate.storage.tables import stored_responses
from tokengate.storage.writer import Writer

KEY = bytes(range(32))
DAY_S = 86_400
ORG, PROJECT = "org_1", "proj_1"


@pytest.fixture
async def writer(database: Database) -> AsyncGenerator[Writer, None]:
    writer = Writer(database)
    await writer.start()
    yield writer
    await writer.close()


@pytest.fixture
def kept(database: Database, clock: FakeClock) -> Conversations:
    sealer = Sealer(KEY)
    return Conversations(database, Backgrounds(database, sealer, clock), sealer, clock)


def response(number: int, previous: int | None = None) -> StoredResponse:
    """Return a response that said its own number."""
    answer = {
        "id": f"resp_{number}",
        "status": "completed",
        "output": [{"id": f"msg_{number}", "type": "message", "content": number}],
    }
    return StoredResponse(
        f"resp_{number}",
        None if previous is None else f"resp_{previous}",
        json.dumps(answer).encode(),
        (json.dumps({"id": f"in_{number}"}).encode(),),
    )


async def keep(kept: Conversations, writer: Writer, *stored: StoredResponse) -> None:
    await writer.commit([kept.row_of(ORG, PROJECT, one) for one in stored])


def ids_of(items: list[Raw]) -> list[str]:
    return [json.loads(bytes(item))["id"] for item in items]


async def test_a_response_is_found_again_as_it_was(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(1))

    assert await kept.get(ORG, PROJECT, "resp_1") == response(1)


async def test_a_response_of_others_is_not_there(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(1))

    for org_id, project_id in (("org_2", PROJECT), (ORG, "proj_2")):
        with pytest.raises(NotFound):
            await kept.get(org_id, project_id, "resp_1")
        with pytest.raises(NotFound):
            await kept.delete(org_id, project_id, "resp_1")
        with pytest.raises(BadRequest):
            await kept.history(org_id, project_id, "resp_1")
    assert (await kept.get(ORG, PROJECT, "resp_1")).id == "resp_1"


async def test_a_deleted_response_is_gone_once(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(1))

    await kept.delete(ORG, PROJECT, "resp_1")

    for gone in (kept.get(ORG, PROJECT, "resp_1"), kept.delete(ORG, PROJECT, "resp_1")):
        with pytest.raises(NotFound) as missing:
            await gone
        assert "'resp_1'" in missing.value.message


async def test_the_history_is_what_was_asked_and_answered_from_the_beginning(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(1), response(2, 1), response(3, 2), response(9, 1))

    items = await kept.history(ORG, PROJECT, "resp_3")

    assert ids_of(items) == ["in_1", "msg_1", "in_2", "msg_2", "in_3", "msg_3"]


async def test_a_conversation_may_be_continued_twice_from_one_place(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(1), response(2, 1), response(3, 1))

    assert ids_of(await kept.history(ORG, PROJECT, "resp_2"))[2:] == ["in_2", "msg_2"]
    assert ids_of(await kept.history(ORG, PROJECT, "resp_3"))[2:] == ["in_3", "msg_3"]


async def test_a_conversation_with_a_hole_names_what_is_missing(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(1), response(2, 1), response(3, 2))
    await kept.delete(ORG, PROJECT, "resp_1")

    with pytest.raises(BadRequest) as refused:
        await kept.history(ORG, PROJECT, "resp_3")

    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    assert "'resp_1'" in refused.value.message


async def test_a_circle_ends(kept: Conversations, writer: Writer, database: Database):
    await keep(kept, writer, response(1), response(2, 1))
    async with database.tx() as tx:
        await tx.execute(update(stored_responses).where(stored_responses.c.id == "resp_1").values(previous_id="resp_2"))

    with pytest.raises(BadRequest) as refused:
        await kept.history(ORG, PROJECT, "resp_2")

    assert refused.value.code == "conversation_too_long"


async def test_a_conversation_has_a_longest_length(kept: Conversations, writer: Writer):
    await keep(kept, writer, response(0), *(response(number, number - 1) for number in range(1, MAX_CHAIN + 1)))

    items = await kept.history(ORG, PROJECT, f"resp_{MAX_CHAIN - 1}")
    with pytest.raises(BadRequest) as refused:
        await kept.history(ORG, PROJECT, f"resp_{MAX_CHAIN}")

    assert len(items) == 2 * MAX_CHAIN
    assert refused.value.code == "conversation_too_long"


async def test_a_conversation_has_a_largest_size(kept: Conversations, writer: Writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tokengate.conversations.responses.MAX_HISTORY_BYTES", 100)
    await keep(kept, writer, response(1), response(2, 1))

    with pytest.raises(BadRequest) as refused:
        await kept.history(ORG, PROJECT, "resp_2")

    assert refused.value.code == "conversation_too_long"


async def test_those_of_several_responses_that_are_there_are_found(kept: Conversations, writer: Writer):
    await keep(kept, writer, *map(response, range(150)))

    found = await kept.find(ORG, PROJECT, [f"resp_{number}" for number in range(100, 250)])

    assert {one.id for one in found} == {f"resp_{number}" for number in range(100, 150)}
    assert await kept.find("org_2", PROJECT, ["resp_1"]) == await kept.find(ORG, PROJECT, []) == []


async def test_only_so_much_is_found_at_once(kept: Conversations, writer: Writer, monkeypatch: pytest.MonkeyPatch):
    await keep(kept, writer, response(1), response(2))

    with pytest.raises(BadRequest) as many:
        await kept.find(ORG, PROJECT, [f"resp_{number}" for number in range(MAX_CHAIN + 1)])
    monkeypatch.setattr("tokengate.conversations.responses.MAX_HISTORY_BYTES", 100)
    with pytest.raises(BadRequest) as large:
        await kept.find(ORG, PROJECT, ["resp_1", "resp_2"])

    assert many.value.code == large.value.code == "conversation_too_long"


async def test_after_thirty_days_a_response_is_gone_before_it_is_deleted(
    kept: Conversations, writer: Writer, clock: FakeClock, database: Database
):
    await keep(kept, writer, response(1))
    clock.advance(29 * DAY_S)
    await keep(kept, writer, response(2))

    assert await kept.purge() == 0
    assert (await kept.get(ORG, PROJECT, "resp_1")).id == "resp_1"
    clock.advance(1 * DAY_S + 1)
    with pytest.raises(NotFound):
        await kept.get(ORG, PROJECT, "resp_1")

    assert await kept.purge() == 1
    async with database.read() as read:
        assert (await read.execute(select(func.count()).select_from(stored_responses))).scalar() == 1


async def test_many_old_responses_are_deleted_in_small_steps(kept: Conversations, writer: Writer, clock: FakeClock):
    await keep(kept, writer, *map(response, range(250)))
    clock.advance(31 * DAY_S)

    assert await kept.purge() == 250


async def test_what_is_at_rest_tells_nothing(kept: Conversations, writer: Writer, database: Database):
    secret = StoredResponse("resp_1", None, b'{"output":[{"text":"a very secret word"}]}', (b'"another secret"',))
    await writer.commit([kept.row_of(ORG, PROJECT, secret)])

    async with database.read() as read:
        row = (await read.execute(select(stored_responses))).one()

    assert b"secret" not in row.content and row.size_bytes == len(row.content)


async def test_under_another_master_key_a_response_is_gone(
    kept: Conversations, writer: Writer, database: Database, clock: FakeClock
):
    await keep(kept, writer, response(1))
    sealer = Sealer(bytes(32))
    other = Conversations(database, Backgrounds(database, sealer, clock), sealer, clock)

    with pytest.raises(NotFound):
        await other.get(ORG, PROJECT, "resp_1")
    with pytest.raises(BadRequest) as refused:
        await other.history(ORG, PROJECT, "resp_1")

    assert refused.value.code == "previous_response_not_found"


async def test_a_response_that_was_moved_does_not_open(kept: Conversations, writer: Writer, database: Database):
    await keep(kept, writer, response(1))
    async with database.tx() as tx:
        await tx.execute(update(stored_responses).values(org_id="org_2"))

    with pytest.raises(NotFound):
        await kept.get("org_2", PROJECT, "resp_1")
