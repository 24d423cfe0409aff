"""Every provider with its simulated vendor: which models it has for what, what it does not offer, and how a test makes
it do something."""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from msgspec import Struct, json

from tests.simulators import anthropic_upstream, dialect_vendor, gemini_upstream, openai_vendor
from tests.simulators.anthropic_upstream import AnthropicSimulator
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.deepseek_vendor import DeepSeekSimulator
from tests.simulators.dialect_vendor import DialectSimulator, MiniMaxSimulator
from tests.simulators.gemini_upstream import GeminiUpstream
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator
from tokengate.core.chat import Chat
from tokengate.formats.anthropic.read import read_chat as read_anthropic
from tokengate.formats.dashscope.requests import read_chat as read_dashscope
from tokengate.formats.gemini.requests import read_chat as read_gemini
from tokengate.formats.openai.chat_reader import read_chat as read_openai
from tokengate.formats.responses.read_chat import read_chat as read_responses


def words(text: str) -> set[str]:
    """Return the words of a text, such as ids of capabilities."""
    return set(text.split())


class Running(Protocol):
    """A vendor's simulator, started."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...

    def count(self) -> int:
        """Return how many calls came."""
        ...

    def understood(self) -> Chat:
        """Return the last request that the vendor accepted, as it understood it."""
        ...


class Vendor(Struct, frozen=True, kw_only=True):
    """One provider. `models` are the vendor's names by what they are asked for; the one for text does the rest too.

    `lacks` are the capabilities that the vendor does not offer, by its own documents.
    """

    id: str
    title: str
    provider: str
    formats: tuple[str, ...] = ()  # in which its models are offered, where the provider speaks several
    start: Callable[[], AbstractContextManager[Running]]
    models: Mapping[str, str]
    lacks: frozenset[str]
    weather: Callable[[list[str]], str]
    on_request: Mapping[str, str] = {}  # what it tells only to those who ask in its own words, and why
    filtered: str = "FILTER"

    def model(self, role: str) -> str:
        """Return the gateway's name of the model for something."""
        return f"{self.id}-{role if role in self.models else 'text'}"

    def config(self, url: str, key: str) -> str:
        """Return its part of a gateway's configuration."""
        ours = {f"{self.id}-{role}": theirs for role, theirs in self.models.items()}
        mapped = ", ".join(f'"{one}" = "{theirs}"' for one, theirs in ours.items())
        formats = f"formats = {list(self.formats)}\n" if self.formats else ""
        priced = "".join(
            f'[[model]]\nid = "{one}"\n{formats}price = {{ input = "0.001", output = "0.002" }}\n' for one in ours
        )
        return (
            f'[[upstream]]\nname = "{self.title}"\nprovider = "{self.provider}"\nbase_url = "{url}"\n'
            f'api_key = "{key}"\nmodels = {{ {mapped} }}\n{priced}'
        )


class _Chats(Struct):
    """A simulator of the OpenAI family, or Anthropic's."""

    upstream: ThreadedUpstream
    simulator: Any
    url: str
    key: str
    read: Callable[[bytes], Chat]

    def count(self) -> int:
        return len(self.upstream.calls)

    def understood(self) -> Chat:
        if self.upstream.calls[-1].path.endswith("/responses"):
            return read_responses(json.encode(self.simulator.responses.asked[-1]))
        return self.read(json.encode(self.simulator.asked[-1]))


@contextmanager
def _openai_shaped(simulator: OpenAISimulator) -> Generator[Running]:
    with ThreadedUpstream(simulator) as upstream:
        yield _Chats(upstream, simulator, upstream.url, openai_vendor.KEY, read_openai)


@contextmanager
def _anthropic() -> Generator[Running]:
    simulator = AnthropicSimulator()
    with ThreadedUpstream(simulator) as upstream:
        yield _Chats(upstream, simulator, anthropic_upstream.address(upstream), anthropic_upstream.KEY, read_anthropic)


class _Google(Struct):
    upstream: GeminiUpstream
    url: str
    key: str = gemini_upstream.KEY

    def count(self) -> int:
        return len(self.upstream.calls)

    def understood(self) -> Chat:
        return read_gemini(json.encode(self.upstream.requests[-1][1]), model="-", stream=False)


@contextmanager
def _google() -> Generator[Running]:
    with GeminiUpstream() as upstream:
        yield _Google(upstream, upstream.base_url)


class _DashScope(Struct):
    upstream: DashScope

    @property
    def url(self) -> str:
        return self.upstream.url

    @property
    def key(self) -> str:
        return self.upstream.key

    def count(self) -> int:
        return len(self.upstream.calls)

    def understood(self) -> Chat:
        return read_dashscope(json.encode(self.upstream.last))


