"""What the judges share: OpenAI's vendor or a gateway before it, OpenAI's client, and that nothing stays open."""

from collections.abc import Generator
from typing import Protocol

import pytest
from openai import OpenAI

from tests.connections import closed_connections, noted_connections
from tests.judges.openai_place import PLACES, Place, place_of

__all__ = ["closed_connections", "noted_connections"]


class Address(Protocol):
    """Where a client is pointed; a module has places of its own kind."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("openai")) as place:
        yield place


@pytest.fixture
def client(place: Address) -> Generator[OpenAI]:
    with OpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client:
        yield client
