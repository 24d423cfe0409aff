"""OpenAI's own SDKs have recordings written down and translated: straight at the simulated vendor, and through the
gateway.
"""

import json
import os
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from msgspec import Struct
from openai import AsyncOpenAI, OpenAI

from tests.e2e.customer import NODE
from tests.e2e.gateway import GatewayProcess
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.openai_transcription import KEY as OWN_KEY
from tests.simulators.openai_transcription import SPOKEN, TRANSLATED, WHISPER, VllmSimulator, tone
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator

FILE = ("speech.wav", tone(2.25))
SAID, IN_ENGLISH = " ".join(SPOKEN[:5]), " ".join(TRANSLATED[:5])
WHISPER_1, GPT, SPEAKERS, OWN = "whisper-1", "gpt-4o-transcribe", "gpt-4o-transcribe-diarize", "whisper-own"
SRT = "1\n00:00:00,000 --> 00:00:01,000\nHello there,\n\n"


class Place(Struct, frozen=True):
    url: str
    key: str


@pytest.fixture(scope="module")
def vendor() -> Generator[Place]:
    with ThreadedUpstream(OpenAISimulator()) as upstream:
        yield Place(upstream.url, KEY)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with (
        ThreadedUpstream(OpenAISimulator()) as upstream,
        ThreadedUpstream(VllmSimulator()) as own,
        ThreadedUpstream(DeepSeekSimulator()) as other,
    ):
        config = (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{upstream.url}"\napi_key = "{KEY}"\n'
            f'models = ["{WHISPER_1}", "{GPT}", "{SPEAKERS}"]\n'
            f'[[upstream]]\nname = "own"\nprovider = "vllm"\nbase_url = "{own.url}"\napi_key = "{OWN_KEY}"\n'
            f'models = {{ "{OWN}" = "{WHISPER}" }}\n'
            f'[[upstream]]\nname = "deepseek"\nprovider = "deepseek"\nbase_url = "{other.url}"\napi_key = "{KEY}"\n'
            'models = ["deaf"]\n[[model]]\nid = "deaf"\nkind = "transcription"\nprice = { second = "0" }\n'
            f'[[model]]\nid = "{OWN}"\nkind = "transcription"\nprice = {{ second = "0" }}\n'
        )
        with GatewayProcess(tmp_path_factory.mktemp("hearing"), config) as process:
            yield Place(f"{process.url}/v1", process.create_key("10"))


