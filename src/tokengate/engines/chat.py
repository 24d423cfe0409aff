"""Reads a chat completion request into a plan for llama.cpp."""

from typing import Any

from msgspec import Struct, json

from tokengate.core.errors import BadRequest, Unsupported
from tokengate.engines.forced import Forced, Tool, read_forced
from tokengate.engines.plan import Plan
from tokengate.engines.sampling import count_choices, write_sampling
from tokengate.formats.openai.parameters import ChatBody
from tokengate.formats.openai.refusal import refusal_of

# Asked for, they change the answer in a way that this runtime has no part in.
_REFUSED = ("audio", "functions", "function_call", "enable_search", "web_search_options", "translation_options")
_NO_FUNCTION_CALL = ("none", "auto")
# llama.cpp makes a grammar of a schema in time that grows with its square, while no other call is answered and this
# one cannot be stopped: seconds for this much, minutes for four times as much.
_MAX_SCHEMA_BYTES = 8_192

_decode_body = json.Decoder(ChatBody).decode


class _Tools(Struct):
    tools: list[Tool] | None = None


class _JsonSchema(Struct):
    schema: dict[str, Any] | None = None


class _ResponseFormat(Struct):
    type: str
    json_schema: _JsonSchema | None = None


class _Output(Struct):
    response_format: _ResponseFormat | None = None


_decode_tools = json.Decoder(_Tools).decode
_decode_output = json.Decoder(_Output).decode


def read_chat(data: bytes, backend: str, *, context: int, knows_tools: bool) -> Plan:
    """Return the plan of a request. Raises BadRequest, or Unsupported for what would change the answer."""
    try:
        body = _decode_body(data)
        tools = _decode_tools(data).tools or []
        response_format = _decode_output(data).response_format
    except (ValueError, RecursionError) as error:
        raise refusal_of(error) from None
    _refuse(body, backend)
    if body.tool_choice == "none":
        tools = []
    forced = read_forced(tools, body.tool_choice or "auto")
    if tools and forced is None and not knows_tools:
        raise Unsupported(
            backend,
            "tools",
            f"{backend} does not choose tools by itself: force one with 'tool_choice', or leave 'tools' out.",
        )

    fields = write_sampling(body, backend, context)
    fields["messages"] = _messages(body.messages or [], backend, forced, knows_tools=knows_tools)
    schema = forced.schema() if forced else _schema(response_format)
    if schema is not None:
        _check_size(schema, param="tools" if forced else "response_format")
        fields["response_format"] = {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}
    elif tools:
        fields |= {"tools": tools, "tool_choice": "auto"}
    thinking = _thinking(body)
    if thinking is not None:
        fields["chat_template_kwargs"] = {"enable_thinking": thinking}
    cap = body.max_completion_tokens or body.max_tokens
    if cap is not None:
        fields["max_tokens"] = cap
    if body.logprobs:
        fields |= {"logprobs": True, "top_logprobs": max(body.top_logprobs or 0, 1)}
    return Plan(
        kind="chat",
        asked=body,
        prompts=(fields,),
        choices=count_choices(1, body.n),
        json_output=schema is not None,
        forced=forced,
        top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )


def _refuse(body: ChatBody, backend: str) -> None:
    for name in _REFUSED:
        value = getattr(body, name)
        if value not in (None, False, []) and value not in _NO_FUNCTION_CALL:
            raise Unsupported(backend, name)
    if body.modalities and body.modalities != ["text"]:
        raise Unsupported(backend, "modalities")


def _schema(response_format: _ResponseFormat | None) -> dict[str, Any] | None:
    if response_format is None or response_format.type == "text":
        return None
    if response_format.type == "json_object":
        return {"type": "object"}
    if response_format.type != "json_schema":
        raise BadRequest(
            "'response_format.type' must be text, json_object or json_schema.", param="response_format.type"
        )
    if response_format.json_schema is None or response_format.json_schema.schema is None:
        raise BadRequest(
            "'response_format.json_schema.schema' is required.",
            param="response_format.json_schema.schema",
            code="missing_required_parameter",
        )
    return response_format.json_schema.schema


def _check_size(schema: dict[str, Any], *, param: str) -> None:
    size_bytes = len(json.encode(schema))
    if size_bytes > _MAX_SCHEMA_BYTES:
        raise BadRequest(
            f"A local model holds its output to a JSON schema of at most {_MAX_SCHEMA_BYTES:,} bytes; "
            f"this one has {size_bytes:,}.",
            param=param,
        )


def _thinking(body: ChatBody) -> bool | None:
    if body.enable_thinking is not None:
        return body.enable_thinking
    if body.thinking is not None and body.thinking.type is not None:
        return body.thinking.type != "disabled"
    return body.chat_template_kwargs.enable_thinking if body.chat_template_kwargs else None


def _messages(
    messages: list[dict[str, Any]], backend: str, forced: Forced | None, *, knows_tools: bool
) -> list[dict[str, Any]]:
    written = [_message(message, index, backend, knows_tools=knows_tools) for index, message in enumerate(messages)]
    if forced is None:
        return written
    instruction = forced.instruction()
    if written[0]["role"] == "system":
        first = {"role": "system", "content": f"{written[0]['content']}\n\n{instruction}"}
        return [first, *written[1:]]
    return [{"role": "system", "content": instruction}, *written]


def _message(message: dict[str, Any], index: int, backend: str, *, knows_tools: bool) -> dict[str, Any]:
    role, content = message.get("role"), message.get("content")
    text = content if isinstance(content, str) else _text(content or [], f"messages[{index}].content", backend)
    calls = message.get("tool_calls")
    match role:
        case "developer" | "system":
            return {"role": "system", "content": text}
        case "tool" if knows_tools:
            return {"role": "tool", "content": text, "tool_call_id": message.get("tool_call_id")}
        case "tool" | "function":
            return {"role": "user", "content": f"Result of the function: {text}"}
        case "assistant" if calls and knows_tools:
            return {"role": "assistant", "content": text, "tool_calls": calls}
        case "assistant" if calls:
            return {"role": "assistant", "content": "\n".join([text, *_calls_as_text(calls, index)]).strip()}
        case "assistant" | "user":
            return {"role": role, "content": text}
        case _:
            raise BadRequest(f"'messages[{index}].role' is not a role.", param=f"messages[{index}].role")


def _text(parts: list[dict[str, Any]], param: str, backend: str) -> str:
    texts: list[str] = []
    for index, part in enumerate(parts):
        kind = part.get("type")
        text = part.get("refusal" if kind == "refusal" else "text")
        if kind not in ("text", "refusal"):
            raise Unsupported(backend, f"{param}[{index}].{kind}", f"{backend} reads text only, not '{kind}' content.")
        if not isinstance(text, str):
            raise BadRequest(f"'{param}[{index}].{kind}' must be a string.", param=f"{param}[{index}].{kind}")
        texts.append(text)
    return "\n".join(texts)


def _calls_as_text(calls: list[dict[str, Any]], index: int) -> list[str]:
    try:
        return [f"{call['function']['name']}({call['function']['arguments']})" for call in calls]
    except (KeyError, TypeError):
        raise BadRequest(
            f"'messages[{index}].tool_calls' must be a list of function calls.", param=f"messages[{index}].tool_calls"
        ) from None
