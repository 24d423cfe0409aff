"""The recogniser beside a real gateway process, called with OpenAI's SDK; and what it hears of the voice."""

import io
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from openai import APIStatusError, BadRequestError, OpenAI

from bench.speech import SENTENCES, word_errors, words_of
from tests.e2e.customer import wait_until_ready
from tests.e2e.gateway import GatewayProcess
from tests.engines.support import DATA
from tests.support import eventually
from tokengate.engines import weights

MODEL = "whisper-tiny.en"
SPOKEN = Path(__file__).parents[1] / "fixtures/local_speech/train.opus"
WORDS = words_of("The train leaves at nine. Please be on time, and bring your ticket.")
SPEECH = "[engine.chat]\nenabled = false\n[engine.embedding]\nenabled = false\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[GatewayProcess, None, None]:
    folder = tmp_path_factory.mktemp("ear")
    for wanted in (weights.JOE, weights.WHISPER):
        weights.pull(DATA, wanted)
    (folder / "models").symlink_to(DATA / "models")
    with GatewayProcess(folder, SPEECH) as gateway:
        wait_until_ready(gateway)
        yield gateway


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    return gateway.create_key()


@pytest.fixture
def client(gateway: GatewayProcess, key: str) -> Generator[OpenAI, None, None]:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as client:
        yield client


def test_json_has_the_words_and_every_second_is_billed(gateway: GatewayProcess, key: str, client: OpenAI) -> None:
    reply = client.audio.transcriptions.with_raw_response.create(model=MODEL, file=SPOKEN, language="en")

    told = reply.parse()
    bill = gateway.get(f"/v1/usage/{reply.headers['x-request-id']}", key)
    assert words_of(told.text) == WORDS
    assert told.usage is not None
    assert told.usage.to_dict() == {"type": "duration", "seconds": 4}
    assert (bill["cost"], bill["bill"]["lines"][0]["word"]) == ("0.00004", "second")


def test_text_is_the_text_alone(client: OpenAI) -> None:
    assert words_of(client.audio.transcriptions.create(model=MODEL, file=SPOKEN, response_format="text")) == WORDS


def test_subtitles_have_the_times(client: OpenAI) -> None:
    srt = client.audio.transcriptions.create(model=MODEL, file=SPOKEN, response_format="srt")
    vtt = client.audio.transcriptions.create(model=MODEL, file=SPOKEN, response_format="vtt")

    assert srt.startswith("1\n00:00:00,")
    assert vtt.startswith("WEBVTT\n\n00:00")
    assert "train" in srt
    assert "train" in vtt


def test_verbose_json_has_segments_and_words_with_times(client: OpenAI) -> None:
    told = client.audio.transcriptions.create(
        model=MODEL, file=SPOKEN, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )

    assert (told.language, round(float(told.duration), 1)) == ("english", 3.9)
    assert told.segments
    assert told.words
    assert words_of(" ".join(word.word for word in told.words)) == WORDS
    times = [time for word in told.words for time in (word.start, word.end)]
    assert times == sorted(times)


def test_a_stream_is_segment_by_segment(client: OpenAI) -> None:
    with client.audio.transcriptions.create(model=MODEL, file=SPOKEN, stream=True) as stream:
        events = list(stream)

    said = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == said
    assert words_of(said) == WORDS


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"language": "zh"}, "language"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"include": ["logprobs"]}, "include[]"),
        ({"file": ("a.wav", b"no sound")}, "file"),
    ],
)
def test_what_it_cannot_do_is_refused_and_free(
    gateway: GatewayProcess, key: str, client: OpenAI, wrong: dict[str, Any], param: str
) -> None:
    before = gateway.get("/v1/balance", key)["balance"]
    asked: Any = {"model": MODEL, "file": SPOKEN, **wrong}

    with pytest.raises(BadRequestError) as refused:
        client.audio.transcriptions.create(**asked)

    assert refused.value.param == param
    assert gateway.get("/v1/balance", key)["balance"] == before


def test_a_translation_is_refused(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as refused, SPOKEN.open("rb") as file:
        form: Any = {"headers": {"Content-Type": "multipart/form-data"}}
        client.post("/audio/translations", body={"model": MODEL}, files={"file": file}, options=form, cast_to=object)

    assert (refused.value.status_code, refused.value.code) == (400, "operation_not_offered")


async def test_a_caller_who_leaves_ends_the_work(gateway: GatewayProcess, client: OpenAI) -> None:
    client.audio.transcriptions.create(model=MODEL, file=SPOKEN)
    (ear,) = [one for one in gateway.programs if "hear.py" in Path(f"/proc/{one}/cmdline").read_text()]
    sound, rate = soundfile.read(SPOKEN)
    long = io.BytesIO()
    soundfile.write(long, numpy.tile(sound, 12), rate, format="WAV")

    with client.audio.transcriptions.create(model=MODEL, file=("a.wav", long.getvalue()), stream=True) as stream:
        next(iter(stream))

    await eventually(lambda: ear not in gateway.programs)


def test_what_the_voice_says_is_heard(client: OpenAI) -> None:
    """The bench says how well, over all sentences; a voice never says a sentence twice in the same way."""
    said = SENTENCES.read_text().splitlines()[:5]

    heard: list[str] = []
    for sentence in said:
        sound = client.audio.speech.create(model="piper-joe", voice="joe", input=sentence).content
        heard += words_of(client.audio.transcriptions.create(model=MODEL, file=("a.mp3", sound)).text)

    words = words_of(" ".join(said))
    assert word_errors(words, heard) <= len(words) / 5
