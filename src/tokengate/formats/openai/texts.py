"""The texts in a request or a whole reply, for counting tokens when the backend never told."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tokengate.formats.openai.shapes import is_list, is_object

_PROMPT_MEMBERS = ("messages", "tools", "functions", "prompt", "input", "response_format")
_NOT_TEXT = frozenset({"role", "type", "id", "tool_call_id", "url", "data", "file_data", "format", "detail"})

_decode = msgspec.json.Decoder().decode


def prompt_text(body: bytes) -> str:
    """Return what the model was given to read; addresses and embedded media are left out."""
    request = _object(body)
    return "\n".join(text for name in _PROMPT_MEMBERS for text in _texts(request.get(name)))


def reply_texts(body: bytes) -> list[str]:
    """Return what the model wrote in a whole reply; reasoning that stands there under two names counts once."""
    texts: list[str] = []
    choices = _object(body).get("choices")
    for choice in choices if is_list(choices) else ():
        if not is_object(choice):
            continue
        message = choice.get("message")
        if is_object(message):
            reasoning = message.get("reasoning_content") or message.get("reasoning")
            written = [message.get(name) for name in ("content", "refusal", "tool_calls", "function_call")]
            texts.extend(text for value in (reasoning, *written) for text in _texts(value))
        texts.extend(_texts(choice.get("text")))
    return texts


def _object(body: bytes) -> dict[str, Any]:
    try:
        value: Any = _decode(body)
    except (ValueError, RecursionError):
        return {}
    return value if is_object(value) else {}


def _texts(value: Any) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif is_list(value):
        for item in value:
            yield from _texts(item)
    elif is_object(value):
        for name, item in value.items():
            if name not in _NOT_TEXT:
                yield from _texts(item)
