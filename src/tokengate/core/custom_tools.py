"""Custom tools for formats that have only functions: a function whose one parameter, `input`, is the text.

A writer of such a format passes its chat through `without_custom`; a writer of replies to a caller who has custom
tools finds their names with `custom_names` and gets the text back with `input_of`.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct, structs

from tokengate.core.chat import Chat, Custom, Function, Message, Tool
from tokengate.core.parts import Part, Text, ToolCall, ToolResult
from tokengate.core.wire import Losses

_PARAMETERS = Raw(
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'
)


def without_custom(chat: Chat, losses: Losses) -> Chat:
    """Return the chat with its custom tools, and calls and results of them, as functions.

    The grammar of a tool's text is lost with a warning.
    """
    if not (chat.tools and custom_names(chat)) and not _have_custom(chat.messages):
        return chat
    return structs.replace(
        chat,
        tools=tuple(_plain_tool(tool, losses) for tool in chat.tools),
        messages=tuple(_plain_message(message) for message in chat.messages),
    )


def custom_names(chat: Chat) -> frozenset[str]:
    """Return the names of the custom tools that the model may call."""
    return frozenset(tool.name for tool in chat.tools if isinstance(tool, Custom))


def input_of(arguments: str) -> str:
    """Return the text in a function's arguments; the arguments themselves when a model wrote them otherwise."""
    try:
        return _decode(arguments).input
    except (ValueError, RecursionError):
        return arguments


class _Input(Struct):
    input: str


_decode = msgspec.json.Decoder(_Input).decode


def _have_custom(messages: Iterable[Message]) -> bool:
    for message in messages:
        for part in message.parts:
            if type(part) is not Text and isinstance(part, ToolCall | ToolResult) and part.custom:  # most are texts
                return True
    return False


def _plain_tool(tool: Tool, losses: Losses) -> Tool:
    if not isinstance(tool, Custom):
        return tool
    if tool.definition:
        losses.drop("definition")
    return Function(tool.name, tool.description, _PARAMETERS, cache=tool.cache)


def _plain_message(message: Message) -> Message:
    if not _have_custom((message,)):
        return message
    return structs.replace(message, parts=tuple(_plain_part(part) for part in message.parts))


def _plain_part(part: Part) -> Part:
    match part:
        case ToolCall(custom=True):
            return structs.replace(part, custom=False, arguments=msgspec.json.encode(_Input(part.arguments)).decode())
        case ToolResult(custom=True):
            return structs.replace(part, custom=False)
        case _:
            return part
