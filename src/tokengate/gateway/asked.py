"""What a chat in the vocabulary asks for, as far as routing and money care: the same whatever format it came in."""

from collections.abc import Iterator

from msgspec.structs import replace

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import document_bound, estimate_tokens, picture_bound, prompt_bound, sound_bound
from tokengate.core.chat import BuiltIn, Chat, Custom, Function
from tokengate.core.parts import (
    Audio,
    Data,
    File,
    Image,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from tokengate.core.splice import Members
from tokengate.gateway.operation import Asked


def asked_of(chat: Chat, members: Members, earlier_bytes: int = 0) -> Asked:
    """Return what a chat asks for; `members` is the body that it was read from, which continues a conversation of
    `earlier_bytes`."""
    choices = chat.output.n or 1
    images = films = media_size_bytes = media_tokens = 0
    for message in chat.messages:
        for part in _parts(message.parts):
            match part:
                case Image():
                    images += 1
                case Video():
                    images += 0 if part.whole else len(part.frames)
                    films += part.whole
                case Audio():
                    media_tokens += sound_bound(_base64(part.source))
                case File():
                    media_tokens += document_bound(_base64(part.source))
                case _:
                    pass
            media_size_bytes += sum(len(_base64(source) or "") for source in _sources(part))
    return Asked(
        members=members,
        model=chat.model,
        stream=chat.stream,
        include_usage=chat.include_usage,
        output_cap=chat.output.cap or None,
        prompts=1,
        choices=choices,
        generated=choices,
        prompt_bound=prompt_bound(
            len(members.body) + earlier_bytes,
            messages=len(chat.messages),
            films=films,
            tools=len(chat.tools),
            media_size_bytes=media_size_bytes,
            media_tokens=media_tokens,
        ),
        pictures=images,
        thinking=_thinking(chat),
        chat=chat,
        earlier_bytes=earlier_bytes,
    )


def as_counted(asked: Asked, model: Model) -> Asked:
    """Return what is asked with its pictures in the bound of its prompt, and with its characters, as the model's own
    rules count them. Every choice of a model that draws is held for as a picture."""
    if model.kind == "image" and not asked.images:
        asked = replace(asked, images=asked.generated)
    if asked.han:
        asked = replace(asked, characters=asked.characters + asked.han * (model.han_as - 1), han=0)
    if not asked.pictures:
        return asked
    return replace(asked, prompt_bound=asked.prompt_bound + asked.pictures * picture_bound(model), pictures=0)


def prompt_estimate(chat: Chat) -> int:
    """Return about how many tokens the texts of the prompt have; addresses and embedded media are left out."""
    return estimate_tokens("\n".join(_texts(chat)))


def _thinking(chat: Chat) -> bool | None:
    reasoning = chat.reasoning
    if reasoning.enabled is not None:
        return reasoning.enabled
    if reasoning.budget is not None:
        return reasoning.budget != 0
    return None


def _parts(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from _parts(part.content)


def _sources(part: Part) -> tuple[Source, ...]:
    match part:
        case Image() | Audio() | File():
            return (part.source,)
        case Video():
            return part.frames
        case _:
            return ()


def _base64(source: Source) -> str | None:
    return source.base64 if isinstance(source, Data) else None


def _texts(chat: Chat) -> Iterator[str]:
    for message in chat.messages:
        for part in _parts(message.parts):
            match part:
                case Text() | Refusal() | Thinking():
                    yield part.text
                case ToolCall():
                    yield part.name
                    yield part.arguments
                case Opaque():
                    yield bytes(part.raw).decode("utf-8", "replace")
                case _:
                    pass
    for tool in chat.tools:
        match tool:
            case Function():
                yield tool.name
                yield tool.description
                if tool.parameters is not None:
                    yield bytes(tool.parameters).decode("utf-8", "replace")
            case Custom():
                yield tool.name
                yield tool.description
                yield tool.definition
            case BuiltIn():
                yield bytes(tool.raw).decode("utf-8", "replace")
    if chat.output.json is not None and chat.output.json.schema is not None:
        yield bytes(chat.output.json.schema).decode("utf-8", "replace")
