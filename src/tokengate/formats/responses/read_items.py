"""Input items, read into messages: what stands between two turns of the user is one message of the assistant.

Reasoning, calls and messages of the assistant are parts of one turn, and results of calls that follow each other of
another. An item or content part that only this format understands stays whole, as an `Opaque` part.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct, structs

from tokengate.core.chat import Message, Role
from tokengate.core.errors import BadRequest
from tokengate.core.parts import (
    NO_EXTRA,
    Audio,
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
)
from tokengate.formats.responses.citations import read_citation
from tokengate.formats.responses.refusal import missing, must_be, read
from tokengate.formats.responses.signature import call_signature, unwrap
from tokengate.formats.responses.types import (
    INSIDE,
    NAME,
    NONE,
    ROLES,
    AudioPart,
    CallItem,
    CustomCallItem,
    DrawnItem,
    FilePart,
    ImagePart,
    MessageItem,
    OutputItem,
    ReasoningItem,
    RefusalPart,
    TextPart,
    ThoughtPart,
    Typed,
)

PARAGRAPH = "\n\n"  # between the pieces of a summary

T = TypeVar("T", bound=Struct)


def read_input(value: str | Sequence[Raw], history: Sequence[Raw]) -> list[Message]:
    """Return the messages in a request's `input`, after those of `history`, which holds items of earlier calls.

    Raises BadRequest.
    """
    turns = _Turns()
    for item in history:
        turns.add(item, "previous_response_id")
    if isinstance(value, str):
        turns.message(Message("user", (Text(value),)))
    else:
        for index, item in enumerate(value):
            turns.add(item, f"input[{index}]")
    return turns.messages()


class _Turns:
    """Gathers items into messages."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._role: Role = "user"
        self._parts: list[Part] = []  # of the turn that is being gathered
        self._signature = ""  # of the call that comes next
        self._phase: str | None = None  # of the item before, when that was a message of the assistant

    def messages(self) -> list[Message]:
        self._end_turn()
        return self._messages

    def message(self, message: Message) -> None:
        self._end_turn()
        self._messages.append(message)

    def add(self, item: Raw, at: str) -> None:
        """Take the next item. Raises BadRequest."""
        typed = read(_decode_typed, item, at)
        before, self._phase = self._phase, None
        match typed.type or ("message" if typed.role is not None else "item_reference"):
            case "message":
                self._add_message(item, typed, at, before)
            case "reasoning":
                self._add_reasoning(read(_decode_reasoning, item, at))
            case "function_call":
                wire = read(_decode_call, item, at)
                self._call(ToolCall(wire.call_id, wire.name, wire.arguments, extra=_rest(item, CallItem, at)))
            case "custom_tool_call":
                custom = read(_decode_custom_call, item, at)
                extra = _rest(item, CustomCallItem, at)
                self._call(ToolCall(custom.call_id, custom.name, custom.input, custom=True, extra=extra))
            case "function_call_output":
                self._part("user", _result(item, at, custom=False))
            case "custom_tool_call_output":
                self._part("user", _result(item, at, custom=True))
            case "item_reference":
                raise _unresolved(item, at)
            case "web_search_call" | "image_generation_call" if _is_ours(typed.id or ""):
                self._add_told(item, at)
            case kind:
                said = kind not in _FOLDED and not kind.endswith(("_output", "_response"))
                self._part("assistant" if said else "user", Opaque(NAME, kind, item))

    def _add_message(self, item: Raw, typed: Typed, at: str, before: str | None) -> None:
        if typed.role is None:
            raise missing(f"{at}.role")
        if typed.role not in ROLES:
            raise must_be(f"{at}.role")
        wire = read(_decode_message, item, at)
        parts = read_content(wire.content, f"{at}.content")
        if wire.role != "assistant":
            self.message(Message(wire.role, tuple(parts)))
            return
        self._phase = wire.phase or ""
        for place, part in enumerate(parts):
            if isinstance(part, Text):
                part = structs.replace(part, phase=self._phase, apart=not place and self._phase == before)
            self._part("assistant", part)

    def _add_reasoning(self, item: ReasoningItem) -> None:
        signature = call_signature(item.encrypted_content or "")
        if signature is not None:
            self._signature = signature
        else:
            for thought in thoughts(item):
                self._part("assistant", thought)

    def _add_told(self, item: Raw, at: str) -> None:
        """Take an item in which the gateway told what a vendor of another format drew; what one found is left out."""
        drawn = read(_decode_drawn, item, at)
        if drawn.result:
            self._part("assistant", Image(Data(f"image/{drawn.output_format}", drawn.result)))

    def _call(self, call: ToolCall) -> None:
        if self._signature:
            call = structs.replace(call, signature=self._signature)
            self._signature = ""
        self._part("assistant", call)

    def _part(self, role: Role, part: Part) -> None:
        if role != self._role:
            self._end_turn()
            self._role = role
        self._parts.append(part)

    def _end_turn(self) -> None:
        if self._parts:
            self._messages.append(Message(self._role, tuple(self._parts)))
            self._parts = []


