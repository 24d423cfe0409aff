"""What the tests of real clients share: one gateway process, a simulated upstream behind it, and the local models.

Each test has a key with a wallet of its own, and a model that no other test calls, so that neither money nor the
health of a backend passes from one test to the next.
"""

import asyncio
from collections.abc import Generator

import pytest

from tests.connections import closed_connections, noted_connections
from tests.e2e.customer import (
    IMPATIENT,
    KEYS,
    LIMITED,
    MODELS,
    POOR,
    RICH,
    Answers,
    Customer,
    configuration,
    create_keys,
    wait_until_ready,
)
from tests.e2e.gateway import GatewayProcess
from tests.engines.support import DATA
from tests.simulators.openai_upstream import ThreadedUpstream
from tokengate.engines import weights

__all__ = ["closed_connections", "noted_connections"]


@pytest.fixture(scope="session")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="session")
def simulator(answers: Answers) -> Generator[ThreadedUpstream]:
    with ThreadedUpstream(answers) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Unused keys by kind. Made before the gateway starts, since a command for each would take seconds."""
    return asyncio.run(create_keys(tmp_path_factory.getbasetemp() / "clients" / "tokengate.db", KEYS))


@pytest.fixture(scope="session")
def clients_gateway(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, list[str]], simulator: ThreadedUpstream
) -> Generator[GatewayProcess]:
    folder = tmp_path_factory.getbasetemp() / "clients"
    weights.pull(DATA)
    (folder / "models").symlink_to(weights.weights_path(DATA).parent)
    with GatewayProcess(folder, configuration(simulator.url)) as gateway:
        wait_until_ready(gateway)
        yield gateway


@pytest.fixture(scope="session")
def models() -> list[str]:
    return list(MODELS)


@pytest.fixture
def customer(
    clients_gateway: GatewayProcess,
    simulator: ThreadedUpstream,
    answers: Answers,
    keys: dict[str, list[str]],
    models: list[str],
) -> Generator[Customer]:
    yield Customer(clients_gateway, simulator, answers, keys[RICH].pop(), models.pop())
    answers.clear()


@pytest.fixture(scope="session")
def impatient_models() -> list[str]:
    return list(IMPATIENT)


@pytest.fixture
def impatient_model(impatient_models: list[str]) -> str:
    """A model of its own whose upstream must begin to answer within a second."""
    return impatient_models.pop()


@pytest.fixture
def limited_key(keys: dict[str, list[str]]) -> str:
    """A key that may make two calls a minute."""
    return keys[LIMITED].pop()


@pytest.fixture
def poor_key(keys: dict[str, list[str]]) -> str:
    """A key whose wallet cannot pay for a thousand tokens."""
    return keys[POOR].pop()
