"""Recordings heard while their callers wait, by Qwen3-ASR-Flash: DashScope's own SDK asks the simulated vendor and the
gateway, and OpenAI's asks the gateway.
"""

from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dashscope
import openai
import pytest
from dashscope.api_entities.http_request import close_shared_sync_session
from msgspec import Struct
from openai import OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_transcription import tone

MODEL, SLOW, COMPATIBLE = "qwen3-asr-flash", "paraformer-v2", "asr-compatible"
SOUND = tone(2.25)
URL = "https://sounds.example/hello.wav"

sdk: Any = dashscope  # its own types are loose


class Place(Struct, frozen=True):
    """Where DashScope's SDK asks, and the vendor behind it."""

    url: str
    key: str
    vendor: DashScope
    gateway: GatewayProcess | None = None


@pytest.fixture(scope="module")
def vendor() -> Generator[Place]:
    with DashScope() as vendor:
        yield Place(vendor.url, vendor.key, vendor)


@pytest.fixture(scope="module")
def gateway(vendor: Place, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    compatible = vendor.url.replace("/api/v1", "/compatible-mode/v1")
    config = (
        f'[[upstream]]\nname = "native"\nprovider = "dashscope_native"\nbase_url = "{vendor.url}"\n'
        f'api_key = "{vendor.key}"\nmodels = ["{MODEL}", "{SLOW}"]\n'
        f'[[upstream]]\nname = "compatible"\nprovider = "dashscope"\nbase_url = "{compatible}"\n'
        f'api_key = "{vendor.key}"\nmodels = {{ {COMPATIBLE} = "{MODEL}" }}\n'
        f'[[model]]\nid = "{COMPATIBLE}"\nkind = "transcription"\nprice = {{ second = "0.01" }}\n'
    )
    with GatewayProcess(tmp_path_factory.mktemp("hearing"), config) as process:
        yield Place(f"{process.url}/api/v1", process.create_key("10"), vendor.vendor, process)


@pytest.fixture(params=["vendor", "gateway"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    place: Place = request.getfixturevalue(request.param)
    monkeypatch.setattr(dashscope, "base_http_api_url", place.url)
    monkeypatch.setattr(dashscope, "api_key", place.key)
    yield place
    close_shared_sync_session()


@pytest.fixture
def client(gateway: Place) -> Generator[OpenAI]:
    with OpenAI(base_url=gateway.url.replace("/api/v1", "/v1"), api_key=gateway.key, max_retries=0) as client:
        yield client


def balance(gateway: Place) -> Decimal:
    assert gateway.gateway is not None
    return Decimal(gateway.gateway.get("/v1/balance", gateway.key)["balance"])


def hear(audio: str, model: str = MODEL, **more: Any) -> Any:
    messages = [{"role": "system", "content": [{"text": "music"}]}, {"role": "user", "content": [{"audio": audio}]}]
    options = {"language": "zh", "enable_itn": False}
    return sdk.MultiModalConversation.call(model, messages=messages, asr_options=options, **more)


def test_a_recording_at_an_address_is_heard(place: Place) -> None:
    reply = hear(URL, result_format="message")

    assert reply.status_code == 200, reply
    (choice,) = reply.output.choices
    assert choice.message.content == [{"text": f"I heard {URL} about music"}]
    assert choice.message.annotations[0]["language"] == "zh"
    assert reply.usage["seconds"] == 4
    assert place.vendor.last["parameters"]["asr_options"] == {"language": "zh", "enable_itn": False}


def test_a_local_recording_is_uploaded_and_heard(place: Place, tmp_path: Path) -> None:
    (tmp_path / "hello.wav").write_bytes(SOUND)

    reply = hear(f"file://{tmp_path / 'hello.wav'}")

    assert reply.status_code == 200, reply
    (part,) = reply.output.choices[0].message.content
    assert part["text"].startswith("I heard oss://" if place.gateway is None else f"I heard {len(SOUND)} bytes")


def test_a_stream_comes_in_pieces_and_ends_with_the_seconds(place: Place) -> None:
    replies = list(hear(URL, stream=True, incremental_output=True))

    texts = [part["text"] for one in replies for part in one.output.choices[0].message.content]
    assert "".join(texts) == f"I heard {URL} about music"
    assert replies[-1].usage["seconds"] == 4


@pytest.mark.parametrize("stream", [False, True])
def test_silence_is_an_answer(place: Place, stream: bool) -> None:
    reply = hear("https://sounds.example/silence.wav", stream=stream)

    last = list(reply)[-1] if stream else reply
    assert last.status_code == 200, last
    assert last.output.choices[0].message.content == []


def test_the_vendors_refusal_is_told(place: Place) -> None:
    reply = hear("https://sounds.example/ERROR DataInspectionFailed")

    assert (reply.status_code, reply.code) == (400, "DataInspectionFailed")


def test_seconds_are_paid_for(gateway: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope, "base_http_api_url", gateway.url)
    monkeypatch.setattr(dashscope, "api_key", gateway.key)
    before = balance(gateway)

    hear(URL)
    whole = balance(gateway)
    list(hear(URL, stream=True))
    streamed = balance(gateway)
    close_shared_sync_session()

    assert before - whole == whole - streamed == Decimal("0.00088")


@pytest.mark.parametrize("model", [MODEL, COMPATIBLE])
def test_openais_sdk_gets_a_text(gateway: Place, client: OpenAI, model: str) -> None:
    before = balance(gateway)
    heard = client.audio.transcriptions.create(model=model, file=("a.wav", SOUND), prompt="music", language="en")
    paid = before - balance(gateway)
    text = client.audio.transcriptions.create(model=model, file=("a.wav", SOUND), response_format="text")
    events = list(client.audio.transcriptions.create(model=model, file=("a.wav", SOUND), stream=True))

    assert heard.text == f"I heard {len(SOUND)} bytes about music"
    usage: Any = heard.usage
    assert (usage.type, usage.seconds) == ("duration", 4)
    assert paid == {MODEL: Decimal("0.00088"), COMPATIBLE: Decimal("0.04")}[model]
    assert text.strip() == f"I heard {len(SOUND)} bytes"
    last = events[-1]
    assert last.type == "transcript.text.done" and last.text == f"I heard {len(SOUND)} bytes"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"response_format": "srt"}, "response_format"),
        ({"response_format": "verbose_json", "timestamp_granularities": ["word"]}, "response_format"),
        ({"model": SLOW}, "model"),
    ],
)
def test_what_it_cannot_tell_is_refused_by_name(client: OpenAI, asked: dict[str, Any], param: str) -> None:
    create: Any = client.audio.transcriptions.create
    with pytest.raises(openai.BadRequestError) as refused:
        create(**{"model": MODEL, "file": ("a.wav", SOUND), **asked})

    assert refused.value.param == param
