"""Reads a request's contents: turns of parts, into messages.

Neighbouring contents of one role are one turn. A signature that stands on text or media follows it as sealed thinking,
so that other formats can carry it; on a thought it closes that thought.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tokengate.core.chat import Message
from tokengate.core.errors import BadRequest
from tokengate.core.parts import (
    NO_EXTRA,
    Audio,
    Data,
    Extra,
    File,
    Image,
    Opaque,
    Part,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.formats.gemini.calls import Calls
from tokengate.formats.gemini.fields import Fields, begins, wrong
from tokengate.formats.gemini.media import guess_type
from tokengate.formats.gemini.signatures import NAME, is_unverified, unwrap

WHOLE_PART: Final = "part"  # the kind of an opaque block that is a part with all its members
OPAQUE: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")

_ROLES: Final[dict[str, Literal["user", "assistant"]]] = {
    "": "user",
    "user": "user",
    "function": "user",
    "tool": "user",
    "model": "assistant",
}
_KINDS: Final = ("text", "inlineData", "fileData", "functionCall", "functionResponse", *OPAQUE)
_OUTPUTS: Final = frozenset({"result", "output", "error"})


def read_contents(contents: list[Fields]) -> tuple[Message, ...]:
    """Return the messages of a request. Raises BadRequest."""
    calls = Calls()
    messages: list[Message] = []
    for number, content in enumerate(contents):
        role = content.text("role") or ""
        if role not in _ROLES:
            raise BadRequest(f"'{content.at('role')}' must be 'user' or 'model'.", param=content.at("role"))
        given = content.objects("parts")
        if not given:
            raise wrong(content.at("parts"), "a list with at least one part")
        parts: list[Part] = []
        for at, part in enumerate(given):
            parts += _read_part(part, _ROLES[role], calls, f"{number}_{at}")
        message = Message(_ROLES[role], tuple(parts), extra=content.rest())
        if messages and messages[-1].role == message.role:
            before = messages.pop()
            message = replace(message, parts=before.parts + message.parts, extra={**before.extra, **message.extra})
        messages.append(message)
    return tuple(
        replace(message, parts=_joined(message.parts)) if message.role == "assistant" else message
        for message in messages
    )


def read_system(system: Fields) -> Message:
    """Return a system instruction, whose role says nothing. Raises BadRequest."""
    texts: list[Part] = []
    for part in system.objects("parts"):
        text = part.text("text")
        if text is None:
            raise wrong(part.at("text"), "a string")
        texts.append(Text(text, extra=part.rest()))
    system.raw("role")
    return Message("system", tuple(texts), extra=system.rest())


def _read_part(part: Fields, role: Literal["user", "assistant"], calls: Calls, place: str) -> list[Part]:
    """Return a part, and after it what its signature seals."""
    thought, signature = part.boolean("thought"), part.text("thoughtSignature") or ""
    if is_unverified(signature):
        signature = ""
    kind = _kind(part)
    if thought and kind in ("text", ""):
        return _read_thought(part.text("text") or "", signature)
    if thought and kind == "inlineData":
        return [_thought_image(part, signature)]
    sealed: list[Part] = [Thinking("", signature, NAME, redacted=True)] if signature else []
    match kind:
        case "text":
            text = part.text("text") or ""
            return sealed if sealed and not text else [Text(text, extra=part.rest()), *sealed]
        case "functionCall" | "functionResponse":
            owner = "assistant" if kind == "functionCall" else "user"
            if role != owner:
                whose = "the model" if owner == "assistant" else "the user"
                raise BadRequest(f"'{part.at(kind)}' belongs into a turn of {whose}.", param=part.at(kind))
            return [_read_call(part, signature, calls, place) if owner == "assistant" else _read_result(part, calls)]
        case "inlineData" | "fileData":
            return [_read_media(part, kind), *sealed]
        case "":
            if sealed:
                return sealed
            raise BadRequest(f"'{part.path}' must have one of {', '.join(_KINDS)}.", param=part.path)
        case _:
            raw = part.raw(kind)
            assert raw is not None, "a member that is there can be taken"
            return [Opaque(NAME, kind, raw), *sealed]


def _kind(part: Fields) -> str:
    """Return what a part holds; empty for nothing."""
    kinds = [name for name in _KINDS if name in part]
    if len(kinds) > 1:
        raise BadRequest(f"'{part.path}' must have only one of '{kinds[0]}' and '{kinds[1]}'.", param=part.path)
    return kinds[0] if kinds else ""


def _read_thought(text: str, signature: str) -> list[Part]:
    thinking = unwrap(text, signature) if signature else Thinking(text)
    if thinking.redacted and text:  # sealed thinking that was put on the thought before it
        return [Thinking(text), replace(thinking, text="")]
    return [thinking]


def _thought_image(part: Fields, signature: str) -> Opaque:
    """Return a picture that the model made while it thought, which is no answer."""
    whole = {"inlineData": part.raw("inlineData"), "thought": True}
    return Opaque(NAME, WHOLE_PART, Raw(_encode(whole | {"thoughtSignature": signature} if signature else whole)))


def _read_call(part: Fields, signature: str, calls: Calls, place: str) -> ToolCall:
    call = part.object("functionCall")
    assert call is not None, "a member that is there can be taken"
    name = call.text("name")
    if not name:
        raise wrong(call.at("name"), "the name of a function")
    arguments = _object(call, "args") or "{}"
    id = calls.begin(call.text("id"), name, place)
    return ToolCall(id, name, arguments, signature=signature, extra=_both(part, call, "functionCall"))


def _read_result(part: Fields, calls: Calls) -> ToolResult:
    answer = part.object("functionResponse")
    assert answer is not None, "a member that is there can be taken"
    name = answer.text("name")
    if not name:
        raise wrong(answer.at("name"), "the name of a function")
    call_id = calls.answer(answer.text("id"), name)
    if call_id is None:
        raise BadRequest(f"'{answer.path}' answers no function call of '{name}'.", param=answer.path)
    text, is_error = _read_output(_object(answer, "response"))
    content: list[Part] = [Text(text)] if text else []
    for piece in answer.objects("parts"):
        kind = "inlineData" if "inlineData" in piece else "fileData"
        if kind not in piece:
            raise BadRequest(f"'{piece.path}' must have one of inlineData, fileData.", param=piece.path)
        content.append(_read_media(piece, kind))
    extra = _both(part, answer, "functionResponse")
    return ToolResult(call_id, tuple(content), name, is_error=is_error, extra=extra)


def _both(part: Fields, inner: Fields, name: str) -> Extra:
    """Return what is left of a part and, under dotted names, of the object in it."""
    extra = {**part.rest(), **{f"{name}.{key}": value for key, value in inner.rest().items()}}
    return extra or NO_EXTRA


def _object(fields: Fields, name: str) -> str:
    """Take an object as JSON text; empty when it is not there."""
    raw = fields.raw(name)
    if raw is None:
        return ""
    if not begins(raw, b"{"):
        raise wrong(fields.at(name), "an object")
    try:
        return bytes(raw).decode()
    except UnicodeDecodeError:
        raise wrong(fields.at(name), "an object in UTF-8") from None


def _read_output(response: str) -> tuple[str, bool]:
    """Return what a function said, and whether that was an error. Text alone comes in a member of its own."""
    if not response:
        return "", False
    try:
        members = _decode_strings(response)
    except (ValueError, RecursionError):
        return response, False
    if len(members) == 1:
        name, value = next(iter(members.items()))
        if name in _OUTPUTS:
            return value, name == "error"
    return response, False


def _read_media(part: Fields, kind: str) -> Part:
    held = part.object(kind)
    assert held is not None, "a member that is there can be taken"
    media_type = held.text("mimeType") or ""
    source: Source
    if kind == "inlineData":
        data = held.text("data")
        if not data:
            raise wrong(held.at("data"), "base64")
        if not media_type:
            raise wrong(held.at("mimeType"), "a media type")
        source = Data(media_type, _plain_base64(data))
    else:
        uri = held.text("fileUri")
        if not uri:
            raise wrong(held.at("fileUri"), "an address")
        source = Url(uri)
    name = held.text("displayName") or ""
    extra: dict[str, Raw] = {f"{kind}.{key}": value for key, value in held.rest().items()}
    if kind == "fileData" and media_type:
        extra["fileData.mimeType"] = Raw(_encode(media_type))
    match (media_type or guess_type(source)).partition("/")[0]:
        case "image":
            return Image(source, extra=extra | dict(part.rest()))
        case "audio":
            return Audio(source, extra=extra | dict(part.rest()))
        case "video":
            return _read_video(part, source, extra)
        case _:
            return File(source, name=name, extra=extra | dict(part.rest()))


def _plain_base64(data: str) -> str:
    """Return base64 in the alphabet that every other format wants; Google's SDK for Python writes that of addresses."""
    return data.replace("-", "+").replace("_", "/")


