"""A request in the vocabulary, written for a vendor that speaks this format.

A caller of this format gets back what they gave. What others say is put in this format's order: instructions in
`system`, neighbours of one role in one turn, the user first, and tool results at the head of their turn.
"""

from collections.abc import Iterator
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, assert_never

import msgspec
from msgspec import Raw

from tokengate.core.chat import BuiltIn, Chat, Custom, Function, Message, Tool, ToolChoice
from tokengate.core.custom_tools import without_custom
from tokengate.core.parts import NO_EXTRA
from tokengate.core.wire import Losses
from tokengate.formats.anthropic.abilities import Abilities
from tokengate.formats.anthropic.reasoning import ThinkingAsked, write_reasoning
from tokengate.formats.anthropic.types import MAX_CACHE_MARKS, NAME
from tokengate.formats.anthropic.write_blocks import Block, BlockWriter, write_cache

_OPENING = "..."  # what stands for a user who has not said anything yet
_JSON_ONLY = "Answer with one JSON object and nothing else."
_WEB_SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}
_ANY_TIER = "auto"
_LEAST_TOP_P_WHILE_THINKING = 0.95
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


def write_chat(chat: Chat, losses: Losses, abilities: Abilities) -> bytes:
    """Return the body of a request. Raises Unsupported."""
    own = chat.format == NAME
    chat = without_custom(chat, losses)
    if not own:
        _refuse_foreign(chat, losses)
        losses.foreign(chat)
    cap = abilities.cap if chat.output.cap is None else chat.output.cap
    system, messages = _prompt(chat, losses, abilities)
    thinking = write_reasoning(chat, cap, abilities, losses)
    if thinking.on and _forbids_thinking(chat, messages, thinking):
        losses.drop("reasoning")
        thinking = ThinkingAsked(None, thinking.effort)

    body: dict[str, Any] = {"model": chat.model, "max_tokens": cap}
    if system:
        body["system"] = system
    body["messages"] = messages
    tools = _tools(chat, losses, abilities)
    if tools:
        body["tools"] = tools
    choice = _tool_choice(chat, bool(tools))
    if choice:
        body["tool_choice"] = choice
    if chat.stream:
        body["stream"] = True
    body |= _sampling(chat, thinking, abilities, losses)
    body |= _output(chat, thinking, abilities, losses)
    body |= _about(chat, losses)
    if own:
        return msgspec.json.encode(body | dict(chat.extra))
    written = msgspec.json.encode(body)
    if written.count(b'"cache_control"') > MAX_CACHE_MARKS:
        _limit_marks(body, losses)
        return msgspec.json.encode(body)
    return written


def _refuse_foreign(chat: Chat, losses: Losses) -> None:
    """Refuse what this format has no words for and what would change the answer; drop the rest."""
    output, sampling = chat.output, chat.sampling
    if sampling.seed is None and not any(_foreign(chat)):
        return  # as most requests
    refused = (
        ("n", output.n is not None and output.n > 1),
        ("logprobs", output.logprobs is True),
        ("top_logprobs", output.top_logprobs),
        ("stop_tokens", output.stop_tokens),
        ("modalities", output.modalities and set(output.modalities) != {"text"}),
        ("canvas", output.canvas),
        ("logit_bias", sampling.logit_bias),
        ("translation", chat.translation is not None),
    )
    for word, is_asked in refused:
        if is_asked:
            raise losses.refuse(word)
    dropped = (
        ("min_p", sampling.min_p),
        ("top_a", sampling.top_a),
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
        ("repetition_penalty", None if sampling.repetition_penalty == 1 else sampling.repetition_penalty),
        ("seed", sampling.seed),
        ("speech", output.speech),
        ("verbosity", output.verbosity),
        ("metadata", chat.metadata),
        ("high_resolution_images", chat.high_resolution_images),
    )
    for word, value in dropped:
        if value is not None and (value != 0 or word == "seed"):
            losses.drop(word)


_foreign = attrgetter(
    "output.n",
    "output.logprobs",
    "output.top_logprobs",
    "output.stop_tokens",
    "output.modalities",
    "output.speech",
    "output.canvas",
    "output.verbosity",
    "sampling.logit_bias",
    "sampling.min_p",
    "sampling.top_a",
    "sampling.frequency_penalty",
    "sampling.presence_penalty",
    "sampling.repetition_penalty",
    "translation",
    "metadata",
    "high_resolution_images",
)


