"""The simulated vendors behind one gateway, and what must be said to each so that it does a certain thing.

A test that says the same through every vendor compares what its own SDK makes of the answers.
"""

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators import anthropic_upstream
from tests.simulators.anthropic_upstream import AnthropicSimulator
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.gemini_upstream import KEY as GEMINI_KEY
from tests.simulators.gemini_upstream import GeminiUpstream
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel


Address = tuple[str, str]  # base URL and key


class Backend(Struct, frozen=True):
    """One simulated vendor. Models are the gateway's names; the texts are what its simulator acts upon;
    `simulated` opens it."""

    name: str
    text_model: str
    image_model: str  # empty when it sees nothing
    thinking_model: str  # empty when it does not show its thinking
    weather: Callable[[list[str]], str]  # makes it ask for the weather in these places
    place: str  # the name of the argument
    provider: str
    models: dict[str, str]  # ours to theirs
    simulated: Callable[[], AbstractContextManager[Address]]
    keeps_schemas: bool = True
    formats: tuple[str, ...] = ()  # in which the vendor offers its models; empty: all it speaks


@contextmanager
def _dashscope() -> Generator[Address]:
    with DashScope() as vendor:
        yield vendor.url, vendor.key


@contextmanager
def _anthropic() -> Generator[Address]:
    with ThreadedUpstream(AnthropicSimulator()) as vendor:
        yield anthropic_upstream.address(vendor), anthropic_upstream.KEY


@contextmanager
def _google() -> Generator[Address]:
    with GeminiUpstream() as vendor:
        yield vendor.base_url, GEMINI_KEY


def _openai_like(simulator: type[OpenAISimulator]) -> Callable[[], AbstractContextManager[Address]]:
    @contextmanager
    def opened() -> Generator[Address]:
        with ThreadedUpstream(simulator()) as vendor:
            yield vendor.url, simulator.key

    return opened


DASHSCOPE = Backend(
    name="dashscope",
    text_model="dashscope-text",
    image_model="dashscope-image",
    thinking_model="dashscope-text",
    weather=lambda places: "weather in " + " and ".join(places),
    place="location",
    provider="dashscope_native",
    models={"dashscope-text": "qwen-plus", "dashscope-image": "qwen-vl-max"},
    simulated=_dashscope,
)
ANTHROPIC = Backend(
    name="anthropic",
    text_model="anthropic-text",
    image_model="anthropic-text",
    thinking_model="anthropic-thinking",
    weather=lambda places: " ".join(f'get_weather({{"city": "{place}"}})' for place in places),
    place="city",
    provider="anthropic",
    models={"anthropic-text": "claude-sonnet-4-5", "anthropic-thinking": "claude-opus-4-7"},
    simulated=_anthropic,
)
GEMINI = Backend(
    name="google",
    text_model="gemini-text",
    image_model="gemini-text",
    thinking_model="gemini-text",
    weather=lambda places: "\n".join(f'call get_weather {{"city": "{place}"}}' for place in places),
    place="city",
    provider="google",
    models={"gemini-text": "gemini-3-flash-preview"},
    simulated=_google,
)
OPENAI = Backend(
    name="openai",
    text_model="openai-text",
    image_model="openai-text",
    thinking_model="",
    weather=lambda places: " ".join(f'get_weather({{"city": "{place}"}})' for place in places),
    place="city",
    provider="openai",
    models={"openai-text": "gpt-4.1"},
    simulated=_openai_like(OpenAISimulator),
)
DEEPSEEK = Backend(
    name="deepseek",
    text_model="deepseek-text",
    image_model="",
    thinking_model="deepseek-text",
    weather=OPENAI.weather,
    place="city",
    provider="deepseek",
    models={"deepseek-text": "deepseek-v4-pro"},
    simulated=_openai_like(DeepSeekSimulator),
    keeps_schemas=False,
)
RESPONSES = Backend(
    name="openai-responses",
    text_model="responses-text",
    image_model="responses-text",
    thinking_model="responses-thinking",
    weather=OPENAI.weather,
    place="city",
    provider="openai",
    models={"responses-text": "gpt-4.1", "responses-thinking": "gpt-5.4"},
    simulated=OPENAI.simulated,
    formats=("responses",),
)
BACKENDS = (DASHSCOPE, ANTHROPIC, GEMINI, OPENAI, DEEPSEEK, RESPONSES)


class Through(Struct, frozen=True):
    """A gateway in front of every vendor."""

    url: str
    key: str
    gateway: GatewayProcess


@contextmanager
def through(folder: Path) -> Generator[Through]:
    """Start every simulated vendor and a gateway in front of them."""
    with ExitStack() as stack:
        config = "".join(_upstream(one, *stack.enter_context(one.simulated())) for one in BACKENDS)
        with GatewayProcess(folder, config) as gateway:
            yield Through(gateway.url, gateway.create_key("1000"), gateway)


def _upstream(backend: Backend, url: str, key: str) -> str:
    models = ", ".join(f"{json.dumps(ours)} = {json.dumps(theirs)}" for ours, theirs in backend.models.items())
    formats = f"formats = {json.dumps(backend.formats)}\n" if backend.formats else ""
    cannot_think = "" if backend.thinking_model else 'capabilities = ["文本生成"]\n'
    priced = "".join(
        f'[[model]]\nid = "{ours}"\n{formats}{cannot_think}price = {{ input = "0.001", output = "0.002" }}\n'
        for ours in backend.models
    )
    return (
        f'[[upstream]]\nname = "{backend.name}"\nprovider = "{backend.provider}"\nbase_url = "{url}"\n'
        f'api_key = "{key}"\nmodels = {{ {models} }}\n{priced}'
    )
