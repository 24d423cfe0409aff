"""Applications in the database. Every change tells the running gateways, which look again."""

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.apps import App
from tokengate.core.errors import NotFound
from tokengate.core.settings import AppSettings
from tokengate.storage.changes import bump, hold
from tokengate.storage.tables import apps

CHANGES = "apps"  # the kind that `storage/changes.py` watches

_APP = (apps.c.definition, apps.c.created_ms, apps.c.changed_ms, apps.c.disabled_ms)
_decode = msgspec.json.Decoder(AppSettings).decode


async def list_apps(read: AsyncConnection) -> list[App]:
    """Return every application by name."""
    rows = await read.execute(select(*_APP).order_by(apps.c.name))
    return [App(_decode(definition), *times) for definition, *times in rows]


async def get_app(read: AsyncConnection, name: str) -> App:
    """Return one application. Raises NotFound."""
    row = (await read.execute(select(*_APP).where(apps.c.name == name))).first()
    if row is None:
        raise NotFound(f"There is no application '{name}' that was published at run time.", code="no_such_app")
    definition, *times = row
    return App(_decode(definition), *times)


async def hold_apps(tx: AsyncConnection) -> None:
    """Let every change of an application wait for the end of this transaction."""
    await hold(tx, CHANGES)


async def add_app(tx: AsyncConnection, app: App) -> bool:
    """Store a new application; return whether its name was free."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(apps)
    added = await tx.execute(
        insert.values(
            name=app.name,
            definition=_written(app),
            created_ms=app.created_ms,
            changed_ms=app.changed_ms,
            disabled_ms=app.disabled_ms,
        )
        .on_conflict_do_nothing()
        .returning(apps.c.name)
    )
    if added.first() is None:
        return False
    await bump(tx, CHANGES)
    return True


async def change_app(tx: AsyncConnection, app: App) -> None:
    """Store what an application is from now on."""
    await tx.execute(
        update(apps)
        .where(apps.c.name == app.name)
        .values(definition=_written(app), changed_ms=app.changed_ms, disabled_ms=app.disabled_ms)
    )
    await bump(tx, CHANGES)


async def delete_app(tx: AsyncConnection, name: str) -> None:
    """Forget an application; its price versions stay, since bills name them."""
    await tx.execute(delete(apps).where(apps.c.name == name))
    await bump(tx, CHANGES)


def _written(app: App) -> str:
    return msgspec.json.encode(app.definition).decode()
