"""The members of a Gemini JSON object by their camelCase names, each read with its type or refused with its path.

Google's servers take every member in camelCase and in snake_case, and so does this. Nothing deeper than what is asked
for is decoded: what nobody takes stays as it was written.
"""

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.errors import BadRequest
from tokengate.core.parts import Extra

_SNAKE = re.compile(r"_([a-z0-9])")
MOST = 2**31 - 1  # Google's integers have 32 bits


class Fields:
    """One object. What is taken is gone from `rest`; null counts as absent. Every reader raises BadRequest."""

    __slots__ = ("_members", "path")

    def __init__(self, raw: bytes | Raw, path: str) -> None:
        self.path = path
        try:
            members = _decode_members(raw)
        except (ValueError, RecursionError):
            raise wrong(path, "an object") from None
        self._members = {camel(name): value for name, value in members.items()}

    def at(self, name: str) -> str:
        """Return the path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def __contains__(self, name: str) -> bool:
        return name in self._members and not is_null(self._members[name])

    def raw(self, name: str) -> Raw | None:
        """Take a member as it was written."""
        value = self._members.pop(name, None)
        return None if value is None or is_null(value) else value

    def text(self, name: str) -> str | None:
        """Take a string."""
        value = self.raw(name)
        return None if value is None else _read(_decode_text, value, self.at(name), "a string")

    def word(self, name: str) -> str | None:
        """Take the value of an enumeration, in capitals; one that ends in UNSPECIFIED was not given."""
        value = self.text(name)
        if value is None or value.upper().endswith("UNSPECIFIED"):
            return None
        return value.upper()

    def boolean(self, name: str) -> bool | None:
        """Take a boolean."""
        value = self.raw(name)
        return None if value is None else _read(_decode_boolean, value, self.at(name), "a boolean")

    def number(self, name: str) -> float | None:
        """Take a number."""
        value = self.raw(name)
        return None if value is None else _read(_decode_number, value, self.at(name), "a number")

    def integer(self, name: str, *, least: int | None = None, most: int = MOST) -> int | None:
        """Take a whole number, which may be written as 40.0 too."""
        number = self.number(name)
        if number is None:
            return None
        if isinstance(number, float):
            if not number.is_integer():
                raise wrong(self.at(name), "a whole number")
            number = int(number)
        if least is None:
            least = -most - 1
        if not least <= number <= most:
            raise wrong(self.at(name), f"a whole number from {least} to {most}")
        return number

    def object(self, name: str) -> "Fields | None":
        """Take an object."""
        value = self.raw(name)
        return None if value is None else Fields(value, self.at(name))

    def objects(self, name: str) -> "list[Fields]":
        """Take a list of objects; a single object stands for a list of one."""
        value = self.raw(name)
        if value is None:
            return []
        path = self.at(name)
        if begins(value, b"{"):
            return [Fields(value, f"{path}[0]")]
        items = _read(_decode_list, value, path, "a list")
        return [Fields(item, f"{path}[{index}]") for index, item in enumerate(items)]

    def strings(self, name: str) -> tuple[str, ...]:
        """Take a list of strings."""
        value = self.raw(name)
        return () if value is None else tuple(_read(_decode_strings, value, self.at(name), "a list of strings"))

    def put_back(self, name: str, value: Raw) -> None:
        """Leave a member to `rest` after all."""
        self._members[name] = value

    def rest(self) -> Extra:
        """Return what nobody took."""
        return {name: value for name, value in self._members.items() if not is_null(value)}


def wrong(path: str, wanted: str) -> BadRequest:
    """Return the refusal of a value that is not what it must be."""
    where = f"'{path}'" if path else "The request body"
    return BadRequest(f"{where} must be {wanted}.", param=path or None)


@lru_cache(maxsize=1024)
def camel(name: str) -> str:
    """Return a member's name in camelCase."""
    return _SNAKE.sub(lambda match: match[1].upper(), name) if "_" in name else name


def begins(raw: Raw, character: bytes) -> bool:
    """Say whether a JSON value begins with a character, which tells its type."""
    return memoryview(raw)[:1].tobytes() == character


def is_null(raw: Raw) -> bool:
    """Say whether a JSON value is null."""
    return len(raw) == 4 and bytes(raw) == b"null"


_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_strings = msgspec.json.Decoder(list[str]).decode
_decode_boolean = msgspec.json.Decoder(bool).decode
_decode_number = msgspec.json.Decoder(int | float).decode


def _read(decode: Any, value: Raw, path: str, wanted: str) -> Any:
    try:
        return decode(value)
    except (ValueError, RecursionError):
        raise wrong(path, wanted) from None
