"""Members without a word in the vocabulary: put together as they come, and put back beside what has a word."""

from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec
from msgspec import Raw

from tokengate.core.parts import Extra


def with_more(before: Extra, more: Extra) -> Extra:
    """Return the members of both, the later of a name; objects of one name, such as a message, are merged."""
    both = {**before, **more}
    for name in before.keys() & more.keys():
        old, new = _decode(before[name]), _decode(more[name])
        if _is_object(old) and _is_object(new):
            both[name] = Raw(msgspec.json.encode(_merged(new, old)))
    return both


def with_extra(written: Mapping[str, Any], extra: Extra) -> dict[str, Any]:
    """Return what is written with the members that nobody knows. What it says itself stays; objects are merged."""
    return _merged(written, {name: _decode(raw) for name, raw in extra.items()})


def _merged(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(first)
    for name, value in other.items():
        mine = first.get(name)
        if name not in first:
            merged[name] = value
        elif _is_object(mine) and _is_object(value):
            merged[name] = _merged(mine, value)
    return merged


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


_decode = msgspec.json.Decoder().decode
