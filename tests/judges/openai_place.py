"""Where OpenAI's SDKs are pointed: straight at the simulated vendor, or at the gateway in front of it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, MODELS, OpenAISimulator

PLACES = ("vendor", "gateway")


class Place(Struct, frozen=True):
    """An address and a key, and the vendor behind it."""

    kind: str
    url: str
    key: str
    vendor: OpenAISimulator


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    """Open a place of a kind."""
    vendor = OpenAISimulator()
    with ThreadedUpstream(vendor) as upstream:
        if kind == "vendor":
            yield Place(kind, upstream.url, KEY, vendor)
            return
        with GatewayProcess(folder, _config(upstream.url)) as gateway:
            yield Place(kind, f"{gateway.url}/v1", gateway.create_key("1000"), vendor)


def _config(url: str) -> str:
    models = ", ".join(f'"{name}" = "{name}"' for name in MODELS)
    priced = "".join(f'[[model]]\nid = "{name}"\nprice = {{ input = "0.001", output = "0.002" }}\n' for name in MODELS)
    # An error that a test asks for says nothing about the vendor's health.
    return (
        f'[[upstream]]\nname = "vendor"\nprovider = "openai"\nbase_url = "{url}"\napi_key = "{KEY}"\n'
        f"models = {{ {models} }}\n{priced}"
    )
