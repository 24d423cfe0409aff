"""A chat, written as the body of a request to a vendor that speaks the Responses API.

Every call is told whole and is not kept there (`store` is false), so the vendor knows nothing of the calls before it,
and thinking travels sealed in `encrypted_content`.
"""

from typing import Any

import msgspec

from tokengate.core.chat import Chat, JsonFormat, Message
from tokengate.core.parts import Text, Thinking
from tokengate.core.wire import Losses
from tokengate.formats.responses.types import LOGPROBS, NAME, SIGNED
from tokengate.formats.responses.write_items import write_items
from tokengate.formats.responses.write_tools import write_choice, write_tools

# Tokens of a thinking budget, up to which an effort is the nearest.
_LOW_BUDGET = 2_048
_MEDIUM_BUDGET = 8_192


def write_chat(chat: Chat, losses: Losses, *, instructions: bool = True) -> bytes:
    """Return the body. Without `instructions` the text that heads the conversation is its first item.

    Raises Unsupported for what changes the answer and cannot be said.
    """
    _refuse_unsayable(chat, losses)
    _drop_unsayable(chat, losses)
    heading, messages = split_instructions(chat) if instructions else (None, chat.messages)
    body: dict[str, Any] = {"model": chat.model}
    if heading is not None:
        body["instructions"] = heading
    body["input"] = write_items(messages, losses, own=chat.format == NAME)
    body.update(write_settings(chat, losses))
    include = _include(chat)
    if include:
        body["include"] = include
    body["store"] = False
    if chat.stream:
        body["stream"] = True
    if chat.format == NAME:
        _add_extra(body, chat)
    else:
        losses.foreign(chat)
    return msgspec.json.encode(body)


def split_instructions(chat: Chat) -> tuple[str | None, tuple[Message, ...]]:
    """Return the text that heads the conversation, and the messages after it."""
    match chat.messages:
        case (Message(role="system", parts=(Text(cache=None, citations=()) as text,), name=""), _, *_) if (
            not text.extra
        ):
            return text.text, chat.messages[1:]
        case _:
            return None, chat.messages


def write_settings(chat: Chat, losses: Losses) -> dict[str, Any]:
    """Return what a request and its reply both say of how to answer. Raises Unsupported for other vendors' tools."""
    settings: dict[str, Any] = {}
    values = (
        ("max_output_tokens", chat.output.cap),
        ("temperature", chat.sampling.temperature),
        ("top_p", chat.sampling.top_p),
        ("top_logprobs", chat.output.top_logprobs),
        ("parallel_tool_calls", chat.parallel_tool_calls),
        ("metadata", chat.metadata),
        ("service_tier", chat.service_tier),
        ("user", chat.user),
        ("tools", write_tools(chat, losses) or None),
        ("tool_choice", write_choice(chat) if chat.tool_choice else None),
        ("text", _text(chat) or None),
        ("reasoning", _reasoning(chat, losses) or None),
    )
    settings.update((name, value) for name, value in values if value is not None)
    return settings


def _refuse_unsayable(chat: Chat, losses: Losses) -> None:
    output = chat.output
    refused = {
        "n": output.n is not None and output.n > 1,
        "stop": bool(output.stop),
        "stop_tokens": bool(output.stop_tokens),
        "modalities": any(one != "text" for one in output.modalities),
        "speech": output.speech is not None,
        "canvas": output.canvas is not None,
        "logit_bias": bool(chat.sampling.logit_bias),
        "translation": chat.translation is not None,
    }
    for word, wanted in refused.items():
        if wanted:
            raise losses.refuse(word)


def _drop_unsayable(chat: Chat, losses: Losses) -> None:
    sampling = chat.sampling
    for word in _UNKNOWN_SAMPLING:
        if getattr(sampling, word) is not None:
            losses.drop(word)
    if chat.high_resolution_images is not None:
        losses.drop("high_resolution_images")
    if chat.cache is not None:
        losses.drop("cache")


def _text(chat: Chat) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if chat.output.json is not None:
        text["format"] = _format(chat.output.json)
    if chat.output.verbosity is not None:
        text["verbosity"] = chat.output.verbosity
    return text


def _format(json: JsonFormat) -> dict[str, Any]:
    if json.schema is None:
        return {"type": "json_object"}
    written: dict[str, Any] = {"type": "json_schema", "name": json.name or "answer", "schema": json.schema}
    if json.description:
        written["description"] = json.description
    if json.strict is not None:
        written["strict"] = json.strict
    return written


def _reasoning(chat: Chat, losses: Losses) -> dict[str, Any]:
    asked = chat.reasoning
    effort = asked.effort
    if asked.budget is not None and not asked.left_open:
        losses.drop("budget")
    if effort is None and asked.enabled is False:
        effort = "none"
    elif effort is None and asked.budget is not None:
        effort = _nearest_effort(asked.budget)
    elif effort is None and asked.enabled:
        effort = "medium"
    written: dict[str, Any] = {}
    if effort is not None:
        written["effort"] = effort
    # Formats that turn thinking on show it. An effort alone asks for no summary: some accounts may not have any.
    # https://platform.openai.com/docs/guides/reasoning#reasoning-summaries, 2026-11
    shown = asked.enabled if asked.shown is None else asked.shown
    summary = asked.summary or ("auto" if shown else None)
    if summary is not None:
        written["summary"] = summary
    return written


def _nearest_effort(budget: int) -> str:
    if budget == 0:
        return "none"
    if budget < 0 or _LOW_BUDGET < budget <= _MEDIUM_BUDGET:
        return "medium"
    return "low" if budget <= _LOW_BUDGET else "high"


def _include(chat: Chat) -> list[str]:
    include: list[str] = []
    if chat.reasoning.signed or _thinks(chat):
        include.append(SIGNED)
    if chat.output.logprobs:
        include.append(LOGPROBS)
    return include


def _thinks(chat: Chat) -> bool:
    """Say whether the request asks for thinking, or comes from a conversation with some.

    It is an error to ask a model that cannot think for it sealed.
    """
    asked = chat.reasoning
    if asked.effort == "none" or asked.enabled is False:
        return False
    if asked.effort or asked.enabled or asked.budget or asked.shown or asked.summary:
        return True
    return any(
        isinstance(part, Thinking) and part.format == NAME and part.signature
        for message in chat.messages
        for part in message.parts
    )


def _add_extra(body: dict[str, Any], chat: Chat) -> None:
    """Write the parameters without a word back to where they were."""
    for name, value in chat.extra.items():
        outer, _, inner = name.partition(".")
        if name == "include":
            body["include"] = [*body.get("include", ()), *_decode_names(value)]
        elif inner and outer in _NESTED:
            body.setdefault(outer, {})[inner] = value
        else:
            body[name] = value


_UNKNOWN_SAMPLING = (
    "top_k",
    "min_p",
    "top_a",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
)
_NESTED = frozenset({"reasoning", "text"})
_decode_names = msgspec.json.Decoder(list[str]).decode
