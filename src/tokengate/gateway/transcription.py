"""Transcriptions as the pipeline sees them: what a recording may cost at most, and what hearing it came to.

It is paid by the second, or by tokens: as the vendor counts them, else by the recording's own duration.
"""

from collections.abc import Callable
from typing import Final

from tokengate.catalog.tokens import estimate_tokens, prompt_bound
from tokengate.core.splice import read_members
from tokengate.core.transcription import Task
from tokengate.core.usage import ReportedUsage, Usage, UsageSource
from tokengate.formats.openai.transcription import PATHS
from tokengate.formats.openai.transcription_forms import FileFacts, TranscriptionBody, read_transcription
from tokengate.gateway.call import Call
from tokengate.gateway.count import Used
from tokengate.gateway.heard import heard
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.recording import MAX_DURATION_MS

# OpenAI hears ten tokens a second (platform.openai.com/docs/guides/realtime-costs, 2026-11), Gemini's kind up to 32.
_HEARD_PER_S: Final = 10
_HEARD_PER_S_AT_MOST: Final = 32
# People say about three words a second; a second of quick Chinese has eight characters, or some more tokens.
_SAID_PER_S_AT_MOST: Final = 16
_BESIDE_TOKENS: Final = 256
# Of a recording that does not say how long it is: speech is hardly ever stored in less, and mostly in more.
_LEAST_BYTES_PER_S: Final = 500
_TYPICAL_BYTES_PER_S: Final = 4_000


def transcription_operation(*, name: str, task: Task) -> Operation:
    """Return the operation for a task."""

    def read(body: bytes) -> Asked:
        asked = read_transcription(body, task)
        most_s = _seconds(asked.file, _LEAST_BYTES_PER_S)
        return Asked(
            members=read_members(body),
            model=asked.model,
            stream=asked.stream,
            output_cap=_SAID_PER_S_AT_MOST * most_s + _BESIDE_TOKENS,
            prompts=1,
            prompt_bound=prompt_bound(len(asked.prompt or "")) + _HEARD_PER_S_AT_MOST * most_s,
            seconds=most_s,
        )

    return Operation(
        name=name,
        path=PATHS[task],
        kinds=frozenset({"transcription"}),
        read=read,
        chat_names=False,
        prompt_estimate=lambda body: _estimate(read_transcription(body, task)),
        way=heard(task),
        uses=_used_to_hear(task),
    )


def _used_to_hear(task: Task) -> Callable[[Call, bytes, ReportedUsage | None, int], Used]:
    def uses(call: Call, body: bytes, reported: ReportedUsage | None, written: int) -> Used:
        """Return seconds or tokens, as the price has them: the vendor's where it counts such, else our own count."""
        told = reported.usage if reported is not None else Usage()
        raw = reported.raw if reported is not None else None
        file = read_transcription(body, task).file
        typical_s = told.second or _seconds(file, _TYPICAL_BYTES_PER_S)
        if not call.by_tokens:
            if told.second:
                return Used(Usage(second=told.second), UsageSource.VENDOR, raw)
            source = UsageSource.ESTIMATED if file.duration_ms is None else UsageSource.COUNTED
            return Used(Usage(second=typical_s), source, raw)
        if told.input_total + told.output_total:
            return Used(told, UsageSource.VENDOR, raw)
        return Used(Usage(audio_in=_HEARD_PER_S * typical_s, output=written), UsageSource.ESTIMATED, raw)

    return uses


def _estimate(asked: TranscriptionBody) -> int:
    return estimate_tokens(asked.prompt or "") + _HEARD_PER_S * _seconds(asked.file, _TYPICAL_BYTES_PER_S)


def _seconds(file: FileFacts, bytes_per_s: int) -> int:
    """Return how long a recording is, begun seconds as whole ones; by its size when it does not say."""
    if file.duration_ms is not None:
        return -(-file.duration_ms // 1000)
    return min(file.size_bytes // bytes_per_s + 1, MAX_DURATION_MS // 1000)


TRANSCRIPTIONS = transcription_operation(name="audio.transcriptions", task="transcribe")
TRANSLATIONS = transcription_operation(name="audio.translations", task="translate")
