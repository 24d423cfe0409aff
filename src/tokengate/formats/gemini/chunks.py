"""Reads responses, whole or one chunk after another, into events.

A whole reply is a stream of one chunk, so both say the same. Neighbouring pieces of text are one block, and so are
neighbouring thoughts; a signature on text or media is a sealed thinking block after it.
"""

import base64
import binascii
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Raw

from tokengate.core.parts import Audio, Data, Image, Opaque, Url
from tokengate.core.reply import (
    BlockEnd,
    Event,
    Failure,
    Finish,
    LogprobsAdded,
    Media,
    SearchResult,
    ServerTool,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    TokenLogprob,
    ToolDelta,
    ToolStart,
    TopLogprob,
)
from tokengate.core.usage import ReportedUsage
from tokengate.formats.gemini import response as wire
from tokengate.formats.gemini.calls import made_id
from tokengate.formats.gemini.contents import WHOLE_PART
from tokengate.formats.gemini.grounding import Sources
from tokengate.formats.gemini.partial import Arguments
from tokengate.formats.gemini.reasons import BLOCKED, read_reason
from tokengate.formats.gemini.signatures import NAME, unwrap
from tokengate.formats.gemini.usage import read_usage

_MAX_CANDIDATES: Final = 64
_encode = msgspec.json.Encoder().encode


class ChunkReader:
    """One reply. `read` each of its responses, then `end`."""

    __slots__ = ("_candidates", "_failed", "_id", "_sources", "_started", "usage")

    def __init__(self) -> None:
        self.usage: ReportedUsage | None = None
        self._candidates: dict[int, _Candidate] = {}
        self._sources = Sources()
        self._started = False
        self._failed = False
        self._id = ""

    def read(self, chunk: bytes) -> list[Event]:
        """Return a response's events. Raises UpstreamFailed when it is no response."""
        if self._failed:
            return []
        response = wire.decode_response(chunk)
        events: list[Event] = []
        if not self._started:
            self._started = True
            self._id = response.response_id or ""
            events.append(
                Start(id=self._id, model=response.model_version or "", created_s=_seconds(response.create_time))
            )
        if wire.present(response.error):
            self._failed = True
            raw = response.error
            return [*events, Failure("error", wire.error_message(bytes(raw)), Raw(bytes(raw)))]
        for candidate in response.candidates or ():
            self._read_candidate(candidate, events)
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason and not self._candidates:
            native = BLOCKED + feedback.block_reason
            events += self._candidate(0).stop(native)
        if wire.present(response.usage_metadata):
            self.usage = read_usage(bytes(response.usage_metadata)) or self.usage
        if self.usage is not None:
            self.usage = msgspec.structs.replace(self.usage, partial=not self._is_whole())
        return events

    def end(self, *, cut: bool = False) -> list[Event]:
        """Return the last events: the stream is whole when each of its candidates is and nothing was `cut` off."""
        if self._failed:
            return []
        events: list[Event] = [] if self._started else [Start()]
        self._started = True
        if cut or not self._is_whole():
            self._failed = True
            return [*events, Failure("cut", "The upstream's stream ended before the reply was whole.")]
        if self.usage is not None and self._sources.queries:
            usage = msgspec.structs.replace(self.usage.usage, search=self._sources.queries)
            self.usage = msgspec.structs.replace(self.usage, usage=usage)
        return [*events, Finish(self.usage, self.searches)]

    @property
    def searches(self) -> tuple[SearchResult, ...]:
        """The pages that were found."""
        return self._sources.results()

    def _is_whole(self) -> bool:
        return bool(self._candidates) and all(one.stopped for one in self._candidates.values())

    def _candidate(self, index: int) -> "_Candidate":
        candidate = self._candidates.get(index)
        if candidate is None:
            candidate = self._candidates[index] = _Candidate(index, self._id)
        return candidate

    def _read_candidate(self, given: wire.Candidate, events: list[Event]) -> None:
        index = given.index or 0
        if not 0 <= index < _MAX_CANDIDATES:
            return
        candidate = self._candidate(index)
        for part in (given.content.parts if given.content else None) or ():
            candidate.add(part, events)
        if given.grounding_metadata is not None:
            events += self._sources.add(given.grounding_metadata, index, candidate.texts)
        if given.citation_metadata is not None:
            events += self._sources.cite(given.citation_metadata, index, candidate.texts)
        if given.logprobs_result is not None:
            logprobs = _logprobs(given.logprobs_result)
            if logprobs:
                events.append(LogprobsAdded(index, max(candidate.texts, default=0), logprobs))
        if given.finish_reason:
            events += candidate.stop(given.finish_reason)


