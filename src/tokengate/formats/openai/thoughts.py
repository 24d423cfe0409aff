"""Thinking in OpenAI messages: `reasoning_content` (or `reasoning`) for its text, `reasoning_details` for its proofs.

    {"type": "reasoning.text", "text", "signature", "format", "id", "index"}
    {"type": "reasoning.summary", "summary", "signature", "format", "id", "index"}
    {"type": "reasoning.encrypted", "data", "format", "id", "index"}

These are OpenRouter's details; `format` says whose proof it is. The other formats' names stand there for themselves;
any other word is that of the vendor which speaks this format, and goes back to it as it came.
https://openrouter.ai/docs/use-cases/reasoning-tokens, 2026-11
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from tokengate.core.parts import NO_EXTRA, Extra, Thinking
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.shapes import is_list, is_object

OWN = "openai"
FOREIGN = frozenset({"anthropic", "gemini", "responses", "dashscope"})

TEXT, SUMMARY, ENCRYPTED = "reasoning.text", "reasoning.summary", "reasoning.encrypted"


def read_thoughts(message: dict[str, Any]) -> list[Thinking]:
    """Return what a message says about its thinking; members of unknown shapes say nothing."""
    text = text_of(message)
    details = message.get("reasoning_details")
    thoughts = _read_details(details) if is_list(details) else []
    if not thoughts:
        return [Thinking(text)] if text else []
    if text and not any(thought.text for thought in thoughts):
        return _with_text(thoughts, text)
    return thoughts


def text_of(message: dict[str, Any]) -> str:
    """Return the text of a message's or a delta's thinking under whichever name it stands."""
    for name in ("reasoning_content", "reasoning"):
        value = message.get(name)
        if type(value) is str and value:
            return value
    return ""


def read_detail(detail: dict[str, Any]) -> Thinking | None:
    """Return one detail; None for a type that nobody has described."""
    match detail.get("type"):
        case "reasoning.text":
            return _proved(detail, _text(detail, "text"), _text(detail, "signature"))
        case "reasoning.summary":
            text = _text(detail, "summary") or _text(detail, "text")
            return _proved(detail, text, _text(detail, "signature"), summary=True)
        case "reasoning.encrypted":
            data = _text(detail, "data")
            return _proved(detail, "", data, redacted=True) if data else None
        case _:
            return None


def write_detail(thought: Thinking, index: int) -> dict[str, Any]:
    """Return a thought as a detail."""
    detail: dict[str, Any]
    if thought.redacted:
        detail = {"type": ENCRYPTED, "data": thought.signature}
    else:
        detail = {"type": SUMMARY, "summary": thought.text} if thought.summary else {"type": TEXT, "text": thought.text}
        if thought.signature:
            detail["signature"] = thought.signature
    if thought.format in FOREIGN:
        detail["format"] = thought.format
    elif (word := thought.extra.get("format")) is not None:
        detail["format"] = word
    if thought.id:
        detail["id"] = thought.id
    detail["index"] = index
    return detail


def write_thoughts(thoughts: Iterable[Thinking]) -> dict[str, Any]:
    """Return the members of a message that say its thinking; the details only when there is more to it than text."""
    told = [thought for thought in thoughts if thought.text or is_proved(thought)]
    if not told:
        return {}
    written: dict[str, Any] = {}
    text = "".join(thought.text for thought in told)
    if text:
        written["reasoning_content"] = text
    if any(is_proved(thought) for thought in told) or len(told) > 1:
        written["reasoning_details"] = [write_detail(thought, index) for index, thought in enumerate(told)]
    return written


def is_proved(thought: Thinking) -> bool:
    """Say whether there is more to a thought than text."""
    return bool(thought.signature or thought.id or thought.summary)


def _read_details(details: list[Any]) -> list[Thinking]:
    """Read details; pieces of one, as a client collected them from a stream, are put together."""
    joined: list[dict[str, Any]] = []
    for detail in details:
        if not is_object(detail):
            continue
        last = joined[-1] if joined else None
        if last is not None and _continues(last, detail):
            joined[-1] = _joined(last, detail)
        else:
            joined.append(detail)
    thoughts = [read_detail(detail) for detail in joined]
    return [thought for thought in thoughts if thought is not None]


def _continues(last: dict[str, Any], detail: dict[str, Any]) -> bool:
    index = detail.get("index")
    return (
        index is not None
        and last.get("index") == index
        and last.get("type") == detail.get("type") != ENCRYPTED
        and not last.get("signature")
    )


def _joined(last: dict[str, Any], detail: dict[str, Any]) -> dict[str, Any]:
    text = "summary" if detail.get("type") == SUMMARY else "text"
    whole = _text(last, text) + _text(detail, text)
    return {**last, **{name: value for name, value in detail.items() if value is not None}, text: whole}


def _with_text(thoughts: list[Thinking], text: str) -> list[Thinking]:
    """Give the text, which stands beside the details, to the first that may have one."""
    for index, thought in enumerate(thoughts):
        if not thought.redacted:
            told = Thinking(text, thought.signature, thought.format, False, thought.summary, thought.id, thought.extra)
            return [*thoughts[:index], told, *thoughts[index + 1 :]]
    return [Thinking(text), *thoughts]


def _proved(
    detail: dict[str, Any], text: str, signature: str, *, redacted: bool = False, summary: bool = False
) -> Thinking:
    word = detail.get("format")
    id = _text(detail, "id")
    extra: Extra = NO_EXTRA
    owner = ""
    if signature or id:
        owner = word if type(word) is str and word in FOREIGN else OWN
    if type(word) is str and word not in FOREIGN and word != OWN:
        extra = {"format": Raw(encode(word))}
    return Thinking(text, signature, owner, redacted, summary, id, extra)


def _text(detail: dict[str, Any], name: str) -> str:
    value = detail.get(name)
    return value if type(value) is str else ""
