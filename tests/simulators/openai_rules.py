"""What OpenAI's chat completions check in a request, in the vendor's words: members, types, ranges, order of messages.

`check` raises `Rejected` as the vendor answers 400. Written against the vendor's pages and its SDK's types, not against
the gateway.
"""

import base64
import json
import re
from collections.abc import Callable
from typing import Any, NoReturn, cast

Json = dict[str, Any]

_NUMBER = (int, float)
_TOP: dict[str, Any] = {
    "model": str,
    "messages": list,
    "audio": dict,
    "frequency_penalty": _NUMBER,
    "function_call": (str, dict),
    "functions": list,
    "logit_bias": dict,
    "logprobs": bool,
    "max_completion_tokens": int,
    "max_tokens": int,
    "metadata": dict,
    "modalities": list,
    "moderation": dict,
    "n": int,
    "parallel_tool_calls": bool,
    "prediction": dict,
    "presence_penalty": _NUMBER,
    "prompt_cache_key": str,
    "prompt_cache_options": dict,
    "prompt_cache_retention": str,
    "reasoning_effort": str,
    "response_format": dict,
    "safety_identifier": str,
    "seed": int,
    "service_tier": str,
    "stop": (str, list),
    "store": bool,
    "stream": bool,
    "stream_options": dict,
    "temperature": _NUMBER,
    "tool_choice": (str, dict),
    "tools": list,
    "top_logprobs": int,
    "top_p": _NUMBER,
    "user": str,
    "verbosity": str,
    "web_search_options": dict,
}
_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "n": (1, 128),
    "top_logprobs": (0, 20),
    "max_completion_tokens": (1, 128_000),
    "max_tokens": (1, 128_000),
}
_CHOICES = {
    "reasoning_effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "verbosity": ("low", "medium", "high"),
    "service_tier": ("auto", "default", "flex", "scale", "priority", "fast"),
}
_MESSAGES: dict[str, tuple[set[str], set[str]]] = {  # required members, optional members
    "developer": ({"content"}, {"name"}),
    "system": ({"content"}, {"name"}),
    "user": ({"content"}, {"name"}),
    "assistant": (set(), {"content", "name", "refusal", "audio", "tool_calls", "function_call", "annotations"}),
    "tool": ({"content", "tool_call_id"}, {"name"}),
    "function": ({"content", "name"}, set()),
}
_PARTS: dict[str, dict[str, set[str]]] = {
    "developer": {"text": {"text"}},
    "system": {"text": {"text"}},
    "tool": {"text": {"text"}},
    "user": {"text": {"text"}, "image_url": {"url"}, "input_audio": {"data", "format"}, "file": set()},
    "assistant": {"text": {"text"}, "refusal": {"refusal"}},
    "function": {},
}
_INSIDE = {
    "image_url": {"url", "detail"},
    "input_audio": {"data", "format"},
    "file": {"file_data", "file_id", "filename"},
}
_MAGIC = {"png": b"\x89PNG", "jpeg": b"\xff\xd8", "jpg": b"\xff\xd8", "gif": b"GIF8", "webp": b"RIFF"}
_MAX_ID = 40
_name = re.compile(r"[a-zA-Z0-9_-]{1,64}").fullmatch
_data_url = re.compile(r"data:([\w/+.-]+);base64,(.*)", re.DOTALL).fullmatch


class Rejected(Exception):
    """The request is refused with 400, these words, and the parameter at fault."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


def check(body: Json) -> None:
    """Check a whole request."""
    for name, value in body.items():
        if name not in _TOP:
            refuse(f"Unrecognized request argument supplied: {name}")
        check_type(value, _TOP[name], name)
    for name in ("model", "messages"):
        if body.get(name) is None:
            refuse(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    _check_ranges(body)
    _check_together(body)
    _check_tools(body)
    _check_format(body)
    check_messages(body["messages"], check_part)


def is_reasoning(model: str) -> bool:
    """Say whether a model thinks, and so refuses the older parameters."""
    return model.startswith(("gpt-5", "o3", "o4")) and "chat" not in model


def refuse(message: str, param: str | None = None, code: str | None = None) -> NoReturn:
    raise Rejected(message, param, code)


def check_type(value: Any, kinds: Any, param: str) -> None:
    allowed = cast("tuple[type, ...]", kinds if isinstance(kinds, tuple) else (kinds,))
    if value is None or (isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))):
        return
    wanted = " or ".join(kind.__name__ for kind in allowed)
    got = type(value).__name__
    refuse(f"Invalid type for '{param}': expected {wanted}, but got {got} instead.", param, "invalid_type")


def inner(body: Json, name: str) -> Json:
    """Return an object's member that is an object, or an empty one."""
    return cast("Json", body.get(name) or {})