@pytest.fixture(scope="module", params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue(request.param)


@pytest.fixture
def client(place: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client:
        yield client


@pytest.fixture
def through(gateway: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", [WHISPER_1, GPT])
def test_a_recording_is_written_down(client: OpenAI, model: str) -> None:
    told = client.audio.transcriptions.create(model=model, file=FILE)

    assert told.text == SAID
    assert told.usage is not None
    assert told.usage.type == ("duration" if model == WHISPER_1 else "tokens")


def test_times_of_segments_and_words(client: OpenAI) -> None:
    told = client.audio.transcriptions.create(
        model=WHISPER_1, file=FILE, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )

    assert (told.text, told.language, told.duration) == (SAID, "english", 2.25)
    assert [(one.start, one.end) for one in told.segments or []] == [(0.0, 1.0), (1.0, 2.0), (2.0, 2.25)]
    assert [one.word for one in told.words or []] == list(SPOKEN[:5])
    assert told.usage is not None and told.usage.seconds == 3


@pytest.mark.parametrize("model", [WHISPER_1, OWN])
@pytest.mark.parametrize("shape", ["text", "srt", "vtt"])
def test_plain_shapes(through: OpenAI, model: str, shape: Literal["text", "srt", "vtt"]) -> None:
    told = through.audio.transcriptions.create(model=model, file=FILE, response_format=shape)

    expected = {"text": f"{SAID}\n", "srt": SRT, "vtt": "WEBVTT\n\n" + SRT[2:].replace(",0", ".0")}[shape]
    assert told.startswith(expected)


def test_speakers(client: OpenAI) -> None:
    told = client.audio.transcriptions.create(
        model=SPEAKERS, file=FILE, response_format="diarized_json", chunking_strategy="auto"
    )

    assert [one.speaker for one in told.segments] == ["A", "B", "A"]


def test_log_probabilities(client: OpenAI) -> None:
    told = client.audio.transcriptions.create(model=GPT, file=FILE, include=["logprobs"])

    assert told.logprobs is not None and told.logprobs[0].logprob == -0.1


def test_translations_are_english(client: OpenAI) -> None:
    with pytest.deprecated_call():  # the SDK says so of the method, whose models OpenAI will shut down
        whole = client.audio.translations.create(model=WHISPER_1, file=FILE)  # pyright: ignore[reportDeprecated] - so
        verbose = client.audio.translations.create(  # pyright: ignore[reportDeprecated] - likewise
            model=WHISPER_1, file=FILE, response_format="verbose_json"
        )

    assert whole.text == IN_ENGLISH
    assert (verbose.text, verbose.language) == (IN_ENGLISH, "english")


def test_a_stream_of_events(client: OpenAI) -> None:
    with client.audio.transcriptions.create(model=GPT, file=FILE, stream=True) as stream:
        events = list(stream)

    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == SAID
    (done,) = [event for event in events if event.type == "transcript.text.done"]
    assert done.text == SAID
    assert done.usage is not None and done.usage.total_tokens > 0


@pytest.mark.parametrize("model", [WHISPER_1, OWN])
def test_models_without_openais_events_stream_them_too(through: OpenAI, model: str) -> None:
    with through.audio.transcriptions.create(model=model, file=FILE, stream=True) as stream:
        events = list(stream)

    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == SAID
    assert events[-1].type == "transcript.text.done"


@asynccontextmanager
async def asynchronous(place: Place) -> AsyncGenerator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=place.url, api_key=place.key, max_retries=0) as client:
        yield client


async def test_the_asynchronous_client(place: Place) -> None:
    async with asynchronous(place) as client:
        told = await client.audio.transcriptions.create(model=GPT, file=FILE)
        async with await client.audio.transcriptions.create(model=GPT, file=FILE, stream=True) as stream:
            events = [event async for event in stream]

    assert told.text == SAID
    assert events[-1].type == "transcript.text.done"


def test_refusals_name_what_is_wrong(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as shape:
        client.audio.transcriptions.create(model=GPT, file=FILE, response_format="srt")
    with pytest.raises(openai.BadRequestError) as file:
        client.audio.transcriptions.create(model=WHISPER_1, file=("a.wav", b"This is no sound."))

    assert (shape.value.param, file.value.param) == ("response_format", "file")


def test_a_vendor_that_does_not_hear_is_refused_by_name(through: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        through.audio.transcriptions.create(model="deaf", file=FILE)

    assert "No upstream of 'deaf' offers /audio/transcriptions." in caught.value.message


def node(scenario: str, place: Place, model: str, folder: Path) -> Any:
    file = folder / "speech.wav"
    file.write_bytes(FILE[1])
    done = subprocess.run(
        ["node", NODE / "openai-transcription.mjs", scenario, file],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "BASE_URL": place.url, "API_KEY": place.key, "MODEL": model},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_javascript_gets_every_shape(gateway: Place, tmp_path: Path) -> None:
    told = node("shapes", gateway, WHISPER_1, tmp_path)
    words = node("words", gateway, WHISPER_1, tmp_path)

    assert told["json"] == {"text": SAID, "usage": {"type": "duration", "seconds": 3}}
    assert (told["text"], told["verbose_json"]["text"]) == (f"{SAID}\n", SAID)
    assert told["srt"].startswith(SRT) and told["vtt"].startswith("WEBVTT")
    assert [one["word"] for one in words["words"]] == list(SPOKEN[:5])


def test_javascript_translates_streams_and_is_refused(place: Place, tmp_path: Path) -> None:
    translated = node("translated", place, WHISPER_1, tmp_path)
    events = node("streamed", place, GPT, tmp_path)
    refused = node("refused", place, WHISPER_1, tmp_path)

    assert translated["text"] == IN_ENGLISH
    assert "".join(event.get("delta", "") for event in events) == events[-1]["text"] == SAID
    assert refused == {"name": "BadRequestError", "status": 400, "param": "response_format"}
