"""Killed at any moment, the gateway neither loses a bill of a reply that its caller has, nor bills anything twice."""

from pathlib import Path

import pytest

from tests.faults.crash import crash_again_and_again
from tests.support import PostgresqlServer

pytestmark = pytest.mark.timeout(300)


async def test_books_are_right_after_every_kill_on_sqlite(tmp_path: Path) -> None:
    crash = await crash_again_and_again(tmp_path, f"sqlite:///{tmp_path}/tokengate.db", seed=1, kills=15)

    assert sum(call.whole for call in crash.sent) > 500, crash.report()
    assert any(call.status == 402 for call in crash.sent), crash.report()


async def test_books_are_right_after_every_kill_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    url = await postgresql_server.create()

    crash = await crash_again_and_again(tmp_path, url, seed=2, kills=5)

    assert sum(call.whole for call in crash.sent) > 100, crash.report()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 112))
async def test_books_are_right_after_hundreds_of_kills_on_sqlite(tmp_path: Path, seed: int) -> None:
    await crash_again_and_again(tmp_path, f"sqlite:///{tmp_path}/tokengate.db", seed=seed, kills=25)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 204))
async def test_books_are_right_after_a_hundred_kills_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer, seed: int
) -> None:
    await crash_again_and_again(tmp_path, await postgresql_server.create(), seed=seed, kills=25)
