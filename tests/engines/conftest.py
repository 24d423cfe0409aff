import asyncio
from collections.abc import Generator

import pytest

from tests.engines.support import DATA, MODEL
from tests.support import FakeClock
from tokengate.core.settings import (
    ChatEngineSettings,
    EmbeddingEngineSettings,
    SpeechEngineSettings,
    TranscriptionEngineSettings,
)
from tokengate.engines import weights
from tokengate.engines.llama import LlamaEngine
from tokengate.engines.piper import SpeechEngine
from tokengate.engines.whisper import TranscriptionEngine
from tokengate.engines.wordllama import EmbeddingEngine


@pytest.fixture(scope="session")
def smollm2() -> None:
    """The real weights, downloaded once."""
    weights.pull(DATA)


@pytest.fixture(scope="session")
def llama(smollm2: None) -> Generator[LlamaEngine, None, None]:
    """One engine for all tests: every test leaves it idle. One thread, as the tests may share their cores."""
    settings = ChatEngineSettings(model=MODEL, context=512, threads=1, parallel=2)
    engine = LlamaEngine(settings, DATA, FakeClock())
    asyncio.run(engine.start())
    assert engine.state.name == "ready", engine.state.sentence
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(scope="session")
def wordllama() -> Generator[EmbeddingEngine, None, None]:
    engine = EmbeddingEngine(EmbeddingEngineSettings())
    asyncio.run(engine.start())
    assert engine.state.name == "ready", engine.state.sentence
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(scope="session")
def joe() -> None:
    """The real voice, downloaded once."""
    weights.pull(DATA, weights.JOE)


@pytest.fixture(scope="session")
def voice(joe: None) -> Generator[SpeechEngine, None, None]:
    """One engine for all tests: every test leaves it idle."""
    engine = SpeechEngine(SpeechEngineSettings(), DATA)
    asyncio.run(engine.start())
    assert engine.state.name == "ready", engine.state.sentence
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(scope="session")
def whisper_weights() -> None:
    """The real model, downloaded once."""
    weights.pull(DATA, weights.WHISPER)


@pytest.fixture(scope="session")
def whisper(whisper_weights: None) -> Generator[TranscriptionEngine, None, None]:
    """One engine for all tests: every test leaves it idle."""
    engine = TranscriptionEngine(TranscriptionEngineSettings(threads=1), DATA)
    asyncio.run(engine.start())
    assert engine.state.name == "ready", engine.state.sentence
    yield engine
    asyncio.run(engine.close())
