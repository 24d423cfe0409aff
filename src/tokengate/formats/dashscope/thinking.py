"""Thinking and what proves it, in a message: the same in requests and in replies.

DashScope itself has only `reasoning_content`. Proofs of other vendors travel through its clients beside it: all of
them in `reasoning_details`, as OpenAI's clients get them, and the only one of a message also in `reasoning_signature`,
which the vendor's SDK keeps with the message, as `<format>:<signature>`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.parts import Thinking

_TYPES = {"reasoning.text", "reasoning.summary", "reasoning.encrypted"}


class Detail(Struct, omit_defaults=True):
    """An entry of `reasoning_details`: `data` is the whole of what is sealed, `signature` the proof of the text."""

    type: str
    text: str | None = None
    summary: str | None = None
    signature: str | None = None
    data: str | None = None
    format: str | None = None
    id: str | None = None
    index: int | None = None


def read_thinking(
    text: str | None, signature: str | None = None, details: Sequence[Raw] | None = None
) -> tuple[Thinking, ...]:
    """Return what a message says was thought. Raises msgspec.ValidationError for details of another shape."""
    found = [detail for raw in details or () if (detail := _decode_detail(raw)).type in _TYPES]
    if not found:
        proof, known_format = _unwrapped(signature or "")
        return (Thinking(text or "", proof, known_format),) if text or proof else ()
    if text and len(found) == 1 and found[0].text is None and found[0].summary is None and found[0].data is None:
        found[0].text = text
    return tuple(_read_detail(detail) for detail in found)


def write_thinking(parts: Sequence[Thinking]) -> dict[str, Any]:
    """Return the members of a message that say what was thought and prove it; none for no thinking."""
    members: dict[str, Any] = {}
    if text := "".join(part.text for part in parts):
        members["reasoning_content"] = text
    members.update(write_proofs(parts))
    return members


def write_proofs(parts: Sequence[Thinking]) -> dict[str, Any]:
    """Return the members that prove what was thought; none when the text says all."""
    if not any(part.signature or part.summary or part.id for part in parts):
        return {}
    members: dict[str, Any] = {"reasoning_details": [_write_detail(index, part) for index, part in enumerate(parts)]}
    if len(parts) == 1 and parts[0].signature and parts[0].format and not parts[0].redacted:
        members["reasoning_signature"] = f"{parts[0].format}:{parts[0].signature}"
    return members


_decode_detail = msgspec.json.Decoder(Detail).decode


def _read_detail(detail: Detail) -> Thinking:
    sealed = detail.type == "reasoning.encrypted"
    return Thinking(
        detail.text or detail.summary or "",
        (detail.data if sealed else detail.signature) or "",
        detail.format or "",
        redacted=sealed,
        summary=detail.type == "reasoning.summary",
        id=detail.id or "",
    )


def _write_detail(index: int, part: Thinking) -> Detail:
    kind = "reasoning.encrypted" if part.redacted else "reasoning.summary" if part.summary else "reasoning.text"
    return Detail(
        kind,
        text=part.text or None,
        signature=None if part.redacted else part.signature or None,
        data=part.signature if part.redacted else None,
        format=part.format or None,
        id=part.id or None,
        index=index,
    )


def _unwrapped(signature: str) -> tuple[str, str]:
    """Return a signature and whose it is; an unmarked one is nobody's that we know."""
    known_format, mark, proof = signature.partition(":")
    return (proof, known_format) if mark and known_format.isalpha() else (signature, "")
