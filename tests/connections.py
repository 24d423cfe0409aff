"""Connections that tests open, and that must be closed when their module's fixtures are gone.

A socket that nobody closed would be found by the garbage collector while some other test runs, which then fails.
"""

import os
import socket
import sys
import weakref
from collections.abc import Generator

import pytest

_opened: list[tuple[weakref.ref[socket.socket], str]] = []


@pytest.fixture(scope="session")
def noted_connections() -> None:
    """Note every socket that connects from now on, with the test that runs: a hook cannot be taken away again."""

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.connect" and isinstance(sock := arguments[0], socket.socket):
            _opened.append((weakref.ref(sock), os.environ.get("PYTEST_CURRENT_TEST", "")))

    sys.addaudithook(note)


@pytest.fixture(scope="module", autouse=True)
def closed_connections(noted_connections: None) -> Generator[None]:
    """Fail the module whose tests leave a connection open, and name them."""
    _opened.clear()
    yield
    left = {test for made, test in _opened if (sock := made()) is not None and sock.fileno() != -1}
    assert not left, f"connections are open that were made in: {', '.join(sorted(left))}"
