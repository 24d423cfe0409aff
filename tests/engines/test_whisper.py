"""The recogniser, real and as a program that misbehaves: what it hears, what it refuses, and that it stops."""

import asyncio
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile

from tests.engines.pretender import Pretender
from tests.engines.support import DATA, LIMIT_BYTES, read_some
from tests.support import eventually
from tokengate.core.errors import BadRequest, Unavailable, UpstreamFailed, UpstreamTimeout
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.settings import TranscriptionEngineSettings
from tokengate.core.upload import StoredFile, Upload
from tokengate.engines import ear, weights
from tokengate.engines.whisper import TranscriptionEngine

SPOKEN = (Path(__file__).parents[1] / "fixtures/local_speech/train.opus").read_bytes()
WORDS = ["the", "train", "leaves", "at", "nine", "please", "be", "on", "time", "and", "bring", "your", "ticket"]
DURATION_S = 3.86
BY_WORD, BY_SEGMENT = ("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")
VERBOSE = ("response_format", "verbose_json")


def recording(data: bytes, *fields: tuple[str, str], timeouts: Timeouts | None = None) -> HttpRequest:
    file = StoredFile("a.wav", "audio/wav", len(data), hashlib.sha256(data).hexdigest(), io.BytesIO(data))
    upload = Upload((("model", "whisper-tiny.en"), *fields), file)
    return HttpRequest("POST", "/audio/transcriptions", {}, b"", timeouts or Timeouts(), upload)


async def heard(engine: TranscriptionEngine, request: HttpRequest) -> dict[str, Any]:
    exchange = await engine.send(request)
    assert (exchange.status, exchange.headers["Content-Type"]) == (200, "application/json")
    return json.loads(await exchange.read(LIMIT_BYTES))


def words_of(text: str) -> list[str]:
    text = text.replace("9", "nine")  # as it writes numbers
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").split()


async def test_every_word_is_heard_and_the_seconds_are_counted(whisper: TranscriptionEngine) -> None:
    reply = await heard(whisper, recording(SPOKEN))

    assert set(reply) == {"text", "usage"}
    assert words_of(reply["text"]) == WORDS
    assert reply["usage"] == {"type": "duration", "seconds": 4}


async def test_segments_have_what_openai_tells_of_them(whisper: TranscriptionEngine) -> None:
    reply = await heard(whisper, recording(SPOKEN, VERBOSE))

    assert {**reply, "segments": ..., "text": ...} == {
        "task": "transcribe", "language": "english", "duration": pytest.approx(DURATION_S, abs=0.5), "text": ...,
        "segments": ..., "usage": {"type": "duration", "seconds": 4},
    }  # fmt: skip
    assert "".join(one["text"] for one in reply["segments"]).strip() == reply["text"]
    assert set(reply["segments"][0]) == {
        "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
        "no_speech_prob",
    }  # fmt: skip


async def test_words_have_times_that_go_forward(whisper: TranscriptionEngine) -> None:
    alone = await heard(whisper, recording(SPOKEN, VERBOSE, BY_WORD))
    both = await heard(whisper, recording(SPOKEN, VERBOSE, BY_WORD, BY_SEGMENT))

    times = [time for word in alone["words"] for time in (word["start"], word["end"])]
    assert words_of(" ".join(word["word"] for word in alone["words"])) == WORDS
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= alone["duration"]
    assert "segments" not in alone
    assert {"segments", "words"} <= set(both)


async def test_a_stream_says_the_same_as_a_whole_reply(whisper: TranscriptionEngine) -> None:
    whole = await heard(whisper, recording(SPOKEN))

    exchange = await whisper.send(recording(SPOKEN, ("stream", "true")))
    events = [json.loads(part.removeprefix("data: ")) for part in (await text(exchange)).split("\n\n") if part]

    assert exchange.headers["content-type"] == "text/event-stream"
    assert [event["type"] for event in events] == ["transcript.text.delta"] * (len(events) - 1) + [
        "transcript.text.done"
    ]
    assert "".join(event["delta"] for event in events[:-1]) == whole["text"]
    assert {name: events[-1][name] for name in ("text", "usage")} == whole


async def text(exchange: Any) -> str:
    return (await exchange.read(LIMIT_BYTES)).decode()


async def test_silence_says_nothing(whisper: TranscriptionEngine) -> None:
    """Whisper alone says "You" to it."""
    file = io.BytesIO()
    soundfile.write(file, numpy.zeros(16_000 * 3), 16_000, format="WAV")

    whole = await heard(whisper, recording(file.getvalue()))
    stream = await text(await whisper.send(recording(file.getvalue(), ("stream", "true"))))

    assert whole == {"text": "", "usage": {"type": "duration", "seconds": 3}}
    assert stream.count("data: ") == 1


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF" + bytes(200), SPOKEN[:60]])
async def test_what_is_no_sound_is_refused_and_the_next_is_heard(whisper: TranscriptionEngine, data: bytes) -> None:
    with pytest.raises(BadRequest, match="The file in 'file' ") as refused:
        await whisper.send(recording(data))

    assert (refused.value.param, refused.value.code) == ("file", "invalid_file")


async def test_what_is_too_long_is_refused_before_it_is_heard(whisper: TranscriptionEngine) -> None:
    file = io.BytesIO()
    soundfile.write(file, numpy.zeros(1_000 * 1_801), 1_000, format="WAV", subtype="PCM_U8")

    with pytest.raises(BadRequest, match="is longer than 30 minutes"):
        await whisper.send(recording(file.getvalue()))


