"""What a chat in the vocabulary asks for, as far as routing and money care: the same whatever format it came in."""

from collections.abc import Iterator

from tokengate.catalog.tokens import estimate_tokens, prompt_bound
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


def asked_of(chat: Chat, members: Members) -> Asked:
    """Return what a chat asks for; `members` is the body that it was read from."""
    choices = chat.output.n or 1
    images = 0
    media_size_bytes = 0
    for message in chat.messages:
        for part in _parts(message.parts):
            for source in _sources(part):
                images += not isinstance(part, Audio | File)
                media_size_bytes += len(source.base64) if isinstance(source, Data) else 0
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
            len(members.body),
            messages=len(chat.messages),
            images=images,
            tools=len(chat.tools),
            media_size_bytes=media_size_bytes,
        ),
        thinking=_thinking(chat),
        chat=chat,
    )


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
