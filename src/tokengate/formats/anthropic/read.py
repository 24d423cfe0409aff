"""A client's request, read into the vocabulary."""

import msgspec
from msgspec import Raw

from tokengate.core.chat import (
    OPEN_BUDGET,
    BuiltIn,
    Chat,
    Function,
    JsonFormat,
    Message,
    Output,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
)
from tokengate.core.errors import BadRequest
from tokengate.core.splice import Members
from tokengate.formats.anthropic import types
from tokengate.formats.anthropic.read_blocks import cache_mark, read_content, read_texts, unknown_members
from tokengate.formats.anthropic.refusal import missing, must_be, read, refusal_of
from tokengate.formats.anthropic.types import NAME

_ANY_TIER = "auto"

# Members that the vocabulary has no word for and that change what the answer is.
_ESSENTIAL = frozenset({"container", "mcp_servers", "output_format", "max_tokens"})


def read_chat(body: bytes) -> Chat:
    """Read the body of `POST /v1/messages`. Raises BadRequest."""
    members = _members(body, _MESSAGE_NAMES)
    wire = read(_decode_message, body, "")
    extra = _extra(wire, members, _MESSAGE_NAMES)
    if wire.max_tokens == 0:  # no other format knows this: it warms the cache and answers nothing
        extra["max_tokens"] = Raw(b"0")
    if wire.metadata is not None and unknown_members(members.get("metadata") or b"{}", _METADATA, "metadata"):
        extra["metadata"] = _raw(members, "metadata")
    if wire.service_tier not in (None, _ANY_TIER):  # its other words mean nothing elsewhere
        extra["service_tier"] = _raw(members, "service_tier")
    return Chat(
        format=NAME,
        model=wire.model,
        messages=_messages(wire),
        stream=wire.stream is True,
        include_usage=True,
        tools=_tools(wire.tools or []),
        tool_choice=_tool_choice(wire.tool_choice),
        parallel_tool_calls=_parallel(wire.tool_choice),
        sampling=Sampling(temperature=wire.temperature, top_p=wire.top_p, top_k=wire.top_k),
        output=Output(cap=wire.max_tokens, stop=tuple(wire.stop_sequences or ()), json=_json(wire.output_config)),
        reasoning=_reasoning(wire),
        user=wire.metadata.user_id if wire.metadata else None,
        service_tier=_ANY_TIER if wire.service_tier == _ANY_TIER else None,
        cache=cache_mark(wire.cache_control),
        extra=extra,
        essential=_ESSENTIAL & extra.keys(),
    )


def read_count(body: bytes) -> Chat:
    """Read the body of `POST /v1/messages/count_tokens`: a request without an output. Raises BadRequest."""
    members = _members(body, _COUNT_NAMES)
    wire = read(_decode_count, body, "")
    return Chat(
        format=NAME,
        model=wire.model,
        messages=_messages(wire),
        tools=_tools(wire.tools or []),
        tool_choice=_tool_choice(wire.tool_choice),
        parallel_tool_calls=_parallel(wire.tool_choice),
        output=Output(json=_json(wire.output_config)),
        reasoning=_reasoning(wire),
        cache=cache_mark(wire.cache_control),
        extra=_extra(wire, members, _COUNT_NAMES),
    )


def write_count(tokens: int) -> bytes:
    """Return the answer to a count."""
    return msgspec.json.encode({"input_tokens": tokens})


_decode_message = msgspec.json.Decoder(types.MessageBody).decode
_decode_count = msgspec.json.Decoder(types.CountBody).decode
_decode_param = msgspec.json.Decoder(types.MessageParam).decode
_decode_tool = msgspec.json.Decoder(types.Tool).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_anything = msgspec.json.Decoder().decode
_decode_string = msgspec.json.Decoder(str).decode

_MESSAGE_NAMES = frozenset(types.MessageBody.__struct_encode_fields__)
_COUNT_NAMES = frozenset(types.CountBody.__struct_encode_fields__)
_PARAM = frozenset(types.MessageParam.__struct_encode_fields__)
_TOOL = frozenset((*types.Tool.__struct_encode_fields__, "type"))
_METADATA = frozenset(types.Metadata.__struct_encode_fields__)
_OUTPUT_CONFIG = frozenset(types.OutputConfig.__struct_encode_fields__)
_THINKING_TYPES = frozenset({"enabled", "disabled", "adaptive"})


