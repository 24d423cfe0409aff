"""Transcription by Whisper tiny.en on this machine, as a transport that answers in OpenAI's format.

Promises: the event loop never waits for the model, which runs in a process of its own and is loaded with the first
call; a recording whose caller has left is not heard to its end.
"""

import functools
import math
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import structs

from tokengate.core.errors import BadRequest
from tokengate.core.http import Exchange, HttpRequest, Timeouts
from tokengate.core.settings import TranscriptionEngineSettings
from tokengate.core.sse import write_frame
from tokengate.core.upload import StoredFile, Upload
from tokengate.engines.cores import free_cores
from tokengate.engines.ear import Ear, Heard, Question
from tokengate.engines.exchange import StreamExchange, WholeExchange
from tokengate.engines.extra import checked, found
from tokengate.engines.program import Crew
from tokengate.engines.state import LOADING, STOPPED, EngineState, check_ready
from tokengate.engines.weights import WHISPER, weights_path
from tokengate.engines.work import Work, Workshop

_PATH: Final = "/audio/transcriptions"
_GRANULARITIES: Final = "timestamp_granularities[]"

_encode = msgspec.json.Encoder().encode


class TranscriptionEngine:
    """Whisper behind the Transport protocol: `/audio/transcriptions`."""

    optional = True

    def __init__(self, settings: TranscriptionEngineSettings, data: Path) -> None:
        self._settings = settings
        self._data = data
        self._state = self._found()
        self._ears = Workshop[None, Ear](settings.model, self._start_ear, settings.parallel)

    @property
    def model(self) -> str:
        """The id that the model is offered under."""
        return self._settings.model

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def running(self) -> int:
        """Recordings that are heard now."""
        return self._ears.running

    @property
    def waiting(self) -> int:
        """Recordings that wait to be heard."""
        return self._ears.waiting

    async def start(self) -> None:
        """Check the weights, and return when the model can be loaded or cannot be; the state says which."""
        self._state = self._found()
        if self._state is LOADING:
            self._state = await checked(self._data, WHISPER)

    async def send(self, request: HttpRequest) -> Exchange:
        """Hear a recording. Raises BadRequest, Unavailable or UpstreamFailed."""
        check_ready(self.model, self._state)
        upload = request.upload
        if request.url != _PATH or upload is None:
            raise BadRequest(f"The local model '{self.model}' does not answer {request.url}.", param="model")
        fields = dict(upload.fields)
        question = _question(upload)
        streams = fields.get("stream") == "true"
        total_s = request.timeouts.total
        timeouts = request.timeouts if streams else Timeouts(first=total_s, between=total_s, total=total_s)
        work = self._ears.begin(functools.partial(_hear, question, upload.file, self._ears.crew), timeouts)
        if streams:
            events = _events(work)
            first = await anext(events)
            return StreamExchange(self.model, first, events, work.stop)
        heard = [one async for one in work.items()]
        verbose = fields.get("response_format") == "verbose_json"
        return WholeExchange(self.model, _encode(_verbose(heard, upload) if verbose else _plain(heard)))

    async def close(self) -> None:
        """Stop what is being heard, and end the programs."""
        self._state = STOPPED
        await self._ears.close()

    def _found(self) -> EngineState:
        return found("faster_whisper", "faster-whisper", self._data, WHISPER)

    def _start_ear(self, _: None) -> Ear:
        return Ear(weights_path(self._data, WHISPER).parent, self._settings.threads or free_cores())


def _question(upload: Upload) -> Question:
    fields = dict(upload.fields)
    temperature = fields.get("temperature")
    return Question(
        size=upload.file.size_bytes,
        words=(_GRANULARITIES, "word") in upload.fields,
        prompt=fields.get("prompt"),
        temperature=None if temperature is None else float(temperature),
    )


def _hear(question: Question, file: StoredFile, ears: Crew[None, Ear], work: Work[Heard]) -> None:
    """Put what is heard, segment by segment, and then how long all is. Raises BadRequest for what is no sound, and
    ProgramEnded."""
    with work.worker(ears, None) as ear:
        lines = ear.hear(question, file)
        first = next(lines)  # the duration, or the refusal
        for segment in lines:
            work.put(segment)
    if first.refused is not None:
        raise BadRequest(f"The file in 'file' {first.refused}.", param="file", code="invalid_file")
    work.put(first)


async def _events(work: Work[Heard]) -> AsyncGenerator[bytes, None]:
    """Yield OpenAI's events, one for each segment and one at the end."""
    heard: list[Heard] = []
    try:
        async for one in work.items():
            heard.append(one)
            if one.text is not None:
                said = one.text if len(_segments(heard)) > 1 else one.text.lstrip()
                yield write_frame(_encode({"type": "transcript.text.delta", "delta": said}))
        yield write_frame(_encode({"type": "transcript.text.done", **_plain(heard)}))
    finally:
        work.stop()


def _segments(heard: list[Heard]) -> list[Heard]:
    return [one for one in heard if one.text is not None]


def _duration_s(heard: list[Heard]) -> float:
    return next(one.duration for one in heard if one.duration is not None)


def _plain(heard: list[Heard]) -> dict[str, Any]:
    return {
        "text": "".join(one.text or "" for one in heard).lstrip(),
        "usage": {"type": "duration", "seconds": math.ceil(_duration_s(heard))},
    }


def _verbose(heard: list[Heard], upload: Upload) -> Mapping[str, Any]:
    plain = _plain(heard)
    wanted = {value for name, value in upload.fields if name == _GRANULARITIES} or {"segment"}
    told = {"task": "transcribe", "language": "english", "duration": _duration_s(heard), "text": plain["text"]}
    segments = _segments(heard)
    if "segment" in wanted:
        told["segments"] = [_segment(index, one) for index, one in enumerate(segments)]
    if "word" in wanted:
        told["words"] = [structs.asdict(word) for one in segments for word in one.words]
    return {**told, "usage": plain["usage"]}


def _segment(index: int, heard: Heard) -> dict[str, Any]:
    return {
        "id": index,
        "seek": heard.seek,
        "start": heard.start,
        "end": heard.end,
        "text": heard.text,
        "tokens": heard.tokens,
        "temperature": heard.temperature,
        "avg_logprob": heard.avg_logprob,
        "compression_ratio": heard.compression_ratio,
        "no_speech_prob": heard.no_speech_prob,
    }
