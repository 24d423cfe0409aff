"""Members of a response object, of an item in it and of what a message says, that the gateway does not write by itself:
the vendor's, passed on as they are."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.formats.responses.types import NONE

# What `Envelope` says of a response: the gateway's own ids and state, and the caller's settings as they were given.
_OWN: Final = frozenset(
    {
        "background",
        "conversation",
        "created_at",
        "error",
        "id",
        "incomplete_details",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "object",
        "output",
        "output_text",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "status",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "usage",
        "user",
    }
)


# What an item says in words of the vocabulary, or as the gateway says it.
_OF_ITEMS: Final = frozenset({"type", "id", "status"})
_OF_CALLS: Final = _OF_ITEMS | {"call_id", "name", "arguments", "input", "namespace"}
_OF_MESSAGES: Final = _OF_ITEMS | {"role", "content", "phase"}
_OF_REASONING: Final = _OF_ITEMS | {"content", "summary", "encrypted_content"}
_OF_CONTENT: Final = frozenset({"type", "text", "refusal", "annotations", "logprobs"})

MESSAGE: Final = "message"  # where the first text of a message has those of the message itself
STRANGERS: Final = "content"  # among these, the parts of its content whose kinds nobody knows


class _Part(Struct):
    type: str = ""
    text: Raw = NONE


class _Message(Struct):
    content: list[Raw] | None = None


def beside(response: Raw | bytes) -> Extra:
    """Return the members of a response object that are not the gateway's to write. Raises ValueError."""
    return _others(response, _OWN)


def beside_call(item: Raw | bytes) -> Extra:
    """Return the members of a tool call that nobody knows. Raises ValueError."""
    return _others(item, _OF_CALLS)


def beside_message(item: Raw | bytes) -> Extra:
    """Return the members of a message that nobody knows, as its first text has them, with the parts of its content
    that nobody knows. Raises ValueError."""
    members = dict(_others(item, _OF_MESSAGES))
    strangers = _strangers(item)
    if strangers:
        members[STRANGERS] = Raw(msgspec.json.encode([_decode_anything(raw) for raw in strangers]))
    return {MESSAGE: Raw(msgspec.json.encode(members))} if members else NO_EXTRA


def has_strangers(item: Raw | bytes) -> bool:
    """Say whether a message has parts that nobody knows. Raises ValueError."""
    return bool(_strangers(item))


def beside_reasoning(item: Raw | bytes) -> Extra:
    """Return the members of a reasoning item that nobody knows. Raises ValueError."""
    return _others(item, _OF_REASONING)


def beside_content(content: Raw | bytes) -> Extra:
    """Return the members of a text or refusal that nobody knows. Raises ValueError."""
    return _others(content, _OF_CONTENT)


def _strangers(item: Raw | bytes) -> list[Raw]:
    return [raw for raw in _decode_message(item).content or () if _is_strange(raw)]


def _is_strange(content: Raw) -> bool:
    """Say whether a part of a message's content is neither a text nor a refusal."""
    part = _decode_part(content)
    return part.text == NONE and part.type not in _SAID


def _others(value: Raw | bytes, known: frozenset[str]) -> Extra:
    """Return other members than the known, as compact JSON: they may go to a stream, whose events are lines."""
    members = _decode_members(value)
    if members.keys() <= known:
        return NO_EXTRA
    kept = {name: raw for name, raw in members.items() if name not in known and raw != NONE}
    return {name: Raw(msgspec.json.encode(_decode_anything(raw))) for name, raw in kept.items()} or NO_EXTRA


_SAID: Final = frozenset({"output_text", "refusal"})
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_part = msgspec.json.Decoder(_Part).decode
_decode_anything = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
