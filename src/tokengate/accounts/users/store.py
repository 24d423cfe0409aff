"""People and their sessions in the database."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.accounts.audit import By
from tokengate.accounts.audit.store import record
from tokengate.accounts.tokens import digest_of_token, new_token
from tokengate.accounts.users import User
from tokengate.core.errors import Conflict, NotFound
from tokengate.storage.tables import identities, sessions, users

MAX_PAGE = 200

_USER = (
    users.c.id,
    users.c.email,
    users.c.name,
    users.c.operator,
    users.c.created_ms,
    users.c.disabled_ms,
    users.c.last_sign_in_ms,
    users.c.password_hash != "",
)


class SessionUser(Struct, frozen=True):
    """Whose session it is, and until when."""

    user: User
    expires_ms: int


async def create_user(
    tx: AsyncConnection, by: By, *, email: str, name: str, password_hash: str = "", operator: bool = False
) -> User:
    """Create a person; `email` as `read_email` returned it. Raises Conflict when the address is taken."""
    user_id = by.make_id("usr")
    values = {
        "id": user_id,
        "email": email,
        "name": name,
        "password_hash": password_hash,
        "operator": operator,
        "created_ms": by.now_ms,
    }
    try:
        async with tx.begin_nested():
            await tx.execute(insert(users).values(**values))
    except IntegrityError:
        raise Conflict("There is an account with this e-mail address.", code="email_taken", param="email") from None
    user = await get_user(tx, user_id)
    await record(tx, None, by, "user.create", user_id, after=user)
    return user


async def get_user(read: AsyncConnection, user_id: str) -> User:
    """Return one person. Raises NotFound."""
    row = (await read.execute(select(*_USER).where(users.c.id == user_id))).first()
    if row is None:
        raise NotFound(f"There is no user '{user_id}'.")
    return _user(row)


async def find_by_email(read: AsyncConnection, email: str) -> User | None:
    """Return who has this address."""
    row = (await read.execute(select(*_USER).where(users.c.email == email))).first()
    return None if row is None else _user(row)


async def password_hash_of(read: AsyncConnection, user_id: str) -> str:
    """Return the hash, empty when the person has no password."""
    return (await read.execute(select(users.c.password_hash).where(users.c.id == user_id))).scalar() or ""


async def list_users(read: AsyncConnection, *, q: str = "", after: str = "", limit: int = 50) -> list[User]:
    """Return everybody, oldest first; `q` is a part of the address or of the name."""
    assert 1 <= limit <= MAX_PAGE + 1
    query = select(*_USER).where(users.c.id > after)
    if q:
        query = query.where(
            users.c.email.contains(q.lower(), autoescape=True)
            | func.lower(users.c.name).contains(q.lower(), autoescape=True)
        )
    return [_user(row) for row in await read.execute(query.order_by(users.c.id).limit(limit))]


async def any_user(read: AsyncConnection) -> bool:
    """Return whether there is anybody yet."""
    return (await read.execute(select(users.c.id).limit(1))).first() is not None


async def set_password_hash(tx: AsyncConnection, by: By, user_id: str, password_hash: str) -> None:
    """Replace a password."""
    await tx.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))
    await record(tx, None, by, "user.password", user_id)


async def set_operator(tx: AsyncConnection, by: By, user_id: str, operator: bool) -> User:
    """Make somebody a platform operator, or none any more. Raises NotFound; Conflict for the last operator."""
    before = await get_user(tx, user_id)
    await tx.execute(update(users).where(users.c.id == user_id).values(operator=operator))
    after = await get_user(tx, user_id)
    if before.operator and not operator:
        await _require_operator(tx)
    await record(tx, None, by, "user.operator", user_id, before=before, after=after)
    return after


async def set_disabled(tx: AsyncConnection, by: By, user_id: str, disabled: bool) -> User:
    """Keep somebody from signing in, and end their sessions; or let them again. Raises NotFound; Conflict for the last
    operator."""
    before = await get_user(tx, user_id)
    at_ms = (before.disabled_ms or by.now_ms) if disabled else None
    await tx.execute(update(users).where(users.c.id == user_id).values(disabled_ms=at_ms))
    if disabled:
        await _require_operator(tx)
        await end_sessions(tx, user_id)
    after = await get_user(tx, user_id)
    await record(tx, None, by, "user.disable" if disabled else "user.enable", user_id, before=before, after=after)
    return after


class LinkedIdentity(Struct, frozen=True):
    """What the audit log says of a provider's subject that is somebody here."""

    provider: str


async def find_identity(read: AsyncConnection, provider: str, subject: str) -> User | None:
    """Return who a provider's subject is here."""
    query = select(*_USER).join(identities, identities.c.user_id == users.c.id)
    row = (await read.execute(query.where(identities.c.provider == provider, identities.c.subject == subject))).first()
    return None if row is None else _user(row)


async def add_identity(tx: AsyncConnection, by: By, user_id: str, provider: str, subject: str) -> None:
    """Note that a provider's subject is this person."""
    await tx.execute(
        insert(identities).values(provider=provider, subject=subject, user_id=user_id, created_ms=by.now_ms)
    )
    await record(tx, None, by, "user.identity", user_id, after=LinkedIdentity(provider))


async def open_session(tx: AsyncConnection, by: By, user_id: str, expires_ms: int) -> str:
    """Sign somebody in and return the session's token, which is not stored."""
    token = new_token()
    await tx.execute(
        insert(sessions).values(
            digest=digest_of_token(token),
            user_id=user_id,
            created_ms=by.now_ms,
            expires_ms=expires_ms,
            address=by.address,
        )
    )
    await tx.execute(update(users).where(users.c.id == user_id).values(last_sign_in_ms=by.now_ms))
    await tx.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_ms <= by.now_ms))
    await record(tx, None, by, "session.open", user_id)
    return token


async def find_session(read: AsyncConnection, token: str, now_ms: int) -> SessionUser | None:
    """Return whose session this is; None when it is unknown or over, or the person may not sign in any more."""
    query = select(sessions.c.expires_ms, *_USER).join(users, users.c.id == sessions.c.user_id)
    found = await read.execute(
        query.where(
            sessions.c.digest == digest_of_token(token), sessions.c.expires_ms > now_ms, users.c.disabled_ms.is_(None)
        )
    )
    row = found.first()
    return None if row is None else SessionUser(_user(row[1:]), row[0])


async def end_session(tx: AsyncConnection, by: By, token: str) -> None:
    """Sign out here."""
    ended = await tx.execute(delete(sessions).where(sessions.c.digest == digest_of_token(token)))
    if ended.rowcount:
        await record(tx, None, by, "session.end", by.id)


async def end_sessions(tx: AsyncConnection, user_id: str, *, but: str = "") -> int:
    """Sign somebody out everywhere, but for the session of the token `but`; return how many sessions ended."""
    query = delete(sessions).where(sessions.c.user_id == user_id)
    if but:
        query = query.where(sessions.c.digest != digest_of_token(but))
    return (await tx.execute(query)).rowcount


async def _require_operator(tx: AsyncConnection) -> None:
    left = await tx.execute(select(users.c.id).where(users.c.operator, users.c.disabled_ms.is_(None)).limit(1))
    if left.first() is None:
        raise Conflict("The platform needs an operator: this is the last one.", code="last_operator")


def _user(row: Sequence[Any]) -> User:
    *values, has_password = row
    return User(*values, has_password=bool(has_password))
