from tests.accounts.people import NOW_MS
from tokengate.accounts.throttle import ACCOUNT_FREE, FORGOTTEN_MS, store, wait_ms
from tokengate.core.errors import RateLimited
from tokengate.storage.engine import Database

ANN, BOB, HERE, THERE = "ann@a.example", "bob@a.example", "192.0.2.1", "192.0.2.2"


def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour():
    waits = [wait_ms(failures, 5) for failures in (0, 4, 5, 6, 7, 14, 15, 1_000_000)]

    assert waits == [0, 0, 1_000, 2_000, 4_000, 512_000, 900_000, 900_000]


async def fail(database: Database, email: str, address: str, times: int, now_ms: int = NOW_MS) -> None:
    for _ in range(times):
        async with database.tx() as tx:
            await store.fail(tx, email, address, now_ms)


async def waits(database: Database, email: str, address: str, now_ms: int = NOW_MS) -> bool:
    async with database.read() as read:
        try:
            await store.check(read, email, address, now_ms)
        except RateLimited as error:
            assert error.code == "too_many_sign_ins" and error.retry_after_s
            return True
    return False


async def test_an_account_waits_wherever_it_is_tried_from_until_the_time_is_over(database: Database):
    await fail(database, ANN, HERE, ACCOUNT_FREE - 1)
    assert not await waits(database, ANN, HERE)

    await fail(database, ANN, HERE, 2)

    assert await waits(database, ANN, THERE) and await waits(database, ANN, THERE, NOW_MS + 1_999)
    assert not await waits(database, ANN, HERE, NOW_MS + 2_000)
    assert not await waits(database, BOB, HERE)


async def test_an_address_that_tries_many_accounts_waits_for_all(database: Database):
    for number in range(20):
        await fail(database, f"user{number}@a.example", HERE, 1)

    assert await waits(database, BOB, HERE) and not await waits(database, BOB, THERE)


async def test_signing_in_forgives_the_account_and_time_forgives_all(database: Database):
    await fail(database, ANN, HERE, 6)
    async with database.tx() as tx:
        await store.forgive(tx, ANN)
    assert not await waits(database, ANN, THERE)

    await fail(database, BOB, HERE, 6)
    await fail(database, ANN, THERE, 1, NOW_MS + FORGOTTEN_MS + 1)
    await fail(database, BOB, HERE, 1, NOW_MS + FORGOTTEN_MS + 1)

    assert not await waits(database, BOB, HERE, NOW_MS + FORGOTTEN_MS + 1)