def listed(body: Json, name: str) -> list[Any]:
    """Return an object's member that is a list, or an empty one."""
    return cast("list[Any]", body.get(name) or [])


def last_text(messages: list[Json]) -> str:
    """Return what the user said last; while tools answer, what comes after NEXT in their answers. Instructions may
    stand behind it."""
    last = next((one for one in reversed(messages) if one["role"] not in ("system", "developer")), messages[-1])
    if last["role"] == "tool":
        return plain(last["content"]).partition("NEXT ")[2]
    return plain(last["content"]) if last["role"] == "user" else ""


def plain(content: Any) -> str:
    """Return the text of a message's content."""
    if isinstance(content, str) or content is None:
        return content or ""
    return " ".join(part["text"] for part in content if part["type"] == "text")


def _unknown_value(value: object, allowed: object, param: str) -> NoReturn:
    refuse(f"Invalid value: '{value}'. Supported values are: {allowed}.", param, "invalid_value")


def members(value: Any, required: set[str], optional: set[str], param: str) -> Json:
    """Return an object that has these members and no others."""
    check_type(value, dict, param)
    fields = cast("Json", value)
    for name in required:
        if fields.get(name) is None:
            refuse(f"Missing required parameter: '{param}.{name}'.", f"{param}.{name}", "missing_required_parameter")
    for name in fields:
        if name not in required | optional:
            refuse(f"Unknown parameter: '{param}.{name}'.", f"{param}.{name}", "unknown_parameter")
    return fields


def check_messages(messages: list[Any], part: Callable[[Any, str, str], None]) -> None:
    """Check each message, and that tool messages follow the calls that they answer."""
    if not messages:
        refuse("Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages", "empty_array")
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        check_type(message, dict, at)
        role = message.get("role")
        if role not in _MESSAGES:
            _unknown_value(role, ", ".join(_MESSAGES), f"{at}.role")
        required, optional = _MESSAGES[role]
        members(message, required, optional | {"role"}, at)
        _check_content(message, role, at, part)
        waiting = _check_order(message, role, at, waiting)
    if waiting:
        _missing_results(waiting)


def check_part(part: Any, role: str, at: str) -> None:
    """Check one part of a message's content."""
    check_type(part, dict, at)
    kind = part.get("type")
    allowed = _PARTS[role]
    if kind not in allowed:
        _unknown_value(kind, ", ".join(allowed), f"{at}.type")
    if kind in _INSIDE:
        members(part, {"type", kind}, set(), at)
        _check_media(kind, members(part[kind], allowed[kind], _INSIDE[kind], f"{at}.{kind}"), f"{at}.{kind}")
    else:
        members(part, {"type"} | allowed[kind], {"prompt_cache_breakpoint"}, at)


def _check_ranges(body: Json) -> None:
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is not None and value > high:
            words = (
                f"Invalid '{name}': decimal above maximum value. Expected a value <= {high}, but got {value} instead."
            )
            refuse(words, name, "decimal_above_max_value")
        if value is not None and value < low:
            words = (
                f"Invalid '{name}': decimal below minimum value. Expected a value >= {low}, but got {value} instead."
            )
            refuse(words, name, "decimal_below_min_value")
    for name, allowed in _CHOICES.items():
        if body.get(name) is not None and body[name] not in allowed:
            _unknown_value(body[name], allowed, name)
    stops = [] if isinstance(body.get("stop"), str) else listed(body, "stop")
    if len(stops) > 4 or not all(isinstance(one, str) for one in stops):
        refuse("Invalid 'stop': array too long. Expected an array of strings with maximum length 4.", "stop")
    if not all(isinstance(bias, int) and -100 <= bias <= 100 for bias in inner(body, "logit_bias").values()):
        refuse("Invalid 'logit_bias': expected integers from -100 to 100.", "logit_bias")


