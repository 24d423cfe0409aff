"""Tools and the choice among them, as OpenAI's chat format writes them, with the functions that came before tools."""

from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.chat import BuiltIn, Chat, Custom, Function, Tool, ToolChoice
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Extra
from tokengate.core.wire import Losses
from tokengate.formats.openai.cache_marks import read_cache_mark, write_cache_mark
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.fields import Fields, encode
from tokengate.formats.openai.refusal import missing, must_be
from tokengate.formats.openai.shapes import is_list, is_object
from tokengate.formats.openai.thoughts import OWN

FUNCTIONS = "functions"  # the style of a caller who speaks of functions, as before there were tools

_OUTSIDE = "../"  # before the names of members that stand beside `function`, not in it
_CHOICES = "none, auto, required, or an object that names a tool"


def read_tools(given: Fields) -> tuple[Tool, ...]:
    """Take `tools` and `functions` out of the parameters. Raises BadRequest."""
    tools: list[Tool] = []
    for index, tool in enumerate(given.items("tools") or ()):
        tools.append(_read_tool(Fields(tool, f"tools[{index}]"), tool))
    for index, function in enumerate(given.items("functions") or ()):
        tools.append(_read_function(Fields(function, f"functions[{index}]")))
    return tuple(tools)


def read_tool_choice(given: Fields) -> ToolChoice | None:
    """Take `tool_choice`, or the older `function_call`. Raises BadRequest."""
    choice = given.any("tool_choice")
    if is_list(choice) and len(choice) == 1:  # the product page 001 calls its type an array
        choice = choice[0]
    if choice is not None:
        return _read_choice(choice)
    legacy = given.any("function_call")
    if legacy is None:
        return None
    if is_object(legacy):
        return ToolChoice("named", (Fields(legacy, "function_call").needed_text("name"),))
    if legacy not in ("auto", "none"):
        raise must_be("function_call", "none, auto, or an object with a name")
    return ToolChoice(legacy)


