"""Parameters that a model's catalogue row sends with every call, laid over the caller's own."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct, json
from msgspec.structs import fields, replace

from tokengate.core.chat import Chat
from tokengate.formats.openai.chat_reader import read_chat

Settings = TypeVar("Settings", bound=Struct)


def fixed_chat(parameters: Mapping[str, Any]) -> Chat:
    """Return parameters, which the catalogue gives under OpenAI's names, in the vocabulary."""
    return read_chat(json.encode({"model": "-", "messages": [{"role": "user", "content": ""}], **parameters}))


def overlaid(chat: Chat, fixed: Chat) -> Chat:
    """Return a chat in which everything that `fixed` says (but for its messages and its model) counts."""
    return replace(
        chat,
        tools=(*chat.tools, *fixed.tools),
        tool_choice=fixed.tool_choice or chat.tool_choice,
        sampling=_over(chat.sampling, fixed.sampling),
        output=_over(chat.output, fixed.output),
        reasoning=_over(chat.reasoning, fixed.reasoning),
        search=_over(chat.search, fixed.search),
        parallel_tool_calls=_first(fixed.parallel_tool_calls, chat.parallel_tool_calls),
        service_tier=fixed.service_tier or chat.service_tier,
        metadata=fixed.metadata or chat.metadata,
        translation=fixed.translation or chat.translation,
        high_resolution_images=_first(fixed.high_resolution_images, chat.high_resolution_images),
    )


def _first(fixed: bool | None, own: bool | None) -> bool | None:
    return own if fixed is None else fixed


def _over(own: Settings, fixed: Settings) -> Settings:
    said = {field.name: getattr(fixed, field.name) for field in fields(fixed)}
    return replace(own, **{name: value for name, value in said.items() if value not in (None, ())})