class _Candidate:
    """The blocks of one candidate."""

    __slots__ = (
        "_arguments",
        "_calls",
        "_carry",
        "_id",
        "_index",
        "_open",
        "_signature",
        "last_block",
        "stopped",
        "texts",
    )

    def __init__(self, index: int, reply_id: str) -> None:
        self._index = index
        self._id = reply_id
        self.last_block = -1
        self._open = ""  # the kind of the block that may go on
        self._carry = b""  # bytes of sound that do not fill three yet
        self._calls = 0
        self._arguments: Arguments | None = None
        self._signature = ""
        self.texts: dict[int, list[int]] = {}  # text block -> its size in bytes and in characters
        self.stopped = False

    def add(self, part: wire.Part, events: list[Event]) -> None:
        signature = part.thought_signature or ""
        if part.thought and part.inline_data is None:
            self._think(part.text or "", signature, events)
            return
        if part.function_call is not None:
            self._call(part.function_call, signature, events)
            return
        if part.text:
            block = self._enter("text", events)
            size = self.texts.setdefault(block, [0, 0])
            size[0] += len(part.text.encode("utf-8", "surrogatepass"))
            size[1] += len(part.text)
            events.append(TextDelta(self._index, block, part.text))
        elif part.inline_data is not None:
            self._media(part.inline_data, part, events)
        elif part.file_data is not None and part.file_data.file_uri:
            block = self._enter("media", events, fresh=True)
            events.append(Media(self._index, block, Image(Url(part.file_data.file_uri))))
        else:
            self._opaque(part, events)
        if signature:
            block = self._enter("sealed", events, fresh=True)
            events.append(ThinkingSignature(self._index, block, signature, NAME, redacted=True))

    def stop(self, native: str) -> list[Event]:
        if self.stopped:
            return []
        events: list[Event] = []
        self._end_call(events)
        self._leave(events)
        self.stopped = True
        events.append(Stop(self._index, read_reason(native, called=self._calls > 0), native))
        return events

    def _enter(self, kind: str, events: list[Event], *, fresh: bool = False) -> int:
        """Go on with a block of this kind, or begin one."""
        if self._open != kind or fresh:
            self._end_call(events)
            self._leave(events)
            self.last_block += 1
            self._open = kind
        return self.last_block

    def _leave(self, events: list[Event]) -> None:
        if not self._open:
            return
        if self._carry:
            media_type = self._open.partition(" ")[2]
            rest = base64.b64encode(self._carry).decode()
            events.append(Media(self._index, self.last_block, Audio(Data(media_type, rest))))
            self._carry = b""
        events.append(BlockEnd(self._index, self.last_block))
        self._open = ""

    def _think(self, text: str, signature: str, events: list[Event]) -> None:
        if text:
            block = self._enter("thinking", events)
            events.append(ThinkingDelta(self._index, block, text))
        if signature:
            proof = unwrap("", signature)
            block = self._enter("thinking", events, fresh=proof.redacted)
            events.append(
                ThinkingSignature(self._index, block, proof.signature, proof.format, proof.redacted, proof.id)
            )
            self._leave(events)

    def _call(self, call: wire.FunctionCall, signature: str, events: list[Event]) -> None:
        piecewise = call.will_continue is not None or call.partial_args is not None
        given = _compact(call.args).decode("utf-8", "replace") if wire.present(call.args) else "{}"
        if call.name:
            block = self._enter("call", events, fresh=True)
            seed = f"{call.name}{given}".encode("utf-8", "surrogatepass")
            id = call.id or made_id(self._id, seed, self._calls)
            self._calls += 1
            events.append(ToolStart(self._index, block, id, call.name, signature))
            if not piecewise:
                events.append(ToolDelta(self._index, block, given))
                self._leave(events)
                return
            self._arguments = Arguments()
        if self._arguments is None:
            return
        for piece in call.partial_args or ():
            self._arguments.add(piece)
        if not call.will_continue:
            self._end_call(events)

    def _end_call(self, events: list[Event]) -> None:
        """Say the arguments of a call that came piecewise."""
        if self._arguments is None:
            return
        arguments, self._arguments = self._arguments.text(), None
        events.append(ToolDelta(self._index, self.last_block, arguments))
        self._leave(events)

    def _media(self, blob: wire.Blob, part: wire.Part, events: list[Event]) -> None:
        media_type, data = blob.mime_type or "", blob.data or ""
        if part.thought:
            whole = {"inlineData": {"mimeType": media_type, "data": data}, "thought": True}
            block = self._enter("opaque", events, fresh=True)
            events.append(ServerTool(self._index, block, Opaque(NAME, WHOLE_PART, Raw(_encode(whole)))))
            return
        if not media_type.startswith("audio/"):
            block = self._enter("media", events, fresh=True)
            events.append(Media(self._index, block, Image(Data(media_type, data))))
            return
        block = self._enter(f"audio {media_type}", events)
        sound = self._carry + _bytes(data)
        whole_size = len(sound) - len(sound) % 3
        self._carry = sound[whole_size:]
        if whole_size:
            piece = base64.b64encode(sound[:whole_size]).decode()
            events.append(Media(self._index, block, Audio(Data(media_type, piece))))

    def _opaque(self, part: wire.Part, events: list[Event]) -> None:
        for kind, raw in (
            ("executableCode", part.executable_code),
            ("codeExecutionResult", part.code_execution_result),
            ("toolCall", part.tool_call),
            ("toolResponse", part.tool_response),
        ):
            if wire.present(raw):
                block = self._enter("opaque", events, fresh=True)
                events.append(ServerTool(self._index, block, Opaque(NAME, kind, Raw(_compact(raw)))))


def _logprobs(given: wire.Logprobs) -> tuple[TokenLogprob, ...]:
    tops = given.top_candidates or []
    logprobs: list[TokenLogprob] = []
    for at, chosen in enumerate(given.chosen_candidates or ()):
        rivals = (tops[at].candidates if at < len(tops) else None) or ()
        top = tuple(TopLogprob(one.token or "", one.log_probability or 0.0) for one in rivals)
        logprobs.append(TokenLogprob(chosen.token or "", chosen.log_probability or 0.0, top=top))
    return tuple(logprobs)


def _compact(raw: Raw) -> bytes:
    """Return JSON without the blanks that Google puts into whole replies."""
    try:
        return msgspec.json.format(bytes(raw), indent=-1)
    except (ValueError, RecursionError):
        return bytes(raw)


def _bytes(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return b""


def _seconds(time: str | None) -> int:
    if time is None:
        return 0
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except (ValueError, OverflowError, OSError):
        return 0
