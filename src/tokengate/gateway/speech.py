"""Speech as the pipeline sees it: sound passes through piece by piece, and nothing of it is kept but its last byte.

It is paid by the characters of the text, all of which the vendor charges as soon as it speaks; or by tokens, where
only the vendor can count those of the sound. Then the vendor is asked for events, which end with that count, and the
caller still gets what they asked for.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from msgspec import Raw
from msgspec.structs import replace

from tokengate.catalog.tokens import estimate_tokens, prompt_bound
from tokengate.core.errors import GatewayError, UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.core.reply import Failure
from tokengate.core.speech import Aloud, SpeechFormat, SpeechWriter, wav_head
from tokengate.core.sse import FrameBuffer, data_spans, split_frames
from tokengate.core.usage import ReportedUsage, Usage, UsageSource
from tokengate.core.wire import Losses
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.count import Used
from tokengate.gateway.heading import heading_of
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Asked, Operation, PutId, Way
from tokengate.gateway.route import Target
from tokengate.gateway.written import Written

_MAX_FRAME_BYTES: Final = 8 * 1024 * 1024  # of base64: a minute of sound without compression has 4 MB
_HEAD_BYTES: Final = 44  # of a WAV file: this much may come without any sound
# gpt-4o-mini-tts writes 1,250 tokens a minute (0.015 dollars at 12 per million, platform.openai.com/docs/pricing,
# 2026-11), in which people say about 200 tokens of text.
_SOUND_PER_TEXT_TOKEN: Final = 6
# A byte of text is at most half a token in English and a third of a character in Chinese, which takes 5 tokens.
_SOUND_PER_BYTE_AT_MOST: Final = 4

_TYPES: Final[Mapping[str, str]] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_UNTYPED: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_EVENTS: Final = "text/event-stream"
_is_sound = re.compile(r"audio/[a-z0-9.+-]+(?:; ?[\x20-\x7e]*)?", re.IGNORECASE).fullmatch
_han = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]").findall


def speech_operation(*, name: str, path: str, format: SpeechFormat, put_id: PutId | None = None) -> Operation:
    """Return the operation of a format. `path` is what messages call it."""

    def read(body: bytes) -> Asked:
        aloud = format.read(body)
        size_bytes = len(aloud.text.encode())
        return Asked(
            members=aloud.members,
            model=aloud.model,
            stream=aloud.stream,
            output_cap=int(_SOUND_PER_BYTE_AT_MOST * size_bytes / min(aloud.speed, 1.0)) + 1,
            prompts=1,
            prompt_bound=prompt_bound(len(body)),
            characters=len(aloud.text),
            han=len(_han(aloud.text)),
            aloud=aloud,
        )

    return Operation(
        name=name,
        path=path,
        kinds=frozenset({"speech"}),
        read=read,
        chat_names=False,
        prompt_estimate=lambda body: _estimate(format.read(body)),
        speaks=format.name,
        put_id=put_id,
        way=spoken(format),
        uses=_used_to_speak,
        stream_type="",
    )


def _estimate(aloud: Aloud) -> int:
    """Return about how many tokens of text a request has."""
    return estimate_tokens(aloud.text) + estimate_tokens(aloud.instructions)


def _used_to_speak(call: Call, body: bytes, reported: ReportedUsage | None, written: int) -> Used:
    """Return what a reply comes to that has begun: all characters of the text, as the vendor counts them if it said so;
    else the vendor's tokens, or an estimate of what the whole text takes when the vendor never said."""
    aloud = call.asked.aloud
    assert aloud is not None
    usage = reported.usage if reported is not None else Usage()
    raw = reported.raw if reported is not None else None
    if not call.by_tokens:
        if usage.character:
            return Used(Usage(character=usage.character), UsageSource.VENDOR, raw)
        return Used(Usage(character=call.asked.characters), UsageSource.COUNTED, raw)
    if usage.output_total:
        return Used(replace(usage, character=0), UsageSource.VENDOR, raw)
    sound = _SOUND_PER_TEXT_TOKEN * estimate_tokens(aloud.text)
    return Used(Usage(input=_estimate(aloud), audio_out=sound), UsageSource.ESTIMATED)


