"""Forced tool choice for models that do not call tools by themselves.

The tools are described in the first system message, the output is held to a JSON schema of the call, and the
JSON is written back as `tool_calls`.
"""

import secrets
from typing import Any

from msgspec import DecodeError, Struct, json

from tokengate.core.errors import BadRequest
from tokengate.engines.pieces import Piece, ToolCall

_encode = json.Encoder().encode
_decode = json.Decoder().decode


class Function(Struct, omit_defaults=True):
    """A tool's function as the caller declares it."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Struct, omit_defaults=True):
    """One entry of `tools`."""

    type: str
    function: Function


class Forced(Struct, frozen=True, eq=False):
    """The tools of which one must be called."""

    tools: tuple[Tool, ...]

    def schema(self) -> dict[str, Any]:
        """Return the schema of the output: the arguments when there is one tool, else a call that names its tool."""
        calls = [
            {
                "type": "object",
                "properties": {"name": {"const": tool.function.name}, "arguments": _parameters(tool)},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for tool in self.tools
        ]
        return _parameters(self.tools[0]) if len(self.tools) == 1 else {"anyOf": calls}

    def instruction(self) -> str:
        """Return what the model is told."""
        lines = [f"- {_encode(tool.function).decode()}" for tool in self.tools]
        if len(self.tools) == 1:
            return "Call this function. Answer only with its arguments as JSON.\n" + lines[0]
        return 'Call one of these functions. Answer only with {"name": ..., "arguments": {...}}.\n' + "\n".join(lines)


def read_forced(tools: list[Tool], choice: Any) -> Forced | None:
    """Return the tools that `tool_choice` forces; None when it leaves the choice to the model. Raises BadRequest."""
    if choice in ("auto", "none"):
        return None
    if not tools:
        raise BadRequest("'tool_choice' is only allowed when 'tools' are given.", param="tool_choice")
    if choice == "required":
        return Forced(tuple(tools))
    if name := _named(choice):
        named = tuple(tool for tool in tools if tool.function.name == name)
        if not named:
            raise BadRequest("'tool_choice' names a function that is not in 'tools'.", param="tool_choice")
        return Forced(named[:1])
    raise BadRequest("'tool_choice' must be none, auto, required, or name a function.", param="tool_choice")


class ForcedReader:
    """Turns the JSON text of one choice into pieces of a tool call.

    With one tool the arguments stream as they are written. With several the call is given at its end, when its
    name is known.
    """

    def __init__(self, forced: Forced) -> None:
        self._forced = forced
        self._id = f"call_{secrets.token_hex(12)}"
        self._held: list[str] = []
        self._named = False

    def read(self, piece: Piece) -> Piece:
        """Return the piece as the caller is to see it."""
        text = piece.content or ""
        calls = self._single(text) if len(self._forced.tools) == 1 else self._several(text, piece.finish)
        return Piece(
            choice=piece.choice,
            tool_calls=calls,
            finish="tool_calls" if piece.finish == "stop" else piece.finish,
            usage=piece.usage,
        )

    def _single(self, text: str) -> tuple[ToolCall, ...]:
        if not text:
            return ()
        if self._named:
            return (ToolCall(index=0, arguments=text),)
        self._named = True
        return (ToolCall(index=0, id=self._id, name=self._forced.tools[0].function.name, arguments=text),)

    def _several(self, text: str, finish: str | None) -> tuple[ToolCall, ...]:
        self._held.append(text)
        if finish is None:
            return ()
        try:
            call = _decode("".join(self._held))
            name, arguments = call["name"], call["arguments"]
        except (DecodeError, KeyError, TypeError):
            # Cut by the output cap before the call was whole: what there is cannot be attributed to a tool.
            return ()
        return (ToolCall(index=0, id=self._id, name=name, arguments=_encode(arguments).decode()),)


def _named(choice: Any) -> str | None:
    match choice:
        case {"function": {"name": str(name)}}:
            return name
        case _:
            return None


def _parameters(tool: Tool) -> dict[str, Any]:
    return tool.function.parameters or {"type": "object"}
