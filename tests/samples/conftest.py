"""One gateway for all samples, with a simulated upstream that answers for the models of the pages."""

from collections.abc import Generator

import pytest

from tests.e2e.gateway import GatewayProcess
from tests.samples.portal import Portal, configuration, say_hello
from tests.samples.record import Record
from tests.simulators.film_upstream import FilmSimulator
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator
from tests.simulators.studio import open_studio

_OPTION = "--record-samples"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, action="store_true", help="write which samples passed, for the pages")


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Generator[Portal]:
    folder = tmp_path_factory.getbasetemp() / "samples"
    folder.mkdir()
    with (
        ThreadedUpstream(say_hello) as simulator,
        ThreadedUpstream(FilmSimulator(looks=1, key="")) as remixer,
        ThreadedUpstream(OpenAISimulator()) as folding,
        open_studio(looks=1) as studio,
        GatewayProcess(folder, configuration(simulator.url, remixer.url, folding.url, studio)) as gateway,
    ):
        key, quiet_key = gateway.create_key("100000", "busy"), gateway.create_key("100000", "quiet")
        others = (remixer, folding, *studio.upstreams)
        yield Portal(gateway, simulator, others, folder / "programs", key, quiet_key)


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest, portal: Portal) -> Generator[Record]:
    """What passed; written for the pages when the run is asked to."""
    record = Record()
    yield record
    if request.config.getoption(_OPTION, default=False):
        record.write(portal)
