"""AI applications: what a published preset adds to a caller's chat, and which parameters it leaves to the caller."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import fields, replace

from tokengate.catalog.model import Model, Preset
from tokengate.core.chat import Chat, Message
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Text
from tokengate.gateway.asked import asked_of
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.overlay import fixed_chat, overlaid

# Always the caller's: what is said, how the answer travels, and who asks.
_ALWAYS = frozenset(
    {
        "format",
        "model",
        "messages",
        "stream",
        "include_usage",
        "user",
        "metadata",
        "cache",
        "style",
        "extra",
        "essential",
    }
)
_GROUPS = frozenset({"sampling", "output", "reasoning", "search"})

# OpenAI's names of parameters, in which `allowed` is written, whose words here are others.
_WORDS = {
    "max_tokens": ("cap",),
    "max_completion_tokens": ("cap",),
    "stop": ("stop", "stop_tokens"),
    "response_format": ("json",),
    "audio": ("speech",),
    "image_config": ("canvas",),
    "reasoning_effort": ("effort",),
    "enable_thinking": ("reasoning.enabled",),
    "thinking": ("reasoning.enabled", "budget"),
    "thinking_budget": ("budget",),
    "enable_search": ("search.enabled",),
    "web_search_options": ("search.enabled", "options"),
    "search_options": ("options",),
    "translation_options": ("translation",),
    "vl_high_resolution_images": ("high_resolution_images",),
    "tools": ("tools", "tool_choice", "parallel_tool_calls"),
}


def with_preset(model: Model, preset: Preset, asked: Asked, operation: Operation, body: bytes) -> Asked:
    """Return what is asked of the application's own model. Raises BadRequest for a parameter that callers may not
    give."""
    assert operation.format is not None and operation.read_chat is not None, "only a chat can be an application's"
    chat = asked.chat or operation.read_chat(body)
    if preset.allowed is not None:
        allowed = {word for name in preset.allowed for word in _WORDS.get(name, (name,))}
        for word in _given(chat):
            if word not in allowed:
                name = _name(word, operation)
                raise BadRequest(f"'{name}' may not be given to the application '{model.id}'.", param=name)
    if preset.parameters:
        chat = overlaid(chat, fixed_chat(preset.parameters))
    if preset.system:
        chat = replace(chat, messages=(Message("system", (Text(preset.system),)), *chat.messages))
    told = asked_of(chat, asked.members, asked.earlier_bytes)
    return replace(told, prompt_bound=told.prompt_bound + len(preset.system.encode()))


def _name(word: str, operation: Operation) -> str:
    """Return what a caller of the operation calls a word."""
    assert operation.format is not None
    if operation.speaks == "openai":
        return next((name for name, words in _WORDS.items() if word in words), word)
    plain = word.rpartition(".")[2]
    return operation.format.names.get(plain, plain)


def _given(chat: Chat) -> Iterator[str]:
    """Yield the words that a caller gave a value; `enabled` says of what."""
    for name, value in _values(chat):
        if name in _GROUPS:
            yield from (f"{name}.enabled" if word == "enabled" else word for word, _ in _values(value))
        elif name not in _ALWAYS:
            yield name
    yield from chat.extra


def _values(of: Struct) -> Iterator[tuple[str, Struct]]:
    for field in fields(of):
        value = getattr(of, field.name)
        if value is not None and value != ():
            yield field.name, value