def _forbids_thinking(chat: Chat, messages: list[Block], thinking: ThinkingAsked) -> bool:
    """Say whether something in this request forbids the thinking that it asks for.

    With thinking no tool may be forced and no answer begun. With a budget, the turn whose tools have just answered
    must begin with thinking that the vendor signed.
    """
    if chat.format != NAME:
        is_forced = chat.tool_choice is not None and chat.tool_choice.mode in ("required", "named")
        if is_forced or (messages[-1:] and messages[-1]["role"] == "assistant"):
            return True
    assert thinking.config is not None, "only thinking that is on is forbidden"
    return thinking.config["type"] == "enabled" and _open_turn_is_unsigned(messages)


def _open_turn_is_unsigned(messages: list[Block]) -> bool:
    """Say whether the last turn answers tool calls of a turn that does not begin with thinking."""
    turns = groupby((one for one in reversed(messages) if one["role"] != "system"), key=lambda one: one["role"])
    _, last = next(turns, ("", iter(())))
    if not any(_is(block, "tool_result") for message in last for block in message["content"]):
        return False
    _, called = next(turns, ("", iter(())))
    first = [message["content"][0] for message in called if message["content"]][-1:]
    return not any(_is(block, "thinking") or _is(block, "redacted_thinking") for block in first)


def _is(block: Block | Raw, kind: str) -> bool:
    return isinstance(block, dict) and block["type"] == kind


def _prompt(chat: Chat, losses: Losses, abilities: Abilities) -> tuple[list[Block | Raw], list[Block]]:
    own = chat.format == NAME
    writer = BlockWriter(losses, own=own)
    system: list[Block | Raw] = []
    messages: list[Block] = []
    for index, message in enumerate(chat.messages):
        blocks = writer.write(message.parts, said=message.role == "assistant")
        if message.name:
            losses.drop("name")
        if message.role in ("system", "developer"):
            if not messages and not message.extra:
                system += blocks
            elif own or (abilities.system_turns and _takes_system(chat.messages, index)):
                messages.append({"role": "system", "content": blocks, **(message.extra if own else NO_EXTRA)})
            else:
                system += blocks
        elif own:
            if message.parts and not blocks:
                continue  # another vendor's thinking was all of it
            messages.append({"role": message.role, "content": blocks, **message.extra})
        else:
            for name in message.extra:
                losses.drop(name)
            _add_turn(messages, message.role, blocks)
    if chat.output.json is not None and chat.output.json.schema is None and not own:
        losses.drop("json")
        system.append({"type": "text", "text": _JSON_ONLY})
    if not own and messages and messages[0]["role"] != "user":
        losses.add(f"a user's turn '{_OPENING}' before the first message")
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": _OPENING}]})
    return system, messages


def _takes_system(messages: tuple[Message, ...], index: int) -> bool:
    """Say whether instructions may stand here: after a user's turn, and before the assistant's or at the end."""
    after = messages[index + 1] if index + 1 < len(messages) else None
    return messages[index - 1].role == "user" and (after is None or after.role == "assistant")


def _add_turn(messages: list[Block], role: str, blocks: list[Block | Raw]) -> None:
    """Add a turn, to the one before when the same side goes on. What says nothing is no turn."""
    if not blocks:
        return
    if messages and messages[-1]["role"] == role:
        content: list[Block | Raw] = messages[-1]["content"]
        content += blocks
    else:
        content = blocks
        messages.append({"role": role, "content": content})
    if role == "user" and len(content) > 1:
        content.sort(key=lambda block: not _is(block, "tool_result"))


def _tools(chat: Chat, losses: Losses, abilities: Abilities) -> list[Block | Raw]:
    if not chat.tools and not chat.search.enabled:
        return []
    choice = chat.tool_choice
    allowed = choice.names if choice is not None and choice.mode in ("auto", "required") else ()
    tools = [_tool(tool, chat, losses, abilities) for tool in chat.tools if not allowed or _name_of(tool) in allowed]
    if chat.search.enabled:
        if chat.search.options is not None:
            losses.drop("search_options")
        tools.append(_WEB_SEARCH)
    return tools


def _name_of(tool: Tool) -> str:
    return tool.kind if isinstance(tool, BuiltIn) else tool.name


def _tool(tool: Tool, chat: Chat, losses: Losses, abilities: Abilities) -> Block | Raw:
    match tool:
        case Function():
            block: Block = {"name": tool.name}
            if tool.description:
                block["description"] = tool.description
            block["input_schema"] = _input_schema(tool.parameters)
            if tool.strict is not None and (chat.format == NAME or (tool.strict and abilities.json_schema)):
                block["strict"] = tool.strict
            elif tool.strict:
                losses.drop("strict")
            if tool.cache is not None:
                block["cache_control"] = write_cache(tool.cache)
            for name, value in tool.extra.items():
                if chat.format == NAME:
                    block[name] = value
                else:
                    losses.drop(name)
            return block
        case BuiltIn(format=format, raw=raw) if format == NAME:
            return raw
        case BuiltIn(web_search=True):
            return _WEB_SEARCH
        case BuiltIn(kind=kind):
            raise losses.refuse("tools", f"of the type {kind} cannot be expressed for this backend")
        case Custom():
            raise AssertionError("custom tools became functions")
        case _:
            assert_never(tool)


