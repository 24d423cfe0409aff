import asyncio
from collections.abc import Awaitable, Callable

from tests.support import eventually, url_of
from tokengate.storage.changes import Changes, bump
from tokengate.storage.engine import Database, open_database


def noting(seen: list[str], kind: str) -> Callable[[], Awaitable[None]]:
    async def note() -> None:
        seen.append(kind)

    return note


async def bump_elsewhere(database: Database, *kinds: str) -> None:
    other = await open_database(url_of(database), migrate=False)
    for kind in kinds:
        async with other.tx() as tx:
            await bump(tx, kind)
    await other.close()


async def test_change_of_another_process_reaches_the_watchers_of_its_kind_only(database: Database) -> None:
    seen: list[str] = []
    changes = Changes(database)
    for kind in ("keys", "wallets"):
        changes.watch(kind, noting(seen, kind))
    await changes.start()

    await bump_elsewhere(database, "keys")
    await eventually(lambda: seen == ["keys"], within_s=1)
    await bump_elsewhere(database, "wallets", "prices")
    await eventually(lambda: seen == ["keys", "wallets"], within_s=1)

    await changes.close()


async def test_what_was_changed_before_the_start_is_not_told(database: Database) -> None:
    seen: list[str] = []
    await bump_elsewhere(database, "keys")
    changes = Changes(database)
    changes.watch("keys", noting(seen, "keys"))
    changes.watch("wallets", noting(seen, "wallets"))
    await changes.start()

    await bump_elsewhere(database, "wallets")
    await eventually(lambda: bool(seen), within_s=1)

    assert seen == ["wallets"]
    await changes.close()


async def test_change_that_is_rolled_back_is_not_told(database: Database) -> None:
    seen: list[str] = []
    changes = Changes(database)
    for kind in ("keys", "wallets"):
        changes.watch(kind, noting(seen, kind))
    await changes.start()

    async with database.tx() as tx:
        await bump(tx, "keys")
        await tx.rollback()
    await bump_elsewhere(database, "wallets")
    await eventually(lambda: bool(seen), within_s=1)

    assert seen == ["wallets"]
    await changes.close()


async def test_watcher_that_fails_does_not_blind_the_others(database: Database) -> None:
    seen: list[str] = []

    async def fail() -> None:
        raise ZeroDivisionError

    changes = Changes(database)
    changes.watch("keys", fail)
    changes.watch("keys", noting(seen, "keys"))
    await changes.start()

    await bump_elsewhere(database, "keys")
    await eventually(lambda: len(seen) == 1, within_s=1)
    await bump_elsewhere(database, "keys")
    await eventually(lambda: len(seen) == 2, within_s=1)

    await changes.close()


async def test_close_ends_the_watch_even_in_the_middle_of_a_change(database: Database) -> None:
    called = asyncio.Event()

    async def hang() -> None:
        called.set()
        await asyncio.Event().wait()

    changes = Changes(database)
    changes.watch("keys", hang)
    await changes.start()
    await bump_elsewhere(database, "keys")
    await called.wait()

    async with asyncio.timeout(60):
        await changes.close()
