"""A chat as vLLM-Omni's models that draw take it.

Their server reads only the user's messages: the texts, joined, are the prompt, and the pictures inside them are what
is drawn on. It takes no notice of instructions, of the assistant's messages, and of pictures at addresses. What it drew
stands in the reply's content, a list. vllm_omni/entrypoints/openai/serving_chat.py of 0.22, 2026-11.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Any

import msgspec
from msgspec.structs import replace

from tokengate.core.chat import Canvas, Chat, Message
from tokengate.core.parts import Extra, Image
from tokengate.core.wire import Losses
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.shapes import is_object

# How many pictures there are is counted before they are paid for; the others are adapters and paths of the operator.
_REFUSED = ("num_outputs_per_prompt", "lora", "extra_args")
# Its curl samples wrap the parameters in this member, where they would hide all that stand outside.
_WRAPPED = "extra_body"

_SIDES = {"": 1024, "1K": 1024, "2K": 2048, "4K": 4096}  # of a square
_STEP = 16  # pixels that a latent of its models stands for
_MOST_RATIO = 8.0


def as_prompt(chat: Chat, losses: Losses) -> Chat:
    """Return the chat with all that shall be drawn in messages of the user. A picture that was drawn is what the turns
    before it came to, so the chat begins with the last one. Raises Unsupported."""
    if chat.tools:
        raise losses.refuse("tools")
    extra = _unwrapped(chat.extra)
    for name in _REFUSED:
        if name in extra:
            raise losses.refuse(name)
    return replace(chat, messages=tuple(_prompt(chat.messages)), extra=extra)


def modalities_of(asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to ask for: a picture, unless it is words alone; asked for both, models of one stage only talk."""
    return asked if asked == ("text",) else ("image",)


def write_canvas(canvas: Canvas, losses: Losses) -> dict[str, Any]:
    """Return the width and the height of a picture. Raises Unsupported."""
    side, ratio = _SIDES.get(canvas.resolution), _ratio(canvas.ratio)
    if side is None or ratio is None:
        known = ", ".join(name for name in _SIDES if name)
        raise losses.refuse("canvas", f"must have a ratio such as 16:9 and one of the sizes {known} there")
    return {"width": _stepped(side * sqrt(ratio)), "height": _stepped(side / sqrt(ratio))}


_decode = msgspec.json.Decoder().decode


def _unwrapped(extra: Extra) -> Extra:
    """Return the caller's parameters, those too that the caller wrapped."""
    raw = extra.get(_WRAPPED)
    wrapped = _decode(raw) if raw is not None else None
    if not is_object(wrapped):
        return extra
    rest = {name: value for name, value in extra.items() if name != _WRAPPED}
    return {**{name: msgspec.Raw(encode(value)) for name, value in wrapped.items()}, **rest}


def _prompt(messages: tuple[Message, ...]) -> Iterator[Message]:
    last = max((at for at, message in enumerate(messages) if _drawn(message)), default=-1)
    for at, message in enumerate(messages):
        match message.role:
            case "system" | "developer":
                yield replace(message, role="user")
            case "assistant" if at == last:
                yield Message("user", _drawn(message))
            case _ if at > last:
                yield message
            case _:
                pass


def _drawn(message: Message) -> tuple[Image, ...]:
    if message.role != "assistant":
        return ()
    return tuple(part for part in message.parts if isinstance(part, Image))


def _ratio(text: str) -> float | None:
    """Return the width by the height; None for what is no ratio, or one that nobody draws in."""
    sides = text.split(":") if text else ["1", "1"]
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() and 0 < len(side) <= 4 for side in sides):
        return None
    width, height = map(int, sides)
    if not width or not height or not 1 / _MOST_RATIO <= width / height <= _MOST_RATIO:
        return None
    return width / height


def _stepped(pixels: float) -> int:
    return round(pixels / _STEP) * _STEP