def read_content(value: str | list[Raw], at: str) -> list[Part]:
    """Return the parts of a message or of a tool's output. Raises BadRequest."""
    if isinstance(value, str):
        return [Text(value)]
    return [_read_part(part, f"{at}[{index}]") for index, part in enumerate(value)]


def thoughts(item: ReasoningItem) -> list[Thinking]:
    """Return what a reasoning item says: its full text, the gist, or both; nothing when it is empty."""
    full = PARAGRAPH.join(_texts(item.content))
    gist = PARAGRAPH.join(_texts(item.summary))
    encrypted, id = item.encrypted_content or "", item.id or ""
    if full and gist:
        return [Thinking(full), unwrap(gist, encrypted, item_id=id, summary=True)]
    if not (full or gist or encrypted):
        return []
    return [unwrap(full or gist, encrypted, item_id=id, summary=bool(gist))]


def _texts(parts: list[ThoughtPart] | None) -> list[str]:
    return [part.text for part in parts or () if part.text]


def _read_part(raw: Raw, at: str) -> Part:
    kind = read(_decode_typed, raw, at).type
    match kind:
        case "input_text" | "output_text" | "text":
            text = read(_decode_text, raw, at)
            citations = tuple(read_citation(one) for one in text.annotations or ())
            return Text(text.text, citations=citations, extra=_rest(raw, TextPart, at))
        case "input_image":
            image = read(_decode_image, raw, at)
            source = _source(image.image_url, image.file_id, f"{at}.image_url")
            return Image(source, image.detail, extra=_rest(raw, ImagePart, at))
        case "input_file":
            return _read_file(raw, at)
        case "input_audio":
            audio = read(_decode_audio, raw, at).input_audio
            return Audio(Data(f"audio/{audio.format}", audio.data), extra=_rest(raw, AudioPart, at))
        case "refusal":
            return Refusal(read(_decode_refusal, raw, at).refusal)
        case None:
            raise missing(f"{at}.type")
        case _:
            return Opaque(NAME, INSIDE + kind, raw)


def _read_file(raw: Raw, at: str) -> File:
    file = read(_decode_file, raw, at)
    if file.file_data is not None:
        source: Source = _data(file.file_data)
    else:
        source = _source(file.file_url, file.file_id, f"{at}.file_data")
    return File(source, file.filename or "", extra=_rest(raw, FilePart, at))


def _source(url: str | None, file_id: str | None, at: str) -> Source:
    if url is not None:
        return _data(url) if url.startswith("data:") else Url(url)
    if file_id is not None:
        return FileId(file_id)
    raise missing(at)


def _data(url: str) -> Data:
    """Return what a data URL holds; a text without its head is the base64 itself."""
    if not url.startswith("data:"):
        return Data("", url)
    head, _, base64 = url[5:].partition(",")
    return Data(head.removesuffix(";base64"), base64)


def _result(item: Raw, at: str, *, custom: bool) -> ToolResult:
    wire = read(_decode_output, item, at)
    content = read_content(wire.output, f"{at}.output")
    return ToolResult(wire.call_id, tuple(content), custom=custom, extra=_rest(item, OutputItem, at))


def _rest(raw: Raw, wire: type[Struct], at: str) -> Extra:
    """Return the members of an item or part that its struct does not know; ids and states are not kept."""
    known = _DROPPED.union(wire.__struct_fields__)
    members = read(_decode_members, raw, at)
    return {name: value for name, value in members.items() if name not in known and value != NONE} or NO_EXTRA


def _unresolved(item: Raw, at: str) -> BadRequest:
    """Return the refusal of an item that is only named: those that are stored here were put in their place before."""
    id = read(_decode_typed, item, at).id
    if id is None:
        return missing(f"{at}.type")
    return BadRequest(f"Item with id '{id[:100]}' not found.", param=at)


# Items of built-in tools that no vendor ran in this format: the id is a call's of the gateway, and a number.
_is_ours = re.compile(r"(?:ws|ig)_[0-9a-f]{34,36}", re.ASCII).fullmatch

# What a conversation was folded into: nothing that the model said by the way, which a backend could go on without.
_FOLDED = frozenset({"compaction", "compaction_trigger"})

_DROPPED = frozenset({"type", "id", "status", "role", "logprobs"})


def _decoder(wire: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(wire).decode


_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_typed = _decoder(Typed)
_decode_message = _decoder(MessageItem)
_decode_text = _decoder(TextPart)
_decode_image = _decoder(ImagePart)
_decode_file = _decoder(FilePart)
_decode_audio = _decoder(AudioPart)
_decode_refusal = _decoder(RefusalPart)
_decode_drawn = _decoder(DrawnItem)
_decode_call = _decoder(CallItem)
_decode_custom_call = _decoder(CustomCallItem)
_decode_output = _decoder(OutputItem)
_decode_reasoning = _decoder(ReasoningItem)
