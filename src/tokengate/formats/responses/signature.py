"""Proofs of thinking, carried through clients that speak this format for vendors that do not.

A Responses vendor's `encrypted_content` stands as it is, in the reasoning item whose id it was made for: the vendor
refuses it under another id. In an item with an id of ours it names that id, and another vendor's proof names its
format; `!` marks thinking that has no text. A tool call's own proof stands in a reasoning item before the call.

    gAAAAAB…    responses#rs_1:gAAAAAB…    anthropic:EqQB…    anthropic!:EmwK…    call:CiQB…
"""

import re

from tokengate.core.parts import Thinking
from tokengate.formats.responses.types import NAME

_CALL = "call:"

_wrapped = re.compile(r"([a-z][a-z0-9_]{0,31})(?:#([\w.-]{1,200}))?(!)?:", re.ASCII).match
_is_id = re.compile(r"[\w.-]{1,200}", re.ASCII).fullmatch


def wrap(signature: str, format: str, *, redacted: bool, id: str, item_id: str) -> str:
    """Return the encrypted content of a reasoning item that has `item_id`, for a proof that was made for `id`."""
    if format in ("", NAME) and id in ("", item_id):
        return signature
    own = f"#{id}" if _is_id(id) else ""
    return f"{format or NAME}{own}{'!' if redacted else ''}:{signature}"


def unwrap(text: str, encrypted: str, *, item_id: str, summary: bool) -> Thinking:
    """Return the thinking that a client sends back, or that a vendor sends."""
    if not encrypted:
        return Thinking(text, summary=summary)
    found = _wrapped(encrypted)
    if found is None:
        return Thinking(text, encrypted, NAME, not text, summary, item_id)
    format, id, mark = found.groups()
    redacted = mark is not None or (format == NAME and not text)
    return Thinking(text, encrypted[found.end() :], format, redacted, summary, id or "")


def wrap_call(signature: str) -> str:
    """Return the encrypted content of the reasoning item that stands before a signed tool call."""
    return _CALL + signature


def call_signature(encrypted: str) -> str | None:
    """Return the proof of the tool call that follows; None when the item is thinking."""
    return encrypted[len(_CALL) :] if encrypted.startswith(_CALL) else None
