"""Between a stream's events and the whole reply: `Fold` adds events up, `events_of` takes a reply apart.

The sum law holds by this: a format's stream, folded, is the reply that the same format reads whole.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from tokengate.core.beside import with_more
from tokengate.core.parts import (
    NO_EXTRA,
    Audio,
    Citation,
    Data,
    Extra,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tokengate.core.parts import File as FilePart
from tokengate.core.parts import Video as VideoPart
from tokengate.core.reply import (
    REPLY,
    Beside,
    BlockEnd,
    Choice,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Media,
    RefusalDelta,
    Reply,
    ServerTool,
    Start,
    Step,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    TokenLogprob,
    ToolDelta,
    ToolStart,
)


class Fold:
    """Adds up the events of one stream. Feed all of them; `reply()` is the sum so far."""

    __slots__ = ("_beside", "_choices", "_finish", "_format", "_start", "failure")

    def __init__(self) -> None:
        self._start = Start()
        self._choices: dict[int, _Choice] = {}
        self._finish: Finish | None = None
        self._beside: Extra = NO_EXTRA
        self._format = ""
        self.failure: Failure | None = None

    @property
    def finished(self) -> bool:
        """Whether the stream came to its own end."""
        return self._finish is not None

    def add(self, event: Event) -> None:
        """Take one event more."""
        match event:
            case Start():
                self._start = event
            case Finish():
                self._finish = event
            case Failure():
                self.failure = event
            case Step():
                pass  # what came of it, a block says in the end
            case Beside():
                self._format = event.format
                if event.choice == REPLY:
                    self._beside = with_more(self._beside, event.members)
                else:
                    self._choice(event.choice).add(event)
            case _:
                self._choice(event.choice).add(event)

    def reply(self) -> Reply:
        """Return what the events said together."""
        start, finish = self._start, self._finish
        return Reply(
            id=start.id,
            model=start.model,
            created_s=start.created_s,
            choices=tuple(self._choices[index].whole(index) for index in sorted(self._choices)),
            usage=finish.usage if finish else None,
            service_tier=start.service_tier,
            system_fingerprint=start.system_fingerprint,
            searches=finish.searches if finish else (),
            format=self._format,
            extra=self._beside,
        )

    def _choice(self, index: int) -> "_Choice":
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        return choice


def events_of(reply: Reply) -> Iterator[Event]:
    """Yield the events of a stream that says what the reply says, each block in one piece."""
    yield Start(
        id=reply.id,
        model=reply.model,
        created_s=reply.created_s,
        service_tier=reply.service_tier,
        system_fingerprint=reply.system_fingerprint,
    )
    if reply.extra:
        yield Beside(REPLY, reply.format, reply.extra)
    for choice in reply.choices:
        if choice.extra:
            yield Beside(choice.index, reply.format, choice.extra)
        for block, part in enumerate(choice.parts):
            yield from _part_events(choice.index, block, part, reply.format)
        if choice.logprobs:
            yield LogprobsAdded(choice.index, _last_text(choice.parts), choice.logprobs)
        if choice.finish is not None:
            yield Stop(choice.index, choice.finish, choice.native, choice.stop_sequence)
    yield Finish(reply.usage, reply.searches)


def _last_text(parts: Sequence[Part]) -> int:
    """Return the place of the text whose tokens log probabilities are of."""
    return max((place for place, part in enumerate(parts) if isinstance(part, Text | Refusal)), default=0)


BlockEvent = (
    TextDelta
    | RefusalDelta
    | ThinkingDelta
    | ThinkingSignature
    | ToolStart
    | ToolDelta
    | ServerTool
    | CitationAdded
    | Media
)
ChoiceEvent = BlockEvent | LogprobsAdded | BlockEnd | Beside | Stop


class _Block:
    """One block as it grows. What it is, its events say; the pieces are joined at the end."""

    __slots__ = (
        "apart",
        "citations",
        "extra",
        "id",
        "kind",
        "name",
        "opaque",
        "phase",
        "pieces",
        "proof",
        "signature",
        "summary",
    )

    def __init__(self) -> None:
        self.kind = ""
        self.extra = NO_EXTRA
        self.pieces: list[str] = []
        self.citations: list[Citation] = []
        self.id = ""
        self.name = ""
        self.phase = ""
        self.apart = False
        self.signature = ""
        self.summary = False
        self.proof: ThinkingSignature | None = None
        self.opaque: Opaque | Image | Audio | None = None

    def add(self, event: BlockEvent) -> None:
        match event:
            case TextDelta():
                self.kind = "text"
                self.pieces.append(event.text)
                self.phase = self.phase or event.phase
                self.apart = self.apart or event.apart
            case RefusalDelta():
                self.kind = "refusal"
                self.pieces.append(event.text)
            case ThinkingDelta():
                self.kind = "thinking"
                self.pieces.append(event.text)
                self.summary = self.summary or event.summary
            case ThinkingSignature():
                self.kind, self.proof = "thinking", event
            case ToolStart():
                self.kind = "custom" if event.custom else "tool"
                self.id, self.name, self.signature = event.id, event.name, event.signature
            case ToolDelta():
                self.pieces.append(event.arguments)
            case CitationAdded():
                self.kind = self.kind or "text"
                self.citations.append(event.citation)
            case ServerTool():
                self.kind, self.opaque = "opaque", event.part
            case Media():
                self.kind, self.opaque = "media", _joined(self.opaque, event.part)
            case _:
                assert_never(event)

    def part(self) -> Part:
        text = "".join(self.pieces)
        match self.kind:
            case "text":
                return Text(text, citations=tuple(self.citations), extra=self.extra, phase=self.phase, apart=self.apart)
            case "refusal":
                return Refusal(text, self.extra)
            case "tool" | "custom":
                return ToolCall(self.id, self.name, text, self.signature, self.kind == "custom", extra=self.extra)
            case "thinking":
                proof = self.proof
                if proof is None:
                    return Thinking(text, summary=self.summary, extra=self.extra)
                return Thinking(text, proof.signature, proof.format, proof.redacted, self.summary, proof.id, self.extra)
            case _:
                assert self.opaque is not None, "a block begins with what it is"
                return self.opaque


class _Choice:
    __slots__ = ("beside", "blocks", "logprobs", "stop")

    def __init__(self) -> None:
        self.blocks: dict[int, _Block] = {}
        self.logprobs: list[TokenLogprob] = []
        self.stop: Stop | None = None
        self.beside: Extra = NO_EXTRA

    def add(self, event: ChoiceEvent) -> None:
        match event:
            case Stop():
                self.stop = event
                return
            case LogprobsAdded():
                self.logprobs.extend(event.logprobs)
                return
            case BlockEnd():
                return
            case Beside(block=block) if block != REPLY:
                said = self._block(block)
                said.extra = with_more(said.extra, event.members)
            case Beside():
                self.beside = with_more(self.beside, event.members)
            case _:
                self._block(event.block).add(event)

    def _block(self, number: int) -> _Block:
        block = self.blocks.get(number)
        if block is None:
            block = self.blocks[number] = _Block()
        return block

    def whole(self, index: int) -> Choice:
        stop = self.stop
        return Choice(
            index=index,
            parts=tuple(self.blocks[block].part() for block in sorted(self.blocks)),
            finish=stop.finish if stop else None,
            native=stop.native if stop else "",
            stop_sequence=stop.stop_sequence if stop else None,
            logprobs=tuple(self.logprobs) if self.logprobs else None,
            extra=self.beside,
        )


def finish_of(parts: tuple[Part, ...]) -> FinishReason:
    """Return why a model stopped that says only that it is done."""
    return FinishReason.TOOL_CALLS if any(isinstance(part, ToolCall) for part in parts) else FinishReason.STOP


def _part_events(choice: int, block: int, part: Part, format: str) -> Iterator[Event]:
    if isinstance(part, Text | Refusal | Thinking | ToolCall) and part.extra:
        yield Beside(choice, format, part.extra, block)
    match part:
        case Text():
            yield TextDelta(choice, block, part.text, part.phase, part.apart)
            for citation in part.citations:
                yield CitationAdded(choice, block, citation)
        case Refusal():
            yield RefusalDelta(choice, block, part.text)
        case Thinking():
            if part.text or not part.signature:
                yield ThinkingDelta(choice, block, part.text, part.summary)
            if part.signature or part.id:
                yield ThinkingSignature(choice, block, part.signature, part.format, part.redacted, part.id)
        case ToolCall():
            yield from _call_events(choice, block, part)
        case Image() | Audio():
            yield Media(choice, block, part)
        case Opaque():
            yield ServerTool(choice, block, part)
        case VideoPart() | FilePart() | ToolResult():
            raise AssertionError("a reply holds no input")
        case _:
            assert_never(part)
    yield BlockEnd(choice, block)


def _call_events(choice: int, block: int, call: ToolCall) -> Iterator[Event]:
    yield ToolStart(choice, block, call.id, call.name, call.signature, call.custom)
    if call.arguments:
        yield ToolDelta(choice, block, call.arguments)


def _joined(before: Opaque | Image | Audio | None, piece: Image | Audio) -> Image | Audio:
    """Add a piece of sound to what came before; everything else comes whole."""
    if not isinstance(before, Audio) or not isinstance(piece, Audio):
        return piece
    if not isinstance(before.source, Data) or not isinstance(piece.source, Data):
        return piece
    # Pieces are cut at whole groups of four characters, as the SDKs that join them need it.
    source = Data(before.source.media_type or piece.source.media_type, before.source.base64 + piece.source.base64)
    return msgspec.structs.replace(
        before, source=source, transcript=before.transcript + piece.transcript, id=before.id or piece.id
    )
