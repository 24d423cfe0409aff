"""Speech by a Piper voice on this machine, as a transport.

Promises: the event loop never waits for the voice, which runs in a process of its own and is loaded with the first
call; a text that nobody listens to is not read on. `wav` and `pcm` need nothing else; other formats need ffmpeg.
"""

import functools
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadRequest, Unsupported
from tokengate.core.http import Exchange, HttpRequest
from tokengate.core.settings import SpeechEngineSettings
from tokengate.core.speech import DEFAULT_FORMAT
from tokengate.engines.exchange import Headers, StreamExchange
from tokengate.engines.extra import checked, found
from tokengate.engines.ffmpeg import find_ffmpeg
from tokengate.engines.sentences import sentences
from tokengate.engines.speaking import Script, read_aloud
from tokengate.engines.state import LOADING, STOPPED, EngineState, check_ready
from tokengate.engines.voice import Voice
from tokengate.engines.weights import JOE, weights_path
from tokengate.engines.work import Workshop
from tokengate.formats.openai.refusal import refusal_of

_TYPES: Final = {
    "mp3": Headers("audio/mpeg"),
    "opus": Headers("audio/opus"),
    "aac": Headers("audio/aac"),
    "flac": Headers("audio/flac"),
    "wav": Headers("audio/wav"),
    "pcm": Headers("audio/pcm"),
}
_PLAIN: Final = frozenset({"wav", "pcm"})


class SpeechEngine:
    """A voice behind the Transport protocol: `/audio/speech`."""

    optional = True

    def __init__(self, settings: SpeechEngineSettings, data: Path) -> None:
        self._settings = settings
        self._data = data
        self._state = self._found()
        self._ffmpeg: str | None = None
        self._voices = Workshop[float, Voice](settings.model, self._start_voice, settings.parallel)

    @property
    def model(self) -> str:
        """The id that the model is offered under."""
        return self._settings.model

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def running(self) -> int:
        """Texts that are read aloud now."""
        return self._voices.running

    @property
    def waiting(self) -> int:
        """Texts that wait for the voice."""
        return self._voices.waiting

    async def start(self) -> None:
        """Check the weights, and return when the voice can be loaded or cannot be; the state says which."""
        self._state = self._found()
        if self._state is not LOADING:
            return
        self._ffmpeg = find_ffmpeg(self._settings.ffmpeg)
        if self._settings.ffmpeg and self._ffmpeg is None:
            self._state = EngineState("failed", f"engine.speech.ffmpeg names no program: {self._settings.ffmpeg}.")
            return
        self._state = await checked(self._data, JOE)

    async def send(self, request: HttpRequest) -> Exchange:
        """Read a text aloud. Raises BadRequest, Unsupported, Unavailable or UpstreamFailed."""
        check_ready(self.model, self._state)
        if request.url != "/audio/speech":
            raise BadRequest(f"The local model '{self.model}' does not answer {request.url}.", param="model")
        script = self._read(request.body)
        work = self._voices.begin(functools.partial(read_aloud, script, self._voices.crew), request.timeouts)
        pieces = work.items()
        first = await anext(pieces)
        return StreamExchange(self.model, first, pieces, work.stop, _TYPES[script.sound_format])

    async def close(self) -> None:
        """Stop what is being read, and end the programs."""
        self._state = STOPPED
        await self._voices.close()

    def _found(self) -> EngineState:
        return found("piper", "piper-tts", self._data, JOE)

    def _start_voice(self, speed: float) -> Voice:
        return Voice(weights_path(self._data, JOE), speed)

    def _read(self, body: bytes) -> Script:
        try:
            asked = _decode(body)
        except (ValueError, RecursionError) as error:
            raise refusal_of(error) from None
        sound_format = asked.response_format or DEFAULT_FORMAT
        if sound_format not in _TYPES or (sound_format not in _PLAIN and self._ffmpeg is None):
            raise Unsupported(
                self.model,
                "response_format",
                f"'response_format' cannot be '{sound_format}' with {self.model}: there is no ffmpeg where the gateway "
                "runs. Ask for wav or pcm.",
            )
        lines = sentences(asked.input)
        if not lines:
            raise BadRequest("'input' has nothing that can be read aloud.", param="input")
        return Script(lines, asked.speed or 1.0, sound_format, None if sound_format in _PLAIN else self._ffmpeg)


class _Body(Struct):
    """What is left to the engine; the rest was settled when the request was written for it."""

    input: str
    response_format: str | None = None
    speed: float | None = None


_decode = msgspec.json.Decoder(_Body).decode