def spoken(caller: SpeechFormat) -> Callable[[Target], Way | None]:
    """Return how a backend is asked to read a text aloud, if it can be."""

    def way(target: Target) -> Way | None:
        format = target.backend.provider.speech
        if format is None:
            return None

        async def ask(call: Call, body: bytes, fetch: Fetch) -> Spoken:
            return Spoken(call, target, caller, format)

        return ask

    return way


class Spoken:
    """Implements `Adapter`."""

    __slots__ = ("_aloud", "_call", "_caller", "_format", "_own", "body", "dropped", "headers", "path")

    def __init__(self, call: Call, target: Target, caller: SpeechFormat, format: SpeechFormat) -> None:
        """`caller` is the format that was asked in, `format` the backend's. Raises Unsupported."""
        aloud = call.asked.aloud
        assert aloud is not None, "a request for speech is read before it is adapted"
        self._call = call
        self._caller = caller
        self._format = format
        self._own = own = caller.name == format.name
        losses = Losses(target.backend.name, {})
        events = (own and aloud.events) or (call.by_tokens and format.tells_usage(aloud))
        self.body = format.write(aloud, target.model, dict(target.parameters), losses, events=events)
        self._aloud = aloud if aloud.audio_format is not None else replace(aloud, audio_format=format.unasked)
        self.dropped = losses.dropped
        call.added = losses.added
        self.path = format.path
        self.headers: Mapping[str, str] = format.headers(aloud)
        if own and caller.name != "openai":
            self.headers = {**self.headers, **call.options.vendor_headers}
        if call.by_tokens:
            call.on_abort = "drain"  # the vendor speaks to the end, and only then says what it counted

    def whole(self, data: bytes) -> WholeReply:
        """Read a reply that is no stream. Raises UpstreamFailed."""
        call = self._call
        theirs, is_sound = self._theirs()
        if self._own and theirs != _EVENTS:
            heard = self._format.read_whole(data)
            put_id = call.operation.put_id
            body = data if put_id is None else put_id(data, heading_of(call))
            return WholeReply(body, has_content=heard.done, usage=heard.usage)
        lane = SpeechLane(
            self._format,
            _Kept(),
            events=theirs == _EVENTS,
            sound=is_sound,
            told=self._format.read_head(call.reply_headers),
        )
        sound = lane.feed(data) + lane.close() + lane.end(Usage())
        if lane.failure is not None or not lane.finished:
            raise UpstreamFailed("The upstream's reply is no speech.", kind="invalid")

        def written(usage: Usage) -> bytes:
            return self._caller.write_whole(sound, usage, heading_of(call))

        return WholeReply(b"", has_content=lane.has_content, usage=lane.usage, write=written)

    def lane(self, written: Written) -> "SpeechLane":
        """Return the lane of a reply, by the type that the backend gave it; tell the caller's type."""
        call, aloud, caller = self._call, self._aloud, self._caller
        theirs, is_sound = self._theirs()
        sound_type = call.reply_type
        if theirs in _UNTYPED or not is_sound:
            sound_type = _TYPES[aloud.audio_format or ""]
        call.reply_type = caller.reply_type(aloud, sound_type)
        head = wav_head() if self._format.is_bare and aloud.audio_format == "wav" else b""
        writer = caller.writer(aloud, heading_of(call), head)
        passes = self._own and theirs == _EVENTS and call.reply_type != sound_type  # the sound stays in events
        return SpeechLane(
            self._format,
            writer,
            events=theirs == _EVENTS,
            sound=is_sound and not passes,
            passed=self._edited if passes else None,
            told=self._format.read_head(call.reply_headers),
        )

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return the backend's body."""
        return exchange.chunks()

    def _theirs(self) -> tuple[str, bool]:
        """Return the type of the backend's reply, and whether that is sound."""
        told = self._call.reply_type
        theirs = told.partition(";")[0].strip().lower()
        return theirs, theirs in _UNTYPED or _is_sound(told) is not None

    def _edited(self, data: bytes) -> bytes:
        """Return an event of the caller's own format with the call's id, where such have one."""
        put_id = self._call.operation.put_id
        return data if put_id is None else put_id(data, heading_of(self._call))


