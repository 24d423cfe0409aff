"""The simulated vendors behind one gateway, and what must be said to each so that it does a certain thing.

A test that says the same through every vendor compares what its own SDK makes of the answers.
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators import anthropic_upstream, openai_vendor
from tests.simulators.anthropic_upstream import AnthropicSimulator
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.gemini_upstream import KEY as GEMINI_KEY
from tests.simulators.gemini_upstream import GeminiUpstream
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel


class Backend(Struct, frozen=True):
    """One simulated vendor. Models are the gateway's names; the texts are what its simulator acts upon."""

    name: str
    text_model: str
    image_model: str  # empty when it sees nothing
    thinking_model: str  # empty when it does not show its thinking
    weather: Callable[[list[str]], str]  # makes it ask for the weather in these places
    place: str  # the name of the argument
    provider: str
    models: dict[str, str]  # ours to theirs
    keeps_schemas: bool = True


DASHSCOPE = Backend(
    name="dashscope",
    text_model="dashscope-text",
    image_model="dashscope-image",
    thinking_model="dashscope-text",
    weather=lambda places: "weather in " + " and ".join(places),
    place="location",
    provider="dashscope_native",
    models={"dashscope-text": "qwen-plus", "dashscope-image": "qwen-vl-max"},
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
    keeps_schemas=False,
)
BACKENDS = (DASHSCOPE, ANTHROPIC, GEMINI, OPENAI, DEEPSEEK)


class Through(Struct, frozen=True):
    """A gateway in front of every vendor."""

    url: str
    key: str
    gateway: GatewayProcess


@contextmanager
def through(folder: Path) -> Generator[Through]:
    """Start every simulated vendor and a gateway in front of them."""
    with (
        DashScope() as dashscope,
        ThreadedUpstream(AnthropicSimulator()) as anthropic,
        GeminiUpstream() as google,
        ThreadedUpstream(OpenAISimulator()) as openai,
        ThreadedUpstream(DeepSeekSimulator()) as deepseek,
    ):
        places = {
            "dashscope": (dashscope.url, dashscope.key),
            "anthropic": (anthropic_upstream.address(anthropic), anthropic_upstream.KEY),
            "google": (google.base_url, GEMINI_KEY),
            "openai": (openai.url, openai_vendor.KEY),
            "deepseek": (deepseek.url, openai_vendor.KEY),
        }
        config = "".join(_upstream(one, *places[one.name]) for one in BACKENDS)
        with GatewayProcess(folder, config) as gateway:
            yield Through(gateway.url, gateway.create_key("1000"), gateway)


def _upstream(backend: Backend, url: str, key: str) -> str:
    models = ", ".join(f"{json.dumps(ours)} = {json.dumps(theirs)}" for ours, theirs in backend.models.items())
    priced = "".join(
        f'[[model]]\nid = "{ours}"\nprice = {{ input = "0.001", output = "0.002" }}\n' for ours in backend.models
    )
    return (
        f'[[upstream]]\nname = "{backend.name}"\nprovider = "{backend.provider}"\nbase_url = "{url}"\n'
        f'api_key = "{key}"\nmodels = {{ {models} }}\n{priced}'
    )
