from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support import FakeClock
from tests.tasks.place import Place, bury
from tokengate.storage.engine import Database


@pytest.fixture
async def place(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncGenerator[Place]:
    """A wallet of ¥100, a vendor and a process, on each kind of database."""
    place = Place(database, clock, tmp_path)
    await place.open()
    yield place
    await bury()
    await place.process.close()
    assert await place.differences() == []
