"""DashScope's own SDK has texts read aloud: straight at the simulated vendor, through the gateway, and by vendors of
OpenAI's format; and OpenAI's SDK by DashScope."""

import base64
import io
import urllib.request
import wave
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dashscope
import openai
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from dashscope.audio.qwen_tts import SpeechSynthesizer
from msgspec import Struct
from openai import OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.judges.scripts import python_of, run_python
from tests.simulators.dashscope_rules import SPEAKS
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_speech import KEY as OMNI_KEY
from tests.simulators.openai_speech import QWEN, VllmOmniSimulator, sound_of
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator

TEXT = "Hello 你好"
CHARACTERS = 10  # a Han character is two
FLASH, INSTRUCT, BY_TOKENS = "qwen3-tts-flash", "qwen3-tts-instruct-flash", "qwen-tts"
GATEWAYS = ("dashscope_native", "dashscope")
OURS = "Qwen3-TTS-12Hz-1.7B-CustomVoice"

sdk: Any = dashscope  # its own types are loose
synthesizer: Any = SpeechSynthesizer


class Place(Struct, frozen=True):
    """Where DashScope's SDK is pointed; through a gateway OpenAI's finds `v1`."""

    url: str
    v1: str
    key: str
    vendor: DashScope
    omni: VllmOmniSimulator


def _gateway(stack: ExitStack, folder: Path, vendor: DashScope, omni: str, provider: str) -> GatewayProcess:
    native = vendor.url if provider == "dashscope_native" else vendor.url.replace("/api/v1", "/compatible-mode/v1")
    openai_vendor = stack.enter_context(ThreadedUpstream(OpenAISimulator()))
    config = (
        f'[[upstream]]\nname = "dashscope"\nprovider = "{provider}"\nbase_url = "{native}"\n'
        f'api_key = "{vendor.key}"\nmodels = {list(SPEAKS)}\n'
        f'[[upstream]]\nname = "omni"\nprovider = "vllm"\nbase_url = "{omni}"\napi_key = "{OMNI_KEY}"\n'
        f'models = {{ "{OURS}" = "{QWEN}" }}\n'
        f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{openai_vendor.url}"\napi_key = "{KEY}"\n'
        'models = ["tts-1-hd"]\n'
        f'[[model]]\nid = "{OURS}"\nprice = {{ character = "0" }}\n'
        f'[[model]]\nid = "{INSTRUCT}"\nprice = {{ character = "0.0001" }}\n'
    )
    return stack.enter_context(GatewayProcess(folder, config))


@pytest.fixture(scope="module", params=["vendor", *GATEWAYS])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    simulator = VllmOmniSimulator()
    with ExitStack() as stack:
        vendor = stack.enter_context(DashScope())
        omni = stack.enter_context(ThreadedUpstream(simulator))
        if request.param == "vendor":
            yield Place(vendor.url, "", vendor.key, vendor, simulator)
            return
        gateway = _gateway(stack, tmp_path_factory.mktemp("spoken"), vendor, omni.url, request.param)
        key = gateway.create_key("1000")
        yield Place(f"{gateway.url}/api/v1", f"{gateway.url}/v1", key, vendor, simulator)


