"""What is to be told to the world outside. A lower layer puts a row here in its own transaction; `tasks/notify.py`
sends it, again and again until it is taken or given up.

A row is claimed by moving its due time on, so that a process that dies while it sends leaves nothing behind.
"""

from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.storage.tables import outbox

WAITING, SENT, DEAD = "waiting", "sent", "dead"

MAX_PAGE = 100
_MAX_ANSWER_CHARS = 500


class Message(Struct, frozen=True):
    """A row of the outbox. `subject` is the id of what it is about; `answer` what became of the last try."""

    id: str
    org_id: str
    subject: str
    kind: str
    body: str
    state: str
    tries: int
    due_ms: int
    created_ms: int
    ended_ms: int | None
    answer: str


async def put(
    tx: AsyncConnection, org_id: str, *, message_id: str, subject: str, kind: str, body: str, now_ms: int
) -> None:
    """Have a message sent once this transaction commits."""
    await tx.execute(
        insert(outbox).values(
            id=message_id,
            org_id=org_id,
            subject=subject,
            kind=kind,
            body=body,
            state=WAITING,
            tries=0,
            due_ms=now_ms,
            created_ms=now_ms,
            answer="",
        )
    )


async def any_due(read: AsyncConnection, now_ms: int) -> bool:
    """Return whether a message of any org is due: most looks end here, and take no turn to write."""
    due = select(outbox.c.id).where(outbox.c.state == WAITING, outbox.c.due_ms <= now_ms).limit(1)
    return (await read.execute(due)).first() is not None


async def claim_due(tx: AsyncConnection, now_ms: int, again_ms: int, limit: int) -> list[Message]:
    """Return messages of every org that are due, each counted as tried and not due again before `again_ms`."""
    due = (
        select(outbox.c.id)
        .where(outbox.c.state == WAITING, outbox.c.due_ms <= now_ms)
        .order_by(outbox.c.due_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claim = update(outbox).where(outbox.c.id.in_(due)).values(due_ms=again_ms, tries=outbox.c.tries + 1)
    return [Message(*row) for row in await tx.execute(claim.returning(*_MESSAGE))]


async def end(tx: AsyncConnection, message_id: str, state: str, answer: str, now_ms: int) -> None:
    """Note that a message was taken, or that it is given up."""
    assert state in (SENT, DEAD)
    values = {"state": state, "answer": answer[:_MAX_ANSWER_CHARS], "ended_ms": now_ms}
    await tx.execute(update(outbox).where(outbox.c.id == message_id, outbox.c.state == WAITING).values(values))


async def put_off(tx: AsyncConnection, message_id: str, answer: str, due_ms: int) -> None:
    """Note that a try failed, and when the next one is due."""
    values = {"answer": answer[:_MAX_ANSWER_CHARS], "due_ms": due_ms}
    await tx.execute(update(outbox).where(outbox.c.id == message_id, outbox.c.state == WAITING).values(values))


async def list_messages(read: AsyncConnection, org_id: str, subject: str, *, limit: int = 20) -> list[Message]:
    """Return the newest messages about something."""
    query = select(*_MESSAGE).where(outbox.c.subject == subject, outbox.c.org_id == org_id)
    rows = await read.execute(query.order_by(outbox.c.id.desc()).limit(min(limit, MAX_PAGE)))
    return [Message(*row) for row in rows]


async def drop_ended(tx: AsyncConnection, before_ms: int) -> int:
    """Forget messages of every org that ended before; return how many."""
    return (await tx.execute(delete(outbox).where(outbox.c.state != WAITING, outbox.c.ended_ms < before_ms))).rowcount


_MESSAGE = (
    outbox.c.id,
    outbox.c.org_id,
    outbox.c.subject,
    outbox.c.kind,
    outbox.c.body,
    outbox.c.state,
    outbox.c.tries,
    outbox.c.due_ms,
    outbox.c.created_ms,
    outbox.c.ended_ms,
    outbox.c.answer,
)
