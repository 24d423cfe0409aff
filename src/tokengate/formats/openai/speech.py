"""Speech as OpenAI shapes it, which vLLM-Omni and others copy: JSON in; sound out, or events with sound in base64.

https://platform.openai.com/docs/api-reference/audio/createSpeech, 2026-11. The events are `speech.audio.delta` with
`audio`, and `speech.audio.done` with `usage`.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import GatewayError
from tokengate.core.speech import DEFAULT_FORMAT, Aloud, SpeechEvent, SpeechWriter
from tokengate.core.sse import write_frame
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.openai.requests import read_speech
from tokengate.formats.openai.stream import error_event

NAME: Final = "openai"
FORMATS: Final = frozenset({"mp3", "opus", "aac", "flac", "wav", "pcm"})
_NO_HEADERS: Final[Mapping[str, str]] = {}
_DELTA: Final = "speech.audio.delta"
_DONE: Final = "speech.audio.done"
_MOST_TOKENS: Final = 10**12  # more than this is not a count
_MOST_DIGITS: Final = 13

_encode = msgspec.json.Encoder().encode


def read_aloud(body: bytes) -> Aloud:
    """Read a client's request. Raises BadRequest."""
    wire, members = read_speech(body)
    return Aloud(
        format=NAME,
        members=members,
        model=wire.model,
        text=wire.input,
        voice=wire.voice if isinstance(wire.voice, str) else wire.voice.id,
        instructions=wire.instructions or "",
        language=wire.language or "",
        audio_format=wire.response_format,
        speed=wire.speed or 1.0,
        events=wire.stream_format == "sse",
    )


class OpenAISpeech(Struct, frozen=True, kw_only=True):
    """Implements `core.speech.SpeechFormat`. A vendor's file says which parameters the vendor `lacks`, which `formats`
    it writes, which of them it `streams`, and whether it `counts` tokens: at the end of events, and, in headers that
    begin with `usage_header`, beside sound. One that `streams_speed` streams at any speed."""

    lacks: frozenset[str] = frozenset()
    formats: frozenset[str] = FORMATS
    default_format: str = DEFAULT_FORMAT
    streams: frozenset[str] = FORMATS
    counts: bool = False
    usage_header: str = ""
    streams_speed: bool = True

    @property
    def name(self) -> str:
        return NAME

    @property
    def path(self) -> str:
        return "/audio/speech"

    @property
    def is_bare(self) -> bool:
        return False

    @property
    def unasked(self) -> str:
        return DEFAULT_FORMAT

    def tells_usage(self, aloud: Aloud) -> bool:
        return self.counts and self._streams(aloud)

    def headers(self, aloud: Aloud) -> Mapping[str, str]:
        return _NO_HEADERS

    def write(self, aloud: Aloud, model: str, fixed: dict[str, bytes], losses: Losses, *, events: bool) -> bytes:
        """Return the caller's bytes, edited where they must be, or for a caller of another format a body in these
        words. Raises Unsupported for a format that the vendor does not write; parameters that it lacks are left out by
        name."""
        if aloud.format != NAME:
            return self._written(aloud, model, fixed, losses, events=events)
        members = aloud.members
        wanted_format = aloud.audio_format or DEFAULT_FORMAT
        if wanted_format not in self.formats:
            raise losses.refuse("response_format", f"cannot be '{wanted_format}' with {losses.target}")
        if events and wanted_format not in self.streams:
            raise losses.refuse("stream_format", f"cannot be 'sse' for '{wanted_format}' with {losses.target}")
        if events and not self._streams(aloud):
            raise losses.refuse("speed", f"cannot be other than 1 in events with {losses.target}")
        removed = {name for name in self.lacks if name in members}
        for name in removed:
            losses.drop(name)
        wanted: dict[str, bytes] = {}
        if aloud.model != model:
            wanted["model"] = _encode(model)
        if aloud.audio_format is None and self.default_format != DEFAULT_FORMAT:
            wanted["response_format"] = _encode(DEFAULT_FORMAT)
        if events and not aloud.events:
            wanted["stream_format"] = b'"sse"'
        elif not self._streams(aloud) and "stream_format" in members:
            removed.add("stream_format")  # it says how the sound is to come, which makes no other sound
        wanted.update(fixed)
        present = {name for name in wanted if name in members}
        return members.edit(
            replace={name: wanted[name] for name in present},
            remove=removed - present,
            add={name: value for name, value in wanted.items() if name not in present},
        )

    def read_event(self, data: bytes) -> SpeechEvent:
        """Read the data of one event; one of a kind that nobody knows is empty."""
        try:
            event = _decode(data)
            if event.type == _DELTA:
                return SpeechEvent(sound=binascii.a2b_base64(event.audio))
        except (ValueError, RecursionError):
            return SpeechEvent()
        if bytes(event.error) != b"null":
            return SpeechEvent(error=b'{"error":' + bytes(event.error) + b"}")
        if event.type == "error":
            return SpeechEvent(error=data)
        if event.type == _DONE:
            return SpeechEvent(done=True, usage=_usage_of(bytes(event.usage)))
        return SpeechEvent()

    def read_head(self, headers: Mapping[str, str]) -> ReportedUsage | None:
        if not self.usage_header:
            return None
        counted = [headers.get(f"{self.usage_header}{name}-tokens", "") for name in ("input", "output")]
        if not all(count.isascii() and count.isdigit() and len(count) < _MOST_DIGITS for count in counted):
            return None
        told = dict(zip(("input_tokens", "output_tokens"), map(int, counted), strict=True))
        return _usage_of(_encode(told))

    def read_whole(self, body: bytes) -> SpeechEvent:
        return SpeechEvent(sound=body, done=True)

    def read(self, body: bytes) -> Aloud:
        return read_aloud(body)

    def reply_type(self, aloud: Aloud, sound_type: str) -> str:
        return "text/event-stream; charset=utf-8" if aloud.events else sound_type

    def writer(self, aloud: Aloud, heading: Heading, head: bytes) -> SpeechWriter:
        return _EventWriter(head) if aloud.events else _SoundWriter(head)

    def write_whole(self, sound: bytes, usage: Usage, heading: Heading) -> bytes:
        raise AssertionError("in this format sound always comes in pieces")

    def _streams(self, aloud: Aloud) -> bool:
        """Say whether sound of this format and speed can come while it is made."""
        return (aloud.audio_format or DEFAULT_FORMAT) in self.streams and (self.streams_speed or aloud.speed == 1.0)

    def _written(self, aloud: Aloud, model: str, fixed: dict[str, bytes], losses: Losses, *, events: bool) -> bytes:
        for name in aloud.extra:
            losses.drop(name)
        words = {
            "model": model,
            "input": aloud.text,
            "voice": aloud.voice,
            "response_format": aloud.audio_format,
            "instructions": aloud.instructions,
            "language": aloud.language,
            "stream_format": "sse" if events else "",
        }
        for name in self.lacks & words.keys():
            if words.pop(name):
                losses.drop(name)
        return _encode({**{name: value for name, value in words.items() if value}, **_raw(fixed)})