@pytest.fixture
def place(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    monkeypatch.setattr(dashscope, "base_http_api_url", opened.url)
    monkeypatch.setattr(dashscope, "api_key", opened.key)
    yield opened
    close_shared_sync_session()


@pytest.fixture
def client(place: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=place.v1, api_key=place.key, max_retries=0) as client:
        yield client


# The vendor itself has neither OpenAI's paths nor others' models.
through_gateways = pytest.mark.parametrize("opened", GATEWAYS, indirect=True)

Speak = Callable[..., Any]


@pytest.fixture(params=["SpeechSynthesizer", "MultiModalConversation"])
def speak(request: pytest.FixtureRequest, place: Place) -> Speak:
    """The SDK has two names for the same."""
    return synthesizer.call if request.param == "SpeechSynthesizer" else sdk.MultiModalConversation.call


def seconds(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        return len(file.readframes(10**9)) / 2 / 24_000


def heard(replies: Any) -> tuple[bytes, Any]:
    """Return the sound of a stream, and its last event."""
    events = list(replies)
    assert [event.status_code for event in events] == [200] * len(events), events[-1]
    pieces = [base64.b64decode(event.output["audio"]["data"]) for event in events]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    return b"".join(pieces), events[-1]


def test_a_whole_text_lies_at_an_address(speak: Speak) -> None:
    reply = speak(model=FLASH, text=TEXT, voice="Cherry", language_type="Chinese")

    assert reply.status_code == 200, reply
    assert reply.output["finish_reason"] == "stop"
    assert reply.usage["characters"] == CHARACTERS
    with urllib.request.urlopen(reply.output["audio"]["url"], timeout=10) as answer:
        assert answer.read() == sound_of({"input": TEXT}, "wav")


def test_a_stream_carries_pcm_and_ends_with_the_address(speak: Speak) -> None:
    sound, last = heard(speak(model=FLASH, text=TEXT, voice="Cherry", stream=True))

    assert sound == sound_of({"input": TEXT}, "pcm")
    assert last.output["finish_reason"] == "stop" and last.output["audio"]["url"].endswith(".wav")
    assert last.usage["characters"] == CHARACTERS


def test_instructions_reach_the_models_that_follow_them(place: Place, speak: Speak) -> None:
    reply = speak(model=INSTRUCT, text=TEXT, voice="Serena", instructions="Whisper.", optimize_instructions=True)
    refused = speak(model=FLASH, text=TEXT, voice="Serena", instructions="Whisper.")

    assert reply.status_code == 200, reply
    assert (refused.status_code, refused.code) == (400, "InvalidParameter")
    assert place.vendor.last["parameters"]["instructions"] == "Whisper."


def test_the_oldest_model_is_paid_by_tokens(speak: Speak) -> None:
    whole = speak(model=BY_TOKENS, text=TEXT, voice="Cherry")
    _, last = heard(speak(model=BY_TOKENS, text=TEXT, voice="Cherry", stream=True))

    assert whole.usage["input_tokens"] == last.usage["input_tokens"] == 2
    assert whole.usage["output_tokens"] == last.usage["output_tokens"] == 50


@pytest.mark.parametrize(("more", "status"), [({"voice": "Nobody"}, 400), ({"text": "长" * 301}, 400)])
def test_the_vendors_refusal_is_in_its_own_words(speak: Speak, more: dict[str, str], status: int) -> None:
    reply = speak(**{"model": FLASH, "text": TEXT, "voice": "Cherry", **more})

    assert (reply.status_code, reply.code) == (status, "InvalidParameter")


def test_a_stream_that_breaks_ends_with_the_error(place: Place) -> None:
    events = list(synthesizer.call(model=FLASH, text="BREAK InternalError now", voice="Cherry", stream=True))

    assert events[-1].code == "InternalError"
    assert [event.status_code for event in events[:-1]] == [200, 200]


@through_gateways
@pytest.mark.parametrize(("model", "voice"), [("tts-1-hd", "alloy"), (OURS, "Vivian")])
def test_vendors_of_openais_format_speak_whole(speak: Speak, model: str, voice: str) -> None:
    reply = speak(model=model, text=TEXT, voice=voice)

    assert reply.status_code == 200, reply
    assert reply.output["audio"]["url"] == "" and reply.output["finish_reason"] == "stop"
    assert base64.b64decode(reply.output["audio"]["data"]) == sound_of({"input": TEXT}, "wav")
    assert reply.usage["characters"] == len(TEXT)


@through_gateways
@pytest.mark.parametrize(("model", "voice"), [("tts-1-hd", "alloy"), (OURS, "Vivian")])
def test_vendors_of_openais_format_speak_in_pieces(speak: Speak, model: str, voice: str) -> None:
    sound, last = heard(speak(model=model, text=TEXT, voice=voice, stream=True))

    assert sound == sound_of({"input": TEXT}, "pcm")
    assert last.output["finish_reason"] == "stop" and last.usage["characters"] == len(TEXT)


@through_gateways
def test_an_open_model_gets_language_and_instructions(place: Place) -> None:
    reply = synthesizer.call(model=OURS, text=TEXT, voice="Vivian", language_type="Chinese", instructions="Happy.")

    assert reply.status_code == 200, reply
    assert place.omni.asked[-1] == {
        "model": QWEN,
        "input": TEXT,
        "voice": "Vivian",
        "response_format": "wav",
        "instructions": "Happy.",
        "language": "Chinese",
    }


@through_gateways
@pytest.mark.parametrize("audio_format", ["wav", "pcm"])
@pytest.mark.parametrize("model", [FLASH, BY_TOKENS])
def test_openais_sdk_hears_dashscope(client: OpenAI, place: Place, model: str, audio_format: Any) -> None:
    reply = client.audio.speech.create(
        model=model, voice="Cherry", input=TEXT, response_format=audio_format, extra_body={"language": "Chinese"}
    )

    pcm = sound_of({"input": TEXT}, "pcm")
    assert reply.response.headers["content-type"] == f"audio/{audio_format}"
    assert reply.content == pcm if audio_format == "pcm" else reply.content.endswith(pcm)
    assert place.vendor.last["input"] == {"text": TEXT, "voice": "Cherry", "language_type": "Chinese"}
    if audio_format == "wav":
        assert seconds(reply.content) == len(pcm) / 2 / 24_000


@through_gateways
def test_openais_events_are_made_of_dashscopes(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model=BY_TOKENS, voice="Cherry", input=TEXT, response_format="pcm", stream_format="sse"
    ) as reply:
        told = [line.removeprefix("data: ") for line in reply.iter_lines() if line.startswith("data: ")]

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert told[-1] == ('{"type":"speech.audio.done","usage":{"input_tokens":2,"output_tokens":50,"total_tokens":52}}')
    assert all('"type":"speech.audio.delta"' in one for one in told[:-1])


@through_gateways
def test_a_format_that_has_to_be_compressed_is_refused_and_none_is_wav(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="'response_format' must be wav or pcm"):
        client.audio.speech.create(model=FLASH, voice="Cherry", input=TEXT, response_format="mp3")
    raw = client.audio.speech.with_raw_response.create(model=FLASH, voice="Cherry", input=TEXT, speed=2)

    assert raw.headers["content-type"] == "audio/wav"
    assert raw.headers["x-tokengate-warning"] == (
        "dropped, dashscope has no such parameter: speed; added: response_format wav"
    )


@through_gateways
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_guides_sample_writes_sound(place: Place, lang: str, tmp_path: Path) -> None:
    (code,) = (code for code in python_of(f"speech.{lang}.md") if "import dashscope" in code)

    run_python(code.replace("http://127.0.0.1:8700/api/v1", place.url), tmp_path, place.key)
    said = place.vendor.last["input"]["text"]

    assert (tmp_path / "speech.pcm").read_bytes() == sound_of({"input": said}, "pcm")
