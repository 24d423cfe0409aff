"""The messages of a request, read: turns with roles, tool calls and their results."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.chat import Message
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Extra, Part, Text, ToolCall, ToolResult
from tokengate.formats.dashscope.content import read_part
from tokengate.formats.dashscope.parameters import Call, ChatMessage, Exchange
from tokengate.formats.dashscope.refusal import must_be, refusal_of
from tokengate.formats.dashscope.shapes import decode_anything, decode_object, is_null, others
from tokengate.formats.dashscope.thinking import read_thinking

_KNOWN = frozenset(ChatMessage.__struct_fields__)
_decode_message = msgspec.json.Decoder(ChatMessage).decode


def read_messages(raws: Sequence[Raw]) -> tuple[Message, ...]:
    """Return the turns; results of tools that follow each other are one turn of the user's. Raises BadRequest."""
    if not raws:
        raise must_be("input.messages")
    turns: list[Message] = []
    results: list[Part] = []
    calls: list[ToolCall] = []  # of the assistant's turn before, still without a result
    for index, raw in enumerate(raws):
        param = f"input.messages[{index}]"
        try:
            wire = _decode_message(raw)
            members = decode_object(raw)
            decode_anything(raw)  # what is kept as it is must be sound
        except (ValueError, RecursionError) as error:
            raise refusal_of(error, param) from None
        parts = _read_content(wire.content, f"{param}.content")
        if wire.role == "tool":
            results.append(_read_result(wire, parts, calls, param, others(members, _KNOWN)))
            continue
        if results:
            turns.append(Message("user", tuple(results)))
            results = []
        if wire.role == "assistant":
            parts = _read_assistant(wire, parts, index)
            calls = [part for part in parts if isinstance(part, ToolCall)]
        elif wire.content is None:
            raise BadRequest(f"'{param}.content' is required.", param=f"{param}.content")
        turns.append(
            Message(
                wire.role,
                parts,
                name=wire.name or "",
                partial=wire.partial is True,
                extra=others(members, _KNOWN),
            )
        )
    if results:
        turns.append(Message("user", tuple(results)))
    return tuple(turns)


def prompt_messages(prompt: str, history: Sequence[Exchange]) -> tuple[Message, ...]:
    """Return the turns of a request without messages."""
    turns: list[Message] = []
    for exchange in history:
        turns.append(Message("user", (Text(exchange.user),)))
        turns.append(Message("assistant", (Text(exchange.bot),)))
    return (*turns, Message("user", (Text(prompt),)))


class _Google(Struct):
    thought_signature: str | None = None


class _ExtraContent(Struct):
    google: _Google | None = None


_decode_extra_content = msgspec.json.Decoder(_ExtraContent).decode


def read_signature(extra_content: Raw) -> str:
    """Return the thought signature of a tool call. Raises msgspec.ValidationError for another shape."""
    if is_null(extra_content):
        return ""
    google = _decode_extra_content(extra_content).google
    return (google.thought_signature if google else None) or ""


def write_signature(signature: str) -> dict[str, Any]:
    """Return the member of a tool call that holds its thought signature; none for no signature."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


def _read_content(content: str | list[Raw] | None, param: str) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    parts: list[Part] = []
    for index, raw in enumerate(content):
        where = f"{param}[{index}]"
        try:
            parts.append(read_part(raw, lambda where=where: must_be(where)))
        except (ValueError, RecursionError) as error:
            raise refusal_of(error, where) from None
    return tuple(parts)


def _read_assistant(wire: ChatMessage, parts: tuple[Part, ...], turn: int) -> tuple[Part, ...]:
    param = f"input.messages[{turn}]"
    try:
        thinking = read_thinking(wire.reasoning_content, wire.reasoning_signature, wire.reasoning_details)
    except ValueError as error:
        raise refusal_of(error, f"{param}.reasoning_details") from None
    calls = tuple(_read_call(call, turn, index) for index, call in enumerate(wire.tool_calls or ()))
    if parts == (Text(""),) and (thinking or calls):
        parts = ()
    if not parts and not thinking and not calls:
        raise BadRequest(
            f"'{param}.content' is required; only a message with tool calls may leave it out.", param=f"{param}.content"
        )
    return (*thinking, *parts, *calls)


def _read_call(call: Call, turn: int, index: int) -> ToolCall:
    try:
        signature = read_signature(call.extra_content)
    except ValueError as error:
        raise refusal_of(error, f"input.messages[{turn}].tool_calls[{index}].extra_content") from None
    # Results without ids name the function; other formats need an id.
    return ToolCall(call.id or f"call_{turn}_{index}", call.function.name, call.function.arguments, signature)


def _read_result(
    wire: ChatMessage, parts: tuple[Part, ...], calls: list[ToolCall], param: str, extra: Extra
) -> ToolResult:
    """Return a tool's result. Without an id it belongs to the first call of its function that has none yet."""
    if wire.content is None:
        raise BadRequest(f"'{param}.content' is required.", param=f"{param}.content")
    call = next(
        (
            call
            for call in calls
            if (call.id == wire.tool_call_id if wire.tool_call_id else wire.name in (None, "", call.name))
        ),
        None,
    )
    if call is not None:
        calls.remove(call)
    return ToolResult(wire.tool_call_id or (call.id if call else ""), parts, name=wire.name or "", extra=extra)
