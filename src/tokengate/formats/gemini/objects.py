"""JSON text that Google wants as an object: a call's arguments, a function's answer."""

from typing import Any

import msgspec
from msgspec import Raw

_decode = msgspec.json.Decoder().decode


def is_object(text: str) -> bool:
    """Say whether a text is a JSON object."""
    if text.lstrip()[:1] != "{":
        return False
    try:
        _decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def write_arguments(arguments: str) -> Raw | dict[str, Any]:
    """Return a call's arguments as an object; text that is none stands in a member of its own."""
    if not arguments.strip():
        return {}
    return Raw(arguments.encode()) if is_object(arguments) else {"input": arguments}
