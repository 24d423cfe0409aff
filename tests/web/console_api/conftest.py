from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.hosted import upstream
from tests.simulators.openai_upstream import Upstream, by_model
from tests.support import PostgresqlServer
from tests.web.console_api.paying import SOLD, Paying
from tests.web.console_site import Site, console_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    async with console_site(tmp_path / "gateway") as site:
        yield site


@pytest.fixture(params=["sqlite", "postgresql"])
async def paying(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql_server: PostgresqlServer
) -> AsyncGenerator[Paying]:
    """A gateway that sells two models of a simulated upstream, on each kind of database."""
    database = await postgresql_server.create() if request.param == "postgresql" else ""
    async with Upstream(by_model) as simulator:
        config = f'[server]\ndatabase = "{database}"\n' + upstream(simulator.url, "a", "b", "hang", "error-400") + SOLD
        async with console_site(tmp_path / "gateway", config) as site:
            yield Paying(site)
    if database:
        await postgresql_server.give_back(database)
