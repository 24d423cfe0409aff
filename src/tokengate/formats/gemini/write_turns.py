"""Writes messages as Gemini's contents.

Neighbouring turns of one role are one content. Signatures of Gemini's own go back to the part they came with; those of
other vendors stay out, and a model that verifies them gets its dummy on a call that another one made.
"""

from typing import Any, assert_never

import msgspec
from msgspec import Raw, Struct

from tokengate.core.chat import Message
from tokengate.core.parts import (
    Audio,
    File,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.gemini.contents import WHOLE_PART
from tokengate.formats.gemini.extra import nest
from tokengate.formats.gemini.objects import is_object, write_arguments
from tokengate.formats.gemini.signatures import NAME, UNVERIFIED
from tokengate.formats.gemini.write_media import write_media

Content = dict[str, Any]

_NOTHING: Content = {"text": ""}  # clients send it beside calls; alone it is all that a turn has


class Dialect(Struct, frozen=True, kw_only=True):
    """What decides how turns are written. `own`: the caller speaks this format too."""

    own: bool
    verified: bool  # the model verifies the signatures of calls
    call_ids: bool
    media_in_results: bool


def write_turns(
    messages: tuple[Message, ...], dialect: Dialect, losses: Losses
) -> tuple[list[Content], Content | None]:
    """Return the contents and the system instruction. Raises Unsupported."""
    contents: list[Content] = []
    system: list[Content] = []
    names = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    for message in messages:
        if message.name:
            losses.drop("name")
        if message.partial:
            raise losses.refuse("partial", "asks the model to go on with a text, which Gemini cannot")
        if message.role in ("system", "developer"):
            system += [_system_part(part, dialect, losses) for part in message.parts]
            continue
        writer = _Turn(dialect, losses, names, said=message.role == "assistant")
        for part in message.parts:
            writer.add(part)
        role = "model" if message.role == "assistant" else "user"
        parts = writer.end()
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
        if dialect.own:
            nest(contents[-1], message.extra)
    if system and not contents:  # instructions alone are what a user says
        return [{"role": "user", "parts": system}], None
    return contents, {"parts": system} if system else None


class _Turn:
    """The parts of one turn as they are written."""

    __slots__ = ("_called", "_dialect", "_losses", "_names", "_parts", "_pending", "_said", "_sealable")

    def __init__(self, dialect: Dialect, losses: Losses, names: dict[str, str], *, said: bool) -> None:
        """`said`: the turn is the model's."""
        self._said = said
        self._dialect = dialect
        self._losses = losses
        self._names = names
        self._parts: list[Content] = []
        self._pending = ""  # a signature whose part has not come yet
        self._sealable: Content | None = None  # the part that a seal which comes next belongs to
        self._called = False

    def add(self, part: Part) -> None:
        match part:
            case Text() | Refusal():
                self._push({"text": part.text}, part)
            case Image() | Audio() | Video() | File():
                for written in write_media(part, self._losses, own=self._dialect.own):
                    self._push(written, part)
            case ToolCall():
                self._call(part)
            case ToolResult():
                self._result(part)
            case Thinking():
                self._think(part)
            case Opaque():
                self._opaque(part)
            case _:
                assert_never(part)

    def end(self) -> list[Content]:
        if self._pending:
            self._parts.append({"text": "", "thoughtSignature": self._pending})
        said = [part for part in self._parts if part != _NOTHING]
        return said or self._parts[:1]

    def _push(self, written: Content, part: Part) -> None:
        if isinstance(part, Text):
            if part.cache is not None:
                self._losses.drop("cache")
            if self._dialect.own:
                nest(written, part.extra)
        if self._pending:
            written["thoughtSignature"] = self._pending
            self._pending, self._sealable = "", None
        else:
            self._sealable = written
        self._parts.append(written)

    def _call(self, call: ToolCall) -> None:
        if call.cache is not None:
            self._losses.drop("cache")
        inner: Content = {"name": call.name, "args": write_arguments(call.arguments)}
        if self._dialect.call_ids and call.id:
            inner["id"] = call.id
        written: Content = {"functionCall": inner}
        if self._dialect.own:
            nest(written, call.extra)
        signature = call.signature or self._take_seal(first=not self._called)
        if not signature and self._dialect.verified and not self._called:
            signature = UNVERIFIED
        if signature:
            written["thoughtSignature"] = signature
        self._called = True
        self._sealable = None
        self._parts.append(written)

    def _take_seal(self, *, first: bool) -> str:
        """Return the signature that stands before a call and, with a model that verifies, is meant for it."""
        if self._pending:
            pending, self._pending = self._pending, ""
            return pending
        last = self._parts[-1] if self._parts else {}
        if first and self._dialect.verified and not self._dialect.own and "text" in last and not last.get("thought"):
            return last.pop("thoughtSignature", "")
        return ""

    def _result(self, result: ToolResult) -> None:
        if result.cache is not None:
            self._losses.drop("cache")
        texts = [part.text for part in result.content if isinstance(part, Text | Refusal)]
        media: list[Content] = []
        for part in result.content:
            match part:
                case Image() | Audio() | Video() | File():
                    media += write_media(part, self._losses, own=self._dialect.own)
                case Text() | Refusal():
                    pass
                case _:
                    raise self._losses.refuse("messages", "holds a tool result of parts that Gemini does not take")
        name = result.name or self._names.get(result.call_id, "")
        if not name:
            raise self._losses.refuse("messages", "holds a tool result whose call is not there")
        inner: Content = {"name": name, "response": _response("\n".join(texts), is_error=result.is_error)}
        if self._dialect.call_ids and result.call_id:
            inner["id"] = result.call_id
        if media and self._dialect.media_in_results:
            inner["parts"] = media
        written: Content = {"functionResponse": inner}
        if self._dialect.own:
            nest(written, result.extra)
        self._sealable = None
        self._parts.append(written)
        if not self._dialect.media_in_results:
            self._parts += media

    def _think(self, thinking: Thinking) -> None:
        if thinking.format not in (NAME, "") and (thinking.signature or thinking.redacted):
            self._losses.drop("thinking")
            return
        if not thinking.redacted:
            written: Content = {"text": thinking.text, "thought": True}
            if thinking.signature:
                written["thoughtSignature"] = thinking.signature
            if thinking.text or thinking.signature:
                self._parts.append(written)
            self._sealable = None
        elif self._sealable is not None:
            self._sealable["thoughtSignature"] = thinking.signature
            self._sealable = None
        else:
            if self._pending:
                self._parts.append({"text": "", "thoughtSignature": self._pending})
            self._pending = thinking.signature

    def _opaque(self, part: Opaque) -> None:
        if part.format != NAME:
            if not self._said:  # what the caller brings is part of the question
                raise self._losses.refuse(part.kind, "is a part that only its own vendor takes")
            self._losses.drop(f"messages.{part.kind}")
            return
        written = _decode(part.raw) if part.kind == WHOLE_PART else {part.kind: part.raw}
        self._push(written, part)


def _system_part(part: Part, dialect: Dialect, losses: Losses) -> Content:
    if not isinstance(part, Text):
        raise losses.refuse("messages", "holds instructions that are not text")
    if part.cache is not None:
        losses.drop("cache")
    written: Content = {"text": part.text}
    if dialect.own:
        nest(written, part.extra)
    return written


def _response(text: str, *, is_error: bool) -> Raw | Content:
    """Return a function's answer as an object; text that is none stands in a member of its own."""
    if is_error:
        return {"error": text}
    return Raw(text.encode()) if is_object(text) and not _is_output(text) else {"result": text}


def _is_output(text: str) -> bool:
    """Say whether an object would be read as text alone."""
    try:
        return len(_decode_strings(text)) == 1
    except (ValueError, RecursionError):
        return False


_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_strings = msgspec.json.Decoder(dict[str, str]).decode