def _input_schema(parameters: Raw | None) -> Raw:
    """Return a function's parameters, which must be those of an object here."""
    if parameters is None or bytes(parameters) == b"null":
        return _NO_PARAMETERS
    try:
        members = _decode_members(parameters)
    except (ValueError, RecursionError):
        return parameters  # the vendor says better what is wrong with it
    return parameters if "type" in members else Raw(msgspec.json.encode({"type": "object", **members}))


def _tool_choice(chat: Chat, has_tools: bool) -> Block:
    if chat.tool_choice is None and (chat.parallel_tool_calls is not False or not has_tools):
        return {}
    choice = chat.tool_choice or ToolChoice("auto")
    if not has_tools and chat.format != NAME and choice.mode in ("auto", "none"):
        return {}
    block: Block
    match choice.mode:
        case "auto":
            block = {"type": "auto"}
        case "none":
            return {"type": "none"}
        case "required":
            block = {"type": "any"}
        case "named":
            block = {"type": "tool", "name": choice.names[0]}
    if chat.parallel_tool_calls is False or (chat.parallel_tool_calls and chat.format == NAME):
        block["disable_parallel_tool_use"] = not chat.parallel_tool_calls
    return block


def _sampling(chat: Chat, thinking: ThinkingAsked, abilities: Abilities, losses: Losses) -> Block:
    sampling = chat.sampling
    asked = (("temperature", sampling.temperature), ("top_p", sampling.top_p), ("top_k", sampling.top_k))
    given: Block = {name: value for name, value in asked if value is not None}
    if chat.format == NAME or not given:
        return given
    dropped: set[str] = set()
    if not abilities.sampling:
        dropped |= given.keys()
    if given.get("temperature", 0) > 1:
        dropped.add("temperature")
    if thinking.on:
        dropped |= given.keys() & {"top_k"}
        if given.get("temperature", 1) != 1:
            dropped.add("temperature")
        if given.get("top_p", 1) < _LEAST_TOP_P_WHILE_THINKING:
            dropped.add("top_p")
    if not abilities.temperature_and_top_p and "temperature" in given and "temperature" not in dropped:
        dropped |= given.keys() & {"top_p"}
    if not dropped:
        return given
    for name in sorted(dropped):
        losses.drop(name)
    return {name: value for name, value in given.items() if name not in dropped}


def _output(chat: Chat, thinking: ThinkingAsked, abilities: Abilities, losses: Losses) -> Block:
    body: Block = {}
    stop = chat.output.stop
    if stop and chat.format != NAME and any(not text.strip() for text in stop):
        losses.drop("stop")
        stop = tuple(text for text in stop if text.strip())
    if stop:
        body["stop_sequences"] = stop
    if thinking.config is not None:
        body["thinking"] = thinking.config
    config: Block = {}
    if thinking.effort is not None:
        config["effort"] = thinking.effort
    json = chat.output.json
    if json is not None and json.schema is not None:
        if not abilities.json_schema:
            raise losses.refuse("json")
        config["format"] = {"type": "json_schema", "schema": json.schema}
    if config:
        body["output_config"] = config
    return body


def _about(chat: Chat, losses: Losses) -> Block:
    """Return what is not about the answer."""
    body: Block = {}
    if chat.user is not None:
        body["metadata"] = {"user_id": chat.user}
    if chat.service_tier is not None:
        if chat.format == NAME or chat.service_tier == _ANY_TIER:
            body["service_tier"] = chat.service_tier
        else:
            losses.drop("service_tier")
    if chat.cache is not None:
        body["cache_control"] = write_cache(chat.cache)
    return body


def _limit_marks(body: dict[str, Any], losses: Losses) -> None:
    """Keep the last cache markers, as many as a request may have: they reach the furthest."""
    marked = [block for block in _blocks_in(body) if "cache_control" in block]
    too_many = len(marked) + ("cache_control" in body) - MAX_CACHE_MARKS
    for block in marked[: max(0, too_many)]:
        losses.drop("cache")
        del block["cache_control"]


def _blocks_in(body: dict[str, Any]) -> Iterator[Block]:
    """Yield what may be marked, in the order of the prompt."""
    contents: list[list[Block | Raw]] = [body.get("tools", []), body.get("system", [])]
    contents += [message["content"] for message in body["messages"]]
    for block in chain.from_iterable(contents):
        if isinstance(block, dict):
            inner: list[Block | Raw] | str | None = block.get("content")
            if isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, dict))
            yield block
