"""Which function result answers which call: Gemini's ids may be missing, the vocabulary's never are."""

import re

from msgspec import Struct

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


class Open(Struct, frozen=True):
    """A call that awaits its result."""

    id: str
    name: str


class Calls:
    """The calls of one request as it is read, in order."""

    __slots__ = ("_all", "_open")

    def __init__(self) -> None:
        self._all: dict[str, str] = {}  # id -> the function's name
        self._open: list[Open] = []

    def begin(self, id: str | None, name: str, place: str) -> str:
        """Note a call; return its id, which is made of its `place` in the request when it has none."""
        id = id or f"call_{place}"
        self._all[id] = name
        self._open.append(Open(id, name))
        return id

    def answer(self, id: str | None, name: str) -> str | None:
        """Return the id of the call that a result answers: the one named, else the oldest open one of that name;
        None when there is none."""
        if id is not None and id in self._all:
            self._open = [one for one in self._open if one.id != id]
            return id
        for one in self._open:
            if one.name == name:
                self._open.remove(one)
                return one.id
        return None


def made_id(reply_id: str, seed: bytes, number: int) -> str:
    """Return an id for a call of a reply that gave none: the same for the same reply, whole or streamed."""
    return f"call_{_UNFIT.sub('', reply_id)[:40] or _digest(seed)}_{number}"


def _digest(seed: bytes) -> str:
    value = 0xCBF29CE484222325  # FNV-1a: no secret, only a name
    for byte in seed[:4096]:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
