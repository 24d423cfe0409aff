"""One gateway for the whole matrix of media, and what to do with what it gives."""

from collections.abc import Generator

import pytest

from tests.compatibility.conftest import Found, recorded
from tests.compatibility.media.document import write
from tests.compatibility.media.run import Place, open_place


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with open_place(tmp_path_factory.getbasetemp() / "media") as place:
        yield place


@pytest.fixture(scope="session")
def found_media(request: pytest.FixtureRequest) -> Generator[Found | None]:
    yield from recorded(request, write)