@contextmanager
def _dashscope() -> Generator[Running]:
    with DashScope() as upstream:
        yield _DashScope(upstream)


def _calls(places: list[str]) -> str:
    return " ".join(f'get_weather({{"location": "{place}"}})' for place in places)


def _lines(places: list[str]) -> str:
    return "\n".join(f'call get_weather {{"location": "{place}"}}' for place in places)


def _words(places: list[str]) -> str:
    return "weather in " + " and ".join(places)


# What only a few vendors have.
_ENGINES = words("vllm_sampling vllm_structured stop_tokens")
_QWEN = words("translation high_resolution search_options")
_RARE = words("metadata file_citations search_blocks stop_which tool_result_error cache_marks partial")

OPENAI = Vendor(
    id="openai",
    title="OpenAI, chat completions",
    provider="openai",
    formats=("openai",),
    start=lambda: _openai_shaped(OpenAISimulator()),
    models={
        "text": "gpt-4.1",
        "reasoning": "gpt-5-mini",
        "thinking": "gpt-5-mini",
        "budget": "gpt-5-mini",
        "switch": "gpt-5-mini",
        "audio": "gpt-4o-audio-preview",
        "speech": "gpt-4o-audio-preview",
        "search": "gpt-4o-search-preview",
    },
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | (_RARE - {"metadata"})
        | words("video_url video_frames top_k min_p repetition_penalty budget thinking")
    ),
    weather=_calls,
)
OPENAI_RESPONSES = Vendor(
    id="openai_responses",
    title="OpenAI, Responses",
    provider="openai",
    formats=("responses",),
    start=lambda: _openai_shaped(OpenAISimulator()),
    models={
        **{name: "gpt-5-mini" for name in ("search", "reasoning", "thinking", "budget", "switch")},
        "text": "gpt-4.1",
    },
    lacks=frozenset(
        (OPENAI.lacks - {"thinking", "file_url"})
        | words("name audio_in audio_out stop seed frequency_penalty presence_penalty logit_bias choices")
    ),
    weather=_calls,
    on_request={"thinking": "OpenAI tells the gist of its thinking only to callers who can ask for a summary."},
)
ANTHROPIC = Vendor(
    id="anthropic",
    title="Anthropic",
    provider="anthropic",
    start=_anthropic,
    models={
        "text": "claude-sonnet-4-5",
        "reasoning": "claude-opus-4-7",
        "thinking": "claude-opus-4-7",
        "switch": "claude-opus-4-6",
        "budget": "claude-opus-4-6",
    },
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | words(
            "metadata cache_auto image_detail video_url video_frames audio_in audio_out min_p seed "
            "frequency_penalty presence_penalty repetition_penalty logit_bias logprobs choices "
            "verbosity json name service_tier"
        )
    ),
    weather=_calls,
    filtered="REFUSE",
)
GOOGLE = Vendor(
    id="google",
    title="Google",
    provider="google",
    start=_google,
    models={
        "text": "gemini-3-flash-preview",
        "budget": "gemini-2.5-flash",
        "switch": "gemini-2.5-flash",
        "speech": "gemini-2.5-flash-preview-tts",
    },
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | (_RARE - {"tool_result_error"})
        | words("name image_detail tools_single min_p repetition_penalty logit_bias verbosity user refusal")
    ),
    weather=_lines,
    filtered="unsafe answer",
)
XAI = Vendor(
    id="xai",
    title="xAI, chat completions",
    provider="xai",
    formats=("openai",),
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.XAI)),
    models={
        "text": "grok-4-1-fast-non-reasoning",
        "reasoning": "grok-3-mini",
        "thinking": "grok-3-mini",
        "budget": "grok-3-mini",
        "switch": "grok-3-mini",
    },
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | _RARE
        | words(
            "video_url video_frames audio_in audio_out file_data file_url top_k min_p "
            "repetition_penalty budget thinking_off verbosity search citations service_tier refusal"
        )
    ),
    weather=_calls,
)
XAI_RESPONSES = Vendor(
    id="xai_responses",
    title="xAI, Responses",
    provider="xai",
    formats=("responses",),
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.XAI)),
    models={"text": "grok-4-1-fast-non-reasoning"},
    lacks=frozenset(
        (XAI.lacks - words("search citations file_data file_url metadata verbosity service_tier"))
        | words("name stop seed frequency_penalty presence_penalty logit_bias choices effort thinking thinking_loop")
    ),
    weather=_calls,
)
DEEPSEEK = Vendor(
    id="deepseek",
    title="DeepSeek",
    provider="deepseek",
    start=lambda: _openai_shaped(DeepSeekSimulator()),
    models={"text": "deepseek-v4-pro"},
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | _RARE
        | words(
            "image_data image_url image_detail tool_result_images video_url video_frames audio_in "
            "audio_out file_data file_url tools_single top_k min_p seed repetition_penalty logit_bias "
            "json_schema choices verbosity budget search citations service_tier user refusal"
        )
    ),
    weather=_calls,
)
ZHIPU = Vendor(
    id="zhipu",
    title="Zhipu",
    provider="zhipu",
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.ZHIPU)),
    models={"text": "glm-4.7"},
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | _RARE
        | words(
            "video_frames audio_in audio_out file_data file_url tools_single choice_required "
            "choice_named top_k min_p seed frequency_penalty presence_penalty repetition_penalty "
            "logit_bias logprobs json_schema choices verbosity effort budget search citations "
            "service_tier user refusal"
        )
    ),
    weather=_calls,
)
DASHSCOPE = Vendor(
    id="dashscope",
    title="DashScope, compatible",
    provider="dashscope",
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.DASHSCOPE)),
    models={"text": "qwen-plus", "image": "qwen-vl-max", "translation": "qwen-mt-plus"},
    lacks=frozenset(
        (_ENGINES - {"stop_tokens"})
        | (_RARE - {"cache_marks", "partial"})
        | words("file_data file_url min_p frequency_penalty logit_bias verbosity citations service_tier user refusal")
    ),
    weather=_calls,
)
DASHSCOPE_NATIVE = Vendor(
    id="dashscope_native",
    title="DashScope, native",
    provider="dashscope_native",
    start=_dashscope,
    models={
        "text": "qwen-plus",
        "image": "qwen-vl-max",
        "audio": "qwen-vl-max",
        "translation": "qwen-mt-plus",
        "cache": "qwen-vl-max",
    },
    lacks=frozenset(
        (_ENGINES - {"stop_tokens"})
        | (_RARE - {"cache_marks", "partial"})
        | words(
            "tools_strict image_detail file_data file_url audio_out choice_required min_p frequency_penalty "
            "verbosity service_tier user refusal cache_auto cache_usage filtered"
        )
    ),
    weather=_words,
)
MINIMAX = Vendor(
    id="minimax",
    title="MiniMax",
    provider="minimax",
    start=lambda: _openai_shaped(MiniMaxSimulator(dialect_vendor.MINIMAX)),
    models={"text": "MiniMax-M2.7"},
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | _RARE
        | words(
            "video_url video_frames audio_in audio_out file_data file_url tools_single top_k min_p "
            "seed frequency_penalty presence_penalty repetition_penalty logit_bias logprobs choices "
            "verbosity effort budget search citations service_tier user refusal"
        )
    ),
    weather=_calls,
)
VLLM = Vendor(
    id="vllm",
    title="vLLM",
    provider="vllm",
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.VLLM)),
    models={"text": "Qwen3-VL-8B-Instruct"},
    lacks=frozenset(
        _QWEN
        | (_RARE - {"stop_which", "partial"})
        | words("video_frames file_data file_url verbosity search citations service_tier refusal")
    ),
    weather=_calls,
)
SGLANG = Vendor(
    id="sglang",
    title="SGLang",
    provider="sglang",
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.SGLANG)),
    models={"text": "Qwen3-VL-8B-Instruct"},
    lacks=frozenset(
        _QWEN
        | (_RARE - {"stop_which", "partial"})
        | words(
            "video_frames audio_out file_data file_url verbosity search citations service_tier "
            "refusal budget vllm_structured"
        )
    ),
    weather=_calls,
)
OLLAMA = Vendor(
    id="ollama",
    title="Ollama",
    provider="ollama",
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.OLLAMA)),
    models={"text": "qwen3:8b"},
    lacks=frozenset(
        _ENGINES
        | _QWEN
        | _RARE
        | words(
            "video_url video_frames audio_in audio_out file_data file_url tools_single tools_strict "
            "choice_required choice_named top_k min_p repetition_penalty logit_bias choices verbosity "
            "budget search citations service_tier user refusal"
        )
    ),
    weather=_calls,
)
COMPATIBLE = Vendor(
    id="openai_compatible",
    title="Any compatible server",
    provider="openai_compatible",
    start=lambda: _openai_shaped(DialectSimulator(dialect_vendor.ANY)),
    models={"text": "any-model"},
    lacks=frozenset(words("tool_result_error refusal file_citations search_blocks")),
    weather=_calls,
)
VENDORS = (
    OPENAI,
    OPENAI_RESPONSES,
    ANTHROPIC,
    GOOGLE,
    XAI,
    XAI_RESPONSES,
    DEEPSEEK,
    ZHIPU,
    DASHSCOPE,
    DASHSCOPE_NATIVE,
    MINIMAX,
    VLLM,
    SGLANG,
    OLLAMA,
    COMPATIBLE,
)
