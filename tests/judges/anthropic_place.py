"""Where Anthropic's SDKs are pointed: at the simulated vendor, or at a gateway before it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.gateway import GatewayProcess
from tests.simulators.anthropic_upstream import KEY, AnthropicSimulator, address
from tests.simulators.openai_upstream import ThreadedUpstream

PLACES = ("vendor", "gateway")


@contextmanager
def open_place(name: str, folder: Path) -> Generator[tuple[str, str]]:
    """Open one of the places; yield its address and a key for it."""
    with ThreadedUpstream(AnthropicSimulator()) as upstream:
        url = address(upstream)
        if name == "vendor":
            yield url, KEY
            return
        config = f'[[upstream]]\nname = "a"\nprovider = "anthropic"\nbase_url = "{url}"\napi_key = "{KEY}"\n'
        with GatewayProcess(folder, config) as gateway:
            yield gateway.url, gateway.create_key("1000")
