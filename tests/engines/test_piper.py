"""The voice, real and as a program that misbehaves: what it makes, what it refuses, and that it stops."""

import asyncio
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.engines.pretender import Pretender
from tests.engines.support import DATA, LIMIT_BYTES, read_some
from tests.support import eventually
from tokengate.core.errors import BadRequest, Unavailable, Unsupported, UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Exchange, HttpRequest, Timeouts
from tokengate.core.settings import SpeechEngineSettings
from tokengate.engines import ffmpeg, voice, weights
from tokengate.engines.piper import SpeechEngine
from tokengate.engines.sound import RATE

TEXT = "The train leaves at nine. Please be on time."
NOTHING: dict[str, str] = {}


def speech(text: Any = TEXT, sound_format: str | None = "wav", timeouts: Timeouts | None = None, **body: Any) -> Any:
    asked = {"model": "piper-joe", "input": text, "response_format": sound_format} | body
    return HttpRequest("POST", "/audio/speech", {}, json.dumps(asked).encode(), timeouts or Timeouts())


async def sound(engine: SpeechEngine, request: HttpRequest) -> bytes:
    return await (await engine.send(request)).read(LIMIT_BYTES)


@pytest.mark.parametrize(
    ("asked", "media_type", "kind"),
    [
        ("wav", "audio/wav", ("WAV", "PCM_16")),
        ("mp3", "audio/mpeg", ("MP3", "MPEG_LAYER_III")),
        (None, "audio/mpeg", ("MP3", "MPEG_LAYER_III")),
        ("flac", "audio/flac", ("FLAC", "PCM_16")),
        ("opus", "audio/opus", ("OGG", "OPUS")),
    ],
)
async def test_what_comes_out_is_what_was_asked_for(
    voice: SpeechEngine, asked: str | None, media_type: str, kind: tuple[str, str]
) -> None:
    exchange = await voice.send(speech(sound_format=asked))
    found = soundfile.info(io.BytesIO(await exchange.read(LIMIT_BYTES)))

    assert (exchange.status, exchange.headers["Content-Type"]) == (200, media_type)
    assert (found.format, found.subtype) == kind
    assert (found.samplerate, found.channels) == (RATE, 1)
    assert 1.5 < found.duration < 5


async def test_pcm_has_no_head_and_aac_begins_with_its_own(voice: SpeechEngine) -> None:
    pcm = await sound(voice, speech(sound_format="pcm"))
    aac = await sound(voice, speech(sound_format="aac"))

    assert 1.5 < len(pcm) / (2 * RATE) < 5
    assert pcm[:4] != b"RIFF"
    assert aac[0] == 0xFF
    assert aac[1] & 0xF6 == 0xF0  # the sync word of ADTS


async def test_speed_makes_it_shorter(voice: SpeechEngine) -> None:
    plain, fast = [len(await sound(voice, speech(speed=speed))) for speed in (1.0, 2.0)]

    assert 1.5 < plain / fast < 2.5


async def test_sentences_come_one_by_one(voice: SpeechEngine) -> None:
    exchange = await voice.send(speech("One. Two. Three.", "pcm"))

    assert len([piece async for piece in exchange.chunks()]) == 3


async def test_doubled_brackets_are_not_read_as_phonemes(voice: SpeechEngine) -> None:
    """Of `[[x]]` Piper itself would make two short sounds."""
    read = await sound(voice, speech("Brackets [[ around many words that are read aloud ]]", "pcm"))

    assert len(read) / (2 * RATE) > 2


@pytest.mark.parametrize("text", ["...", "🙂", "— !"])
async def test_a_text_without_words_is_refused(voice: SpeechEngine, text: str) -> None:
    with pytest.raises(BadRequest, match="nothing that can be read aloud"):
        await voice.send(speech(text))


async def test_another_operation_is_refused(voice: SpeechEngine) -> None:
    with pytest.raises(BadRequest, match="does not answer /chat/completions"):
        await voice.send(HttpRequest("POST", "/chat/completions", {}, b"{}", Timeouts()))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"input": 5}', b'{"input": "a", "speed": "fast"}'])
