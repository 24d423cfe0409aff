"""The tables of responses in the background and of their events. Content is sealed before it comes here."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import background_responses, response_events, tellers
from tokengate.storage.writer import Insert
from tokengate.storage.writer.apply import apply

DELETE = "delete"  # the wish of a caller for whom the response is gone already

_columns = background_responses.c


class Row(Struct, frozen=True):
    """One response that has not ended; `content` is still sealed."""

    id: str
    org_id: str
    project_id: str
    key_id: str
    state: str
    wish: str
    streams: bool
    tries: int
    owner: str
    due_ms: int
    created_ms: int
    content: bytes


async def find(read: AsyncConnection, org_id: str, project_id: str, response_id: str) -> Row | None:
    """Return a response that has not ended, unless it was deleted."""
    query = select(background_responses).where(
        *_of(org_id, project_id), _columns.id == response_id, _columns.wish != DELETE
    )
    row = (await read.execute(query)).one_or_none()
    return None if row is None else Row(*row)


async def is_there(read: AsyncConnection, org_id: str, project_id: str, response_id: str) -> bool:
    """Say whether a response has not ended, deleted or not."""
    query = select(_columns.id).where(*_of(org_id, project_id), _columns.id == response_id)
    return (await read.execute(query)).first() is not None


async def ask(tx: AsyncConnection, org_id: str, project_id: str, response_id: str, wish: str) -> bool:
    """Note what a caller wishes of the process that runs a response, or of the one that takes it up, which may do so
    at once; False when it has ended, or was deleted."""
    one = update(background_responses).where(
        *_of(org_id, project_id), _columns.id == response_id, _columns.wish != DELETE
    )
    return (await tx.execute(one.values(wish=wish, due_ms=0))).rowcount == 1


async def wishes(read: AsyncConnection, owner: str) -> list[tuple[str, str]]:
    """Return what is wished of one process, of responses of every org: their ids, and the wishes."""
    rows = await read.execute(select(_columns.id, _columns.wish).where(_columns.owner == owner, _columns.wish != ""))
    return [(id, wish) for id, wish in rows]


async def any_due(read: AsyncConnection, now_ms: int) -> bool:
    """Return whether a response of any org waits for somebody: most looks end here, and take no turn to write."""
    return (await read.execute(select(_columns.id).where(*_due(now_ms)).limit(1))).first() is not None


async def claim(tx: AsyncConnection, owner: str, now_ms: int, limit: int) -> list[Row]:
    """Return responses of every org that nobody runs, as the owner's own from now on, with one more try: those that
    were left, and those whose owner is a teller no more."""
    due = select(_columns.id).where(*_due(now_ms)).order_by(_columns.created_ms).limit(limit)
    mine = update(background_responses).where(_columns.id.in_(due.with_for_update(skip_locked=True)))
    rows = await tx.execute(mine.values(owner=owner, tries=_columns.tries + 1).returning(background_responses))
    return [Row(*row) for row in rows]


async def begin(tx: AsyncConnection, response_id: str, owner: str) -> None:
    """Note that a response is being made."""
    await tx.execute(update(background_responses).where(*_mine(response_id, owner)).values(state="in_progress"))


async def leave(tx: AsyncConnection, response_id: str, owner: str, tries: int, due_ms: int) -> None:
    """Leave a response to whoever takes it up first when it is due."""
    one = update(background_responses).where(*_mine(response_id, owner))
    await tx.execute(one.values(owner="", state="queued", tries=tries, due_ms=due_ms))


async def end(tx: AsyncConnection, response_id: str, owner: str, rows: Sequence[Insert]) -> bool:
    """End a response that the owner still runs, with these rows; False when it is another's, or has ended."""
    if (await tx.execute(delete(background_responses).where(*_mine(response_id, owner)))).rowcount != 1:
        return False
    await apply(tx, rows)
    return True


async def events(read: AsyncConnection, response_id: str, number: int, limit: int) -> list[tuple[int, bytes]]:
    """Return rows that end with event `number` or a later one: the last event's number, and what is sealed."""
    columns = response_events.c
    query = select(columns.last_number, columns.content).where(
        columns.response_id == response_id, columns.last_number >= number
    )
    rows = await read.execute(query.order_by(columns.last_number).limit(limit))
    return [(last, content) for last, content in rows]


async def last_number(read: AsyncConnection, response_id: str) -> int | None:
    """Return the number of the last event of a response; None when it has none."""
    columns = response_events.c
    query = select(func.max(columns.last_number)).where(columns.response_id == response_id)
    return (await read.execute(query)).scalar_one()


async def delete_events(tx: AsyncConnection, response_id: str) -> None:
    """Delete the events of one response."""
    await tx.execute(delete(response_events).where(response_events.c.response_id == response_id))


async def delete_events_before(tx: AsyncConnection, before_ms: int, limit: int) -> int:
    """Delete the events of at most `limit` responses of every org that told them before; return of how many."""
    columns = response_events.c
    old = select(columns.response_id).where(columns.created_ms < before_ms).distinct().limit(limit)
    ids = list((await tx.execute(old)).scalars())
    await tx.execute(delete(response_events).where(columns.response_id.in_(ids)))
    return len(ids)


def _of(org_id: str, project_id: str) -> tuple[ColumnElement[bool], ...]:
    return (_columns.org_id == org_id, _columns.project_id == project_id)


def _mine(response_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
    return (_columns.id == response_id, _columns.owner == owner)


def _due(now_ms: int) -> tuple[ColumnElement[bool], ...]:
    unowned = (_columns.owner == "") | _columns.owner.not_in(select(tellers.c.id))
    return (_columns.due_ms <= now_ms, unowned)
