import pytest
from sqlalchemy import insert, select

from tests.support import FakeClock
from tokengate.accounts.keyring import KeyRing
from tokengate.accounts.keys import NO_LIMITS, Budget, KeyLimits, KeyRules
from tokengate.accounts.store import (
    DEFAULT_ORG,
    CreatedKey,
    change_key,
    create_key,
    disable_key,
    enable_key,
    ensure_default_org,
    get_key,
    list_keys,
    rotate_key,
    set_limits,
)
from tokengate.core.errors import BadKey, NotFound
from tokengate.core.ids import new_id
from tokengate.core.networks import read_networks
from tokengate.storage.engine import Database
from tokengate.storage.tables import changes, keys, wallets

NOW_MS = 1_790_000_000_000


async def create(database: Database, name: str = "mine", *, expires_ms: int | None = None) -> CreatedKey:
    async with database.tx() as tx:
        await ensure_default_org(tx, NOW_MS)
        if (await tx.execute(select(wallets.c.id).where(wallets.c.id == "wal_1"))).first() is None:
            await tx.execute(insert(wallets).values(id="wal_1", org_id=DEFAULT_ORG, name="w", created_ms=NOW_MS))
        return await create_key(
            tx,
            DEFAULT_ORG,
            wallet_id="wal_1",
            name=name,
            now_ms=NOW_MS,
            new_id=new_id,
            limits=KeyLimits(requests_per_minute=5),
            expires_ms=expires_ms,
        )


async def ring_of(database: Database, clock: FakeClock) -> KeyRing:
    ring = KeyRing(database, clock)
    await ring.load()
    return ring


async def version(database: Database) -> int:
    async with database.read() as read:
        return (await read.execute(select(changes.c.version).where(changes.c.kind == "keys"))).scalar() or 0


async def test_a_created_key_is_found_by_its_text_alone(database: Database, clock: FakeClock):
    created = await create(database)

    principal = (await ring_of(database, clock)).find(created.key)

    assert principal.key_id == created.id
    assert (principal.org_id, principal.project_id, principal.wallet_id) == (DEFAULT_ORG, "proj_default", "wal_1")
    assert principal.limits == KeyLimits(requests_per_minute=5)


async def test_the_text_of_a_key_is_nowhere_in_its_row(database: Database):
    created = await create(database)

    async with database.read() as read:
        row = (await read.execute(select(keys))).one()

    assert created.key not in str(tuple(row))
    assert row.prefix == created.key[:8]
    assert row.last4 == created.key[-4:]


async def test_an_unknown_key_is_refused(database: Database, clock: FakeClock):
    ring = await ring_of(database, clock)

    for token in ("", "sk-unknown", "sk-\udcff"):
        with pytest.raises(BadKey, match=r"^Incorrect API key provided\. $"):
            ring.find(token)


async def test_a_disabled_key_is_refused_with_the_reason_until_it_is_enabled(database: Database, clock: FakeClock):
    created = await create(database)
    async with database.tx() as tx:
        await disable_key(tx, DEFAULT_ORG, created.id, NOW_MS)
        await disable_key(tx, DEFAULT_ORG, created.id, NOW_MS + 1)
    with pytest.raises(BadKey, match="disabled"):
        (await ring_of(database, clock)).find(created.key)
    async with database.read() as read:
        assert (await get_key(read, DEFAULT_ORG, created.id)).disabled_ms == NOW_MS

    async with database.tx() as tx:
        await enable_key(tx, DEFAULT_ORG, created.id)

    assert (await ring_of(database, clock)).find(created.key).key_id == created.id


async def test_a_key_is_refused_from_the_moment_it_expires(database: Database, clock: FakeClock):
    created = await create(database, expires_ms=int(clock.now_s() * 1000) + 60_000)
    ring = await ring_of(database, clock)
    clock.advance(59.5)
    assert ring.find(created.key).key_id == created.id

    clock.advance(0.5)

    with pytest.raises(BadKey, match="expired"):
        ring.find(created.key)


async def test_a_rotated_key_keeps_its_id_and_its_old_text_is_unknown(database: Database, clock: FakeClock):
    created = await create(database)

    async with database.tx() as tx:
        rotated = await rotate_key(tx, DEFAULT_ORG, created.id)

    ring = await ring_of(database, clock)
    assert rotated.id == created.id and rotated.key != created.key
    assert ring.find(rotated.key).limits == KeyLimits(requests_per_minute=5)
    with pytest.raises(BadKey):
        ring.find(created.key)


async def test_limits_are_replaced_as_a_whole(database: Database, clock: FakeClock):
    created = await create(database)

    async with database.tx() as tx:
        await set_limits(tx, DEFAULT_ORG, created.id, KeyLimits(concurrency=2, spend_per_day_nano=10**12))

    limits = (await ring_of(database, clock)).find(created.key).limits
    assert limits == KeyLimits(concurrency=2, spend_per_day_nano=10**12)
    async with database.tx() as tx:
        await set_limits(tx, DEFAULT_ORG, created.id, NO_LIMITS)
    assert (await ring_of(database, clock)).find(created.key).limits is NO_LIMITS


