"""The audit log in the database: written in the transaction of the change itself, never changed."""

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.accounts.audit import Action, AuditEntry, By, difference
from tokengate.storage.tables import audit

MAX_PAGE = 200

_ENTRY = (
    audit.c.id,
    audit.c.org_id,
    audit.c.at_ms,
    audit.c.actor_kind,
    audit.c.actor_id,
    audit.c.actor_name,
    audit.c.address,
    audit.c.action,
    audit.c.target,
    audit.c.before,
    audit.c.after,
)
_decode = msgspec.json.Decoder(dict[str, object]).decode


async def record(
    tx: AsyncConnection,
    org_id: str | None,
    by: By,
    action: Action,
    target: str,
    *,
    before: Struct | None = None,
    after: Struct | None = None,
) -> None:
    """Write down a change of an org, or of the platform. The structs must hold no secret."""
    old, new = difference(before, after)
    if before is not None and after is not None and not old and not new:
        return
    await tx.execute(
        insert(audit).values(
            id=by.make_id("aud"),
            org_id=org_id,
            at_ms=by.now_ms,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_name=by.name,
            address=by.address,
            action=action,
            target=target,
            before=msgspec.json.encode(old).decode(),
            after=msgspec.json.encode(new).decode(),
        )
    )


async def list_entries(
    read: AsyncConnection, org_id: str | None, *, action: str = "", target: str = "", after: str = "", limit: int = 50
) -> list[AuditEntry]:
    """Return changes, the newest first: of one org, or of everything when `org_id` is None. `after` is the id of
    the last one seen; `action` may be a whole one or a group such as `key`."""
    assert 1 <= limit <= MAX_PAGE + 1
    query = select(*_ENTRY)
    if org_id is not None:
        query = query.where(audit.c.org_id == org_id)
    if action:
        query = query.where((audit.c.action == action) | audit.c.action.startswith(f"{action}.", autoescape=True))
    if target:
        query = query.where(audit.c.target == target)
    if after:
        query = query.where(audit.c.id < after)
    rows = await read.execute(query.order_by(audit.c.id.desc()).limit(limit))
    return [AuditEntry(*values, before=_decode(old), after=_decode(new)) for *values, old, new in rows]
