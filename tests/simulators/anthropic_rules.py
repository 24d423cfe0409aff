"""What Anthropic's Messages API checks in a request, in its words: shapes, order of turns, tools, thinking, caching.

`check` raises `Rejected` as the vendor answers 400. Written against the vendor's pages, not against the gateway.
"""

import base64
import hashlib
import hmac
import re
from itertools import takewhile
from typing import Any, NoReturn

Json = dict[str, Any]

_SECRET = b"the simulated vendor's own"

_TOP = {
    "model": str,
    "max_tokens": int,
    "messages": list,
    "system": (str, list),
    "stream": bool,
    "stop_sequences": list,
    "temperature": (int, float),
    "top_p": (int, float),
    "top_k": int,
    "tools": list,
    "tool_choice": dict,
    "thinking": dict,
    "output_config": dict,
    "cache_control": dict,
    "metadata": dict,
    "service_tier": str,
    "container": (str, dict),
    "inference_geo": str,
    "speed": str,
    "diagnostics": dict,
}
_BETA_TOP = {"context_management", "mcp_servers", "betas"}
_BLOCKS: dict[str, tuple[set[str], set[str]]] = {  # required members, optional members
    "text": ({"text"}, {"cache_control", "citations"}),
    "image": ({"source"}, {"cache_control", "transformations"}),
    "document": ({"source"}, {"cache_control", "title", "context", "citations"}),
    "search_result": ({"source", "title", "content"}, {"cache_control", "citations"}),
    "thinking": ({"thinking", "signature"}, set()),
    "redacted_thinking": ({"data"}, set()),
    "tool_use": ({"id", "name", "input"}, {"cache_control", "caller", "toolset_name"}),
    "tool_result": ({"tool_use_id"}, {"content", "is_error", "cache_control", "toolset_name"}),
    "server_tool_use": ({"id", "name", "input"}, {"cache_control", "caller"}),
    "web_search_tool_result": ({"tool_use_id", "content"}, {"cache_control", "caller"}),
}
_USER_ONLY = {"image", "document", "search_result", "tool_result"}
_ASSISTANT_ONLY = {"thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result"}
_SOURCES = {"base64": {"media_type", "data"}, "url": {"url"}, "file": {"file_id"}, "text": {"media_type", "data"}}
_TOOL = {
    "name", "description", "input_schema", "type", "cache_control", "strict", "defer_loading", "input_examples",
    "eager_input_streaming", "allowed_callers",
}  # fmt: skip
_IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_SERVER_TOOL = re.compile(r"(web_search|web_fetch|bash|text_editor|code_execution|memory)_\d{8}").fullmatch
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}").fullmatch
_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+").fullmatch
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


class Rejected(Exception):
    """The request is refused with 400 and these words."""


def sign(text: str) -> str:
    """Return the proof of a thinking's text."""
    digest = hmac.new(_SECRET, text.encode(), hashlib.sha256).digest()
    return "Eq" + base64.b64encode(digest).decode()


