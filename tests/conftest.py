import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import FakeClock, PostgresqlServer, SqliteFiles, fresh_database
from tokengate.storage.engine import Database

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("ci")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_server() -> Generator[PostgresqlServer, None, None]:
    server = PostgresqlServer()
    yield server
    asyncio.run(server.close())


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, sqlite_files: SqliteFiles, postgresql_server: PostgresqlServer, tmp_path: Path
) -> AsyncGenerator[Database, None]:
    """A fresh, migrated database of each kind."""
    async with fresh_database(request.param, sqlite_files, postgresql_server, tmp_path) as database:
        yield database


@pytest.fixture
async def sqlite_database(sqlite_files: SqliteFiles, tmp_path: Path) -> AsyncGenerator[Database, None]:
    """A fresh, migrated SQLite file, for what only SQLite does."""
    async with fresh_database("sqlite", sqlite_files, PostgresqlServer(), tmp_path) as database:
        yield database


@pytest.fixture
async def postgresql_database(
    sqlite_files: SqliteFiles, postgresql_server: PostgresqlServer, tmp_path: Path
) -> AsyncGenerator[Database, None]:
    """A fresh, migrated PostgreSQL database, for what only PostgreSQL does."""
    async with fresh_database("postgresql", sqlite_files, postgresql_server, tmp_path) as database:
        yield database
