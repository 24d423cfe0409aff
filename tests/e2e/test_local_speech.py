"""The voice beside a real gateway process, called with OpenAI's SDK: what is heard, what it costs, that it stops."""

import io
import json
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import pytest
import soundfile
from openai import APIStatusError, BadRequestError, OpenAI

from tests.e2e.customer import wait_until_ready
from tests.e2e.gateway import GatewayProcess
from tests.engines.support import DATA
from tests.support import eventually
from tokengate.engines import weights

MODEL = "piper-joe"
TEXT = "Good morning. The train leaves at nine."
ONLY_SPEECH = "".join(f"[engine.{kind}]\nenabled = false\n" for kind in ("chat", "embedding", "transcription"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[GatewayProcess, None, None]:
    folder = tmp_path_factory.mktemp("voice")
    weights.pull(DATA, weights.JOE)
    (folder / "models").symlink_to(weights.weights_path(DATA).parent)
    with GatewayProcess(folder, ONLY_SPEECH) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    return gateway.create_key()


@pytest.fixture
def client(gateway: GatewayProcess, key: str) -> Generator[OpenAI, None, None]:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=3) as client:
        yield client


Formats = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]


@pytest.mark.parametrize(
    ("sound_format", "media_type", "container"),
    [
        ("mp3", "audio/mpeg", "MP3"),
        ("opus", "audio/opus", "OGG"),
        ("flac", "audio/flac", "FLAC"),
        ("wav", "audio/wav", "WAV"),
    ],
)
def test_the_file_is_what_was_asked_for(client: OpenAI, sound_format: Formats, media_type: str, container: str) -> None:
    reply = client.audio.speech.with_raw_response.create(
        model=MODEL, voice="joe", input=TEXT, response_format=sound_format
    )

    found = soundfile.info(io.BytesIO(reply.content))
    assert reply.headers["content-type"] == media_type
    assert "x-tokengate-warning" not in reply.headers
    assert (found.format, found.samplerate, found.channels) == (container, 24_000, 1)
    assert 1.5 < found.duration < 5


def test_pcm_is_24_khz_and_aac_has_its_type(client: OpenAI) -> None:
    pcm = client.audio.speech.create(model=MODEL, voice="joe", input=TEXT, response_format="pcm").content
    aac = client.audio.speech.with_raw_response.create(model=MODEL, voice="joe", input=TEXT, response_format="aac")

    assert 1.5 < len(pcm) / 48_000 < 5
    assert (aac.headers["content-type"], aac.content[0]) == ("audio/aac", 0xFF)


def test_every_character_is_billed(gateway: GatewayProcess, key: str, client: OpenAI) -> None:
    reply = client.audio.speech.with_raw_response.create(model=MODEL, voice="alloy", input=TEXT)

    bill = gateway.get(f"/v1/usage/{reply.headers['x-request-id']}", key)
    assert "voice" in reply.headers["x-tokengate-warning"]
    assert (bill["cost"], bill["usage_source"]) == (f"0.{len(TEXT):06}", "counted")
    assert bill["bill"]["lines"][0]["word"] == "character"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"voice": "somebody"}, "voice"),
        ({"input": "你好"}, "input"),
        ({"input": "..."}, "input"),
        ({"instructions": "Whisper."}, "instructions"),
        ({"extra_body": {"language": "German"}}, "language"),
        ({"stream_format": "sse"}, "stream_format"),
    ],
)
def test_what_the_voice_cannot_do_is_refused_and_free(
    gateway: GatewayProcess, key: str, client: OpenAI, wrong: dict[str, Any], param: str
) -> None:
    before = gateway.get("/v1/balance", key)["balance"]

    asked: Any = {"model": MODEL, "voice": "joe", "input": TEXT, **wrong}

    with pytest.raises(BadRequestError) as refused:
        client.audio.speech.create(**asked)

    assert refused.value.param == param
    assert gateway.get("/v1/balance", key)["balance"] == before


async def test_a_caller_who_leaves_ends_the_work(gateway: GatewayProcess, client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model=MODEL, voice="joe", input="This sentence is one of very many. " * 100, response_format="mp3"
    ) as reply:
        next(reply.iter_bytes(1_000))
        assert len(gateway.programs) == 2  # the voice and ffmpeg

    await eventually(lambda: not gateway.programs)


def test_another_kind_of_call_is_refused(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as refused:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hello"}])

    assert refused.value.status_code == 400


def test_the_voice_is_ready_before_it_is_loaded_and_ends_with_the_gateway(tmp_path: Path) -> None:
    weights.pull(DATA, weights.JOE)
    (tmp_path / "models").symlink_to(weights.weights_path(DATA).parent)
    gateway = GatewayProcess(tmp_path, ONLY_SPEECH)
    with gateway:
        key = gateway.create_key()
        wait_until_ready(gateway)
        assert not gateway.programs

        body = json.dumps({"model": MODEL, "voice": "joe", "input": TEXT, "response_format": "pcm"}).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{gateway.url}/v1/audio/speech", body, headers)) as reply:
            assert len(reply.read()) > 48_000
        (voice,) = gateway.programs

        assert gateway.stop() == 0
    assert not Path(f"/proc/{voice}").exists()


def test_without_its_weights_the_voice_is_not_listed_and_says_what_to_run(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path, ONLY_SPEECH) as gateway:
        key = gateway.create_key()
        listed = [model["id"] for model in gateway.get("/v1/models", key)["data"]]
        with (
            OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as client,
            pytest.raises(APIStatusError) as refused,
        ):
            client.audio.speech.create(model=MODEL, voice="joe", input=TEXT)

    assert MODEL not in listed
    assert refused.value.status_code == 503
    assert "tokengate models pull joe" in refused.value.message
