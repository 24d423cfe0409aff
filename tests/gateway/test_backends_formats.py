"""In which formats a backend is asked for a model: the vendor's, as far as the catalogue's row allows."""

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


@pytest.mark.parametrize(
    ("model", "formats"),
    [("gpt-5.4", ["openai", "responses"]), ("gpt-5-pro", ["responses"]), ("gpt-5.3-codex", ["responses"])],
)
async def test_a_model_is_asked_for_in_what_its_vendor_offers(tmp_path: Path, model: str, formats: list[str]) -> None:
    settings = Settings(
        server=ServerSettings(data=tmp_path),
        upstream=[UpstreamSettings("openai", "https://api.openai.com/v1", "openai", api_key="k")],
        engine=EngineSettings(ChatEngineSettings(enabled=False), EmbeddingEngineSettings(enabled=False)),
    )
    backends = Backends(settings, load_models(settings), FakeClock(), Metrics())

    assert list(backends.routes[model].targets[0].formats) == formats
    await backends.close()
