"""Reads tools and the choice among them; writes them."""

from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tokengate.core.chat import BuiltIn, Custom, Function, Tool, ToolChoice
from tokengate.core.errors import BadRequest
from tokengate.core.wire import Losses
from tokengate.formats.gemini.extra import nest
from tokengate.formats.gemini.fields import Fields, wrong
from tokengate.formats.gemini.schema import read_schema
from tokengate.formats.gemini.signatures import NAME

_SEARCHES: Final = frozenset({"googleSearch", "googleSearchRetrieval"})
_encode = msgspec.json.Encoder().encode


def read_tools(entries: list[Fields]) -> tuple[Tool, ...]:
    """Return the tools of a request; an entry may hold functions and built-in tools. Raises BadRequest."""
    tools: list[Tool] = []
    for entry in entries:
        tools += [_read_function(one) for one in entry.objects("functionDeclarations")]
        for kind, raw in entry.rest().items():
            tools.append(BuiltIn(NAME, kind, Raw(_encode({kind: raw})), web_search=kind in _SEARCHES))
    return tuple(tools)


def read_choice(config: Fields, tools: tuple[Tool, ...]) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    """Return a functionCallingConfig, and the tools with what it says of them. Raises BadRequest."""
    mode = config.word("mode")
    names = config.strings("allowedFunctionNames")
    match mode:
        case None | "AUTO":
            return ToolChoice("auto", names) if mode or names else None, tools
        case "NONE":
            return ToolChoice("none", names), tools
        case "ANY":
            return ToolChoice("named" if len(names) == 1 else "required", names), tools
        case "VALIDATED":
            strict = tuple(replace(tool, strict=True) if isinstance(tool, Function) else tool for tool in tools)
            return ToolChoice("auto", names), tools if names else strict
        case _:
            raise BadRequest(f"'{config.at('mode')}' must be AUTO, ANY, NONE or VALIDATED.", param=config.at("mode"))


def write_tools(tools: tuple[Tool, ...], losses: Losses, *, own: bool) -> list[dict[str, Any]]:
    """Return tools, all functions in one entry. Raises Unsupported for what another vendor runs."""
    entries: list[dict[str, Any]] = []
    functions: list[dict[str, Any]] = []
    for tool in tools:
        match tool:
            case Function():
                if tool.cache is not None:
                    losses.drop("cache")
                functions.append(_write_function(tool, own=own))
            case Custom():
                raise AssertionError("custom tools are functions by now")
            case BuiltIn(format="gemini"):
                entries.append(_decode(tool.raw))
            case BuiltIn(web_search=True):
                entries.append({"googleSearch": {}})
            case BuiltIn():
                raise losses.refuse("built_in", f"holds '{tool.kind}', which only its own vendor can run")
    return [{"functionDeclarations": functions}, *entries] if functions else entries


def write_choice(choice: ToolChoice | None, tools: tuple[Tool, ...], losses: Losses) -> dict[str, Any]:
    """Return a functionCallingConfig; empty when nothing was chosen."""
    functions = [tool for tool in tools if isinstance(tool, Function)]
    strict = [tool for tool in functions if tool.strict]
    validated = bool(strict) and len(strict) == len(functions)
    if strict and not validated:
        losses.drop("strict")
    if choice is None:
        return {"mode": "VALIDATED"} if validated else {}
    names = {"allowedFunctionNames": list(choice.names)} if choice.names else {}
    match choice.mode:
        case "auto":
            # Names narrow only a mode in which calls are checked.
            return {"mode": "VALIDATED" if validated or names else "AUTO", **names}
        case "none":
            return {"mode": "NONE", **names}
        case "required" | "named":
            return {"mode": "ANY", **names}


def _read_function(fields: Fields) -> Function:
    name = fields.text("name")
    if not name:
        raise wrong(fields.at("name"), "the name of a function")
    description = fields.text("description") or ""
    schema, openapi = fields.raw("parametersJsonSchema"), fields.raw("parameters")
    if schema is not None and openapi is not None:
        raise BadRequest(
            f"'{fields.path}' must not have both 'parameters' and 'parametersJsonSchema'.",
            param=fields.at("parametersJsonSchema"),
        )
    if openapi is not None:
        schema = read_schema(openapi, fields.at("parameters"))
    return Function(name, description, schema, extra=fields.rest())


def _write_function(function: Function, *, own: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": function.name}
    if function.description:
        written["description"] = function.description
    if function.parameters is not None:
        written["parametersJsonSchema"] = function.parameters
    if own:
        nest(written, function.extra)
    return written


_decode = msgspec.json.Decoder(dict[str, Raw]).decode
