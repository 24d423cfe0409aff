"""Recordings heard at once in DashScope's own format: multimodal generation with Qwen3-ASR-Flash.

https://www.alibabacloud.com/help/en/model-studio/qwen-asr-api-reference, 2026-11: one `{"audio"}` in the user's
message, what the recording is about in the system's, `asr_options` among the parameters; paid by the second, which
usage counts. It tells no times.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.transcription import Task, Transcribe, Transcript, TranscriptEvent
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.models import MULTIMODAL_PATH, hears_at_once
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.shapes import is_null
from tokengate.formats.dashscope.usage import read_usage

MAX_SECONDS: Final = 300  # of one recording
_MAX_BASE64: Final = 10 * 1024 * 1024
_TEXTS: Final = ("json", "text")


class DashScopeHearing(Struct, frozen=True, kw_only=True):
    """Implements `core.transcription.TranscriptionFormat`. `base` is before the service's path, where the vendor's
    address is that of its compatible mode."""

    base: str = ""
    tasks: frozenset[Task] = frozenset({"transcribe"})

    @property
    def name(self) -> str:
        return NAME

    def path(self, task: Task) -> str:
        return self.base + MULTIMODAL_PATH

    def streams(self, question: Transcribe) -> bool:
        """Say that it is always asked for the whole, which becomes the caller's stream: recordings are short."""
        return False

    def forwards_reply(self, question: Transcribe) -> bool:
        return False

    def forwards_events(self, question: Transcribe) -> bool:
        return False

    def write(self, question: Transcribe, fixed: Mapping[str, bytes], losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported for a shape with times, and for what is too long."""
        if not hears_at_once(question.model):
            where = "ask at /api/v1/services/audio/asr/transcription"
            raise losses.refuse("model", f"hears recordings only as a task at {losses.target}: {where}")
        if question.shape not in _TEXTS:
            raise losses.refuse("response_format", f"must be json or text: {losses.target} tells no times")
        if question.granularities:
            raise losses.refuse("timestamp_granularities[]")
        if question.logprobs:
            raise losses.refuse("include[]")
        recording = question.recording
        if recording.duration_ms is not None and recording.duration_ms > MAX_SECONDS * 1000:
            raise losses.refuse("file", f"must be at most {MAX_SECONDS // 60} minutes long at {losses.target}")
        if recording.file.size_bytes > _MAX_BASE64 // 4 * 3:
            raise losses.refuse("file", f"must have at most {_MAX_BASE64} bytes in base64 at {losses.target}")
        for name in (*(["temperature"] if question.temperature is not None else []), *question.extra):
            losses.drop(name)
        sound = f"data:{recording.file.media_type};base64,{base64.b64encode(recording.file.read()).decode()}"
        messages: list[dict[str, Any]] = [{"role": "user", "content": [{"audio": sound}]}]
        if question.prompt:
            messages.insert(0, {"role": "system", "content": [{"text": question.prompt}]})
        parameters: dict[str, Any] = {
            "asr_options": {"language": question.language} if question.language else None,
            **{name: Raw(raw) for name, raw in fixed.items()},
        }
        return write_body(question.model, {"messages": messages}, parameters, {})

    def read_reply(self, body: bytes, question: Transcribe) -> Transcript:
        """Read a whole reply; one of silence has no text. Raises UpstreamFailed, also for an error that came with
        status 200."""
        try:
            head = _decode_head(body)
            if head.code or is_null(head.output):
                raise UpstreamFailed(error_message(head.message), kind="invalid")
            message = _decode_output(head.output).choices[0].message
        except (ValueError, RecursionError, IndexError) as error:
            raise UpstreamFailed("The upstream's transcription cannot be read.", kind="invalid") from error
        language = next((one.language for one in message.annotations if one.language), None)
        text = "".join(part.text for part in message.content)
        usage = None if is_null(head.usage) else read_usage(bytes(head.usage))
        return Transcript(text=text, language=language, usage=usage)

    def read_event(self, data: bytes) -> TranscriptEvent:
        raise AssertionError("it is not asked for a stream")


class _Part(Struct):
    text: str = ""


class _Annotation(Struct):
    language: str | None = None


class _Message(Struct):
    content: list[_Part] = []
    annotations: list[_Annotation] = []


class _Choice(Struct):
    message: _Message


class _Output(Struct):
    choices: list[_Choice]


_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(_Output).decode
