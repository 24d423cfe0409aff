"""The shapes of decoded JSON, told apart in a way that the type checker follows, and reading what is kept as it is."""

from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec
from msgspec import Raw

NULL = Raw(b"null")

encode = msgspec.json.Encoder().encode
decode_anything = msgspec.json.Decoder().decode
decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Say whether a decoded JSON value is a list."""
    return type(value) is list


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Say whether a decoded JSON value is an object."""
    return type(value) is dict


def is_null(raw: Raw) -> bool:
    """Say whether a JSON value is null, which everywhere says the same as its absence."""
    return bytes(raw) == b"null"


def others(members: Mapping[str, Raw], known: frozenset[str]) -> dict[str, Raw]:
    """Return the members that are not known, but for nulls. The values are copies, and let go of the whole body."""
    return {name: Raw(bytes(raw)) for name, raw in members.items() if name not in known and not is_null(raw)}
