"""Where the vendor's SDK is pointed: straight at the simulated vendor, or at a gateway before it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators.dashscope_rules import MODELS, MULTIMODAL, SNAPSHOTS, TEXT
from tests.simulators.dashscope_task_rules import TASK_MODELS
from tests.simulators.dashscope_upstream import DashScope

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
    },
}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f"
    "00010501012718e3660000000049454e44ae426082"
)


PLACES = ("vendor", "gateway")


class Place(Struct, frozen=True):
    """An address as the SDK takes it and a key, and the vendor that answers there. `breakable` are models that no
    other test calls: after a failure a gateway does not ask for a model again for a while."""

    url: str
    key: str
    vendor: DashScope
    breakable: Iterator[str]
    through: bool = False  # a gateway


@contextmanager
def open_place(kind: str, folder: Path) -> Generator[Place, None, None]:
    """Open one of the places. The gateway sells the vendor's chat models under their own names."""
    with DashScope() as vendor:
        if kind == "vendor":
            yield Place(vendor.url, vendor.key, vendor, iter(SNAPSHOTS))
            return
        chats = [name for name, service in MODELS.items() if service in (TEXT, MULTIMODAL)]
        config = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'  # where what a task made lies
        config += (
            f'[[upstream]]\nname = "dashscope"\nprovider = "dashscope_native"\nbase_url = "{vendor.url}"\n'
            f'api_key = "{vendor.key}"\nmodels = {[*chats, *TASK_MODELS]}\n'
        )
        config += "".join(
            f'[[model]]\nid = "{name}"\nprice = {{ input = "0.001", output = "0.002" }}\n' for name in chats
        )
        with GatewayProcess(folder, config) as gateway:
            yield Place(f"{gateway.url}/api/v1", gateway.create_key("1000"), vendor, iter(SNAPSHOTS), through=True)
