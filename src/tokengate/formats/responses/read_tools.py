"""Tools and the choice among them, read. A tool of the vendor's own stays whole, as a `BuiltIn`."""

import msgspec
from msgspec import Raw

from tokengate.core.chat import BuiltIn, Custom, Function, Tool, ToolChoice
from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.formats.responses.refusal import missing, must_be, read
from tokengate.formats.responses.types import NAME, CustomTool, FunctionTool, ToolChoiceObject, Typed

_CALLABLE = frozenset({"function", "custom"})


def read_tool(raw: Raw, at: str) -> Tool:
    """Return one entry of `tools`. Raises BadRequest."""
    kind = read(_decode_typed, raw, at).type
    if kind is None:
        raise missing(f"{at}.type")
    if kind == "function":
        function = read(_decode_function, raw, at)
        parameters = None if function.parameters is None else read(_members, raw, at)["parameters"]
        return Function(
            function.name,
            function.description or "",
            parameters,
            function.strict,
            extra=_rest(raw, FunctionTool.__struct_fields__, at),
        )
    if kind == "custom":
        custom = read(_decode_custom, raw, at)
        grammar = custom.format
        return Custom(
            custom.name,
            custom.description or "",
            grammar.syntax if grammar else "",
            grammar.definition if grammar else "",
            extra=_rest(raw, CustomTool.__struct_fields__, at),
        )
    return BuiltIn(NAME, kind, raw, web_search=kind.startswith("web_search"))


def read_choice(raw: Raw) -> ToolChoice | None:
    """Return `tool_choice`; None for a choice that the vocabulary has no word for. Raises BadRequest."""
    mode = _MODES.get(bytes(raw))
    if mode is not None:
        return mode
    if not bytes(raw).startswith(b"{"):
        raise must_be("tool_choice")
    choice = read(_decode_choice, raw, "tool_choice")
    if choice.type in _CALLABLE:
        if choice.name is None:
            raise missing("tool_choice.name")
        return ToolChoice("named", (choice.name,))
    allowed = choice.tools or ()
    names = tuple(tool.name for tool in allowed if tool.type in _CALLABLE and tool.name is not None)
    if choice.type == "allowed_tools" and len(names) == len(allowed):
        return ToolChoice(choice.mode, names)
    return None


def _rest(raw: Raw, known: tuple[str, ...], at: str) -> Extra:
    members = read(_members, raw, at)
    return {
        name: value
        for name, value in members.items()
        if name not in known and name != "type" and bytes(value) != b"null"
    } or NO_EXTRA


_MODES = {
    b'"auto"': ToolChoice("auto"),
    b'"none"': ToolChoice("none"),
    b'"required"': ToolChoice("required"),
}
_decode_typed = msgspec.json.Decoder(Typed).decode
_decode_function = msgspec.json.Decoder(FunctionTool).decode
_decode_custom = msgspec.json.Decoder(CustomTool).decode
_decode_choice = msgspec.json.Decoder(ToolChoiceObject).decode
_members = msgspec.json.Decoder(dict[str, Raw]).decode
