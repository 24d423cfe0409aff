"""What the backends say of themselves; how they answer is tested end to end."""

from pathlib import Path

import pytest

from tests.support import FakeClock
from tokengate.catalog.load import load_models
from tokengate.core.settings import (
    ChatEngineSettings,
    EmbeddingEngineSettings,
    EngineSettings,
    ServerSettings,
    Settings,
    SpeechEngineSettings,
    TranscriptionEngineSettings,
    UpstreamSettings,
)
from tokengate.core.settings_file import SettingsError
from tokengate.gateway.backends import Backends
from tokengate.gateway.metrics import Metrics


def backends(data: Path, *upstreams: UpstreamSettings, speech: bool = False) -> Backends:
    chat = ChatEngineSettings(gguf=str(data / "nothing.gguf"))
    settings = Settings(
        server=ServerSettings(data=data),
        engine=EngineSettings(
            chat,
            EmbeddingEngineSettings(enabled=False),
            SpeechEngineSettings(enabled=speech),
            TranscriptionEngineSettings(enabled=speech),
        ),
        upstream=list(upstreams),
    )
    return Backends(settings, load_models(settings), FakeClock(), Metrics())


async def test_a_model_is_absent_when_only_an_engine_without_weights_offers_it(tmp_path: Path):
    alone = backends(tmp_path)
    both = backends(tmp_path, UpstreamSettings("up", "http://127.0.0.1:1/v1", models=["smollm2-135m-instruct"]))
    try:
        assert alone.absent() == frozenset()  # it may yet load
        await alone.start()
        await both.start()

        assert alone.absent() == {"smollm2-135m-instruct"}
        assert both.absent() == frozenset()
    finally:
        await alone.close()
        await both.close()


async def test_a_voice_and_a_recogniser_without_weights_are_absent_and_nobody_waits_for_them(tmp_path: Path):
    both = backends(tmp_path, speech=True)
    try:
        await both.start()

        assert both.absent() == {"smollm2-135m-instruct", "piper-joe", "whisper-tiny.en"}
        assert [sentence.partition(":")[0] for sentence in both.not_ready()] == ["smollm2-135m-instruct"]
    finally:
        await both.close()


@pytest.mark.parametrize(
    ("model", "formats"),
    [("gpt-5.4", ["openai", "responses"]), ("gpt-5-pro", ["responses"]), ("gpt-5.3-codex", ["responses"])],
)
async def test_a_model_is_asked_for_in_what_its_vendor_offers(tmp_path: Path, model: str, formats: list[str]):
    openai = backends(tmp_path, UpstreamSettings("openai", "https://api.openai.com/v1", "openai", api_key="k"))

    assert list(openai.routes[model].targets[0].formats) == formats
    await openai.close()


async def test_an_upstream_without_an_address_is_where_its_provider_says(tmp_path: Path):
    deepseek = backends(tmp_path, UpstreamSettings("ours", provider="deepseek", api_key="k"))

    (state,) = [state for state in deepseek.states() if state.name == "ours"]
    assert state.address == "https://api.deepseek.com/v1"
    await deepseek.close()


async def test_an_address_is_shown_without_what_may_be_a_credential(tmp_path: Path):
    ours = backends(
        tmp_path, UpstreamSettings("ours", "https://me:hunter2@ai.example:8443/v1?key=hunter2", models=["m"])
    )

    (state,) = [state for state in ours.states() if state.name == "ours"]

    assert state.address == "https://ai.example:8443/v1"
    assert "hunter2" not in str(state)
    await ours.close()


@pytest.mark.parametrize(
    ("provider", "message"),
    [("vllm", "upstream 'ours': base_url is missing"), ("vlm", "upstream 'ours': there is no provider 'vlm'")],
)
def test_an_upstream_that_cannot_be_asked_is_named_at_the_start(tmp_path: Path, provider: str, message: str):
    with pytest.raises(SettingsError, match=message):
        backends(tmp_path, UpstreamSettings("ours", provider=provider))
