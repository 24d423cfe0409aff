"""Where OpenAI's SDKs are pointed: straight at the simulated vendors, or at the gateway in front of them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators import deepseek_vendor, openai_vendor
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator

PLACES = ("vendor", "gateway")


class Place(Struct, frozen=True):
    """An address and a key, and the vendor behind it. At `thinking_url` are the models that show their thinking."""

    kind: str
    url: str
    thinking_url: str
    key: str
    vendor: OpenAISimulator


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    """Open a place of a kind."""
    vendor = OpenAISimulator()
    with ThreadedUpstream(vendor) as openai, ThreadedUpstream(DeepSeekSimulator()) as deepseek:
        if kind == "vendor":
            yield Place(kind, openai.url, deepseek.url, KEY, vendor)
            return
        config = _upstream("openai", openai.url, openai_vendor.MODELS)
        config += _upstream("deepseek", deepseek.url, deepseek_vendor.MODELS)
        with GatewayProcess(folder, config) as gateway:
            url = f"{gateway.url}/v1"
            yield Place(kind, url, url, gateway.create_key("1000"), vendor)


def _upstream(provider: str, url: str, names: tuple[str, ...]) -> str:
    models = ", ".join(f'"{name}" = "{name}"' for name in names)
    priced = "".join(f'[[model]]\nid = "{name}"\nprice = {{ input = "0.001", output = "0.002" }}\n' for name in names)
    return (
        f'[[upstream]]\nname = "{provider}"\nprovider = "{provider}"\nbase_url = "{url}"\napi_key = "{KEY}"\n'
        f"models = {{ {models} }}\n{priced}"
    )
