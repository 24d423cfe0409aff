"""Thought signatures: Gemini's own, and those of other vendors on their way through a Gemini client and back.

Gemini's are opaque base64. Another vendor's travels in the same member as the base64 of

    FORMAT[.FLAGS][#ID]:SIGNATURE       flags: r redacted, s summary

so that clients, which decode the member, keep it unchanged.
"""

import base64
import binascii
import re

from tokengate.core.parts import Thinking

NAME = "gemini"

# Lets a call of another vendor's model stand in the history of a model that verifies its own.
# https://ai.google.dev/gemini-api/docs/thought-signatures, 2026-11
UNVERIFIED = "skip_thought_signature_validator"

_HEAD = re.compile(rb"([a-z][a-z0-9_-]{1,30})(?:\.([rs]{1,2}))?(?:#([^:\s]{1,200}))?:", re.ASCII)
_HEAD_CHARACTERS = 320  # base64 characters that hold the longest head


_BYTES_OF_UNVERIFIED = base64.b64encode(UNVERIFIED.encode()).decode()  # as clients that think it is bytes write it


def is_unverified(signature: str) -> bool:
    """Say whether a signature proves nothing, but only stands in for one."""
    return signature in (UNVERIFIED, _BYTES_OF_UNVERIFIED)


def wrap(thinking: Thinking) -> str:
    """Return what a Gemini client gets as the signature of a thought; empty when there is none."""
    if thinking.format in (NAME, ""):
        return thinking.signature
    if not thinking.signature and not thinking.id:
        return ""
    flags = "r" * thinking.redacted + "s" * thinking.summary
    head = thinking.format + (f".{flags}" if flags else "") + (f"#{thinking.id}" if thinking.id else "")
    return base64.b64encode(f"{head}:{thinking.signature}".encode()).decode()


def unwrap(text: str, signature: str) -> Thinking:
    """Return the thought that a client sends back; it may also be sealed, without any text."""
    head = _HEAD.match(_decoded(signature[:_HEAD_CHARACTERS]))
    if head is None:
        return Thinking(text, signature, NAME)
    whole = _decoded(signature)
    flags = (head[2] or b"").decode()
    return Thinking(
        text,
        whole[head.end() :].decode("utf-8", "replace"),
        head[1].decode(),
        redacted="r" in flags,
        summary="s" in flags,
        id=(head[3] or b"").decode("utf-8", "replace"),
    )


def _decoded(signature: str) -> bytes:
    """Return the bytes of a signature in either alphabet of base64; nothing when it is not base64."""
    text = signature.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
