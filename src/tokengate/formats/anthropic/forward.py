"""What the same-format lane may edit in Anthropic's bytes: the model's name, and an output cap that nobody named.

A conversation that another vendor had a part in is not for the lane: `is_foreign` says so.
"""

import msgspec

from tokengate.core.chat import Chat
from tokengate.core.parts import Part, Text, Thinking, ToolCall
from tokengate.core.splice import Members
from tokengate.formats.anthropic.types import NAME


class AnthropicForwarding:
    """Implements `core.wire.Forwarding`."""

    def forward_chat(self, members: Members, *, model: str, output_cap: int | None) -> bytes:
        """Return the body under the vendor's name of the model. A budget of thinking that a given cap leaves no room
        for goes with the cap's old value."""
        wanted = {"model": msgspec.json.encode(model)}
        removed: set[str] = set()
        if output_cap is not None:
            wanted["max_tokens"] = b"%d" % output_cap
            if _budget_of(members.get("thinking")) >= output_cap:
                removed.add("thinking")
        return members.edit(replace=wanted, remove=removed)

    def rename_model(self, data: bytes, model: str) -> bytes:
        """Return a whole message, or the event that begins a stream, with its model renamed."""
        if b'"model"' not in data:
            return data
        try:
            members = Members(data)
            if "model" in members:
                return members.replace("model", msgspec.json.encode(model))
            message = Members(members.get("message") or b"{}")
            if "model" not in message:
                return data
            return members.replace("message", message.replace("model", msgspec.json.encode(model)))
        except (ValueError, RecursionError):
            return data


FORWARDING = AnthropicForwarding()


def is_foreign(chat: Chat) -> bool:
    """Say whether a conversation holds what Anthropic would refuse because another vendor said it: thinking that it
    did not sign, citations that are none of its own."""
    return any(_is_foreign(part) for message in chat.messages for part in message.parts)


def _is_foreign(part: Part) -> bool:
    match part:
        case Thinking():
            return part.format != NAME
        case ToolCall():
            return part.signature != ""
        case Text():
            return any(citation.format != NAME for citation in part.citations)
        case _:
            return False


class _Thinking(msgspec.Struct):
    budget_tokens: int | None = None


_decode = msgspec.json.Decoder(_Thinking | None).decode


def _budget_of(thinking: bytes | None) -> int:
    wire = _decode(thinking) if thinking is not None else None
    return (wire.budget_tokens or 0) if wire is not None else 0
