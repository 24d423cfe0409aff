"""The platform's settings and admin tokens in the database."""

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.accounts.audit import By
from tokengate.accounts.audit.store import record
from tokengate.accounts.platform import AdminToken, NewAdminToken, PortalSettings
from tokengate.accounts.tokens import ADMIN_PREFIX, digest_of_token, new_token
from tokengate.core.errors import NotFound
from tokengate.storage.changes import bump
from tokengate.storage.tables import admin_tokens, platform_settings

MAX_TOKENS = 1_000

_USED_PACE_MS = 60_000  # the time of the last use is written once a minute at most
_TOKEN = (
    admin_tokens.c.id,
    admin_tokens.c.name,
    admin_tokens.c.last4,
    admin_tokens.c.created_by,
    admin_tokens.c.created_ms,
    admin_tokens.c.expires_ms,
    admin_tokens.c.last_used_ms,
)


async def portal_settings(read: AsyncConnection, defaults: PortalSettings) -> PortalSettings:
    """Return the settings: what an operator set, else the configuration's."""
    rows = await read.execute(select(platform_settings.c.name, platform_settings.c.value))
    known = PortalSettings.__struct_fields__
    stored: dict[str, object] = {name: msgspec.json.decode(value) for name, value in rows if name in known}
    return msgspec.convert({**msgspec.to_builtins(defaults), **stored}, PortalSettings)


async def set_portal_settings(
    tx: AsyncConnection, by: By, defaults: PortalSettings, changes: dict[str, object]
) -> PortalSettings:
    """Change some settings; a null takes back to the configuration's. Raises msgspec.ValidationError."""
    before = await portal_settings(tx, defaults)
    for name, value in changes.items():
        assert name in PortalSettings.__struct_fields__, name
        await tx.execute(delete(platform_settings).where(platform_settings.c.name == name))
        if value is not None:
            text = msgspec.json.encode(value).decode()
            await tx.execute(insert(platform_settings).values(name=name, value=text))
    after = await portal_settings(tx, defaults)
    await bump(tx, "settings")
    await record(tx, None, by, "settings.update", "settings", before=before, after=after)
    return after


async def create_admin_token(tx: AsyncConnection, by: By, *, name: str, expires_ms: int | None) -> NewAdminToken:
    """Make a token with which a script acts as an operator."""
    token = new_token(ADMIN_PREFIX)
    info = AdminToken(by.make_id("tok"), name, token[-4:], by.id, by.now_ms, expires_ms, None)
    await tx.execute(
        insert(admin_tokens).values(
            id=info.id,
            name=name,
            digest=digest_of_token(token),
            last4=info.last4,
            created_by=by.id,
            created_ms=by.now_ms,
            expires_ms=expires_ms,
        )
    )
    await record(tx, None, by, "admin_token.create", info.id, after=info)
    return NewAdminToken(info, token)


async def list_admin_tokens(read: AsyncConnection) -> list[AdminToken]:
    """Return all tokens, the oldest first."""
    return [
        AdminToken(*row) for row in await read.execute(select(*_TOKEN).order_by(admin_tokens.c.id).limit(MAX_TOKENS))
    ]


async def find_admin_token(read: AsyncConnection, token: str, now_ms: int) -> AdminToken | None:
    """Return a usable token by its text."""
    row = (await read.execute(select(*_TOKEN).where(admin_tokens.c.digest == digest_of_token(token)))).first()
    if row is None:
        return None
    found = AdminToken(*row)
    return None if found.expires_ms is not None and found.expires_ms <= now_ms else found


def is_stale(token: AdminToken, now_ms: int) -> bool:
    """Return whether the time of its last use is old enough to be written again."""
    return token.last_used_ms is None or now_ms - token.last_used_ms >= _USED_PACE_MS


async def touch_admin_token(tx: AsyncConnection, token_id: str, now_ms: int) -> None:
    """Note that a token is used."""
    await tx.execute(update(admin_tokens).where(admin_tokens.c.id == token_id).values(last_used_ms=now_ms))


async def revoke_admin_token(tx: AsyncConnection, by: By, token_id: str) -> None:
    """End a token. Raises NotFound."""
    row = (await tx.execute(select(*_TOKEN).where(admin_tokens.c.id == token_id))).first()
    if row is None:
        raise NotFound(f"There is no admin token '{token_id}'.")
    await tx.execute(delete(admin_tokens).where(admin_tokens.c.id == token_id))
    await record(tx, None, by, "admin_token.revoke", token_id, before=AdminToken(*row))
