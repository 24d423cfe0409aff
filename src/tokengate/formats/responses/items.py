"""Input items as a caller names them, and as they are listed: by id, and written in full."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from tokengate.formats.responses.types import Typed

# What an item's id begins with, by the item's type.
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}


def id_of(item: Raw) -> str:
    """Return an item's id; empty when it has none."""
    return _typed(item).id or ""


def referenced(items: list[Raw]) -> list[str]:
    """Return the ids of the items that are only named."""
    return [typed.id for typed in map(_typed, items) if typed.id is not None and _is_reference(typed)]


def resolved(items: list[Raw], known: Mapping[str, Raw]) -> list[Raw]:
    """Return items with the known ones in place of their names; what is not known stays as it is."""
    return [known.get(typed.id or "", item) if _is_reference(typed := _typed(item)) else item for item in items]


def items_with_ids(items: list[Raw], call_id: str) -> list[Raw]:
    """Return the input items of a call as they are listed: with a type, an id and a state, and texts as parts."""
    return [_listed(item, f"{call_id}i{index:02x}") for index, item in enumerate(items)]


def _listed(raw: Raw, tail: str) -> Raw:
    item: dict[str, Any] = dict(_decode_members(raw))
    typed = _typed(raw)
    kind = typed.type or "message"
    item["type"] = kind
    if typed.id is None:
        item["id"] = f"{_PREFIXES.get(kind, 'item')}_{tail}"
    if kind in _PREFIXES and kind != "reasoning":
        item.setdefault("status", "completed")
    if kind == "message":
        content = item.get("content")
        if isinstance(content, Raw) and bytes(content).startswith(b'"'):
            part = "output_text" if typed.role == "assistant" else "input_text"
            text: dict[str, Any] = {"type": part, "text": content}
            item["content"] = [text | {"annotations": [], "logprobs": []} if part == "output_text" else text]
    return Raw(msgspec.json.encode(item))


def _is_reference(typed: Typed) -> bool:
    return typed.type == "item_reference" or (typed.type is None and typed.role is None)


def _typed(item: Raw) -> Typed:
    """Return what picks an item's struct; what is no item is judged where it is read."""
    try:
        return _decode_typed(item)
    except (ValueError, RecursionError):
        return Typed(type="")


_decode_typed = msgspec.json.Decoder(Typed).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
