"""Whisper as a program: the engine runs this file with Python, in a process of its own, and never imports it.

faster-whisper and what decodes the recordings take half a gigabyte and whole cores; here they can be killed at any
moment, and a recording that breaks a decoder breaks only this.

    python hear.py FOLDER THREADS

One question after the other comes on standard input: a line of JSON, `{"size": bytes, "words": bool, "prompt": text or
null, "temperature": number or null}`, and then the bytes of the file. The answer is lines of JSON on standard output:
`{"duration": seconds}`, one line for each segment, and `{"done": true}`; or `{"refused": why}`.
"""

import io
import json
import sys
from typing import Any

import av
import numpy
from av.error import FFmpegError
from faster_whisper import WhisperModel

_RATE = 16_000  # what Whisper hears
_MAX_S = 1_800  # a recording is decoded whole, and takes up to 20 MB a minute while it is heard
_BEAMS = 5  # as Whisper's own command does
_TEMPERATURES = (0.0, 0.4, 0.8)  # each is tried when the one before repeats itself; Whisper's own command tries six
_TRIES = 2  # at each of them but the first


class Refused(Exception):
    """The recording cannot be heard; the message ends a sentence."""


def main() -> None:
    """Answer until the questions end."""
    folder, threads = sys.argv[1:]
    model: Any = WhisperModel(
        folder, device="cpu", compute_type="int8", cpu_threads=int(threads), local_files_only=True
    )
    while line := sys.stdin.buffer.readline():
        question = json.loads(line)
        recording = sys.stdin.buffer.read(question["size"])
        try:
            sound = _decoded(recording)
        except Refused as refusal:
            _tell(refused=str(refusal))
            continue
        _tell(duration=len(sound) / _RATE)
        _hear(model, sound, question)
        _tell(done=True)


def _hear(model: Any, sound: Any, question: dict[str, Any]) -> None:
    temperature = question["temperature"]
    segments, _ = model.transcribe(
        sound,
        language="en",
        beam_size=_BEAMS,
        initial_prompt=question["prompt"],
        word_timestamps=question["words"],
        vad_filter=True,  # of silence it would make words
        temperature=_TEMPERATURES if temperature is None else temperature,
        best_of=_TRIES,
    )
    for one in segments:
        _tell(
            start=_rounded(one.start),
            end=_rounded(one.end),
            text=one.text,
            seek=one.seek,
            tokens=one.tokens,
            temperature=one.temperature,
            avg_logprob=float(one.avg_logprob),
            compression_ratio=float(one.compression_ratio),
            no_speech_prob=float(one.no_speech_prob),
            words=[
                {"word": word.word.strip(), "start": _rounded(word.start), "end": _rounded(word.end)}
                for word in one.words or ()
            ],
        )


def _decoded(recording: bytes) -> Any:
    """Return the samples. Raises Refused."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    pieces: list[Any] = []
    samples = 0
    try:
        with av.open(io.BytesIO(recording), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise Refused("has no sound in it")
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    piece = part.to_ndarray().reshape(-1)
                    pieces.append(piece)
                    samples += len(piece)
                if samples > _RATE * _MAX_S:
                    raise Refused(f"is longer than {_MAX_S // 60} minutes, the most that the local model hears")
        pieces += [part.to_ndarray().reshape(-1) for part in resampler.resample(None)]
    except (FFmpegError, ValueError) as error:
        if not samples:
            raise Refused("cannot be decoded as sound") from error
    if not samples:
        raise Refused("has no sound in it")
    return numpy.concatenate(pieces).astype(numpy.float32) / 32_768


def _rounded(seconds: Any) -> float:
    return round(float(seconds), 2)


def _tell(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
