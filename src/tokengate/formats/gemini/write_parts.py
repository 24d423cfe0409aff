"""Writes what a model says, event by event, as the parts of Gemini's answers."""

from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.parts import Audio, Data, FileId, Image, Opaque, Thinking, Url
from tokengate.core.reply import (
    Beside,
    BlockEnd,
    CitationAdded,
    Event,
    Failure,
    Finish,
    LogprobsAdded,
    Media,
    RefusalDelta,
    ServerTool,
    Start,
    Step,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.formats.gemini.contents import WHOLE_PART
from tokengate.formats.gemini.media import guess_type
from tokengate.formats.gemini.objects import write_arguments
from tokengate.formats.gemini.requests import SPOKEN_TYPE
from tokengate.formats.gemini.signatures import NAME, wrap

Part = dict[str, Any] | Raw


class PartWriter:
    """The parts of one choice. A call is said when it is whole.

    Thoughts are shown to who asked for them. Hidden ones are said only where the client must send them back: with a
    signature, which is worth nothing without its text, and before a call, for vendors that want the thoughts of a tool
    loop and sign none, as DeepSeek does.
    """

    __slots__ = ("_call", "_hidden", "_pieces", "_shown", "_summary", "_thought")

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._call: ToolStart | None = None
        self._pieces: list[str] = []
        self._thought: list[str] = []  # of the block that is open
        self._hidden: list[str] = []  # of blocks that ended unsigned
        self._summary = False

    def write(self, event: Event) -> list[Part]:
        """Return the parts that an event completes."""
        match event:
            case TextDelta() | RefusalDelta():
                return [*self._end_call(), {"text": event.text}] if event.text else self._end_call()
            case ThinkingDelta():
                return self._think(event)
            case ThinkingSignature():
                return self._prove(event)
            case ToolStart():
                said = self._end_call()
                self._call = event
                return said
            case ToolDelta():
                self._pieces.append(event.arguments)
                return []
            case BlockEnd() | Stop():
                self._hidden += self._thought
                self._thought.clear()
                self._summary = False
                return self._end_call()
            case ServerTool():
                return [*self._end_call(), *_opaque(event.part)]
            case Media():
                return [*self._end_call(), *_media(event.part)]
            case Step() | CitationAdded() | LogprobsAdded() | Beside() | Start() | Finish() | Failure():
                return []
            case _:
                assert_never(event)

    def _end_call(self) -> list[Part]:
        call, self._call = self._call, None
        if call is None:
            return []
        arguments = "".join(self._pieces)
        self._pieces.clear()
        said: dict[str, Any] = {"functionCall": {"id": call.id, "name": call.name, "args": write_arguments(arguments)}}
        if call.signature:
            said["thoughtSignature"] = call.signature
        thought = "".join(self._hidden)
        self._hidden.clear()
        return [{"text": thought, "thought": True}, said] if thought else [said]

    def _think(self, event: ThinkingDelta) -> list[Part]:
        self._summary = self._summary or event.summary
        if self._shown:
            return [{"text": event.text, "thought": True}] if event.text else []
        self._thought.append(event.text)
        return []

    def _prove(self, event: ThinkingSignature) -> list[Part]:
        text = "".join(self._thought)
        self._thought.clear()
        if event.redacted and event.format == NAME:
            return [{"text": "", "thoughtSignature": event.signature}]
        thinking = Thinking("", event.signature, event.format, event.redacted, self._summary, event.id)
        signature = wrap(thinking)
        return [{"text": text, "thought": True, "thoughtSignature": signature}] if signature else []


def joined(parts: list[Part]) -> list[Part]:
    """Return the parts of a whole answer: a signature that comes alone stands on the part before it."""
    whole: list[Part] = []
    for part in parts:
        before = whole[-1] if whole else None
        if (
            isinstance(part, dict)
            and isinstance(before, dict)
            and part.get("text") == ""
            and "thoughtSignature" in part
            and "thoughtSignature" not in before
            and "functionCall" not in before
            and before.get("thought") == part.get("thought")
        ):
            whole[-1] = {**before, "thoughtSignature": part["thoughtSignature"]}
        else:
            whole.append(part)
    return whole


def _opaque(part: Opaque) -> list[Part]:
    if part.format != NAME:
        return []
    return [part.raw] if part.kind == WHOLE_PART else [{part.kind: part.raw}]


def _media(part: Image | Audio) -> list[Part]:
    said: list[Part] = [{"text": part.transcript}] if isinstance(part, Audio) and part.transcript else []
    source = part.source
    match source:
        case Data():
            if source.base64:
                # Vendors of other formats do not say the type of what was spoken: it is the one that was asked for.
                kind = source.media_type or (SPOKEN_TYPE if isinstance(part, Audio) else "")
                said.append({"inlineData": {"mimeType": kind, "data": source.base64}})
        case Url():
            media_type = guess_type(source)
            said.append({"fileData": {"fileUri": source.url, **({"mimeType": media_type} if media_type else {})}})
        case FileId():
            pass  # known to its own vendor alone
    return said