def _members(body: bytes, names: frozenset[str]) -> Members:
    """Return the body's top level. Members that we do not know must be sound JSON, and not ours in capitals."""
    try:
        str(body, "utf-8")
        members = Members(body)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error) from None
    for name in members.names() - names:
        if name.casefold() in names:
            raise BadRequest(f"'{name}' must be written '{name.casefold()}'.", param=name)
        read(_decode_anything, members.get(name) or b"", name)
    return members


def _extra(wire: types.CountBody, members: Members, names: frozenset[str]) -> dict[str, Raw]:
    """Return what the vocabulary has no word for. A member of which it says only a part is kept whole."""
    extra = {name: _raw(members, name) for name in members if name not in names and members.get(name) != b"null"}
    config = members.get("output_config")
    if wire.output_config is not None and unknown_members(config or b"{}", _OUTPUT_CONFIG, "output_config"):
        extra["output_config"] = _raw(members, "output_config")
    if wire.thinking is not None and wire.thinking.type not in _THINKING_TYPES:
        extra["thinking"] = _raw(members, "thinking")
    return extra


def _raw(members: Members, name: str) -> Raw:
    value = members.get(name)
    assert value is not None, "only members that are there are kept"
    return Raw(value)


def _messages(wire: types.CountBody) -> tuple[Message, ...]:
    messages: list[Message] = []
    if wire.system is not None:
        parts = read_texts(wire.system, "system")
        if parts:
            messages.append(Message("system", parts))
    last = len(wire.messages) - 1
    for index, raw in enumerate(wire.messages):
        at = f"messages.{index}"
        param = read(_decode_param, raw, at)
        reader = read_texts if param.role == "system" else read_content
        parts = reader(param.content, f"{at}.content")
        extra = unknown_members(bytes(raw), _PARAM, at)
        # A last message of the assistant is the beginning of the answer.
        messages.append(Message(param.role, parts, partial=param.role == "assistant" and index == last, extra=extra))
    return tuple(messages)


def _tools(tools: list[Raw]) -> tuple[Tool, ...]:
    return tuple(_tool(bytes(raw), f"tools.{index}") for index, raw in enumerate(tools))


def _tool(raw: bytes, at: str) -> Tool:
    members = read(_decode_members, raw, at)
    kind = members.get("type")
    name = "custom" if kind is None or bytes(kind) == b"null" else read(_decode_string, bytes(kind), f"{at}.type")
    if name != "custom":
        read(_decode_anything, raw, at)
        return BuiltIn(NAME, name, Raw(raw), web_search=name.startswith("web_search_"))
    wire = read(_decode_tool, raw, at)
    read(_decode_members, bytes(wire.input_schema), f"{at}.input_schema")
    return Function(
        wire.name,
        wire.description or "",
        Raw(bytes(wire.input_schema)),
        wire.strict,
        cache_mark(wire.cache_control),
        unknown_members(raw, _TOOL, at),
    )


def _tool_choice(wire: types.ToolChoice | None) -> ToolChoice | None:
    if wire is None:
        return None
    match wire.type:
        case "auto":
            return ToolChoice("auto")
        case "any":
            return ToolChoice("required")
        case "none":
            return ToolChoice("none")
        case "tool":
            if not wire.name:
                raise missing("tool_choice.name")
            return ToolChoice("named", (wire.name,))


def _parallel(wire: types.ToolChoice | None) -> bool | None:
    if wire is None or wire.disable_parallel_tool_use is None:
        return None
    return not wire.disable_parallel_tool_use


def _json(config: types.OutputConfig | None) -> JsonFormat | None:
    if config is None or config.format is None:
        return None
    read(_decode_members, bytes(config.format.schema), "output_config.format.schema")
    return JsonFormat(Raw(bytes(config.format.schema)))


def _reasoning(wire: types.CountBody) -> Reasoning:
    effort = wire.output_config.effort if wire.output_config else None
    thinking = wire.thinking
    if thinking is None or thinking.type not in _THINKING_TYPES:
        return Reasoning(effort=effort)
    if thinking.type == "enabled" and thinking.budget_tokens is None:
        raise missing("thinking.budget_tokens")
    if thinking.type != "enabled" and thinking.budget_tokens is not None:
        raise must_be("thinking.type", "enabled for a budget")
    return Reasoning(
        enabled=thinking.type != "disabled",
        effort=effort,
        budget=OPEN_BUDGET if thinking.type == "adaptive" else thinking.budget_tokens,
        shown=None if thinking.display is None else thinking.display == "summarized",
    )