OPENAI_SPEECH: Final = OpenAISpeech()


class _SoundWriter:
    """Implements `SpeechWriter` for sound as it is. The last byte waits for the end."""

    __slots__ = ("_held",)

    def __init__(self, head: bytes) -> None:
        self._held = head

    def write(self, sound: bytes) -> bytes:
        """Return all that there is but for the last byte."""
        out = self._held + sound[:-1]
        self._held = sound[-1:]
        return out

    def end(self, usage: Usage) -> bytes:
        return self._held

    def fail(self, error: GatewayError) -> bytes:
        return b""


class _EventWriter:
    """Implements `SpeechWriter` for events, the last of which has the usage."""

    __slots__ = ("_head",)

    def __init__(self, head: bytes) -> None:
        self._head = head

    def write(self, sound: bytes) -> bytes:
        """Return an event with the sound."""
        head, self._head = self._head, b""
        return _frame({"type": _DELTA, "audio": base64.b64encode(head + sound).decode()})

    def end(self, usage: Usage) -> bytes:
        told = {
            "input_tokens": usage.input_total,
            "output_tokens": usage.output_total,
            "total_tokens": usage.input_total + usage.output_total,
        }
        return _frame({"type": _DONE, "usage": told})

    def fail(self, error: GatewayError) -> bytes:
        return error_event(error.message, error.type, error.code, param=error.param)


def _frame(event: object) -> bytes:
    return write_frame(_encode(event))


def _raw(fixed: Mapping[str, bytes]) -> dict[str, Raw]:
    return {name: Raw(value) for name, value in fixed.items()}


class _Event(Struct):
    type: str = ""
    audio: str = ""
    usage: Raw = Raw(b"null")
    error: Raw = Raw(b"null")


class _Usage(Struct):
    input_tokens: int = 0
    output_tokens: int = 0


_decode = msgspec.json.Decoder(_Event).decode
_decode_usage = msgspec.json.Decoder(_Usage | None).decode


def _usage_of(raw: bytes) -> ReportedUsage | None:
    """Return what the vendor counted: tokens of text, and of the sound that it wrote."""
    try:
        usage = _decode_usage(raw)
    except (ValueError, RecursionError):
        return None
    if usage is None or not 0 <= usage.input_tokens <= _MOST_TOKENS or not 0 < usage.output_tokens <= _MOST_TOKENS:
        return None
    return ReportedUsage(Usage(input=usage.input_tokens, audio_out=usage.output_tokens), raw)
