"""What OpenAI's Responses API checks in a request, in the vendor's words; and the same request as a chat completion.

`check` raises `Rejected` as the vendor answers 400. Written against the vendor's pages and its SDK's types, not against
the gateway.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.simulators import openai_rules
from tests.simulators.openai_rules import Json, Rejected, check_type, inner, is_reasoning, listed, members, refuse

_NUMBER = (int, float)
_TOP: dict[str, Any] = {
    "model": str,
    "input": (str, list),
    "background": bool,
    "client_metadata": dict,
    "context_management": list,
    "conversation": (str, dict),
    "include": list,
    "instructions": str,
    "max_output_tokens": int,
    "max_tool_calls": int,
    "metadata": dict,
    "moderation": dict,
    "parallel_tool_calls": bool,
    "previous_response_id": str,
    "prompt": dict,
    "prompt_cache_key": str,
    "prompt_cache_options": dict,
    "prompt_cache_retention": str,
    "reasoning": dict,
    "safety_identifier": str,
    "service_tier": str,
    "store": bool,
    "stream": bool,
    "stream_options": dict,
    "temperature": _NUMBER,
    "text": dict,
    "tool_choice": (str, dict),
    "tools": list,
    "top_logprobs": int,
    "top_p": _NUMBER,
    "truncation": str,
    "user": str,
}
_INCLUDE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
_RANGES = {"temperature": (0, 2), "top_p": (0, 1), "top_logprobs": (0, 20), "max_output_tokens": (16, 128_000)}
_BUILT_IN = ("web_search", "web_search_preview", "code_interpreter", "image_generation", "local_shell", "namespace")
_ITEMS: dict[str, tuple[set[str], set[str], str]] = {  # required members, optional members, what an id begins with
    "message": ({"role", "content"}, {"id", "status", "phase"}, "msg"),
    "reasoning": ({"summary"}, {"id", "content", "encrypted_content", "status"}, "rs"),
    "function_call": ({"call_id", "name", "arguments"}, {"id", "status", "namespace"}, "fc"),
    "function_call_output": ({"call_id", "output"}, {"id", "status"}, ""),
    "custom_tool_call": ({"call_id", "name", "input"}, {"id", "status", "namespace"}, "ctc"),
    "custom_tool_call_output": ({"call_id", "output"}, {"id", "status"}, ""),
    "web_search_call": ({"id"}, {"status", "action"}, "ws"),
    "local_shell_call": ({"call_id", "action"}, {"id", "status"}, "lsh"),
    "local_shell_call_output": ({"output"}, {"call_id", "id", "status"}, ""),
    "compaction": ({"encrypted_content"}, {"id"}, "cmp"),
}
_PARTS: dict[str, tuple[set[str], set[str]]] = {
    "input_text": ({"text"}, set()),
    "input_image": (set(), {"image_url", "file_id", "detail"}),
    "input_file": (set(), {"file_data", "file_id", "file_url", "filename"}),
    "output_text": ({"text"}, {"annotations", "logprobs"}),
    "refusal": ({"refusal"}, set()),
}


def check(body: Json, is_sealed: Callable[[str, str], bool]) -> None:
    """Check a request with all its items. `is_sealed` says of encrypted content whether it is of the item with an
    id."""
    for name, value in body.items():
        if name not in _TOP:
            refuse(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        check_type(value, _TOP[name], name)
    if body.get("model") is None:
        refuse("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is not None and not low <= value <= high:
            wanted = f"Expected a value >= {low}" if value < low else f"Expected a value <= {high}"
            kind = "below_min_value" if value < low else "above_max_value"
            refuse(f"Invalid '{name}': {wanted}, but got {value} instead.", name, f"integer_{kind}")
    for one in listed(body, "include"):
        if one not in _INCLUDE:
            refuse(f"Invalid value: '{one}'. Supported values are: {_INCLUDE}.", "include", "invalid_value")
    _check_model(body)
    for index, tool in enumerate(listed(body, "tools")):
        _check_tool(tool, f"tools[{index}]")
    _check_items(items_of(body), is_sealed)
    try:
        openai_rules.check(as_chat(body))
    except Rejected as refusal:  # of the parts that both APIs have
        raise Rejected(str(refusal), (refusal.param or "").replace("messages", "input"), refusal.code) from None


def items_of(body: Json) -> list[Json]:
    """Return the items of `input`."""
    value = body.get("input")
    return [{"role": "user", "content": value}] if isinstance(value, str) else listed(body, "input")


def as_chat(body: Json) -> Json:
    """Return the request for chat completions that asks the same."""
    chat: Json = {"model": body["model"], "messages": list(_messages(body))}
    for name in ("temperature", "top_p", "parallel_tool_calls", "user", "stream", "service_tier", "top_logprobs"):
        if body.get(name) is not None:
            chat[name] = body[name]
    if body.get("max_output_tokens") is not None:
        chat["max_completion_tokens"] = body["max_output_tokens"]
    if chat.get("top_logprobs") is not None or "message.output_text.logprobs" in listed(body, "include"):
        chat["logprobs"] = True
    if inner(body, "reasoning").get("effort"):
        chat["reasoning_effort"] = body["reasoning"]["effort"]
    tools = [_chat_tool(tool) for tool in callable_tools(body)]
    if tools:
        chat["tools"] = tools
        choice = body.get("tool_choice")
        if choice is not None:
            chat["tool_choice"] = choice if isinstance(choice, str) else _chat_choice(choice)
    else:
        chat.pop("parallel_tool_calls", None)
    form = inner(inner(body, "text"), "format")
    if form.get("type") == "json_schema":
        given = {name: value for name, value in form.items() if name != "type"}
        chat["response_format"] = {"type": "json_schema", "json_schema": given}
    elif form.get("type") == "json_object":
        chat["response_format"] = {"type": "json_object"}
    if any(tool["type"].startswith("web_search") for tool in listed(body, "tools")):
        chat["web_search_options"] = {}
    return chat


def callable_tools(body: Json) -> Iterator[Json]:
    """Yield what the caller runs; a tool in a namespace has its name after that of the namespace."""
    for tool in listed(body, "tools"):
        if tool["type"] in ("function", "custom"):
            yield tool
        for one in listed(tool, "tools") if tool["type"] == "namespace" else ():
            yield one | {"name": f"{tool['name']}__{one['name']}"}


def _check_model(body: Json) -> None:
    if is_reasoning(body["model"]):
        return
    for name in ("effort", "summary"):
        if inner(body, "reasoning").get(name) is not None:
            words = f"Unsupported parameter: 'reasoning.{name}' is not supported with this model."
            refuse(words, f"reasoning.{name}", "unsupported_parameter")
    if "reasoning.encrypted_content" in listed(body, "include"):
        refuse("Encrypted content is not supported with this model.", "include")


def _check_tool(tool: Any, at: str) -> None:
    check_type(tool, dict, at)
    match tool.get("type"):
        case "function":
            members(tool, {"type", "name"}, {"parameters", "strict", "description"}, at)
        case "custom":
            members(tool, {"type", "name"}, {"description", "format"}, at)
        case kind if kind in _BUILT_IN:
            pass
        case kind:
            allowed = ("function", "custom", *_BUILT_IN)
            words = f"Invalid value: '{kind}'. Supported values are: {', '.join(allowed)}."
            refuse(words, f"{at}.type", "invalid_value")


def _check_items(items: list[Any], is_sealed: Callable[[str, str], bool]) -> None:
    calls: dict[str, bool] = {}  # whether each has its output
    for index, item in enumerate(items):
        at = f"input[{index}]"
        check_type(item, dict, at)
        kind = item.get("type") or "message"
        _check_members(item, kind, at)
        match kind:
            case "message":
                _check_content(item["content"], at)
            case "reasoning":
                _check_seal(item, is_sealed)
                if index + 1 == len(items):
                    words = (
                        f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item."
                    )
                    refuse(words, "input")
            case "function_call" | "custom_tool_call":
                calls[item["call_id"]] = False
            case "function_call_output" | "custom_tool_call_output":
                if item["call_id"] not in calls:
                    words = f"No tool call found for function call output with call_id {item['call_id']}."
                    refuse(words, "input")
                calls[item["call_id"]] = True
            case "compaction":
                _check_seal(item, is_sealed)
            case _:
                pass
    for call_id, answered in calls.items():
        if not answered:
            refuse(f"No tool output found for function call {call_id}.", "input")


def _check_members(item: Json, kind: str, at: str) -> None:
    if kind not in _ITEMS:
        words = f"Invalid value: '{kind}'. Supported values are: {', '.join(_ITEMS)}."
        refuse(words, f"{at}.type", "invalid_value")
    required, optional, prefix = _ITEMS[kind]
    members(item, required, optional | {"type"}, at)
    id = item.get("id") or ""
    if id and not id.startswith(prefix):
        words = f"Invalid '{at}.id': '{id}'. Expected an ID that begins with '{prefix}'."
        refuse(words, f"{at}.id", "invalid_value")


def _check_seal(item: Json, is_sealed: Callable[[str, str], bool]) -> None:
    sealed, id = item.get("encrypted_content"), item.get("id") or ""
    if sealed and not is_sealed(sealed, id):
        refuse(f"The encrypted content for item {id} could not be verified.", None, "invalid_encrypted_content")


def _check_content(content: Any, at: str) -> None:
    check_type(content, (str, list), f"{at}.content")
    for number, part in enumerate(() if isinstance(content, str) else content):
        where = f"{at}.content[{number}]"
        check_type(part, dict, where)
        if part.get("type") not in _PARTS:
            refuse(f"Invalid value: '{part.get('type')}'.", f"{where}.type", "invalid_value")
        required, optional = _PARTS[part["type"]]
        members(part, required, optional | {"type"}, where)


def _messages(body: Json) -> Any:
    """Yield the items as messages; calls that follow each other are one."""
    if body.get("instructions"):
        yield {"role": "system", "content": body["instructions"]}
    calls: list[Json] = []
    items = items_of(body)
    for index, item in enumerate(items):
        match item.get("type") or "message":
            case "message":
                content = item["content"]
                parts = content if isinstance(content, str) else [_chat_part(part) for part in content]
                yield {"role": item["role"], "content": parts or ""}
            case "function_call":
                called = {"name": item["name"], "arguments": item["arguments"]}
                calls.append({"id": item["call_id"], "type": "function", "function": called})
            case "custom_tool_call":
                called = {"name": item["name"], "input": item["input"]}
                calls.append({"id": item["call_id"], "type": "custom", "custom": called})
            case "function_call_output" | "custom_tool_call_output":
                output = item["output"]
                told = output if isinstance(output, str) else [_chat_part(part) for part in output]
                texts = told if isinstance(told, str) else [part for part in told if part["type"] == "text"]
                yield {"role": "tool", "tool_call_id": item["call_id"], "content": texts}
            case _:
                pass
        following = items[index + 1].get("type") if index + 1 < len(items) else None
        if calls and following not in ("function_call", "custom_tool_call", "reasoning"):
            yield {"role": "assistant", "content": None, "tool_calls": calls}
            calls = []


def _chat_part(part: Json) -> Json:
    match part["type"]:
        case "input_image":
            detail = {"detail": part["detail"]} if part.get("detail") else {}
            return {"type": "image_url", "image_url": {"url": part.get("image_url"), **detail}}
        case "input_file":
            given = {name: value for name, value in part.items() if name not in ("type", "file_url")}
            return {"type": "file", "file": given or {"file_id": "file-1"}}
        case "refusal":
            return part
        case _:
            return {"type": "text", "text": part["text"]}


def _chat_tool(tool: Json) -> Json:
    given = {name: value for name, value in tool.items() if name != "type"}
    return {"type": tool["type"], tool["type"]: given}


def _chat_choice(choice: Json) -> Json | str:
    match choice["type"]:
        case "function" | "custom":
            return {"type": choice["type"], choice["type"]: {"name": choice["name"]}}
        case "allowed_tools":
            tools = [_chat_tool(tool) for tool in choice["tools"]]
            return {"type": "allowed_tools", "allowed_tools": {"mode": choice["mode"], "tools": tools}}
        case _:
            return "auto"
