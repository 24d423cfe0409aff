"""The program that hears (hear.py), from the side that asks it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tokengate.core.upload import StoredFile
from tokengate.engines.program import ProgramEnded, end_program, pipe_of, start_program

_PROGRAM: Final = Path(__file__).with_name("hear.py")


class Question(Struct, frozen=True):
    """What a recording is to be heard for; its file follows."""

    size: int
    words: bool
    prompt: str | None
    temperature: float | None


class HeardWord(Struct, frozen=True):
    word: str
    start: float
    end: float


class Heard(Struct, frozen=True):
    """One line of an answer: the duration, a segment, why there is none, or the end."""

    duration: float | None = None
    text: str | None = None
    refused: str | None = None
    done: bool = False
    start: float = 0.0
    end: float = 0.0
    seek: int = 0
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 0.0
    no_speech_prob: float = 0.0
    words: tuple[HeardWord, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Heard).decode


class Ear:
    """Implements `Worker`: a model that is loaded."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Start to load. Raises ProgramEnded when Python cannot be started."""
        self._process = start_program(
            [sys.executable, "-P", "-X", "utf8", str(_PROGRAM), str(folder.resolve()), str(threads)]
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def hear(self, question: Question, file: StoredFile) -> Iterator[Heard]:
        """Yield the duration and the segments, or the refusal. Raises ProgramEnded."""
        pipe = pipe_of(self._process.stdin)
        try:
            pipe.write(_encode(question) + b"\n")
            for piece in file.pieces():
                pipe.write(piece)
            pipe.flush()
        except (OSError, ValueError) as error:  # the latter when the caller left and the file was closed
            raise ProgramEnded("Whisper broke off.") from error
        for line in pipe_of(self._process.stdout):
            try:
                heard = _decode(line)
            except msgspec.DecodeError as error:
                raise ProgramEnded("Whisper said what cannot be read.") from error
            if heard.done:
                return
            yield heard
            if heard.refused is not None:
                return
        raise ProgramEnded("Whisper broke off.")

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        end_program(self._process)
