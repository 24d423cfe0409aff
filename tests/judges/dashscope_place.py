"""Where the vendor's SDK is pointed: straight at the simulated vendor."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

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


class Place(Struct, frozen=True):
    """An address and a key, and the vendor behind it."""

    url: str
    key: str
    vendor: DashScope


@contextmanager
def place_of(kind: str) -> Generator[Place, None, None]:
    """Open a place of a kind: `vendor`."""
    assert kind == "vendor"
    with DashScope() as vendor:
        yield Place(vendor.url, vendor.key, vendor)