def version(model: str) -> tuple[int, int]:
    """Return a Claude's generation: (4, 6) for claude-opus-4-6."""
    found = re.search(r"claude-[a-z]+-(\d+)(?:[-.](\d{1,2}))?(?!\d)", model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def check(body: Json, *, beta: bool, counting: bool = False) -> None:
    """Raise Rejected for what the vendor refuses."""
    for name, value in body.items():
        if name in _TOP:
            if value is not None and not _is(value, _TOP[name]):
                _reject(f"{name}: Input should be a valid {_kind(_TOP[name])}")
        elif not (beta and name in _BETA_TOP):
            _reject(f"{name}: Extra inputs are not permitted")
    for name in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            _reject(f"{name}: Field required")
    if counting and "max_tokens" in body:
        _reject("max_tokens: Extra inputs are not permitted")
    _check_numbers(body)
    _check_tools(body)
    _check_messages(body)
    _check_thinking(body)
    if (marks := _marks(body)) > 4:
        _reject(f"A maximum of 4 blocks with cache_control may be provided. Found {marks}.")


def _check_numbers(body: Json) -> None:
    for name, low, high in (("temperature", 0, 1), ("top_p", 0, 1), ("top_k", 0, 500), ("max_tokens", 0, 128_000)):
        value = body.get(name)
        if value is not None and not low <= value <= high:
            _reject(f"{name}: Input should be between {low} and {high}")
    sampled = [name for name in ("temperature", "top_p", "top_k") if body.get(name) is not None]
    if version(body["model"]) >= (4, 7) and sampled and [body[name] for name in sampled] != [1]:
        _reject(f"`{sampled[0]}` is deprecated for this model.")
    if version(body["model"]) >= (4, 1) and {"temperature", "top_p"} <= set(sampled):
        _reject("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    for index, text in enumerate(listed(body, "stop_sequences")):
        if not isinstance(text, str) or not text.strip():
            _reject(f"stop_sequences.{index}: each stop sequence must contain non-whitespace")
    _check_config(body)


def _check_config(body: Json) -> None:
    if body.get("service_tier") not in (None, "auto", "standard_only"):
        _reject("service_tier: Input should be 'auto' or 'standard_only'")
    unknown = inner(body, "metadata").keys() - {"user_id"}
    if unknown:
        _reject(f"metadata.{unknown.pop()}: Extra inputs are not permitted")
    config = inner(body, "output_config")
    for name in config.keys() - {"effort", "format"}:
        _reject(f"output_config.{name}: Extra inputs are not permitted")
    if config.get("effort") is not None:
        if version(body["model"]) < (4, 5):
            _reject("This model does not support the effort parameter.")
        if config["effort"] not in _EFFORTS:
            _reject("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    wanted = config.get("format")
    if wanted is not None and (wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict)):
        _reject("output_config.format.schema: Field required")


def _check_tools(body: Json) -> None:
    names: set[str] = set()
    for index, tool in enumerate(listed(body, "tools")):
        at = f"tools.{index}"
        kind = tool.get("type") or "custom"
        if kind != "custom":
            if not _SERVER_TOOL(kind):
                _reject(f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
            names.add(tool["name"])
            continue
        for name in tool.keys() - _TOOL:
            _reject(f"{at}.custom.{name}: Extra inputs are not permitted")
        if not _TOOL_NAME(tool.get("name", "")):
            _reject(f"{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if inner(tool, "input_schema").get("type") != "object":
            _reject(f"{at}.custom.input_schema.type: Field required")
        if tool["name"] in names:
            _reject("tools: Tool names must be unique.")
        names.add(tool["name"])
    choice = inner(body, "tool_choice")
    if choice and not names:
        _reject("tool_choice: may only be specified while providing tools.")
    if choice and choice.get("type") not in ("auto", "any", "tool", "none"):
        _reject("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if choice.get("type") == "tool" and choice.get("name") not in names:
        _reject(f"Tool '{choice.get('name')}' not found in provided tools")


def _check_messages(body: Json) -> None:
    if isinstance(body.get("system"), list):
        for index, block in enumerate(body["system"]):
            _check_block(block, f"system.{index}", {"text"})
    messages: list[Json] = body["messages"]
    if not messages:
        _reject("messages: at least one message is required")
    if messages[0].get("role") != "user":
        _reject('messages: first message must use the "user" role')
    for index, message in enumerate(messages):
        in_place = version(body["model"]) >= (4, 8) and messages[index - 1]["role"] == "user"
        if message.get("role") == "system" and not in_place:
            _reject("role 'system' is not supported on this model")
        _check_message(message, f"messages.{index}", is_last=index == len(messages) - 1)
    _check_pairs(messages)
    if messages[-1]["role"] == "assistant":
        if version(body["model"]) >= (4, 6):
            _reject("This model does not support assistant message prefill.")
        begun = blocks_of(messages[-1])
        text = begun[-1].get("text", "") if begun else ""
        if text != text.rstrip():
            _reject("messages: final assistant content cannot end with trailing whitespace")


def _check_message(message: Json, at: str, *, is_last: bool) -> None:
    for name in message.keys() - {"role", "content"}:
        _reject(f"{at}.{name}: Extra inputs are not permitted")
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant", "system"):
        _reject(f"{at}.role: Input should be 'user' or 'assistant'")
    if not isinstance(content, str | list):
        _reject(f"{at}.content: Input should be a valid list")
    if not content and not (role == "assistant" and is_last):
        _reject(f"{at}: all messages must have non-empty content except for the optional final assistant message")
    allowed = {"text"} if role == "system" else set(_BLOCKS) - (_ASSISTANT_ONLY if role == "user" else _USER_ONLY)
    for place, block in enumerate(blocks_of(message)):
        _check_block(block, f"{at}.content.{place}", allowed)


def _check_block(block: Json, at: str, allowed: set[str]) -> None:
    if not hasattr(block, "get"):
        _reject(f"{at}: Input should be an object")
    kind = str(block.get("type"))
    if kind not in allowed:
        _reject(f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    required, optional = _BLOCKS[kind]
    members = block.keys() - {"type"}
    for name in sorted(required - members):
        _reject(f"{at}.{kind}.{name}: Field required")
    for name in sorted(members - required - optional):
        _reject(f"{at}.{kind}.{name}: Extra inputs are not permitted")
    _BLOCK_CHECKS.get(kind, lambda block, at: None)(block, at)


def _check_text(block: Json, at: str) -> None:
    if not isinstance(block["text"], str) or not block["text"].strip():
        _reject(f"{at.rpartition('.content')[0] or at}: text content blocks must contain non-whitespace text")
    for citation in listed(block, "citations"):
        if citation.get("type") == "web_search_result_location" and not citation.get("encrypted_index"):
            _reject(f"{at}.citations: Invalid `encrypted_index` in `citations`")


def _check_source(block: Json, at: str) -> None:
    source = block["source"]
    kind = source.get("type")
    kinds = ("base64", "url", "file") if block["type"] == "image" else (*_SOURCES, "content")
    if kind not in kinds:
        _reject(f"{at}.source: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if kind == "content":
        return
    if source.keys() - {"type"} != _SOURCES[kind]:
        _reject(f"{at}.source.{kind}: Field required")
    if kind == "base64":
        media = _IMAGES if block["type"] == "image" else {"application/pdf"}
        if source["media_type"] not in media:
            _reject(f"{at}.source.base64.media_type: Input should be {' or '.join(map(repr, sorted(media)))}")
        try:
            base64.b64decode(source["data"], validate=True)
        except ValueError:
            _reject(f"{at}.source.base64.data: The data is not valid base64")
    if kind == "url" and not source["url"].startswith(("https://", "http://")):
        _reject(f"{at}.source.url.url: Only HTTP and HTTPS URLs are supported")


def _check_proof(block: Json, at: str) -> None:
    if block["signature"] != sign(block["thinking"]):
        _reject(f"{at}: Invalid `signature` in `thinking` block")


def _check_redacted(block: Json, at: str) -> None:
    if block["data"] != sign("redacted"):
        _reject(f"{at}: Invalid `data` in `redacted_thinking` block")


def _check_use(block: Json, at: str) -> None:
    if not _TOOL_ID(str(block["id"])):
        _reject(f"{at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not isinstance(block["input"], dict):
        _reject(f"{at}.tool_use.input: Input should be a valid dictionary")


def _check_result(block: Json, at: str) -> None:
    for index, one in enumerate([] if isinstance(block.get("content"), str) else listed(block, "content")):
        _check_block(one, f"{at}.content.{index}", {"text", "image", "document", "search_result"})


_BLOCK_CHECKS = {
    "text": _check_text,
    "image": _check_source,
    "document": _check_source,
    "thinking": _check_proof,
    "redacted_thinking": _check_redacted,
    "tool_use": _check_use,
    "tool_result": _check_result,
}


def _check_pairs(messages: list[Json]) -> None:
    """Every call has its result in the next turn, at its head, and every result its call in the turn before."""
    turns = turns_of(messages)
    for index, (_, blocks) in enumerate(turns):
        called = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len(set(called)) < len(called):
            _reject("messages: `tool_use` ids must be unique")
        answers = takewhile(_is_result, turns[index + 1][1] if index + 1 < len(turns) else [])
        missing = set(called) - {block["tool_use_id"] for block in answers}
        if missing:
            _reject(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(sorted(missing))}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message."
            )
        known = {block["id"] for block in (turns[index - 1][1] if index else []) if block["type"] == "tool_use"}
        for block in filter(_is_result, blocks):
            if block["tool_use_id"] not in known:
                _reject(
                    f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block in "
                    "the previous message."
                )


def _is_result(block: Json) -> bool:
    return block["type"] == "tool_result"


def _check_thinking(body: Json) -> None:
    thinking = inner(body, "thinking")
    kind, model = thinking.get("type"), version(body["model"])
    if not thinking or kind == "disabled":
        return
    if kind not in ("enabled", "adaptive"):
        _reject(f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if kind == "adaptive" and model < (4, 6):
        _reject("adaptive thinking is not supported on this model")
    if kind == "enabled":
        if model >= (4, 7):
            _reject(
                '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
                '"output_config.effort" to control thinking behavior.'
            )
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or budget < 1024:
            _reject("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        if "max_tokens" in body and body["max_tokens"] <= budget:
            _reject("`max_tokens` must be greater than `thinking.budget_tokens`.")
        _check_open_loop(body["messages"])
    if body.get("temperature") not in (None, 1):
        _reject("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        _reject("`top_k` must be unset when thinking is enabled.")
    if inner(body, "tool_choice").get("type") in ("any", "tool"):
        _reject("Thinking may not be enabled when tool_choice forces tool use.")


def _check_open_loop(messages: list[Json]) -> None:
    """While tools are being used, the assistant's turn must begin with its thinking."""
    turns = turns_of(messages)
    if turns[-1][0] != "user" or not any(block["type"] == "tool_result" for block in turns[-1][1]):
        return
    first = turns[-2][1][0]["type"]
    if first not in ("thinking", "redacted_thinking"):
        _reject(
            f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block"
        )


def listed(body: Json, name: str) -> list[Any]:
    """Return a member that is a list; empty when it is not there."""
    return body.get(name) or []


def inner(body: Json, name: str) -> Json:
    """Return a member that is an object; empty when it is not there."""
    return body.get(name) or {}


def turns_of(messages: list[Json]) -> list[tuple[str, list[Json]]]:
    """Return the turns: neighbours of one role are one; instructions in between belong to none."""
    turns: list[tuple[str, list[Json]]] = []
    for message in messages:
        if message["role"] == "system":
            continue
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks_of(message))
        else:
            turns.append((message["role"], list(blocks_of(message))))
    return turns


def blocks_of(message: Json) -> list[Json]:
    """Return a message's content as blocks."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _marks(value: Any) -> int:
    """Count the cache markers in a prompt; a tool's schema and input are no prompt."""
    if isinstance(value, list):
        return sum(map(_marks, value))  # pyright: ignore[reportUnknownArgumentType]  # JSON
    if not isinstance(value, dict):
        return 0
    members: Json = {**value}
    here = members.get("cache_control") is not None
    return here + sum(_marks(one) for name, one in members.items() if name not in ("input_schema", "input"))


def _is(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool))


def _kind(kinds: Any) -> str:
    return getattr(kinds, "__name__", "value")


def _reject(message: str) -> NoReturn:
    raise Rejected(message)