def _read_video(part: Fields, source: Source, extra: dict[str, Raw]) -> Video:
    looks = part.object("videoMetadata")
    if looks is None:
        return Video((source,), extra=extra | dict(part.rest()))
    fps = looks.number("fps")
    start_s, end_s = _seconds(looks, "startOffset"), _seconds(looks, "endOffset")
    extra |= {f"videoMetadata.{key}": value for key, value in looks.rest().items()} | dict(part.rest())
    return Video((source,), fps=fps, start_s=start_s, end_s=end_s, extra=extra)


def _seconds(fields: Fields, name: str) -> float | None:
    """Take a duration such as "1.5s"."""
    text = fields.text(name)
    if text is None:
        return None
    number = text[:-1] if text.endswith("s") else ""
    if not number.replace(".", "", 1).isdecimal() or not number.isascii():
        raise wrong(fields.at(name), "a duration in seconds, such as '1.5s'")
    return float(number)


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Join what a stream cut up: neighbouring texts, and the pieces of a thought up to its signature."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        match before, part:
            case Text(), Text() if not before.extra and not part.extra:
                joined[-1] = Text(before.text + part.text)
            case Thinking(signature=""), Thinking() if not part.redacted:
                joined[-1] = replace(part, text=before.text + part.text)
            case _:
                joined.append(part)
    return tuple(joined)


_decode_strings = msgspec.json.Decoder(dict[str, str]).decode
_encode = msgspec.json.Encoder().encode
