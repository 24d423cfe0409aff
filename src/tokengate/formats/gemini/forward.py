"""The edits of the lane in which caller and backend both speak this format: all other bytes stay as they are."""

from typing import Final

import msgspec

from tokengate.core.chat import Chat
from tokengate.core.parts import Thinking, ToolCall
from tokengate.core.splice import Members
from tokengate.formats.gemini.signatures import NAME
from tokengate.formats.gemini.thinking import SERIES, series_of

_CONFIGS: Final = ("generationConfig", "generation_config")
_CAPS: Final = ("maxOutputTokens", "max_output_tokens")
_encode = msgspec.json.Encoder().encode


def is_foreign(chat: Chat) -> bool:
    """Say whether another vendor had a part in a conversation: Google refuses what it cannot verify, and wants a
    signature on the first call of a turn."""
    verified = series_of(chat.model, SERIES).verified
    for message in chat.messages:
        called = False
        for part in message.parts:
            if isinstance(part, Thinking) and part.format not in (NAME, ""):
                return True
            if isinstance(part, ToolCall):
                if verified and not called and not part.signature:
                    return True
                called = True
    return False


def forward_chat(members: Members, *, model: str, output_cap: int | None) -> bytes:
    """Return a request's body, whose model is in the path, with this output cap when one is given."""
    replace = {"model": _encode(f"models/{model}")} if "model" in members else {}
    if output_cap is None:
        return members.edit(replace=replace)
    cap = _encode(output_cap)
    present = [name for name in _CONFIGS if name in members]
    for name in present:
        replace[name] = _capped(members.get(name) or b"null", cap)
    return members.edit(replace=replace, add={} if present else {"generationConfig": b'{"maxOutputTokens":%b}' % cap})


def rename_model(data: bytes, model: str) -> bytes:
    """Return a reply, or an event's data, with the model called as the caller called it."""
    try:
        members = Members(data)
        return members.replace("modelVersion", _encode(model)) if "modelVersion" in members else data
    except (ValueError, RecursionError):
        return data


def _capped(config: bytes, cap: bytes) -> bytes:
    if config == b"null":
        return b'{"maxOutputTokens":%b}' % cap
    members = Members(config)
    present = [name for name in _CAPS if name in members]
    return members.edit(replace=dict.fromkeys(present, cap), add={} if present else {"maxOutputTokens": cap})
