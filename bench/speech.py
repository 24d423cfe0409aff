"""The local voice reads sentences, and the local recogniser hears them: how many words are wrong, how fast both are.

    python -m bench.speech
    python -m bench.speech --data /var/lib/tokengate --sentences 10 --speed 1.5 --show

It needs `tokengate[speech]`, and `tokengate models pull joe whisper-tiny.en`. The real-time factor is the time that
the work takes, divided by the duration of the sound; loading is apart. Figures of a busy machine say little.
"""

import argparse
import asyncio
import hashlib
import io
import json
import re
import sys
import time
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.settings import SpeechEngineSettings, TranscriptionEngineSettings
from tokengate.core.upload import StoredFile, Upload
from tokengate.engines.piper import SpeechEngine
from tokengate.engines.whisper import TranscriptionEngine

SENTENCES = Path(__file__).with_name("sentences.txt")
_MOST_BYTES = 100_000_000
_RATE_BYTES = 48_000  # a second of the voice's pcm
_WAV_HEAD_BYTES = 44
# Whisper writes small numbers as digits.
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Heard(Struct, frozen=True):
    """One sentence: what was read, what was heard, and how long each took."""

    said: str
    heard: str
    sound_s: float
    reading_s: float
    hearing_s: float

    @property
    def errors(self) -> int:
        return word_errors(words_of(self.said), words_of(self.heard))


class Report(Struct, frozen=True):
    """All sentences, and what the first call of each took, which loads."""

    sentences: list[Heard]
    voice_load_s: float
    recogniser_load_s: float

    @property
    def words(self) -> int:
        return sum(len(words_of(one.said)) for one in self.sentences)

    @property
    def errors(self) -> int:
        return sum(one.errors for one in self.sentences)

    @property
    def sound_s(self) -> float:
        return sum(one.sound_s for one in self.sentences)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.speech", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data folder with the weights")
    parser.add_argument("--sentences", type=int, default=30, help="how many, from the first")
    parser.add_argument("--speed", type=float, default=1.0, help="of the voice")
    parser.add_argument("--show", action="store_true", help="print each sentence with a wrong word")
    options = parser.parse_args()
    console = Console(highlight=False)
    try:
        report = asyncio.run(
            measure(options.data, SENTENCES.read_text().splitlines()[: options.sentences], options.speed)
        )
    except NotReady as error:
        console.print(str(error), style="red", markup=False)
        return 1
    for one in report.sentences if options.show else ():
        if one.errors:
            console.print(f"{one.errors}  said:  {one.said}\n   heard: {one.heard}", markup=False)
    console.print("\n".join(lines_of(report)), markup=False)
    return 0


class NotReady(Exception):
    """A model is not there; the message says what to do."""


def lines_of(report: Report) -> list[str]:
    """Return the figures."""
    reading = sum(one.reading_s for one in report.sentences) / report.sound_s
    hearing = sum(one.hearing_s for one in report.sentences) / report.sound_s
    return [
        f"{len(report.sentences)} sentences, {report.words} words, {report.sound_s:.1f} s of sound",
        f"word error rate  {report.errors / report.words:.1%} ({report.errors} of {report.words})",
        f"voice            real-time factor {reading:.2f}, loaded in {report.voice_load_s:.1f} s",
        f"recogniser       real-time factor {hearing:.2f}, loaded in {report.recogniser_load_s:.1f} s",
    ]


async def measure(data: Path, sentences: list[str], speed: float) -> Report:
    """Read and hear each sentence. Raises NotReady."""
    voice, recogniser = (
        SpeechEngine(SpeechEngineSettings(), data),
        TranscriptionEngine(TranscriptionEngineSettings(), data),
    )
    try:
        for engine in (voice, recogniser):
            await engine.start()
            if engine.state.name != "ready":
                raise NotReady(engine.state.sentence)
        began_s = time.perf_counter()
        greeting = await _read(voice, "Hello.", speed)
        loaded_s = time.perf_counter()
        await _hear(recogniser, greeting)
        heard_s = time.perf_counter()
        found = [await _one(voice, recogniser, sentence, speed) for sentence in sentences]
        return Report(found, loaded_s - began_s, heard_s - loaded_s)
    finally:
        await voice.close()
        await recogniser.close()


async def _one(voice: SpeechEngine, recogniser: TranscriptionEngine, sentence: str, speed: float) -> Heard:
    began_s = time.perf_counter()
    sound = await _read(voice, sentence, speed)
    read_s = time.perf_counter()
    text = await _hear(recogniser, sound)
    heard_s = time.perf_counter()
    return Heard(sentence, text, (len(sound) - _WAV_HEAD_BYTES) / _RATE_BYTES, read_s - began_s, heard_s - read_s)


async def _read(voice: SpeechEngine, text: str, speed: float) -> bytes:
    body = json.dumps({"input": text, "response_format": "wav", "speed": speed}).encode()
    exchange = await voice.send(HttpRequest("POST", "/audio/speech", {}, body, Timeouts()))
    return await exchange.read(_MOST_BYTES)


async def _hear(recogniser: TranscriptionEngine, sound: bytes) -> str:
    file = StoredFile("a.wav", "audio/wav", len(sound), hashlib.sha256(sound).hexdigest(), io.BytesIO(sound))
    request = HttpRequest("POST", "/audio/transcriptions", {}, b"", Timeouts(), Upload((), file))
    exchange = await recogniser.send(request)
    return json.loads(await exchange.read(_MOST_BYTES))["text"]


def words_of(text: str) -> list[str]:
    """Return the words as they are compared: small letters, no signs, digits as words."""
    spelt = re.sub(r"\b\d\b", lambda found: _NUMBERS[int(found[0])], text.lower())
    return re.findall(r"[a-z0-9']+", spelt)


def word_errors(said: list[str], heard: list[str]) -> int:
    """Return how many words are wrong, missing or too many, at least (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        previous, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            previous, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, previous + (word != other))
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
