"""OpenAI's own SDKs have texts read aloud: straight at the simulated vendor, and through the gateway."""

import base64
import io
import json
import wave
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec import Struct
from openai import AsyncOpenAI, OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.judges import scripts
from tests.judges.scripts import python_of, run_python
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.openai_speech import KEY as OMNI_KEY
from tests.simulators.openai_speech import QWEN, SECONDS_PER_CHARACTER, VllmOmniSimulator, usage_of
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator

TEXT = "Hello there"
TTS, MINI = "tts-1-hd", "gpt-4o-mini-tts"
OURS = "Qwen3-TTS-12Hz-1.7B-CustomVoice"


class Place(Struct, frozen=True):
    url: str
    key: str
    vendor: OpenAISimulator


@contextmanager
def place_of(kind: str, folder: Path) -> Generator[Place]:
    vendor = OpenAISimulator()
    with (
        ThreadedUpstream(vendor) as upstream,
        ThreadedUpstream(DeepSeekSimulator()) as other,
        ThreadedUpstream(VllmOmniSimulator()) as omni,
    ):
        if kind == "vendor":
            yield Place(upstream.url, KEY, vendor)
            return
        config = (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{upstream.url}"\napi_key = "{KEY}"\n'
            f'models = ["{TTS}", "{MINI}", "whisper-1"]\n'
            f'[[upstream]]\nname = "omni"\nprovider = "vllm"\nbase_url = "{omni.url}"\napi_key = "{OMNI_KEY}"\n'
            f'models = {{ "{OURS}" = "{QWEN}" }}\n'
            f'[[upstream]]\nname = "deepseek"\nprovider = "deepseek"\nbase_url = "{other.url}"\napi_key = "{KEY}"\n'
            'models = ["mute"]\n[[model]]\nid = "mute"\nkind = "speech"\nprice = { character = "0" }\n'
            f'[[model]]\nid = "{OURS}"\nprice = {{ character = "0" }}\n'
            f'[[model]]\nid = "{MINI}"\nkind = "speech"\nprice = {{ input = "4", audio_out = "80", per = "mtok" }}\n'
        )
        with GatewayProcess(folder, config) as gateway:
            yield Place(f"{gateway.url}/v1", gateway.create_key("10"), vendor)


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("speech")) as place:
        yield place


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of("gateway", tmp_path_factory.mktemp("through")) as place:
        yield place


@pytest.fixture
def client_through(through: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=through.url, api_key=through.key, max_retries=0) as client:
        yield client


def seconds(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        return file.getnframes() / file.getframerate()


def spoken_s(text: str, speed: float = 1.0) -> float:
    return pytest.approx(len(text) * SECONDS_PER_CHARACTER / speed, abs=0.001)  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("model", [TTS, MINI])
@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_text_is_read_aloud_whole(client: OpenAI, model: str, speed: float) -> None:
    reply = client.audio.speech.create(model=model, voice="alloy", input=TEXT, response_format="wav", speed=speed)

    assert reply.response.headers["content-type"] == "audio/wav"
    assert seconds(reply.content) == spoken_s(TEXT, speed)


@pytest.mark.parametrize("model", [TTS, MINI])
def test_sound_is_streamed_into_a_file(client: OpenAI, model: str, tmp_path: Path) -> None:
    file = tmp_path / "speech.wav"
    with client.audio.speech.with_streaming_response.create(
        model=model, voice={"id": "voice_1234"}, input=TEXT, response_format="wav"
    ) as reply:
        reply.stream_to_file(file)

    assert seconds(file.read_bytes()) == spoken_s(TEXT)


def test_events_carry_the_sound_and_end_with_what_it_took(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model=MINI,
        voice="coral",
        input=TEXT,
        instructions="Whisper.",
        response_format="wav",
        stream_format="sse",
    ) as reply:
        lines = [line for line in reply.iter_lines() if line]

    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert seconds(sound) == spoken_s(TEXT)
    assert events[-1] == {"type": "speech.audio.done", "usage": usage_of({"input": TEXT})}


@pytest.mark.parametrize(("audio_format", "start"), [("mp3", b"\xff\xfb"), ("pcm", b"\x00\x00")])
def test_other_formats_come_as_they_were_written(client: OpenAI, audio_format: Any, start: bytes) -> None:
    reply = client.audio.speech.create(model=TTS, voice="nova", input=TEXT, response_format=audio_format)

    assert reply.content.startswith(start)
    assert reply.response.headers["content-type"] == {"mp3": "audio/mpeg", "pcm": "audio/pcm"}[audio_format]


async def test_the_asynchronous_client_does_the_same(place: Place) -> None:
    async with (
        AsyncOpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client,
        client.audio.speech.with_streaming_response.create(
            model=TTS, voice="alloy", input=TEXT, response_format="wav"
        ) as reply,
    ):
        sound = b"".join([piece async for piece in reply.iter_bytes(1_000)])

    assert seconds(sound) == spoken_s(TEXT)


@pytest.mark.parametrize("scenario", ["whole", "streamed"])
def test_the_javascript_sdk_gets_the_same_sound(place: Place, scenario: str) -> None:
    told = scripts.run("openai-speech.mjs", scenario, url=place.url, key=place.key, model=MINI)

    assert told["type"] == "audio/wav"
    assert seconds(base64.b64decode(told["sound"])) == spoken_s(TEXT)


def test_the_javascript_sdk_is_told_what_is_wrong(through: Place) -> None:
    told = scripts.run("openai-speech.mjs", "refused", url=through.url, key=through.key, model=TTS)

    assert told == {"name": "BadRequestError", "status": 400, "param": "speed"}


def test_a_voice_that_the_vendor_does_not_have_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.speech.create(model=TTS, voice="nobody", input=TEXT)

    assert caught.value.param == "voice"


def test_a_speaker_of_qwens_says_it_in_a_language_and_a_mood(client_through: OpenAI) -> None:
    reply = client_through.audio.speech.create(
        model=OURS,
        voice="Vivian",
        input="你好，世界",
        instructions="高兴地说",
        response_format="wav",
        extra_body={"language": "Chinese"},
    )

    assert seconds(reply.content) == spoken_s("你好，世界")


def test_a_vendor_without_speech_is_refused_by_name(client_through: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client_through.audio.speech.create(model="mute", voice="alloy", input=TEXT)

    assert (caught.value.code, caught.value.param) == ("operation_not_offered", "model")
    assert "No upstream of 'mute' offers /audio/speech." in caught.value.message


def test_sound_that_the_vendor_cuts_is_never_taken_for_whole(client: OpenAI) -> None:
    with pytest.raises(openai.APIConnectionError):
        client.audio.speech.create(model=TTS, voice="alloy", input="HALF of it", response_format="wav")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_guides_samples_write_sound_and_hear_it(through: Place, lang: str, tmp_path: Path) -> None:
    codes = [code for code in python_of(f"speech.{lang}.md") if "OpenAI(" in code]

    said = [run_python(code.replace("http://127.0.0.1:8700/v1", through.url), tmp_path, through.key) for code in codes]

    assert len(said) == 2
    assert seconds((tmp_path / "speech.wav").read_bytes()) > 0
    assert said[1].startswith("Hello")
    assert "\n0.0-" in said[1]
