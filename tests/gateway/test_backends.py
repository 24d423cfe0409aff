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
    UpstreamSettings,
)
from tokengate.gateway.backends import Backends
from tokengate.gateway.metrics import Metrics


def backends(data: Path, *upstreams: UpstreamSettings) -> Backends:
    chat = ChatEngineSettings(gguf=str(data / "nothing.gguf"))
    settings = Settings(
        server=ServerSettings(data=data),
        engine=EngineSettings(chat, EmbeddingEngineSettings(enabled=False)),
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


@pytest.mark.parametrize(
    ("model", "formats"),
    [("gpt-5.4", ["openai", "responses"]), ("gpt-5-pro", ["responses"]), ("gpt-5.3-codex", ["responses"])],
)
async def test_a_model_is_asked_for_in_what_its_vendor_offers(tmp_path: Path, model: str, formats: list[str]):
    openai = backends(tmp_path, UpstreamSettings("openai", "https://api.openai.com/v1", "openai", api_key="k"))

    assert list(openai.routes[model].targets[0].formats) == formats
    await openai.close()