async def test_another_operation_is_refused(whisper: TranscriptionEngine) -> None:
    with pytest.raises(BadRequest, match="does not answer /chat/completions"):
        await whisper.send(HttpRequest("POST", "/chat/completions", {}, b"{}", Timeouts()))


async def engine_at(data: Path, **settings: Any) -> TranscriptionEngine:
    engine = TranscriptionEngine(TranscriptionEngineSettings(**settings), data)
    await engine.start()
    return engine


async def test_missing_weights_name_the_command_that_brings_them(tmp_path: Path) -> None:
    engine = await engine_at(tmp_path)

    assert engine.state.name == "missing"
    with pytest.raises(Unavailable, match=r"Run `tokengate models pull whisper-tiny\.en`"):
        await engine.send(recording(SPOKEN))
    await engine.close()


async def test_altered_weights_are_not_loaded(whisper_weights: None, tmp_path: Path) -> None:
    for file in weights.WHISPER.files:
        path = tmp_path / "models" / file.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as altered:
            altered.truncate(file.size_bytes)

    engine = await engine_at(tmp_path)

    assert engine.state.name == "failed"
    assert "digest differs" in engine.state.sentence
    await engine.close()


# Hears one word in a file, unless the file says something else.
OBEDIENT = """
import json, os, sys, time
def tell(**told):
    print(json.dumps(told), flush=True)
while line := sys.stdin.buffer.readline():
    said = sys.stdin.buffer.read(json.loads(line)["size"]).decode()
    if "die" in said:
        os._exit(3)
    if "babble" in said:
        print("what?", flush=True)
    if "brood" in said:
        time.sleep(600)
    tell(duration=1.5)
    while "chatter" in said:
        tell(text=" word", start=0, end=1)
    tell(text=" word", start=0, end=1)
    if "hang" in said:
        time.sleep(600)
    if "break" in said:
        os._exit(3)
    tell(done=True)
"""


@pytest.fixture
def pretender(monkeypatch: pytest.MonkeyPatch, whisper_weights: None) -> Pretender:
    return Pretender(monkeypatch, ear, OBEDIENT)


async def test_one_process_hears_many_recordings(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    assert pretender.processes == []  # it is loaded with the first call

    for _ in range(3):
        assert (await heard(engine, recording(b"hello")))["text"] == "word"

    assert len(pretender.processes) == 1
    await engine.close()
    assert pretender.living == 0


@pytest.mark.parametrize("said", [b"chatter", b"hang"])
async def test_when_nobody_reads_the_work_ends(pretender: Pretender, said: bytes) -> None:
    engine = await engine_at(DATA)

    exchange = await engine.send(recording(said, ("stream", "true")))
    await read_some(exchange, 1)
    exchange.close()
    exchange.close()

    await eventually(lambda: pretender.living == 0)
    assert (await heard(engine, recording(b"hello")))["text"] == "word"
    await engine.close()


async def test_a_caller_who_leaves_a_whole_reply_ends_the_work(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    waiting = asyncio.create_task(engine.send(recording(b"hang")))
    await eventually(lambda: pretender.living == 1)

    waiting.cancel()

    await eventually(lambda: pretender.living == 0)
    await asyncio.wait([waiting])
    await engine.close()


async def test_too_many_callers_are_told_to_come_again(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    waiting = [asyncio.create_task(engine.send(recording(b"hang"))) for _ in range(65)]
    await eventually(lambda: (engine.running, engine.waiting) == (1, 64))

    with pytest.raises(Unavailable, match="64 calls waiting"):
        await engine.send(recording(b"hello"))

    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    await engine.close()


@pytest.mark.parametrize("said", [b"die", b"babble", b"break"])
async def test_a_program_that_fails_is_replaced(pretender: Pretender, said: bytes) -> None:
    engine = await engine_at(DATA)

    with pytest.raises(UpstreamFailed, match="Whisper"):
        await engine.send(recording(said))
    assert (await heard(engine, recording(b"hello")))["text"] == "word"

    assert len(pretender.processes) == 2
    await engine.close()


async def test_a_program_that_hangs_is_given_up_and_killed(pretender: Pretender) -> None:
    engine = await engine_at(DATA)

    with pytest.raises(UpstreamTimeout, match="total"):
        await engine.send(recording(b"hang", timeouts=Timeouts(total=0.01)))
    with pytest.raises(UpstreamTimeout, match="first"):
        await engine.send(recording(b"brood", ("stream", "true"), timeouts=Timeouts(first=0.01)))

    await eventually(lambda: pretender.living == 0)
    await engine.close()


async def test_a_whole_reply_may_take_long_between_two_segments(pretender: Pretender) -> None:
    engine = await engine_at(DATA)

    reply = await heard(engine, recording(b"hello", timeouts=Timeouts(first=1e-9, between=1e-9)))

    assert reply["text"] == "word"
    await engine.close()


async def test_a_file_that_was_closed_ends_the_work(pretender: Pretender) -> None:
    """As it is when the caller left before the recording was sent on."""
    engine = await engine_at(DATA)
    request = recording(b"hello")
    assert request.upload is not None
    request.upload.file.content.close()

    with pytest.raises(UpstreamFailed):
        await engine.send(request)
    await engine.close()
