"""One gateway for all samples, with a simulated upstream that answers for the models of the pages."""

import asyncio
from collections.abc import Generator

import pytest

from tests.e2e.customer import RICH, create_keys
from tests.e2e.gateway import GatewayProcess
from tests.samples.portal import Portal, configuration, say_hello
from tests.samples.record import Record
from tests.simulators.openai_upstream import ThreadedUpstream

_OPTION = "--record-samples"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, action="store_true", help="write which samples passed, for the pages")


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Generator[Portal]:
    folder = tmp_path_factory.getbasetemp() / "samples"
    key, quiet_key = asyncio.run(create_keys(folder / "tokengate.db", {RICH: 2}))[RICH]
    with (
        ThreadedUpstream(say_hello) as simulator,
        GatewayProcess(folder, configuration(simulator.url)) as gateway,
    ):
        yield Portal(gateway, simulator, folder / "programs", key, quiet_key)


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest, portal: Portal) -> Generator[Record]:
    """What passed; written for the pages when the run is asked to."""
    record = Record()
    yield record
    if request.config.getoption(_OPTION, default=False):
        record.write(portal)
