"""Proofs of thinking, carried through clients that speak this format for vendors that do not.

An Anthropic signature is base64 and stands as it is. Another vendor's goes to the client with its format's name in
front, and comes back with it:  `gemini:EsMD…`  `responses#rs_1:gAAA…`  and, for the proof that a tool call itself
carries,  `call:EsMD…`  in a thinking block of its own before the call.
"""

import re

from tokengate.core.parts import Thinking
from tokengate.formats.anthropic.types import NAME

_CALL = "call:"

# A format's name, an item's id if there is one, and the flag for a summary.
_wrapped = re.compile(r"([a-z][a-z0-9_]{0,31})(?:#([\w.-]{1,200}))?(~)?:", re.ASCII).match
_is_id = re.compile(r"[\w.-]{1,200}", re.ASCII).fullmatch


def wrap(part: Thinking) -> str:
    """Return what a client of this format gets as the block's signature, or as its redacted data."""
    if part.format in ("", NAME):
        return part.signature
    item = f"#{part.id}" if _is_id(part.id) else ""
    return f"{part.format}{item}{'~' if part.summary else ''}:{part.signature}"


def unwrap(text: str, signature: str, *, redacted: bool = False) -> Thinking:
    """Return the thinking that a client sends back."""
    found = _wrapped(signature)
    if found is None:
        return Thinking(text, signature, NAME if signature else "", redacted)
    return Thinking(text, signature[found.end() :], found[1], redacted, summary=found[3] is not None, id=found[2] or "")


def wrap_call(signature: str) -> str:
    """Return the signature of the empty thinking block that stands before a signed tool call."""
    return _CALL + signature


def call_signature(text: str, signature: str) -> str | None:
    """Return the proof of the tool call that follows; None when the block is thinking."""
    return signature[len(_CALL) :] if not text and signature.startswith(_CALL) else None
