"""Capabilities of tools: definitions, the choice among them, calls, and what functions give back."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.compatibility.capability import (
    ANTHROPIC,
    DASHSCOPE,
    GEMINI,
    OPENAI,
    PNG,
    RESPONSES,
    Capability,
    decoded,
    first,
    parts_of,
    says,
)
from tests.compatibility.clients import Ask, Json
from tokengate.core.chat import Chat, Custom, Function
from tokengate.core.parts import Image, ToolCall, ToolResult
from tokengate.core.reply import FinishReason, Reply

_SCHEMA: Json = {
    "type": "object",
    "properties": {"location": {"type": "string"}},
    "required": ["location"],
    "additionalProperties": False,
}
_OTHER: Json = {"type": "object", "properties": {}, "additionalProperties": False, "required": []}


def _openai(name: str, schema: Json, **more: Any) -> Json:
    return {"type": "function", "function": {"name": name, "description": "Looks.", "parameters": schema, **more}}


def _responses(name: str, schema: Json, **more: Any) -> Json:
    return {"type": "function", "name": name, "description": "Looks.", "parameters": schema, **more}


def _anthropic(name: str, schema: Json, **more: Any) -> Json:
    return {"name": name, "description": "Looks.", "input_schema": schema, **more}


def _gemini(*functions: tuple[str, Json]) -> list[Json]:
    declared = [{"name": name, "description": "Looks.", "parametersJsonSchema": schema} for name, schema in functions]
    return [{"functionDeclarations": declared}]


def given(
    choices: Mapping[str, Json] | None = None, *, two: bool = False, strict: bool = False, parallel: bool | None = None
) -> Mapping[str, Ask]:
    """Return requests with a tool, or two; `choices` are members that say which may be called."""
    more: Json = {"strict": True} if strict else {}
    at_once: Json = {} if parallel is None else {"parallel_tool_calls": parallel}
    names = [("get_weather", _SCHEMA), *([("get_time", _OTHER)] if two else [])]
    members: dict[str, Json] = {
        OPENAI: {"tools": [_openai(name, schema, **more) for name, schema in names], **at_once},
        RESPONSES: {"tools": [_responses(name, schema, **more) for name, schema in names], **at_once},
        ANTHROPIC: {"tools": [_anthropic(name, schema, **more) for name, schema in names]},
        GEMINI: {"tools": _gemini(*names)},
        DASHSCOPE: {"parameters": {"tools": [_openai(name, schema) for name, schema in names], **at_once}},
    }
    if parallel is not None:
        members[ANTHROPIC]["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": not parallel}
    asks: dict[str, Ask] = {}
    for client, body in members.items():
        if choices is None:
            asks[client] = Ask(members=body)
        elif client in choices:
            chosen = choices[client]
            if client == DASHSCOPE:
                chosen = {"parameters": {**body["parameters"], **chosen}}
            asks[client] = Ask(members={**body, **chosen})
    return asks


def _only(asks: Mapping[str, Ask], *clients: str) -> Mapping[str, Ask]:
    return {client: ask for client, ask in asks.items() if client in clients}


def _calls(reply: Reply) -> list[tuple[str, Any]]:
    return [(part.name, part.arguments) for part in first(reply).parts if isinstance(part, ToolCall)]


def _called(*places: str) -> Any:
    def returned(reply: Reply) -> bool:
        calls = [part for part in first(reply).parts if isinstance(part, ToolCall)]
        ids = {call.id for call in calls}
        return [_place(call) for call in calls] == list(places) and len(ids) == len(places) and "" not in ids

    return returned


def _place(call: ToolCall) -> Any:
    return decoded(call.arguments).get("location")


def _ended_with_calls(reply: Reply) -> bool:
    return _called("Rome")(reply) and first(reply).finish is FinishReason.TOOL_CALLS


def _functions(chat: Chat) -> list[str]:
    return [tool.name for tool in chat.tools if isinstance(tool, Function)]


def _defined(chat: Chat) -> bool:
    """The one function, with its schema."""
    schemas = [decoded(tool.parameters) for tool in chat.tools if isinstance(tool, Function)]
    return _functions(chat) == ["get_weather"] and schemas[0]["properties"] == _SCHEMA["properties"]


def _chosen(mode: str, names: Sequence[str] = ()) -> Any:
    def arrived(chat: Chat) -> bool:
        choice = chat.tool_choice
        return choice is not None and choice.mode == mode and list(choice.names) == list(names)

    return arrived


def _results(chat: Chat) -> list[ToolResult]:
    return [part for part in parts_of(chat) if isinstance(part, ToolResult)]


_PICTURES: Mapping[str, list[Json]] = {
    ANTHROPIC: [
        {"type": "text", "text": "It is sunny"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    ],
    RESPONSES: [
        {"type": "input_text", "text": "It is sunny"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
    ],
    GEMINI: [{"inlineData": {"mimeType": "image/png", "data": PNG}}],
    OPENAI: [
        {"type": "text", "text": "It is sunny"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ],
}


def _before_pictures(client: str) -> Ask:
    """A conversation whose tool gave back text and a picture."""
    content = _PICTURES[client]
    match client:
        case "anthropic":
            use = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"location": "Rome"}}
            result = {"type": "tool_result", "tool_use_id": "call_1", "content": content}
            before = [{"role": "user", "content": "?"}, {"role": "assistant", "content": [use]}]
            return Ask(members=given()[client].members, before=before, parts=(), turn={"content": [result]})
        case "gemini":
            call = {"functionCall": {"id": "c1", "name": "get_weather", "args": {"location": "Rome"}}}
            answer = {"id": "c1", "name": "get_weather", "response": {"result": "It is sunny"}, "parts": content}
            before = [{"role": "user", "parts": [{"text": "?"}]}, {"role": "model", "parts": [call]}]
            result = {"functionResponse": answer}
            return Ask(members=given()[client].members, before=before, turn={"parts": [result]})
        case "responses":
            call = {
                "type": "function_call",
                "call_id": "call_1",
                "name": "get_weather",
                "arguments": '{"location": "Rome"}',
            }
            result = {"type": "function_call_output", "call_id": "call_1", "output": content}
            return Ask(members=given()[client].members, before=[{"role": "user", "content": "?"}, call, result])
        case _:
            function = {"name": "get_weather", "arguments": '{"location": "Rome"}'}
            call = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
            }
            result = {"role": "tool", "tool_call_id": "call_1", "content": content}
            return Ask(members=given()[client].members, before=[{"role": "user", "content": "?"}, call, result])


def _error_before() -> Ask:
    use = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"location": "Rome"}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "No such place", "is_error": True}
    before = [{"role": "user", "content": "?"}, {"role": "assistant", "content": [use]}]
    return Ask(members=given()[ANTHROPIC].members, before=before, turn={"content": [result]})


TOOLS = (
    Capability(
        id="tools",
        title=("Tools, and a call of one", "工具定义与调用"),
        group="tools",
        asks=given(),
        text=lambda vendor: vendor.weather(["Rome"]),
        arrives=_defined,
        returns=_ended_with_calls,
        slice=True,
    ),
    Capability(
        id="tools_parallel",
        title=("Parallel calls", "并行工具调用"),
        group="tools",
        asks=_only(given(parallel=True), OPENAI, RESPONSES, ANTHROPIC, DASHSCOPE),
        text=lambda vendor: vendor.weather(["Rome", "Oslo"]),
        returns=_called("Rome", "Oslo"),
        slice=True,
    ),
    Capability(
        id="tools_single",
        title=("Parallel calls turned off", "关闭并行调用"),
        group="tools",
        asks=_only(given(parallel=False), OPENAI, RESPONSES, ANTHROPIC, DASHSCOPE),
        text=lambda vendor: vendor.weather(["Rome", "Oslo"]),
        arrives=lambda chat: chat.parallel_tool_calls is False,
    ),
    Capability(
        id="tools_strict",
        title=("Strict arguments", "严格参数(strict)"),
        group="tools",
        asks={
            **_only(given(strict=True), OPENAI, RESPONSES, ANTHROPIC),
            **given({GEMINI: {"toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}}}),
        },
        text=lambda vendor: vendor.weather(["Rome"]),
        arrives=lambda chat: [tool.strict for tool in chat.tools if isinstance(tool, Function)] == [True],
    ),
    Capability(
        id="tool_results",
        title=("Results of tools", "工具结果"),
        group="tools",
        asks=given(),
        text=lambda vendor: vendor.weather(["Rome"]),
        results=lambda arguments: "It is sunny",
        arrives=lambda chat: len(_results(chat)) == 1,
        returns=lambda reply: says(reply, "It is sunny"),
        slice=True,
    ),
    Capability(
        id="tool_result_images",
        title=("Images in results of tools", "工具结果中的图片"),
        group="tools",
        model="image",
        asks={client: _before_pictures(client) for client in _PICTURES},
        arrives=lambda chat: len(_results(chat)) == 1 and any(isinstance(part, Image) for part in parts_of(chat)),
    ),
    Capability(
        id="tool_result_error",
        title=("Failed tools (is_error)", "工具失败标记(is_error)"),
        group="tools",
        asks={ANTHROPIC: _error_before()},
        arrives=lambda chat: [result.is_error for result in _results(chat)] == [True],
    ),
    Capability(
        id="choice_auto",
        title=("tool_choice: auto", "tool_choice: auto"),
        group="tools",
        asks=given(
            {
                OPENAI: {"tool_choice": "auto"},
                RESPONSES: {"tool_choice": "auto"},
                ANTHROPIC: {"tool_choice": {"type": "auto"}},
                GEMINI: {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
                DASHSCOPE: {"tool_choice": "auto"},
            }
        ),
        text=lambda vendor: vendor.weather(["Rome"]),
        returns=_called("Rome"),
    ),
    Capability(
        id="choice_none",
        title=("tool_choice: none", "tool_choice: none"),
        group="tools",
        asks=given(
            {
                OPENAI: {"tool_choice": "none"},
                RESPONSES: {"tool_choice": "none"},
                ANTHROPIC: {"tool_choice": {"type": "none"}},
                GEMINI: {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
                DASHSCOPE: {"tool_choice": "none"},
            }
        ),
        text=lambda vendor: vendor.weather(["Rome"]),
        arrives=lambda chat: _chosen("none")(chat) or not chat.tools,
        returns=lambda reply: not _calls(reply),
    ),
    Capability(
        id="choice_required",
        title=("tool_choice: any tool must be called", "tool_choice: 必须调用工具"),
        group="tools",
        asks=given(
            {
                OPENAI: {"tool_choice": "required"},
                RESPONSES: {"tool_choice": "required"},
                ANTHROPIC: {"tool_choice": {"type": "any"}},
                GEMINI: {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
            },
            two=True,
        ),
        text=lambda vendor: "Hello",
        arrives=_chosen("required"),
        returns=lambda reply: len(_calls(reply)) == 1,
        slice=True,
    ),
    Capability(
        id="choice_named",
        title=("tool_choice: this tool must be called", "tool_choice: 指定工具"),
        group="tools",
        asks=given(
            {
                OPENAI: {"tool_choice": {"type": "function", "function": {"name": "get_time"}}},
                RESPONSES: {"tool_choice": {"type": "function", "name": "get_time"}},
                ANTHROPIC: {"tool_choice": {"type": "tool", "name": "get_time"}},
                GEMINI: {
                    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_time"]}}
                },
                DASHSCOPE: {"tool_choice": {"type": "function", "function": {"name": "get_time"}}},
            },
            two=True,
        ),
        text=lambda vendor: "Hello",
        arrives=_chosen("named", ["get_time"]),
        returns=lambda reply: [name for name, _ in _calls(reply)] == ["get_time"],
    ),
    Capability(
        id="choice_allowed",
        title=("tool_choice: only some tools", "tool_choice: 仅限部分工具"),
        group="tools",
        asks=given(
            {
                OPENAI: {
                    "tool_choice": {
                        "type": "allowed_tools",
                        "allowed_tools": {
                            "mode": "auto",
                            "tools": [{"type": "function", "function": {"name": "get_weather"}}],
                        },
                    }
                },
                RESPONSES: {
                    "tool_choice": {
                        "type": "allowed_tools",
                        "mode": "auto",
                        "tools": [{"type": "function", "name": "get_weather"}],
                    }
                },
                GEMINI: {
                    "toolConfig": {
                        "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["get_weather"]}
                    }
                },
            },
            two=True,
        ),
        text=lambda vendor: vendor.weather(["Rome"]),
        arrives=lambda chat: _chosen("auto", ["get_weather"])(chat) or _functions(chat) == ["get_weather"],
        returns=_called("Rome"),
    ),
    Capability(
        id="tools_custom",
        title=("Custom tools (any text)", "自定义文本工具"),
        group="tools",
        asks={
            OPENAI: Ask(
                members={"tools": [{"type": "custom", "custom": {"name": "get_weather", "description": "Runs."}}]}
            ),
            RESPONSES: Ask(members={"tools": [{"type": "custom", "name": "get_weather", "description": "Runs."}]}),
        },
        text=lambda vendor: "Hello",
        arrives=lambda chat: (
            [tool.name for tool in chat.tools if isinstance(tool, Custom | Function)] == ["get_weather"]
        ),
    ),
)
