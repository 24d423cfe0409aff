"""Tools and the choice among them, written for a vendor or back to the client who gave them."""

from typing import Any, assert_never

import msgspec
from msgspec import Raw

from tokengate.core.chat import BuiltIn, Chat, Custom, Function, Tool
from tokengate.core.wire import Losses
from tokengate.formats.responses.types import NAME

_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')


def write_tools(chat: Chat, losses: Losses) -> list[dict[str, Any] | Raw]:
    """Return `tools`. Raises Unsupported for another vendor's own tool, unless it searches the web."""
    tools = [_tool(tool, losses, own=chat.format == NAME) for tool in chat.tools]
    if chat.search.enabled and not any(isinstance(tool, BuiltIn) and tool.web_search for tool in chat.tools):
        if chat.search.options is not None:
            losses.drop("search_options")
        tools.append({"type": "web_search"})
    return tools


def write_choice(chat: Chat) -> str | dict[str, Any]:
    """Return `tool_choice`, which the chat has."""
    choice = chat.tool_choice
    assert choice is not None
    customs = {tool.name for tool in chat.tools if isinstance(tool, Custom)}
    named = [{"type": "custom" if name in customs else "function", "name": name} for name in choice.names]
    match choice.mode:
        case "named" if len(named) == 1:
            return named[0]
        case "named":
            return {"type": "allowed_tools", "mode": "required", "tools": named}
        case "auto" | "required" if named:
            return {"type": "allowed_tools", "mode": choice.mode, "tools": named}
        case "auto" | "required" | "none":
            return choice.mode
        case _:
            assert_never(choice.mode)


def _tool(tool: Tool, losses: Losses, *, own: bool) -> dict[str, Any] | Raw:
    match tool:
        case Function():
            _note_cache(tool, losses)
            return _function(tool, own=own)
        case Custom():
            _note_cache(tool, losses)
            return _custom(tool)
        case BuiltIn(format=format) if format == NAME:
            return tool.raw
        case BuiltIn(web_search=True):
            if len(_members(tool.raw)) > _BARE:
                losses.drop("search_options")
            return {"type": "web_search"}
        case BuiltIn():
            raise losses.refuse("tools", f"holds '{tool.kind}', which only its own vendor can run")
        case _:
            assert_never(tool)


def _function(tool: Function, *, own: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description:
        written["description"] = tool.description
    if tool.parameters is not None or not own:
        written["parameters"] = _NO_PARAMETERS if tool.parameters is None else tool.parameters
    # Left out it means strict here, and not strict in every other format.
    if tool.strict is not None or not own:
        written["strict"] = tool.strict is True
    return {**written, **tool.extra} if own else written


def _custom(tool: Custom) -> dict[str, Any]:
    written: dict[str, Any] = {"type": "custom", "name": tool.name}
    if tool.description:
        written["description"] = tool.description
    if tool.definition:
        written["format"] = {"type": "grammar", "syntax": tool.syntax, "definition": tool.definition}
    return {**written, **tool.extra}


def _note_cache(tool: Function | Custom, losses: Losses) -> None:
    if tool.cache is not None:
        losses.drop("cache")


_BARE = 2  # members of an entry without settings: a type, or a type and a name
_members = msgspec.json.Decoder(dict[str, Raw]).decode
