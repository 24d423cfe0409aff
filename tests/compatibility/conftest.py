"""One gateway for the whole matrix, and what to do with what it gives."""

from collections.abc import Callable, Generator

import pytest

from tests.compatibility.document import write
from tests.compatibility.run import Cell, Place, open_place

OPTION = "--record-compatibility"

Found = dict[str, dict[str, dict[str, Cell]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="write the matrix and its pages from this run")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with open_place(tmp_path_factory.getbasetemp() / "compatibility") as place:
        yield place


@pytest.fixture(scope="session")
def found(request: pytest.FixtureRequest) -> Generator[Found | None]:
    yield from recorded(request, write)


def recorded(request: pytest.FixtureRequest, write: Callable[[Found], None]) -> Generator[Found | None]:
    """Yield where cells go when the run is asked to write them; else None, and they are compared."""
    if not request.config.getoption(OPTION, default=False):
        yield None
        return
    found: Found = {}
    yield found
    write(found)
