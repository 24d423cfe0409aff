import pytest
from msgspec import ValidationError
from sqlalchemy import insert, select

from tests.accounts.people import NOW_MS, a_user, an_org, by
from tokengate.accounts.audit.store import list_entries
from tokengate.accounts.orgs.store import create_project, invite, list_invitations
from tokengate.accounts.platform import PortalSettings, store
from tokengate.accounts.store import create_key, list_keys
from tokengate.accounts.upkeep.store import KEY_KEPT_MS, drop_expired
from tokengate.accounts.users.store import open_session
from tokengate.core.errors import NotFound
from tokengate.core.ids import new_id
from tokengate.storage.engine import Database
from tokengate.storage.tables import changes, wallets

DEFAULTS = PortalSettings("invitation", True, "TokenGate", "")


async def test_settings_are_the_configuration_s_until_somebody_sets_them(database: Database):
    async with database.tx() as tx:
        assert await store.portal_settings(tx, DEFAULTS) == DEFAULTS

        changed = await store.set_portal_settings(tx, by(), DEFAULTS, {"sign_up": "open", "portal_public": False})
        again = await store.set_portal_settings(tx, by(), DEFAULTS, {"sign_up": None, "contact": "x"})
        announced = (await tx.execute(select(changes.c.version).where(changes.c.kind == "settings"))).scalar()

    assert changed == PortalSettings("open", False, "TokenGate", "")
    assert again == PortalSettings("invitation", False, "TokenGate", "x") and announced == 2
    with pytest.raises(ValidationError):
        async with database.tx() as tx:
            await store.set_portal_settings(tx, by(), DEFAULTS, {"sign_up": "maybe"})
    async with database.read() as read:
        assert await store.portal_settings(read, DEFAULTS) == again


async def test_an_admin_token_is_known_by_its_text_until_it_ends(database: Database):
    async with database.tx() as tx:
        made = await store.create_admin_token(tx, by(), name="ci", expires_ms=NOW_MS + 100)

        assert await store.find_admin_token(tx, made.token, NOW_MS) == made.info
        assert await store.find_admin_token(tx, made.token, NOW_MS + 100) is None
        assert await store.find_admin_token(tx, "tgadm-another", NOW_MS) is None
        await store.touch_admin_token(tx, made.info.id, NOW_MS)
        (used,) = await store.list_admin_tokens(tx)
        assert used.last_used_ms == NOW_MS
        assert not store.is_stale(used, NOW_MS + 59_999) and store.is_stale(used, NOW_MS + 60_000)
        await store.revoke_admin_token(tx, by(), made.info.id)
        assert await store.find_admin_token(tx, made.token, NOW_MS) is None
        with pytest.raises(NotFound):
            await store.revoke_admin_token(tx, by(), made.info.id)
        assert made.token not in str(await list_entries(tx, None))


async def test_changes_are_listed_newest_first_by_org_group_and_page(database: Database):
    ours, theirs = await an_org(database), await an_org(database, "theirs")
    async with database.tx() as tx:
        for number in range(3):
            await create_project(tx, ours.id, by(), name=f"p{number}")

        entries = await list_entries(tx, ours.id)
        page = await list_entries(tx, ours.id, limit=2)
        rest = await list_entries(tx, ours.id, after=page[-1].id)

    assert [entry.action for entry in entries] == ["project.create"] * 3 + ["org.create"]
    assert page + rest == entries
    async with database.read() as read:
        assert {entry.org_id for entry in await list_entries(read, None)} == {ours.id, theirs.id}
        assert len(await list_entries(read, ours.id, action="project")) == 3
        assert await list_entries(read, ours.id, action="pro") == []
        assert [entry.after["name"] for entry in await list_entries(read, None, target=theirs.id)] == ["theirs"]


async def test_what_is_over_is_dropped_and_nothing_else(database: Database):
    org, user = await an_org(database), await a_user(database)
    async with database.tx() as tx:
        project = await create_project(tx, org.id, by(), name="p")
        await tx.execute(insert(wallets).values(id="wal_1", org_id=org.id, name="w", created_ms=NOW_MS))
        for name, kind in (("try it", "session"), ("script", "api")):
            await create_key(
                tx,
                org.id,
                wallet_id="wal_1",
                project_id=project.id,
                name=name,
                now_ms=NOW_MS,
                new_id=new_id,
                expires_ms=NOW_MS + 1,
                kind=kind,  # pyright: ignore[reportArgumentType]  # one of the two
            )
        await open_session(tx, by(), user.id, NOW_MS + 1)
        await invite(tx, org.id, by(), email="", role="viewer")

    async with database.tx() as tx:
        assert await drop_expired(tx, NOW_MS) == 0
        assert await drop_expired(tx, NOW_MS + 1) == 1
        assert len(await list_invitations(tx, org.id, NOW_MS)) == 1
        assert await drop_expired(tx, NOW_MS + 1 + KEY_KEPT_MS) == 2

        assert [key.name for key in await list_keys(tx, org.id)] == ["script"]
