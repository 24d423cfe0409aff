"""Reads a text aloud, sentence by sentence: a voice makes sound, ffmpeg compresses it."""

from typing import Protocol

from msgspec import Struct

from tokengate.engines.ffmpeg import Encoder
from tokengate.engines.program import Crew
from tokengate.engines.sound import resampled, silence, wav_head
from tokengate.engines.voice import PAUSE_S, Voice
from tokengate.engines.work import Killable, Work


class Script(Struct, frozen=True):
    """What is to be read, and how. `ffmpeg` is the program for what is neither `wav` nor `pcm`."""

    sentences: list[str]
    speed: float
    sound_format: str
    ffmpeg: str | None


def read_aloud(script: Script, voices: Crew[float, Voice], work: Work[bytes]) -> None:
    """Put the file piece by piece. Raises ProgramEnded."""
    with work.worker(voices, script.speed) as voice:
        file = _file(script, work)
        work.hold(file)
        try:
            for number, sentence in enumerate(script.sentences):
                samples, rate = voice.read_aloud(sentence)
                pause = silence(PAUSE_S / script.speed) if number else b""
                file.write(pause + resampled(samples, rate))
            file.finish()
        finally:
            work.release(file)
            file.close()


class File(Killable, Protocol):
    """A file of sound that is being made. Both raise ProgramEnded when it cannot be, or nobody reads it."""

    def write(self, samples: bytes) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


def _file(script: Script, work: Work[bytes]) -> File:
    if script.ffmpeg is not None:
        return Encoder(script.ffmpeg, script.sound_format, work.put)
    return _Plain(work, wav_head() if script.sound_format == "wav" else b"")


class _Plain:
    """Implements `File`: samples as they are, after a head."""

    def __init__(self, work: Work[bytes], head: bytes) -> None:
        self._work = work
        self._head = head

    def write(self, samples: bytes) -> None:
        self._work.put(self._head + samples)
        self._head = b""

    def finish(self) -> None: ...
    def close(self) -> None: ...
    def kill(self) -> None: ...
