"""What a gateway can do without until somebody asks for it is loaded in a thread, one thing at a time: modules that are
imported meanwhile make known types that they share (see core/known.py)."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_alone = threading.Lock()


async def load_late(load: Callable[[], T]) -> T:
    """Return what `load` returns."""
    return await asyncio.to_thread(_load_alone, load)


def _load_alone(load: Callable[[], T]) -> T:
    with _alone:
        return load()
