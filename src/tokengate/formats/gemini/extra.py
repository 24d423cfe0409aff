"""Members without a word in the vocabulary: kept under dotted names, and put back where they came from."""

from typing import Any

from tokengate.core.parts import Extra
from tokengate.formats.gemini.shapes import is_object


def nest(written: dict[str, Any], extra: Extra) -> None:
    """Add members to an object; a dotted name lies in an object of it."""
    for name, value in extra.items():
        outer, _, inner = name.partition(".")
        if not inner:
            written.setdefault(outer, value)
            continue
        held = written.setdefault(outer, {})
        if is_object(held):
            nest(held, {inner: value})