class _Kept:
    """Implements `SpeechWriter` for sound that becomes a whole reply."""

    def write(self, sound: bytes) -> bytes:
        return sound

    def end(self, usage: Usage) -> bytes:
        return b""

    def fail(self, error: GatewayError) -> bytes:
        return b""


class SpeechLane:
    """Implements `Lane`. The end of the reply waits for `end()`."""

    __slots__ = (
        "_begun",
        "_events",
        "_format",
        "_frames",
        "_held",
        "_passed",
        "_sound",
        "_writer",
        "ended",
        "failure",
        "finished",
        "has_content",
        "usage",
    )

    def __init__(
        self,
        format: SpeechFormat,
        writer: SpeechWriter,
        *,
        events: bool,
        sound: bool,
        passed: Callable[[bytes], bytes] | None = None,
        told: ReportedUsage | None = None,
    ) -> None:
        """What comes is `events` or `sound`, or neither: an error that is no stream. `passed` edits the data of events
        that go out as they are; otherwise the sound in them goes out. `told` is the usage in the reply's head."""
        self._format = format
        self._writer = writer
        self._events = events
        self._sound = sound
        self._passed = passed
        self._frames = FrameBuffer(_MAX_FRAME_BYTES)
        self._begun = b""  # what came before there was certainly sound
        self._held = b""
        self.usage = told
        self.has_content = False
        self.finished = False
        self.ended = False
        self.failure: Failure | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece of the backend's body and return what may go out now."""
        if self._sound:
            return self._spoken(chunk)
        if not self._events:
            return b""
        return b"".join(map(self._frame, split_frames(self._frames.feed(chunk))))

    def close(self) -> bytes:
        """Take note that the backend's body has ended."""
        out = b""
        if self._events and not self.ended and (rest := self._frames.take_rest()).strip():
            out = self._frame(rest.rstrip(b"\r\n") + b"\n\n")
        if self._sound:
            self.finished = True
        if self.finished and not self.has_content and self._begun and not self._begun.startswith(b"RIFF"):
            self.has_content, self._held = True, self._writer.write(self._begun)
        return out

    def count(self) -> None:
        """Nothing waits: nothing is counted."""

    def end(self, usage: Usage | None = None) -> bytes:
        """Return what was kept back."""
        return self._held if self._passed is not None else self._held + self._writer.end(usage or Usage())

    def length_end(self, usage: Usage | None = None) -> bytes:
        raise AssertionError("the hold of speech does not grow")

    def fail(self, error: GatewayError) -> bytes:
        """Return the event with which a stream ends; nothing for sound, which is broken off."""
        return self._writer.fail(error)

    def _frame(self, frame: bytes) -> bytes:
        if self.ended:
            return b""
        out = b""
        spans = data_spans(frame)
        for start, end in spans:
            event = self._format.read_event(frame[start:end])
            if event.error is not None:
                self.failure = Failure("error", "The upstream broke off the speech.", Raw(event.error))
                self.ended = True
                return b""
            if event.done:
                self.usage = event.usage or self.usage
                self.finished = self.ended = True
            if self._passed is None:
                out += self._spoken(event.sound)
            else:
                self.has_content = self.has_content or bool(event.sound)
        if self._passed is None:
            if self.finished and not self.has_content:
                self.close()
            return out
        for start, end in reversed(spans):
            frame = frame[:start] + self._passed(frame[start:end]) + frame[end:]
        if self.finished:
            self._held = frame
            return b""
        return frame

    def _spoken(self, sound: bytes) -> bytes:
        """Take some sound; return what may go out of it, once it is more than the head of a file."""
        if not sound:
            return b""
        if self.has_content:
            return self._writer.write(sound)
        self._begun += sound
        if len(self._begun) <= _HEAD_BYTES:
            return b""
        self.has_content, begun, self._begun = True, self._begun, b""
        return self._writer.write(begun)
