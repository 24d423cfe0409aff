"""Runs a question or a change against the database, beside a server if there is one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tokengate.cli.failures import CommandError
from tokengate.core.settings import Settings
from tokengate.core.settings_file import load
from tokengate.storage.engine import Database, database_url, open_database

T = TypeVar("T")


def ask(config: Path | None, data: Path | None, question: Callable[[Database], Awaitable[T]]) -> T:
    """Answer a question about a platform that exists. Raises CommandError when there is none."""
    settings = load(config, overrides={"data": data and str(data)})
    _refuse_absent(settings)
    return with_database(settings, question)


def with_database(settings: Settings, question: Callable[[Database], Awaitable[T]]) -> T:
    """Open the database, made and migrated where that is needed, and answer the question."""

    async def run() -> T:
        database = await open_database(database_url(settings))
        try:
            return await question(database)
        finally:
            await database.close()

    return asyncio.run(run())


def is_there(settings: Settings) -> bool:
    """Say whether there is a platform, whose database may be elsewhere."""
    return bool(settings.server.database) or (settings.server.data / "tokengate.db").exists()


def _refuse_absent(settings: Settings) -> None:
    """A question asked in the wrong folder must not make an empty platform there."""
    if not is_there(settings):
        raise CommandError(
            f"There is no platform in {settings.server.data}: start one with `tokengate serve`, "
            "or name its folder with --data"
        )