async def test_every_change_of_a_key_is_announced(database: Database):
    versions = [await version(database)]
    created = await create(database)
    versions.append(await version(database))

    async with database.tx() as tx:
        await disable_key(tx, DEFAULT_ORG, created.id, NOW_MS)
    versions.append(await version(database))
    async with database.tx() as tx:
        await enable_key(tx, DEFAULT_ORG, created.id)
    versions.append(await version(database))
    async with database.tx() as tx:
        await rotate_key(tx, DEFAULT_ORG, created.id)
    versions.append(await version(database))
    async with database.tx() as tx:
        await set_limits(tx, DEFAULT_ORG, created.id, NO_LIMITS)
    versions.append(await version(database))

    assert versions == sorted(set(versions))


async def test_a_ring_answers_from_what_it_read_until_it_reads_again(database: Database, clock: FakeClock):
    first = await create(database)
    ring = await ring_of(database, clock)
    second = await create(database)
    async with database.tx() as tx:
        await disable_key(tx, DEFAULT_ORG, first.id, NOW_MS)
    assert ring.find(first.key).key_id == first.id

    await ring.refresh()

    assert ring.find(second.key).key_id == second.id
    with pytest.raises(BadKey):
        ring.find(first.key)
    assert len(ring) == 1


async def test_another_orgs_keys_can_be_neither_seen_nor_changed(database: Database):
    created = await create(database)

    async with database.tx() as tx:
        assert await list_keys(tx, "org_other") == []
        for refused in (
            get_key(tx, "org_other", created.id),
            disable_key(tx, "org_other", created.id, NOW_MS),
            enable_key(tx, "org_other", created.id),
            rotate_key(tx, "org_other", created.id),
            set_limits(tx, "org_other", created.id, NO_LIMITS),
        ):
            with pytest.raises(NotFound, match=created.id):
                await refused


@pytest.mark.parametrize(("wallet_id", "project_id"), [("wal_none", "proj_default"), ("wal_1", "proj_none")])
async def test_a_key_needs_a_wallet_and_a_project_of_its_org(database: Database, wallet_id: str, project_id: str):
    await create(database)

    with pytest.raises(NotFound, match="none"):
        async with database.tx() as tx:
            await create_key(
                tx,
                DEFAULT_ORG,
                wallet_id=wallet_id,
                project_id=project_id,
                name="n",
                now_ms=NOW_MS,
                new_id=new_id,
            )


async def test_keys_are_listed_in_pages_oldest_first_and_without_secrets(database: Database):
    created = [await create(database, f"key {number}") for number in range(3)]
    ids = sorted(key.id for key in created)

    async with database.read() as read:
        first = await list_keys(read, DEFAULT_ORG, limit=2)
        second = await list_keys(read, DEFAULT_ORG, after=first[-1].id, limit=2)

    assert [key.id for key in first + second] == ids
    assert not any(key.key in repr(first + second) for key in created)


async def test_the_default_org_is_created_once(database: Database):
    async with database.tx() as tx:
        await ensure_default_org(tx, NOW_MS)
        await ensure_default_org(tx, NOW_MS + 1)

    async with database.tx() as tx:
        await ensure_default_org(tx, NOW_MS + 2)


async def test_what_a_key_may_be_used_for_reaches_the_ring(database: Database, clock: FakeClock):
    created = await create(database)
    rules = KeyRules(models=("m-1", "m-2"), ips=("10.0.0.0/8", "::1"), budget=Budget(5, "week"))
    async with database.tx() as tx:
        await change_key(tx, DEFAULT_ORG, created.id, name="new", expires_ms=None, limits=NO_LIMITS, rules=rules)
        info = await get_key(tx, DEFAULT_ORG, created.id)

    principal = (await ring_of(database, clock)).find(created.key)

    assert (info.name, info.rules, info.kind) == ("new", rules, "api")
    assert principal.models == {"m-1", "m-2"} and principal.budget == Budget(5, "week")
    assert principal.networks == read_networks(rules.ips)


async def test_session_keys_leave_the_ring_when_they_are_over(database: Database, clock: FakeClock):
    await create(database)
    now_ms = int(clock.now_s() * 1000)
    async with database.tx() as tx:
        made = await create_key(
            tx,
            DEFAULT_ORG,
            wallet_id="wal_1",
            name="try it",
            now_ms=now_ms,
            new_id=new_id,
            expires_ms=now_ms + 1,
            kind="session",
        )
    ring = await ring_of(database, clock)
    assert ring.find(made.key).key_id == made.id

    clock.advance(1)
    await ring.refresh()

    assert len(ring) == 1
    async with database.read() as read:
        assert [key.id for key in await list_keys(read, DEFAULT_ORG, kind="session")] == [made.id]


@pytest.mark.parametrize("rules", [{"ips": ("10.0.0.0/99",)}, {"models": ("m",) * 201}, {"ips": ("10.0.0.1",) * 101}])
def test_rules_that_mean_nothing_are_refused(rules: dict[str, tuple[str, ...]]):
    with pytest.raises(ValueError):
        KeyRules(**rules)  # pyright: ignore[reportArgumentType]  # one field at a time
