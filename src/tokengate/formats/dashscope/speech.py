"""Speech in DashScope's own format: multimodal generation with a model of the qwen-tts family.

A stream's events carry PCM in base64, and the last one the address of a WAV file; a whole reply has the address alone.
Both lie in `output.audio`. https://help.aliyun.com/zh/model-studio/qwen-tts-api, 2026-11
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import GatewayError, UpstreamFailed
from tokengate.core.speech import SAMPLE_BYTES, Aloud, SpeechEvent, SpeechWriter
from tokengate.core.splice import read_members
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.answers import request_id
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.errors import write_error
from tokengate.formats.dashscope.format import DASHSCOPE, STREAM_TYPE
from tokengate.formats.dashscope.models import MULTIMODAL_PATH, follows_instructions
from tokengate.formats.dashscope.parameters import Body, SpeechInput, SpeechParameters
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.requests import read_object, read_others
from tokengate.formats.dashscope.shapes import encode, is_null
from tokengate.formats.dashscope.stream_write import write_event
from tokengate.formats.dashscope.usage import read_usage, write_usage

_CONTAINERS: Final = frozenset({"wav", "pcm"})  # PCM is what comes, and a WAV file is made of it
_EMPTY: Final = Raw(b"{}")


class DashScopeSpeech(Struct, frozen=True, kw_only=True):
    """Implements `core.speech.SpeechFormat`. `stream` is how a client asks, which its headers say; `base` is before the
    service's path, where the vendor's address is that of its compatible mode."""

    stream: bool = True
    base: str = ""

    @property
    def name(self) -> str:
        return NAME

    @property
    def path(self) -> str:
        return self.base + MULTIMODAL_PATH

    def tells_usage(self, aloud: Aloud) -> bool:
        return False

    @property
    def is_bare(self) -> bool:
        return True

    @property
    def unasked(self) -> str:
        return "wav"

    def headers(self, aloud: Aloud) -> Mapping[str, str]:
        """Return what asks for a stream, which everybody is sent but the vendor's own callers who want none."""
        return DASHSCOPE.headers(stream=aloud.stream)

    def write(self, aloud: Aloud, model: str, fixed: dict[str, bytes], losses: Losses, *, events: bool) -> bytes:
        """Return the caller's bytes under the vendor's name of the model, or for a caller of another format a body in
        these words. Raises Unsupported for a format that has to be compressed."""
        if aloud.format == NAME:
            return aloud.members.replace("model", encode(model)) if aloud.model != model else aloud.members.body
        if aloud.audio_format is None:
            losses.add("response_format wav")
        elif aloud.audio_format not in _CONTAINERS:
            raise losses.refuse("response_format", f"must be wav or pcm with {losses.target}")
        if aloud.speed != 1.0:
            losses.drop("speed")
        follows = follows_instructions(model)
        if aloud.instructions and not follows:
            losses.drop("instructions")
        asked: dict[str, Any] = {
            "text": aloud.text,
            "voice": aloud.voice,
            "language_type": aloud.language or None,
            "instructions": aloud.instructions or None if follows else None,
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        return write_body(model, {**asked, **{name: Raw(raw) for name, raw in fixed.items()}}, {}, {})

    def read_event(self, data: bytes) -> SpeechEvent:
        """Read the data of one event; one that cannot be read is empty."""
        try:
            head = _decode_head(data)
            if head.code:
                return SpeechEvent(error=data)
            return _heard(head)
        except (ValueError, RecursionError):
            return SpeechEvent()

    def read_head(self, headers: Mapping[str, str]) -> ReportedUsage | None:
        return None

    def read_whole(self, body: bytes) -> SpeechEvent:
        """Read a reply that is no stream. Raises UpstreamFailed, also for an error that came with status 200."""
        try:
            head = _decode_head(body)
            if head.code or is_null(head.output):
                raise UpstreamFailed(error_message(head.message), kind="invalid")
            return _heard(head)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's speech cannot be read.", kind="invalid") from error

    def read(self, body: bytes) -> Aloud:
        """Read a client's request. Raises BadRequest."""
        wire, body_members = read_object(body, _decode_body)
        asked, input_members = read_object(wire.input, _decode_input, "input")
        raw = _EMPTY if is_null(wire.parameters) else wire.parameters
        given, parameters = read_object(raw, _decode_parameters, "parameters")
        return Aloud(
            format=NAME,
            members=read_members(body),
            model=wire.model,
            text=asked.text,
            voice=asked.voice,
            language=asked.language_type or given.language_type or "",
            instructions=asked.instructions or given.instructions or "",
            audio_format="pcm" if self.stream else "wav",
            stream=self.stream,
            extra={
                **read_others(body_members, _BODY),
                **read_others(input_members, _INPUT, "input."),
                **read_others(parameters, _PARAMETERS, "parameters."),
            },
        )

    def reply_type(self, aloud: Aloud, sound_type: str) -> str:
        return STREAM_TYPE

    def writer(self, aloud: Aloud, heading: Heading, head: bytes) -> SpeechWriter:
        return _EventWriter(heading)

    def write_whole(self, sound: bytes, usage: Usage, heading: Heading) -> bytes:
        """Return a reply with a WAV file inside it, for there is no address at which it could lie."""
        return encode(_reply(heading, "stop", sound, usage))


DASHSCOPE_SPEECH: Final = DashScopeSpeech()


class _EventWriter:
    """Implements `SpeechWriter`. Every event has whole samples; the last one comes with the usage."""

    __slots__ = ("_count", "_heading", "_left")

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._count = 0
        self._left = b""

    def write(self, sound: bytes) -> bytes:
        """Return an event with the sound, but for half a sample at its end."""
        sound = self._left + sound
        whole = len(sound) - len(sound) % SAMPLE_BYTES
        self._left = sound[whole:]
        return self._event("result", 200, encode(_reply(self._heading, "null", sound[:whole]))) if whole else b""

    def end(self, usage: Usage) -> bytes:
        return self._event("result", 200, encode(_reply(self._heading, "stop", b"", usage)))

    def fail(self, error: GatewayError) -> bytes:
        return self._event("error", error.status, write_error(error, request_id(self._heading)))

    def _event(self, kind: str, status: int, data: bytes) -> bytes:
        self._count += 1
        return write_event(self._count, kind, status, data)


def _reply(heading: Heading, finish: str, sound: bytes, usage: Usage | None = None) -> dict[str, Any]:
    audio = {
        "data": base64.b64encode(sound).decode(),
        "expires_at": 0,
        "id": f"audio_{heading.id}",
        "url": "",
    }
    reply: dict[str, Any] = {"output": {"finish_reason": finish, "audio": audio}}
    if usage is not None:
        reply["usage"] = write_usage(usage)
    return {**reply, "request_id": request_id(heading)}


class _Audio(Struct):
    data: str | None = None
    url: str | None = None


class _Output(Struct):
    audio: _Audio | None = None
    finish_reason: str | None = None


_BODY: Final = frozenset(Body.__struct_fields__)
_INPUT: Final = frozenset(SpeechInput.__struct_fields__)
_PARAMETERS: Final = frozenset(SpeechParameters.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(SpeechInput).decode
_decode_parameters = msgspec.json.Decoder(SpeechParameters).decode
_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(_Output).decode


def _heard(head: WireHead) -> SpeechEvent:
    """Return the sound of a reply or an event, or that its whole lies at an address. Raises ValueError."""
    if is_null(head.output):
        return SpeechEvent()
    output = _decode_output(head.output)
    audio = output.audio or _Audio()
    sound = binascii.a2b_base64(audio.data) if audio.data else b""
    done = output.finish_reason == "stop" or bool(audio.url)
    return SpeechEvent(sound=sound, done=done, usage=_usage_of(bytes(head.usage)) if done else None)


def _usage_of(raw: bytes) -> ReportedUsage | None:
    """Return what the vendor counted: characters, or tokens of the text and of the sound."""
    reported = read_usage(raw) if raw != b"null" else None
    if reported is None:
        return None
    counted = reported.usage
    usage = Usage(input=counted.input_total, audio_out=counted.output_total, character=counted.character)
    return ReportedUsage(usage, reported.raw)