def write_tools(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    """Return the parameters about tools. Raises Unsupported."""
    tools = [tool for tool in chat.tools if not is_foreign_search(tool)]
    choice = chat.tool_choice
    if choice is not None and choice.names and choice.mode != "named" and not dialect.allowed_tools:
        # Tools that must not be called may as well not be there.
        tools = [tool for tool in tools if isinstance(tool, BuiltIn) or tool.name in choice.names]
        choice = ToolChoice(choice.mode)
    if not tools:
        return {}
    if "tools" in dialect.lacks:
        raise losses.refuse("tools")
    if choice is not None and choice.mode == "none" and "none" not in dialect.tool_choice:
        return {}  # without tools none can be called
    written: dict[str, Any] = {"tools": [_write_tool(tool, chat, dialect, losses) for tool in tools]}
    if choice is not None:
        written |= _write_choice(choice, chat, dialect, losses)
    parallel = chat.parallel_tool_calls
    if parallel is None and dialect.serial_tools and chat.format != OWN:
        parallel = True  # as callers of every other format expect
    if parallel is not None:
        if "parallel_tool_calls" in dialect.lacks:
            losses.drop("parallel_tool_calls")
        else:
            written["parallel_tool_calls"] = parallel
    return written


def is_foreign_search(tool: Tool) -> bool:
    """Say whether a tool is another format's web search, which vendors have a parameter for."""
    return isinstance(tool, BuiltIn) and tool.web_search and tool.format != OWN


def _read_tool(fields: Fields, tool: dict[str, Any]) -> Tool:
    kind = fields.needed_text("type")
    match kind:
        case "function":
            inner = fields.needed_inner("function")
            cache = read_cache_mark(fields)
            function = _read_function(inner)
            beside = {_OUTSIDE + name: raw for name, raw in fields.rest().items()}
            if cache is None and not beside:
                return function
            return msgspec.structs.replace(function, cache=cache, extra={**function.extra, **beside})
        case "custom":
            return _read_custom(fields)
        case _:
            return BuiltIn(OWN, kind, Raw(encode(tool)), web_search=kind.startswith("web_search"))


def _read_function(fields: Fields) -> Function:
    return Function(
        fields.needed_text("name"),
        fields.text("description") or "",
        fields.raw("parameters"),
        fields.flag("strict"),
        extra=fields.rest(),
    )


def _read_custom(fields: Fields) -> Custom:
    inner = fields.needed_inner("custom")
    name, description = inner.needed_text("name"), inner.text("description") or ""
    syntax = definition = ""
    if (form := inner.inner("format")) is not None:
        match form.needed_text("type"):
            case "text":
                pass
            case "grammar":
                grammar = form.needed_inner("grammar")
                syntax, definition = grammar.needed_text("syntax"), grammar.needed_text("definition")
            case _:
                raise must_be(form.path("type"), "text or grammar")
    return Custom(name, description, syntax, definition, read_cache_mark(fields), inner.rest())


def _read_choice(choice: Any) -> ToolChoice:
    if type(choice) is str:
        match choice:
            case "auto" | "none" | "required":
                return ToolChoice(choice)
            case _:
                raise must_be("tool_choice", _CHOICES)
    fields = Fields(choice, "tool_choice")
    match fields.needed_text("type"):
        case "function" | "custom" as kind:
            return ToolChoice("named", (fields.needed_inner(kind).needed_text("name"),))
        case "allowed_tools":
            allowed = fields.needed_inner("allowed_tools")
            mode = allowed.needed_text("mode")
            if mode not in ("auto", "required"):
                raise must_be(allowed.path("mode"), "auto or required")
            tools = allowed.items("tools")
            if not tools:
                raise missing(allowed.path("tools"))
            param = allowed.path("tools")
            return ToolChoice(mode, tuple(_allowed_name(tool, f"{param}[{at}]") for at, tool in enumerate(tools)))
        case _:
            raise must_be("tool_choice", _CHOICES)


def _allowed_name(tool: Any, param: str) -> str:
    fields = Fields(tool, param)
    kind = fields.needed_text("type")
    if kind not in ("function", "custom"):
        raise BadRequest(f"'{fields.path('type')}' must be function or custom.", param=fields.path("type"))
    return fields.needed_inner(kind).needed_text("name")


def _write_tool(tool: Tool, chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any] | Raw:
    match tool:
        case Function():
            return _write_function(tool, chat, dialect, losses)
        case Custom():
            assert dialect.custom_tools, "they are functions by now"
            return {"type": "custom", "custom": _write_custom(tool, chat)}
        case BuiltIn():
            if tool.format != OWN:
                raise losses.refuse("built_in", f"cannot hold '{tool.kind}' there")
            return tool.raw


def _write_function(tool: Function, chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    extra: Extra = tool.extra if chat.format == OWN else {}
    inner: dict[str, Any] = {"name": tool.name}
    if tool.description:
        inner["description"] = tool.description
    if tool.parameters is not None:
        inner["parameters"] = tool.parameters
    if tool.strict is not None:
        if "strict" in dialect.lacks:
            losses.drop("strict")
        else:
            inner["strict"] = tool.strict
    inner |= {name: raw for name, raw in extra.items() if not name.startswith(_OUTSIDE)}
    written: dict[str, Any] = {"type": "function", "function": inner}
    written |= write_cache_mark(tool.cache, dialect, losses)
    return written | {name.removeprefix(_OUTSIDE): raw for name, raw in extra.items() if name.startswith(_OUTSIDE)}


def _write_custom(tool: Custom, chat: Chat) -> dict[str, Any]:
    inner: dict[str, Any] = {"name": tool.name}
    if tool.description:
        inner["description"] = tool.description
    if tool.syntax:
        grammar = {"syntax": tool.syntax, "definition": tool.definition}
        inner["format"] = {"type": "grammar", "grammar": grammar}
    return {**inner, **(tool.extra if chat.format == OWN else {})}


def _write_choice(choice: ToolChoice, chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    if choice.mode not in dialect.tool_choice:
        raise losses.refuse("tool_choice", f"cannot be '{choice.mode}' there")
    kinds = {tool.name: "custom" for tool in chat.tools if isinstance(tool, Custom)}
    named = [(kinds.get(name, "function"), name) for name in choice.names]
    if choice.mode == "named":
        kind, name = named[0]
        return {"tool_choice": {"type": kind, kind: {"name": name}}}
    if not named:
        return {"tool_choice": choice.mode}
    tools = [{"type": kind, kind: {"name": name}} for kind, name in named]
    return {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}}
