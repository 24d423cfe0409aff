"""Tools in namespaces, which the caller runs, for formats that have none: there a tool's name begins with that of its
namespace, and the name in a call of it is taken apart again.

    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find", …}]}    crm__find
"""

import hashlib
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct, structs

from tokengate.core.chat import BuiltIn, Chat, Custom, Function, Message, Tool
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Part, ToolCall
from tokengate.formats.responses.read_tools import read_tool
from tokengate.formats.responses.types import NAME

KIND = "namespace"

_MAX_NAME = 64  # characters of a tool's name, at the strictest vendors


class Place(Struct, frozen=True):
    """Where a tool is."""

    namespace: str
    name: str


def without_namespaces(chat: Chat) -> Chat:
    """Return the chat with the tools of its namespaces beside the others, and calls of them by their joined names."""
    if not any(map(_is_namespace, chat.tools)) and not any(
        _namespace_of(part) for message in chat.messages for part in message.parts
    ):
        return chat
    return structs.replace(
        chat,
        tools=tuple(plain for tool in chat.tools for plain in _flat(tool)),
        messages=tuple(_plain_message(message) for message in chat.messages),
    )


def places_of(chat: Chat) -> dict[str, Place]:
    """Return where the tools of a chat's namespaces are, by their joined names."""
    return {joined(place): place for tool in chat.tools if _is_namespace(tool) for place, _ in _inside(tool)}


def joined(place: Place) -> str:
    """Return the name of a tool outside its namespace."""
    name = f"{place.namespace}__{place.name}"
    if len(name) <= _MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _MAX_NAME - len(digest) - 1]}_{digest}"


def _is_namespace(tool: Tool) -> bool:
    return isinstance(tool, BuiltIn) and tool.format == NAME and tool.kind == KIND


def _flat(tool: Tool) -> Iterator[Tool]:
    inside = list(_inside(tool)) if _is_namespace(tool) else []
    if not inside:
        yield tool
    for place, one in inside:
        yield structs.replace(one, name=joined(place))


def _inside(tool: Tool) -> Iterator[tuple[Place, Function | Custom]]:
    """Yield the tools of a namespace; none of one that holds what only its own vendor understands."""
    assert isinstance(tool, BuiltIn)
    try:
        wire = _decode(tool.raw)
        tools = [read_tool(raw, "tools") for raw in wire.tools]
    except (ValueError, RecursionError, BadRequest):
        return
    if any(isinstance(one, BuiltIn) for one in tools):
        return
    for one in tools:
        if isinstance(one, Function | Custom):
            yield Place(wire.name, one.name), one


def _namespace_of(part: Part) -> str:
    """Return the namespace that a call names; empty when it names none."""
    if not isinstance(part, ToolCall) or KIND not in part.extra:
        return ""
    try:
        return _decode_text(part.extra[KIND])
    except (ValueError, RecursionError):
        return ""


def _plain_message(message: Message) -> Message:
    return structs.replace(message, parts=tuple(_plain_part(part) for part in message.parts))


def _plain_part(part: Part) -> Part:
    namespace = _namespace_of(part)
    if not namespace or not isinstance(part, ToolCall):
        return part
    rest = {name: value for name, value in part.extra.items() if name != KIND}
    return structs.replace(part, name=joined(Place(namespace, part.name)), extra=rest)


class _Namespace(Struct):
    name: str
    tools: list[Raw]


_decode = msgspec.json.Decoder(_Namespace).decode
_decode_text = msgspec.json.Decoder(str).decode
