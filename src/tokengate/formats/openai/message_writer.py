"""Messages of the vocabulary, written as a vendor that speaks OpenAI's chat format takes them.

A turn of the user with tool results becomes tool messages and, for whatever else it holds, a user message after them.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.chat import Chat, Message, instructions_first
from tokengate.core.parts import (
    Audio,
    Data,
    Extra,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.openai.cache_marks import write_cache_mark
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.media import audio_format, format_at, write_url
from tokengate.formats.openai.reasoning_options import is_off
from tokengate.formats.openai.reply_writer import with_extra, write_signature
from tokengate.formats.openai.thoughts import FOREIGN, OWN, write_detail

_SEPARATOR = "\n\n"  # between texts that a vendor takes only as one
_NO_ARGUMENTS = "{}"


class MessageWriter:
    """Writes the messages of one request. What the vendor cannot be told is refused, or dropped with a warning."""

    __slots__ = ("_chat", "_dialect", "_losses", "_own")

    def __init__(self, chat: Chat, dialect: Dialect, losses: Losses) -> None:
        self._chat = chat
        self._dialect = dialect
        self._losses = losses
        self._own = chat.format == OWN

    def write(self) -> list[dict[str, Any]]:
        """Return the messages. Raises Unsupported."""
        written: list[dict[str, Any]] = []
        messages = self._chat.messages
        if self._dialect.system_first and not self._own:
            messages = instructions_first(messages)
        for message in messages:
            match message.role:
                case "system":
                    written.append(self._plain(message, "system", message.parts))
                case "developer":
                    role = "developer" if self._dialect.developer else "system"
                    written.append(self._plain(message, role, message.parts))
                case "assistant":
                    written.append(self._assistant(message))
                case "user":
                    written += self._user(message)
                case _:
                    assert_never(message.role)
        return written

    def _user(self, message: Message) -> Iterable[dict[str, Any]]:
        rest: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                result, media = self._result(part)
                yield result
                rest += media
        rest += [part for part in message.parts if not isinstance(part, ToolResult)]
        if rest or not message.parts:
            yield self._plain(message, "user", rest)

    def _plain(self, message: Message, role: str, parts: Sequence[Part]) -> dict[str, Any]:
        written: dict[str, Any] = {"role": role, "content": self._content(parts)}
        if message.name:
            written["name"] = message.name
        return written | self._extra(message.extra)

    def _result(self, part: ToolResult) -> tuple[dict[str, Any], list[Part]]:
        """Return a tool message, which holds only text, and what else the tool gave back, for the user message."""
        texts = [inner for inner in part.content if isinstance(inner, Text)]
        others: list[Part] = [inner for inner in part.content if not isinstance(inner, Text)]
        if part.is_error:
            self._losses.drop("is_error")
        written: dict[str, Any] = {"role": "tool", "tool_call_id": self._id(part.call_id)}
        written["content"] = self._content(texts)
        if part.name:
            written["name"] = part.name
        written |= write_cache_mark(part.cache, self._dialect, self._losses)
        return written | self._extra(part.extra), others

    def _assistant(self, message: Message) -> dict[str, Any]:
        content: list[Part] = []
        thoughts: list[Thinking] = []
        beside: dict[str, Any] = {}
        for part in message.parts:
            match part:
                case Thinking():
                    thoughts.append(part)
                case ToolCall():
                    beside.setdefault("tool_calls", []).append(self._call(part))
                case Refusal():
                    beside["refusal"] = beside.get("refusal", "") + part.text
                case Audio():
                    beside["audio"] = {"id": self._audio_id(part)}
                case Image():
                    beside.setdefault("images", []).append(self._image(part))
                case Opaque() if part.format != OWN:
                    self._losses.drop(part.kind)  # a tool that its own vendor ran; the text says what came of it
                case _:
                    content.append(part)
        written: dict[str, Any] = {"role": "assistant", "content": self._content(content)}
        if beside and not content:
            written["content"] = None
        if message.name:
            written["name"] = message.name
        written |= beside
        self._think(written, thoughts)
        if message.partial:
            written |= self._partial()
        return written | self._extra(message.extra)

    def _think(self, written: dict[str, Any], thoughts: Sequence[Thinking]) -> None:
        """Send earlier thinking back in the way that the vendor wants it."""
        text = "".join(thought.text for thought in thoughts)
        match self._dialect.thoughts:
            case None:
                if thoughts:
                    self._losses.drop("thinking")
            case "reasoning_content" | "reasoning" as name:
                text = text or ("" if is_off(self._chat.reasoning) else self._dialect.no_thought)
                if text:
                    written[name] = text
                written |= _details(thought for thought in thoughts if thought.format == OWN)
            case "think":
                if text:
                    written["content"] = f"<think>\n{text}\n</think>\n\n{written['content'] or ''}"
            case "details":
                written |= _details(_without_foreign_proof(thought) for thought in thoughts)
            case _:
                assert_never(self._dialect.thoughts)

    def _partial(self) -> dict[str, Any]:
        match self._dialect.partial:
            case "partial":
                return {"partial": True}
            case "prefix":
                return {"prefix": True}
            case "continue_final_message":
                return {}  # a parameter beside the messages says it
            case None:
                raise self._losses.refuse("partial", "cannot be continued there")
            case _:
                assert_never(self._dialect.partial)

    def _call(self, part: ToolCall) -> dict[str, Any]:
        written: dict[str, Any] = {"id": self._id(part.id)}
        if part.custom:
            written |= {"type": "custom", "custom": {"name": part.name, "input": part.arguments}}
        else:
            function = {"name": part.name, "arguments": part.arguments or _NO_ARGUMENTS}
            written |= {"type": "function", "function": function}
        written |= write_cache_mark(part.cache, self._dialect, self._losses)
        if part.signature and self._dialect.tool_signatures:
            written |= write_signature(part.signature)
        return with_extra(written, part.extra) if self._own else written

    def _content(self, parts: Sequence[Part]) -> str | list[Any]:
        if not parts:
            return ""
        texts = [part for part in parts if isinstance(part, Text)]
        plain = len(texts) == len(parts) and not any(
            (part.cache is not None and self._dialect.cache_marks) or (part.extra and self._own) for part in texts
        )
        if plain and (not self._dialect.text_lists or (len(texts) == 1 and texts[0].text)):
            for part in texts:
                write_cache_mark(part.cache, self._dialect, self._losses)
            return _SEPARATOR.join(part.text for part in texts)
        return [self._part(part) for part in parts]

    def _part(self, part: Part) -> dict[str, Any] | Raw:
        written: dict[str, Any]
        match part:
            case Text():
                written = {"type": "text", "text": part.text}
            case Refusal():
                return {"type": "refusal", "refusal": part.text}
            case Image():
                written = self._image(part)
            case Audio():
                written = self._audio(part)
            case Video():
                written = self._video(part)
            case File():
                written = self._file(part)
            case Opaque():
                if part.format != OWN:
                    raise self._losses.refuse(part.kind)
                return part.raw
            case Thinking() | ToolCall() | ToolResult():
                raise self._losses.refuse("messages", f"cannot hold a {part.__struct_config__.tag} in this place")
            case _:
                assert_never(part)
        return written | write_cache_mark(part.cache, self._dialect, self._losses) | self._extra(part.extra)

    def _image(self, part: Image) -> dict[str, Any]:
        self._need("image")
        inner: dict[str, Any] = {"url": write_url(self._bytes(part.source, "image"))}
        if part.detail is not None:
            inner["detail"] = part.detail
        return {"type": "image_url", "image_url": inner, **self._bounds(part)}

    def _audio(self, part: Audio) -> dict[str, Any]:
        self._need("audio")
        source = self._bytes(part.source, "audio")
        match source:
            case Url():
                if self._dialect.audio_urls == "audio_url":
                    return {"type": "audio_url", "audio_url": {"url": source.url}}
                inner = {"data": source.url, "format": format_at(source.url)}
                return {"type": "input_audio", "input_audio": inner}
            case Data():
                inner = {"data": source.base64, "format": audio_format(source.media_type)}
                return {"type": "input_audio", "input_audio": inner}

    def _video(self, part: Video) -> dict[str, Any]:
        self._need("video" if part.whole else "frames")
        urls = [write_url(self._bytes(frame, "video")) for frame in part.frames]
        written: dict[str, Any] = {"type": "video", "video": urls}
        if part.whole:
            written = {"type": "video_url", "video_url": {"url": urls[0]}}
        if part.start_s is not None or part.end_s is not None:
            raise self._losses.refuse("video", "cannot be cut to a clip there")
        for name in ("fps", "max_frames", "total_pixels"):
            value = getattr(part, name)
            if value is None:
                continue
            if "pixels" in self._dialect.lacks:
                self._losses.drop(name)
            else:
                written[name] = value
        return written | self._bounds(part)

    def _file(self, part: File) -> dict[str, Any]:
        self._need("file")
        inner: dict[str, Any] = {}
        match part.source:
            case FileId():
                inner["file_id"] = part.source.id
            case Data() | Url():
                inner["file_data"] = write_url(part.source)
        if part.name:
            inner["filename"] = part.name
        for word in ("title", "context", "citations"):
            if getattr(part, word):
                self._losses.drop(word)
        return {"type": "file", "file": inner}

    def _bounds(self, part: Image | Video) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for name in ("min_pixels", "max_pixels"):
            value = getattr(part, name)
            if value is None:
                continue
            if "pixels" in self._dialect.lacks:
                self._losses.drop(name)
            else:
                written[name] = value
        return written

    def _need(self, kind: str) -> None:
        if kind not in self._dialect.media:
            raise self._losses.refuse(kind)

    def _bytes(self, source: Url | Data | FileId, kind: str) -> Url | Data:
        if isinstance(source, FileId):
            raise self._losses.refuse(kind, "cannot be the id of an uploaded file there")
        return source

    def _audio_id(self, part: Audio) -> str:
        if not part.id or "audio_out" in self._dialect.lacks:
            raise self._losses.refuse("audio", "cannot be the assistant's there")
        return part.id

    def _id(self, id: str) -> str:
        """Return a tool call's id as the vendor can take it: the same for a call and its result."""
        longest = self._dialect.max_id
        if longest is None or len(id) <= longest:
            return id
        return f"call_{sha256(id.encode()).hexdigest()}"[:longest]

    def _extra(self, extra: Extra) -> dict[str, Raw]:
        return dict(extra) if self._own else {}


def _details(thoughts: Iterable[Thinking]) -> dict[str, Any]:
    told = [thought for thought in thoughts if thought.text or thought.signature]
    return {"reasoning_details": [write_detail(thought, at) for at, thought in enumerate(told)]} if told else {}


def _without_foreign_proof(thought: Thinking) -> Thinking:
    """Take away a proof that only another format's vendor can check."""
    if thought.format not in FOREIGN:
        return thought
    return Thinking("" if thought.redacted else thought.text, summary=thought.summary)
