"""Transcription as OpenAI shapes it, which vLLM and others copy: a form in; JSON out, or events.

https://platform.openai.com/docs/api-reference/audio/createTranscription, 2026-11. The events are
`transcript.text.delta`, `transcript.text.segment` of recordings with several speakers, and `transcript.text.done` with
the whole text and usage. vLLM has `transcription.chunk` in place of them
(vllm/entrypoints/openai/speech_to_text/protocol.py).
"""

import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.splice import Members, member
from tokengate.core.sse import write_frame
from tokengate.core.transcription import (
    TIMED,
    Granularity,
    Segment,
    Shape,
    Task,
    Transcribe,
    Transcript,
    TranscriptEvent,
    Word,
)
from tokengate.core.upload import Upload
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses
from tokengate.formats.openai.subtitles import write_srt, write_vtt
from tokengate.formats.openai.transcription_forms import NAME
from tokengate.formats.openai.transcription_usage import read_transcription_usage, write_transcription_usage

ALL_BUT_SPEAKERS: Final[frozenset[Shape]] = frozenset({"json", "text", "srt", "vtt", "verbose_json"})
TEXTS: Final[frozenset[Shape]] = frozenset({"json", "text"})
TEXTS_OR_SPEAKERS: Final[frozenset[Shape]] = frozenset({"json", "text", "diarized_json"})
TYPES: Final[Mapping[Shape, str]] = {
    "json": "application/json",
    "verbose_json": "application/json",
    "diarized_json": "application/json",
    "text": "text/plain; charset=utf-8",
    "srt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}
PATHS: Final[Mapping[Task, str]] = {"transcribe": "/audio/transcriptions", "translate": "/audio/translations"}
_JSON: Final = frozenset({"json", "verbose_json", "diarized_json"})
_CHUNKS: Final = frozenset({"transcription.chunk", "translation.chunk"})
_MOST_SECONDS: Final = 1e9

_encode = msgspec.json.Encoder().encode


def all_but_speakers(model: str) -> frozenset[Shape]:
    """Return the shapes of a backend whose models all tell times."""
    return ALL_BUT_SPEAKERS


class OpenAITranscription(Struct, frozen=True, kw_only=True):
    """Implements `core.transcription.TranscriptionFormat`. A vendor's file says in which `shapes` the answer for a
    model can be had, which times it tells, whether a model `streams`, which fields the vendor `lacks` (its words are
    the fields' names; `include[]` is refused, the others change no answer), how large a file it takes, which
    replies in JSON must be written anew for the caller (`rewrites`), and whether its events are OpenAI's."""

    tasks: frozenset[Task] = frozenset({"transcribe", "translate"})
    shapes: Callable[[str], frozenset[Shape]] = all_but_speakers
    granularities: frozenset[Granularity] = frozenset({"word", "segment"})
    streaming: Callable[[str], bool] = lambda model: True
    lacks: frozenset[str] = frozenset()
    lacks_translating: frozenset[str] = frozenset()
    stream_usage: str = ""  # the field that asks for usage at the end of a stream; empty: it comes unasked
    max_file_bytes: int | None = None
    rewrites: frozenset[Shape] = frozenset()
    has_events: bool = True

    @property
    def name(self) -> str:
        return NAME

    def path(self, task: Task) -> str:
        return PATHS[task]

    def streams(self, question: Transcribe) -> bool:
        return question.stream and self.streaming(question.model)

    def answered_in(self, question: Transcribe) -> Shape:
        """Return the shape that has all that is needed: those in JSON have usage too."""
        if question.shape in TIMED:
            return "verbose_json"
        return "diarized_json" if question.shape == "diarized_json" else "json"

    def forwards_reply(self, question: Transcribe) -> bool:
        """Say whether the backend's reply is the caller's."""
        return question.shape in _JSON and question.shape not in self.rewrites

    def forwards_events(self, question: Transcribe) -> bool:
        return self.has_events

    def write(self, question: Transcribe, fixed: Mapping[str, bytes], losses: Losses) -> Upload:
        """Return the form. Raises Unsupported for a shape, times or a size that the backend does not have."""
        self._check(question, losses)
        lacks = self.lacks | self.lacks_translating if question.task == "translate" else self.lacks
        wanted: list[tuple[str, str]] = [("model", question.model)]
        for name, value in _fields(question, self.answered_in(question)):
            if name == "include[]" and name in lacks:
                raise losses.refuse(name)
            if name in lacks:
                losses.drop(name)
            else:
                wanted.append((name, value))
        if self.streams(question):
            wanted.append(("stream", "true"))
            if self.stream_usage:
                wanted.append((self.stream_usage, "true"))
        known = {name for name, _ in wanted}
        for name, values in question.extra.items():
            if name.removesuffix("[]") in lacks:
                losses.drop(name)
            elif name not in known:
                wanted += [(name, value) for value in values]
        kept = [(name, value) for name, value in wanted if name not in fixed]
        kept += [(name, _text(value)) for name, value in fixed.items()]
        return Upload(tuple(kept), question.recording.file)

    def read_reply(self, body: bytes, question: Transcribe) -> Transcript:
        """Read a reply in JSON. Raises UpstreamFailed, also when times are wanted and it has none."""
        try:
            Members(body)  # which is what usage is put into
            reply = _decode_reply(body)
            usage = read_transcription_usage(bytes(reply.usage))
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's transcription cannot be read.", kind="invalid") from error
        duration_s = _seconds(reply.duration)
        if usage is None and duration_s:
            raw = _encode({"type": "duration", "seconds": duration_s})
            usage = ReportedUsage(Usage(second=math.ceil(duration_s)), raw)
        segments = None if reply.segments is None else tuple(map(_segment, reply.segments))
        words = None
        if reply.words is not None:
            words = tuple(Word(one.word, _within(one.start), _within(one.end)) for one in reply.words)
        if question.shape in ("srt", "vtt") and segments is None and reply.text.strip():
            raise UpstreamFailed("The upstream gave no times for its transcription.", kind="invalid")
        return Transcript(
            text=reply.text,
            language=reply.language,
            duration_s=duration_s,
            segments=segments,
            words=words,
            logprobs=None if bytes(reply.logprobs) == b"null" else reply.logprobs,
            usage=usage,
        )

    def read_event(self, data: bytes) -> TranscriptEvent:
        """Read the data of one event; one of a kind that nobody knows is empty."""
        if data.strip() == b"[DONE]":
            return TranscriptEvent(done=True)
        try:
            Members(data)
            event = _decode_event(data)
            delta = event.said()
            usage = read_transcription_usage(bytes(event.usage))
        except (ValueError, RecursionError):
            return TranscriptEvent()
        if bytes(event.error) != b"null":
            return TranscriptEvent(error=b'{"error":' + bytes(event.error) + b"}")
        match event.type:
            case "error":
                return TranscriptEvent(error=data)
            case "transcript.text.delta":
                return TranscriptEvent(delta=delta, logprobs=event.logprobs)
            case "transcript.text.segment":
                return TranscriptEvent(segment=_segment(event))
            case "transcript.text.done":
                return TranscriptEvent(done=True, text=event.text, usage=usage, logprobs=event.logprobs)
            case _ if event.object in _CHUNKS:
                return TranscriptEvent(delta=delta, usage=usage)
            case _:
                return TranscriptEvent()

    def _check(self, question: Transcribe, losses: Losses) -> None:
        shape = question.shape
        if shape not in self.shapes(question.model):
            raise losses.refuse("response_format", f"cannot be {shape} with {losses.target} for this model")
        for granularity in sorted(question.granularities - self.granularities):
            raise losses.refuse("timestamp_granularities[]", f"cannot be {granularity} with {losses.target}")
        if self.max_file_bytes is not None and question.recording.file.size_bytes > self.max_file_bytes:
            raise losses.refuse("file", f"is larger than {self.max_file_bytes} bytes, the most for {losses.target}")


OPENAI_TRANSCRIPTION: Final = OpenAITranscription()


def write_transcript(answer: Transcript, question: Transcribe, usage: Usage) -> bytes:
    """Return a whole reply in the shape that was asked for; those without usage lack it."""
    segments = answer.segments or ()
    match question.shape:
        case "text":
            return f"{answer.text}\n".encode()
        case "srt":
            return write_srt(segments).encode()
        case "vtt":
            return write_vtt(segments).encode()
        case "verbose_json":
            return _encode(_verbose(answer, question, usage))
        case "json" | "diarized_json":
            told: dict[str, Any] = {"text": answer.text}
            if answer.logprobs is not None:
                told["logprobs"] = answer.logprobs
            return _encode({**told, "usage": write_transcription_usage(usage)})


def write_delta(text: str) -> bytes:
    """Return the event with more text."""
    return write_frame(_encode({"type": "transcript.text.delta", "delta": text}))


def write_done(text: str, usage: ReportedUsage | None) -> bytes:
    """Return the event that ends a stream; usage that nobody reported is added later."""
    done: dict[str, Any] = {"type": "transcript.text.done", "text": text}
    if usage is not None:
        done["usage"] = write_transcription_usage(usage.usage)
    return write_frame(_encode(done))


def has_usage(data: bytes) -> bool:
    """Say whether a reply, or the data of an event, tells what it used."""
    return member(data, "usage") not in (None, b"null")


def with_usage(data: bytes, usage: Usage) -> bytes:
    """Return a reply, or the data of an event, that tells what it used."""
    members = Members(data)
    told = {"usage": _encode(write_transcription_usage(usage))}
    return members.edit(replace=told) if "usage" in members else members.edit(add=told)


class _Timed(Struct):
    """A segment, of a reply or of an event."""

    start: float | None = None
    end: float | None = None
    text: str = ""
    seek: int | None = None
    tokens: list[int] | None = None
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None
    speaker: str | None = None


class _Spoken(Struct):
    word: str
    start: float
    end: float


class _Reply(Struct):
    text: str
    language: str | None = None
    duration: float | str | None = None  # vLLM writes a text
    segments: list[_Timed] | None = None
    words: list[_Spoken] | None = None
    logprobs: Raw = Raw(b"null")
    usage: Raw = Raw(b"null")


class _Delta(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Delta | None = None


class _Event(_Timed):
    type: str = ""
    object: str = ""
    delta: Raw = Raw(b'""')
    choices: list[_Choice] = []
    logprobs: Raw | None = None
    usage: Raw = Raw(b"null")
    error: Raw = Raw(b"null")

    def said(self) -> str:
        """Return the text in it, of either kind of event. Raises ValueError."""
        if self.choices:
            return "".join(one.delta.content or "" for one in self.choices if one.delta is not None)
        return _decode_text(self.delta) or ""


_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_text = msgspec.json.Decoder(str | None).decode
_decode_any = msgspec.json.Decoder().decode


def _fields(question: Transcribe, shape: Shape) -> list[tuple[str, str]]:
    """Return the fields of a form but for the model and the file, under OpenAI's names."""
    asked = {"language": question.language, "prompt": question.prompt, "response_format": shape}
    fields = [(name, value) for name, value in asked.items() if value is not None]
    if question.temperature is not None:
        fields.append(("temperature", f"{question.temperature:g}"))
    fields += [("timestamp_granularities[]", one) for one in sorted(question.granularities)]
    if question.logprobs:
        fields.append(("include[]", "logprobs"))
    return fields


def _text(value: bytes) -> str:
    """Return the operator's JSON as a form has it."""
    plain = _decode_any(value)
    return plain if isinstance(plain, str) else value.decode()


def _segment(one: _Timed) -> Segment:
    return Segment(
        start_s=_within(one.start),
        end_s=_within(one.end),
        text=one.text,
        seek=one.seek or 0,
        tokens=tuple(one.tokens or ()),
        temperature=one.temperature,
        avg_logprob=one.avg_logprob,
        compression_ratio=one.compression_ratio,
        no_speech_prob=one.no_speech_prob,
        speaker=one.speaker,
    )


def _within(seconds: float | None) -> float:
    return min(max(seconds or 0.0, 0.0), _MOST_SECONDS)


def _seconds(told: float | str | None) -> float | None:
    try:
        seconds = float(told) if told is not None else 0.0
    except ValueError:
        return None
    return seconds if 0 < seconds <= _MOST_SECONDS else None


def _verbose(answer: Transcript, question: Transcribe, usage: Usage) -> dict[str, Any]:
    segments = answer.segments or ()
    measured_ms = question.recording.duration_ms
    if answer.duration_s is not None:
        duration_s = answer.duration_s
    elif measured_ms is not None:
        duration_s = measured_ms / 1000
    else:
        duration_s = segments[-1].end_s if segments else 0.0
    told: dict[str, Any] = {
        "task": question.task,
        "language": "english" if question.task == "translate" else answer.language or question.language or "und",
        "duration": duration_s,
        "text": answer.text,
    }
    if question.wants_segments:
        told["segments"] = [_written(index, one, question) for index, one in enumerate(segments)]
    if answer.words is not None and question.wants_words:
        told["words"] = [{"word": one.word, "start": one.start_s, "end": one.end_s} for one in answer.words]
    return {**told, "usage": write_transcription_usage(usage)}


def _written(index: int, segment: Segment, question: Transcribe) -> dict[str, Any]:
    ratio = segment.compression_ratio
    return {
        "id": index,
        "seek": segment.seek,
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text,
        "tokens": segment.tokens,
        "temperature": segment.temperature if segment.temperature is not None else question.temperature or 0.0,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": _compression(segment.text) if ratio is None else ratio,
        "no_speech_prob": segment.no_speech_prob,
    }


def _compression(text: str) -> float:
    """Return how far a text can be compressed, as Whisper counts it: much, where a model repeats itself.
    https://github.com/openai/whisper/blob/main/whisper/utils.py."""
    data = text.encode("utf-8", "replace")
    return len(data) / len(zlib.compress(data))
