"""Every chat model of the catalogue answers chat completions, each through its vendor's provider: also those that a
vendor offers only through Responses, only in streams, under another name, or as another model with search on.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted
from tests.simulators import anthropic_upstream, dialect_vendor, gemini_upstream, openai_vendor
from tests.simulators.anthropic_upstream import AnthropicSimulator
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.dialect_vendor import DialectSimulator, MiniMaxSimulator
from tests.simulators.gemini_upstream import GeminiUpstream
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator
from tokengate.catalog.load import load_models
from tokengate.catalog.model import Model
from tokengate.core.settings import Settings
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.providers.load import all_providers

CATALOG = load_models(Settings())
CHATS = [model for model in CATALOG.models() if model.kind == "chat"]
_SIMULATORS: dict[str, Callable[[], Any]] = {
    "openai": OpenAISimulator,
    "anthropic": AnthropicSimulator,
    "xai": lambda: DialectSimulator(dialect_vendor.XAI),
    "deepseek": DeepSeekSimulator,
    "zhipu": lambda: DialectSimulator(dialect_vendor.ZHIPU),
    "dashscope": lambda: DialectSimulator(dialect_vendor.DASHSCOPE),
    "minimax": lambda: MiniMaxSimulator(dialect_vendor.MINIMAX),
    "openai_compatible": lambda: DialectSimulator(dialect_vendor.ANY),
}
_KEYS = {"anthropic": anthropic_upstream.KEY, "google": gemini_upstream.KEY}


def provider_for(model: Model) -> str:
    """Return the provider that a key in the environment turns on for a model's vendor, else the one for any server."""
    for provider in all_providers().values():
        if model.vendor in provider.vendors and provider.key_env:
            return provider.name
    return "openai_compatible"


def offered(provider: str) -> list[Model]:
    return [model for model in CHATS if provider_for(model) == provider]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncGenerator[Hosted]:
    priced = "".join(
        f'[[model]]\nid = "{model.id}"\nprice = {{ input = "0.001", output = "0.002" }}\n'
        for model in CHATS
        if CATALOG.price_of(model.id) is None
    )
    with ExitStack() as vendors:
        config = ""
        for name, make in _SIMULATORS.items():
            simulator = make()
            simulator.models = tuple(model.upstream_id or model.id for model in offered(name))
            upstream = vendors.enter_context(ThreadedUpstream(simulator))
            models = [model.id for model in offered(name)] if name == "openai_compatible" else None
            config += _upstream(name, upstream.url, _KEYS.get(name, openai_vendor.KEY), models)
        google = vendors.enter_context(GeminiUpstream())
        google.google.models = tuple(model.upstream_id or model.id for model in offered("google"))
        config += _upstream("google", google.base_url, _KEYS["google"], None)
        async with AsyncExitStack() as stack:
            yield await stack.enter_async_context(hosted(tmp_path, config + priced, balances={"main": "1000000"}))


async def test_every_chat_model_of_the_catalogue_answers_chat_completions(gateway: Hosted) -> None:
    assert len(CHATS) > 100
    silent: dict[str, str] = {}
    for model in CHATS:
        for stream in (False, True):
            answer = await gateway.post(_asking(model, stream=stream))
            if answer.status != 200 or "Grüße" not in _said(answer.body, stream=stream):
                silent[f"{model.id}, {'streamed' if stream else 'whole'}"] = answer.body.decode()[:300]

    assert silent == {}


async def test_a_searching_model_of_the_catalogue_cites_what_it_found(gateway: Hosted) -> None:
    answer = await gateway.post({"model": "gpt-5.2-search", "messages": [{"role": "user", "content": "SEARCH"}]})

    told = answer.json["choices"][0]["message"]
    assert answer.json["model"] == "gpt-5.2-search"
    assert [one["url_citation"]["url"] for one in told["annotations"]] == ["https://pages.example/a"]


def test_every_vendor_with_a_key_has_its_simulator() -> None:
    assert {provider_for(model) for model in CHATS} == {*_SIMULATORS, "google"}


def _asking(model: Model, *, stream: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model.id, "messages": [{"role": "user", "content": "Grüße"}], "stream": stream}
    if model.id.startswith("qwen-mt"):  # a translator says nothing to whom it is not told the language
        body["translation_options"] = {"source_lang": "auto", "target_lang": "English"}
    return body


def _said(body: bytes, *, stream: bool) -> str:
    if not stream:
        return str(OPENAI_CHAT.read_reply(body))
    reader = OPENAI_CHAT.stream_reader()
    events = (*reader.feed(body), *reader.close())
    return "".join(getattr(event, "text", "") for event in events)


def _upstream(provider: str, url: str, key: str, models: list[str] | None) -> str:
    named = "" if models is None else f"models = {models}\n"
    return f'[[upstream]]\nname = "{provider}"\nprovider = "{provider}"\nbase_url = "{url}"\napi_key = "{key}"\n{named}'
