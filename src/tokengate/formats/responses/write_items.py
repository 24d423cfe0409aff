"""Messages, written as input items for a vendor."""

from collections.abc import Iterator
from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.chat import Message
from tokengate.core.errors import Unsupported
from tokengate.core.parts import (
    NO_EXTRA,
    Audio,
    CacheMark,
    Data,
    Extra,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.responses.citations import write_citation
from tokengate.formats.responses.types import INSIDE, NAME

Item = dict[str, Any] | Raw


def write_items(messages: tuple[Message, ...], losses: Losses, *, own: bool) -> list[Item]:
    """Return the items of a request's `input`; `own` when the chat came in this format. Raises Unsupported."""
    writer = _Writer(losses, own=own)
    return [item for message in messages for item in writer.turn(message)]


class _Writer:
    """Writes parts, and notes what of them is lost."""

    def __init__(self, losses: Losses, *, own: bool) -> None:
        self._losses = losses
        self._own = own

    def turn(self, message: Message) -> Iterator[Item]:
        """Yield a message's items; neighbours that can be in one message item are."""
        if message.name:
            self._losses.drop("name")
        if message.partial:
            raise self._losses.refuse("partial")
        self._extra(message.extra)
        together: list[Part] = []
        for part in message.parts:
            if isinstance(part, Opaque) and part.format != NAME and message.role == "assistant":
                self._losses.drop(part.kind)  # a tool that its own vendor ran; the text says what came of it
                continue
            if not self._own and message.role == "assistant" and _says_nothing(part):
                continue
            if together and not _joins(part, together[0]):
                yield self._message(message, together)
                together = []
            if _in_message(part):
                together.append(part)
            else:
                item = self._item(part)
                if item is not None:
                    yield item
        if together:
            yield self._message(message, together)

    def _message(self, message: Message, parts: list[Part]) -> Item:
        item: dict[str, Any] = {"type": "message", "role": message.role}
        phase = _phase(parts[0])
        if phase:
            item["phase"] = phase
        match parts:
            case [Text(citations=(), cache=None) as text] if not text.extra:
                item["content"] = text.text
            case _:
                assistant = message.role == "assistant"
                item["content"] = [self._content(part, assistant=assistant) for part in parts]
        return item

    def _item(self, part: Part) -> Item | None:
        """Return the item that a part is by itself."""
        match part:
            case ToolCall():
                return self._call(part)
            case ToolResult():
                return self._result(part)
            case Thinking():
                return self._reasoning(part)
            case Opaque():
                if part.format != NAME:
                    raise self._foreign(part)
                return part.raw
            case _:
                raise AssertionError("all other parts are in a message")

    def _call(self, part: ToolCall) -> Item:
        self._note_cache(part.cache)
        item: dict[str, Any] = {"call_id": part.id, "name": part.name}
        if part.custom:
            item |= {"type": "custom_tool_call", "input": part.arguments}
        else:
            item |= {"type": "function_call", "arguments": part.arguments}
        return {**item, **self._extra(part.extra)}

    def _result(self, part: ToolResult) -> Item:
        self._note_cache(part.cache)
        if part.is_error:
            self._losses.drop("is_error")
        item: dict[str, Any] = {
            "type": "custom_tool_call_output" if part.custom else "function_call_output",
            "call_id": part.call_id,
        }
        match part.content:
            case (Text(citations=(), cache=None) as text,) if not text.extra:
                item["output"] = text.text
            case content:
                item["output"] = [self._content(one, assistant=False) for one in content]
        return {**item, **self._extra(part.extra)}

    def _reasoning(self, part: Thinking) -> Item | None:
        """Return the item of thinking that a vendor of this format proved; nobody else's is sent."""
        if part.format != NAME or not part.signature:
            self._losses.drop("thinking")
            return None
        item: dict[str, Any] = {"type": "reasoning", "summary": [], "encrypted_content": part.signature}
        if part.id:
            item["id"] = part.id
        if part.text and part.summary:
            item["summary"] = [{"type": "summary_text", "text": part.text}]
        elif part.text:
            item["content"] = [{"type": "reasoning_text", "text": part.text}]
        return item

    def _content(self, part: Part, *, assistant: bool) -> Item:
        match part:
            case Text():
                self._note_cache(part.cache)
                text: dict[str, Any] = {"type": "output_text" if assistant else "input_text", "text": part.text}
                if part.citations:
                    text["annotations"] = [write_citation(one, len(part.text)) for one in part.citations]
                return {**text, **self._extra(part.extra)}
            case Refusal():
                return {"type": "refusal", "refusal": part.text}
            case Image() if not assistant:
                return self._image(part)
            case File() if not assistant:
                return self._file(part)
            case Opaque(format=format) if format == NAME:
                return part.raw
            case Opaque():
                raise self._foreign(part)
            case Image() | Audio() | Video() | File():
                raise self._losses.refuse(_WORDS[type(part)])
            case ToolCall() | ToolResult() | Thinking():
                raise AssertionError("calls, results and thinking are items")
            case _:
                assert_never(part)

    def _image(self, part: Image) -> Item:
        self._note_cache(part.cache)
        if part.min_pixels is not None:
            self._losses.drop("min_pixels")
        if part.max_pixels is not None:
            self._losses.drop("max_pixels")
        item: dict[str, Any] = {"type": "input_image", **_source(part.source, url="image_url", data="image_url")}
        if part.detail is not None:
            item["detail"] = part.detail
        return {**item, **self._extra(part.extra)}

    def _file(self, part: File) -> Item:
        self._note_cache(part.cache)
        if part.citations:
            self._losses.drop("citations")
        if part.context:
            self._losses.drop("context")
        item: dict[str, Any] = {"type": "input_file", **_source(part.source, url="file_url", data="file_data")}
        name = part.name or part.title
        if name:
            item["filename"] = name
        return {**item, **self._extra(part.extra)}

    def _note_cache(self, cache: CacheMark | None) -> None:
        if cache is not None:
            self._losses.drop("cache")

    def _foreign(self, part: Opaque) -> Unsupported:
        return self._losses.refuse("messages", f"holds '{part.kind}', which only its own vendor understands")

    def _extra(self, extra: Extra) -> Extra:
        """Return the members without a word when the vendor understands them."""
        if self._own or not extra:
            return extra
        for name in extra:
            self._losses.drop(name)
        return NO_EXTRA


def _says_nothing(part: Part) -> bool:
    """Say whether a part is an empty text, as some streams end with."""
    return isinstance(part, Text) and not (part.text or part.citations or part.extra)


def _in_message(part: Part) -> bool:
    match part:
        case Text() | Refusal() | Image() | Audio() | Video() | File():
            return True
        case Opaque():
            return part.kind.startswith(INSIDE)
        case ToolCall() | ToolResult() | Thinking():
            return False
        case _:
            assert_never(part)


def _joins(part: Part, first: Part) -> bool:
    """Say whether a part belongs to the message that began with the first."""
    apart = isinstance(part, Text) and part.apart
    return _in_message(part) and _phase(part) == _phase(first) and not apart


def _phase(part: Part) -> str:
    return part.phase if isinstance(part, Text) else ""


def _source(source: Source, *, url: str, data: str) -> dict[str, str]:
    """Return where a medium is, under the names that its part has for an address and for the bytes themselves."""
    match source:
        case Url():
            return {url: source.url}
        case Data():
            head = f"data:{source.media_type};base64," if source.media_type else ""
            return {data: head + source.base64}
        case FileId():
            return {"file_id": source.id}
        case _:
            assert_never(source)


_WORDS: dict[type[Part], str] = {Image: "image", Audio: "audio", Video: "video", File: "file"}