def _check_together(body: Json) -> None:
    if body.get("stream_options") is not None:
        if not body.get("stream"):
            refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
        members(body["stream_options"], set(), {"include_usage", "include_obfuscation"}, "stream_options")
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        refuse("Invalid value for 'top_logprobs': logprobs must be true.", "top_logprobs", "invalid_value")
    if is_reasoning(body["model"]):
        if body.get("max_tokens") is not None:
            refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                   "instead.", "max_tokens", "unsupported_parameter")  # fmt: skip
        if body.get("temperature") not in (None, 1):
            refuse(f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. Only the "
                   "default (1) value is supported.", "temperature", "unsupported_value")  # fmt: skip
    elif body.get("reasoning_effort") is not None:
        refuse("Unrecognized request argument supplied: reasoning_effort")
    if "audio" in (body.get("modalities") or ()) and not body.get("audio"):
        refuse("Missing required parameter: 'audio'.", "audio", "missing_required_parameter")


def _check_tools(body: Json) -> None:
    tools = body.get("tools")
    if not tools:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None:
                refuse(f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.", name)
    if tools == []:
        refuse("Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools", "empty_array")
    for index, tool in enumerate(tools or ()):
        at = f"tools[{index}]"
        check_type(tool, dict, at)
        kind = tool.get("type")
        if kind not in ("function", "custom"):
            _unknown_value(kind, "'function' and 'custom'", f"{at}.type")
        members(tool, {"type", kind}, set(), at)
        if kind == "custom":
            members(tool["custom"], {"name"}, {"description", "format"}, f"{at}.custom")
        else:
            _check_function(tool["function"], f"{at}.function")
    for index, function in enumerate(body.get("functions") or ()):
        _check_function(function, f"functions[{index}]")
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        _unknown_value(choice, "'none', 'auto', and 'required'", "tool_choice")
    if isinstance(choice, dict):
        kind = cast("Json", choice).get("type")
        if kind not in ("function", "custom", "allowed_tools"):
            _unknown_value(kind, "'function', 'custom', and 'allowed_tools'", "tool_choice.type")
        members(choice, {"type", str(kind)}, set(), "tool_choice")


def _check_function(function: Any, at: str) -> None:
    fields = members(function, {"name"}, {"description", "parameters", "strict"}, at)
    if not _name(fields["name"]):
        refuse(f"Invalid '{at}.name': string does not match pattern. Expected a string that matches the pattern "
               "'^[a-zA-Z0-9_-]+$'.", f"{at}.name", "invalid_value")  # fmt: skip
    check_type(fields.get("parameters"), dict, f"{at}.parameters")
    if fields.get("strict"):
        words = f"Invalid schema for function '{fields['name']}'"
        _check_strict(inner(fields, "parameters"), words, f"{at}.parameters")


def _check_format(body: Json) -> None:
    form = body.get("response_format")
    if form is None:
        return
    match form.get("type"):
        case "text":
            members(form, {"type"}, set(), "response_format")
        case "json_object":
            members(form, {"type"}, set(), "response_format")
            if "json" not in json.dumps(body["messages"]).lower():
                refuse("'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                       "'json_object'.", "messages")  # fmt: skip
        case "json_schema":
            members(form, {"type", "json_schema"}, set(), "response_format")
            optional = {"description", "schema", "strict"}
            fields = members(form["json_schema"], {"name"}, optional, "response_format.json_schema")
            if fields.get("strict"):
                words = f"Invalid schema for response_format '{fields['name']}'"
                _check_strict(inner(fields, "schema"), words, "response_format")
        case kind:
            refuse(f"Invalid value: '{kind}'.", "response_format.type", "invalid_value")


def _check_strict(schema: Json, words: str, param: str) -> None:
    if schema.get("type") != "object":
        return
    properties = inner(schema, "properties")
    if schema.get("additionalProperties") is not False:
        words = f"{words}: In context=(), 'additionalProperties' is required to be supplied and to be false."
        refuse(words, param, "invalid_function_parameters")
    if set(listed(schema, "required")) != set(properties):
        words = f"{words}: In context=(), 'required' is required to be an array including every key in properties."
        refuse(words, param, "invalid_function_parameters")
    for one in properties.values():
        _check_strict(one, words, param)


def _check_content(message: Json, role: str, at: str, part: Callable[[Any, str, str], None]) -> None:
    content = message.get("content")
    if content is None:
        if role == "assistant" and any(message.get(one) for one in ("tool_calls", "function_call", "refusal", "audio")):
            return
        refuse(f"Invalid value for 'content': expected a string, got null. '{at}.content'", f"{at}.content")
    if isinstance(content, str):
        return
    check_type(content, list, f"{at}.content")
    if not content:
        refuse(f"Invalid '{at}.content': empty array.", f"{at}.content", "empty_array")
    for number, one in enumerate(content):
        part(one, role, f"{at}.content[{number}]")


def _check_media(kind: str, given: Json, at: str) -> None:
    match kind:
        case "image_url":
            _check_image(given["url"], at)
        case "input_audio":
            if given["format"] not in ("wav", "mp3"):
                _unknown_value(given["format"], "'wav' and 'mp3'", f"{at}.format")
            _decoded(given["data"], at)
        case _:
            data = given.get("file_data")
            if data is None and given.get("file_id") is None:
                refuse("Missing required parameter: one of 'file_id' or 'file_data'.", at, "missing_required_parameter")
            if data is not None:
                found = _data_url(data)
                if found is None:
                    refuse(
                        f"Invalid file data: '{at}.file_data'. Expected a base64-encoded data URL.", f"{at}.file_data"
                    )
                _decoded(found[2], at)


def _check_image(url: Any, at: str) -> None:
    check_type(url, str, f"{at}.url")
    if url.startswith(("http://", "https://")):
        return
    found = _data_url(url)
    if found is None:
        refuse(
            "Invalid image URL. Expected a valid URL or a base64-encoded data URL.", f"{at}.url", "invalid_image_url"
        )
    kind = found[1].removeprefix("image/")
    if kind not in _MAGIC or not _decoded(found[2], at).startswith(_MAGIC[kind]):
        refuse("You uploaded an unsupported image. Please make sure your image is valid.", None, "invalid_image_format")


def _decoded(data: Any, at: str) -> bytes:
    check_type(data, str, at)
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        refuse(f"Invalid base64 data at '{at}'.", at, "invalid_base64_image")


def _check_order(message: Json, role: str, at: str, waiting: set[str]) -> set[str]:
    """Return which calls still wait for their results."""
    if role == "tool":
        id = message["tool_call_id"]
        if id not in waiting:
            refuse("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                   "'tool_calls'.", f"{at}.role")  # fmt: skip
        return waiting - {id}
    if waiting:
        _missing_results(waiting)
    calls: set[str] = set()
    for number, call in enumerate(message.get("tool_calls") or ()):
        calls.add(_check_call(call, f"{at}.tool_calls[{number}]"))
    return calls


def _check_call(call: Any, at: str) -> str:
    kind = call.get("type")
    if kind not in ("function", "custom"):
        _unknown_value(kind, "'function' and 'custom'", f"{at}.type")
    members(call, {"id", "type", kind}, {"index"}, at)  # the SDK's own streams leave the index in
    members(call[kind], {"name", "arguments" if kind == "function" else "input"}, set(), f"{at}.{kind}")
    if len(call["id"]) > _MAX_ID:
        refuse(f"Invalid '{at}.id': string too long. Expected a string with maximum length {_MAX_ID}, but got a string "
               f"with length {len(call['id'])} instead.", f"{at}.id", "string_above_max_length")  # fmt: skip
    return call["id"]


def _missing_results(waiting: set[str]) -> NoReturn:
    refuse(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
        f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(sorted(waiting))}",
        "messages",
    )