async def test_a_body_that_cannot_be_read_is_refused(voice: SpeechEngine, body: bytes) -> None:
    with pytest.raises(BadRequest):
        await voice.send(HttpRequest("POST", "/audio/speech", {}, body, Timeouts()))


async def engine_at(data: Path, **settings: Any) -> SpeechEngine:
    engine = SpeechEngine(SpeechEngineSettings(**settings), data)
    await engine.start()
    return engine


async def test_missing_weights_name_the_command_that_brings_them(tmp_path: Path) -> None:
    engine = await engine_at(tmp_path)

    assert engine.state.name == "missing"
    with pytest.raises(Unavailable, match="Run `tokengate models pull joe`"):
        await engine.send(speech())
    await engine.close()


async def test_altered_weights_are_not_loaded(joe: None, tmp_path: Path) -> None:
    linked_voice(tmp_path)
    onnx = weights.weights_path(tmp_path, weights.JOE)
    onnx.unlink()
    with onnx.open("wb") as file:
        file.truncate(weights.JOE.files[0].size_bytes)

    engine = await engine_at(tmp_path)

    assert engine.state.name == "failed"
    assert "digest differs" in engine.state.sentence
    await engine.close()


async def test_without_the_package_the_extra_is_named(joe: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", NOTHING.get)

    engine = await engine_at(DATA)

    assert engine.state.name == "missing"
    assert "pip install 'tokengate[speech]'" in engine.state.sentence
    await engine.close()


async def test_without_ffmpeg_what_needs_it_is_refused_by_name(joe: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokengate.engines.piper.find_ffmpeg", NOTHING.get)
    engine = await engine_at(DATA)

    for sound_format in (None, "mp3", "opus", "aac", "flac"):
        with pytest.raises(Unsupported, match=f"cannot be '{sound_format or 'mp3'}'.*Ask for wav or pcm") as refused:
            await engine.send(speech(sound_format=sound_format))
        assert refused.value.param == "response_format"
    assert len(await sound(engine, speech("Hello."))) > RATE
    await engine.close()


async def test_a_configured_ffmpeg_that_is_none_is_a_sentence(joe: None) -> None:
    engine = await engine_at(DATA, ffmpeg="/nowhere/ffmpeg")

    assert (engine.state.name, engine.state.sentence) == (
        "failed",
        "engine.speech.ffmpeg names no program: /nowhere/ffmpeg.",
    )
    await engine.close()


def linked_voice(data: Path) -> None:
    for file in weights.JOE.files:
        path = data / "models" / file.file_name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to((DATA / "models" / file.file_name).resolve())


# Writes a hundredth of a second of sound for a line, but for those that say something else.
OBEDIENT = """
import os, sys, time, wave
folder = sys.argv[sys.argv.index("--output-dir") + 1]
for number, line in enumerate(sys.stdin):
    if "die" in line:
        os._exit(3)
    if "hang" in line:
        time.sleep(600)
    path = f"{folder}/{number}.wav"
    if "lie" not in line:
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, 22050, 0, "NONE", ""))
            file.writeframes(bytes(441))
    print(f"WARNING:piper:nothing\\nINFO:__main__:Wrote {path}", file=sys.stderr, flush=True)
"""


@pytest.fixture
def pretender(monkeypatch: pytest.MonkeyPatch, joe: None) -> Pretender:
    return Pretender(monkeypatch, voice, OBEDIENT)


async def first_piece(engine: SpeechEngine, request: HttpRequest) -> Exchange:
    exchange = await engine.send(request)
    await read_some(exchange, 1)
    return exchange


async def test_one_process_reads_many_texts(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    assert pretender.processes == []  # it is loaded with the first call

    for _ in range(3):
        await sound(engine, speech())

    assert len(pretender.processes) == 1
    await engine.close()
    assert pretender.living == 0


async def test_another_speed_takes_the_place_of_an_idle_process(pretender: Pretender) -> None:
    engine = await engine_at(DATA, parallel=2)

    for speed in (1.0, 2.0, 3.0, 1.0):
        await sound(engine, speech(speed=speed))
        assert pretender.living <= 2

    await engine.close()
    assert pretender.living == 0


@pytest.mark.parametrize("sound_format", ["pcm", "mp3"])
async def test_when_nobody_listens_the_work_ends(pretender: Pretender, sound_format: str) -> None:
    engine = await engine_at(DATA)

    exchange = await first_piece(engine, speech("Word. " * 400 + "Now hang.", sound_format))
    exchange.close()
    exchange.close()

    await eventually(lambda: pretender.living == 0)
    assert len(await sound(engine, speech())) > 44  # and the next caller is answered
    await engine.close()


async def test_a_caller_who_leaves_before_the_first_sound_ends_the_work(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    waiting = asyncio.create_task(engine.send(speech("Now hang.")))
    await eventually(lambda: pretender.living == 1)

    waiting.cancel()

    await eventually(lambda: pretender.living == 0)
    await asyncio.wait([waiting])
    await engine.close()


async def test_who_waits_for_a_slot_can_leave(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    first = asyncio.create_task(engine.send(speech("Now hang.")))
    await eventually(lambda: pretender.living == 1)
    second = asyncio.create_task(engine.send(speech()))
    await eventually(lambda: engine.waiting == 1)

    second.cancel()
    await asyncio.wait([second])

    assert (engine.running, engine.waiting) == (1, 0)
    first.cancel()
    await asyncio.wait([first])
    await engine.close()


async def test_too_many_callers_are_told_to_come_again(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    waiting = [asyncio.create_task(engine.send(speech("Now hang."))) for _ in range(65)]
    await eventually(lambda: engine.waiting == 64)

    with pytest.raises(Unavailable, match="64 calls waiting"):
        await engine.send(speech())

    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    await engine.close()


@pytest.mark.parametrize(("text", "words"), [("Now die.", "Piper broke off"), ("You lie.", "Piper wrote no sound")])
async def test_a_voice_that_breaks_off_is_replaced(pretender: Pretender, text: str, words: str) -> None:
    engine = await engine_at(DATA)

    with pytest.raises(UpstreamFailed, match=words):
        await engine.send(speech(text))
    assert len(await sound(engine, speech())) > 44

    assert len(pretender.processes) == 2
    await engine.close()


async def test_a_voice_that_breaks_off_later_breaks_off_the_sound(pretender: Pretender) -> None:
    engine = await engine_at(DATA)

    exchange = await first_piece(engine, speech("Good. Now die.", "pcm"))

    with pytest.raises(UpstreamFailed, match="Piper broke off"):
        await exchange.read(LIMIT_BYTES)
    await engine.close()


async def test_a_voice_that_hangs_is_given_up_and_killed(pretender: Pretender) -> None:
    engine = await engine_at(DATA)

    with pytest.raises(UpstreamTimeout, match="first"):
        await engine.send(speech("Now hang.", timeouts=Timeouts(first=0.01)))

    await eventually(lambda: pretender.living == 0)
    await engine.close()


async def test_an_ffmpeg_that_fails_is_a_failure(pretender: Pretender, tmp_path: Path) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    os.chmod(broken, 0o755)
    engine = await engine_at(DATA, ffmpeg=str(broken))

    with pytest.raises(UpstreamFailed, match="ffmpeg"):
        await engine.send(speech(sound_format="mp3"))
    await engine.close()


async def test_closing_the_engine_ends_what_is_being_read(pretender: Pretender) -> None:
    engine = await engine_at(DATA)
    exchange = await first_piece(engine, speech("Good. Now hang.", "pcm"))

    await engine.close()

    assert pretender.living == 0
    with pytest.raises(UpstreamFailed):
        await exchange.read(LIMIT_BYTES)
    with pytest.raises(Unavailable, match="It was stopped"):
        await engine.send(speech())


def test_ffmpeg_is_what_the_configuration_names_then_the_systems_then_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    os.chmod(program, 0o755)

    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert "imageio_ffmpeg" in str(ffmpeg.find_ffmpeg(""))
    assert ffmpeg.find_ffmpeg(str(program)) == str(program)
    assert ffmpeg.find_ffmpeg("no-such-program") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.find_ffmpeg("") == str(program)
