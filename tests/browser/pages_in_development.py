"""The pages as Vite serves them while somebody works on them: with the page of all components, which no build has."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.gateway import free_port

CONSOLE = Path(__file__).parents[2] / "console"
VITE = CONSOLE / "node_modules" / ".bin" / "vite"
_START_S = 60.0


@contextmanager
def pages_in_development(gateway_url: str, log: Path) -> Generator[str]:
    """Serve the pages from their sources, in front of a gateway; yields their address."""
    assert VITE.is_file(), "vite is missing: make setup"
    port = free_port()
    command = [str(VITE), "--host", "127.0.0.1", "--port", str(port), "--strictPort", "--clearScreen", "false"]
    with log.open("wb") as output:
        environ = os.environ | {"TOKENGATE_URL": gateway_url}
        process = subprocess.Popen(command, cwd=CONSOLE, env=environ, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        transport = httpx.HTTPTransport(retries=8)  # it waits a little longer before each
        with httpx.Client(transport=transport, timeout=_START_S) as client:
            client.get(url).raise_for_status()
        yield url
    finally:
        process.terminate()
        process.wait()
