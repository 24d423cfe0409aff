"""A chat request in words of no vendor: what every wire format's reader makes and every writer takes.

A field that is None was not given (null and absent are the same everywhere); nothing here has a default of its own,
because a vendor's default is the vendor's to choose. Values are as the caller gave them, never clamped.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.parts import NO_EXTRA, CacheMark, Extra, Part

Role = Literal["system", "developer", "user", "assistant"]

OPEN_BUDGET: Final = -1


class Message(Struct, frozen=True):
    """One turn. Tool results are parts of the user's turn. `partial` asks the model to go on with this text."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""
    partial: bool = False
    extra: Extra = NO_EXTRA


class Function(Struct, frozen=True, tag="function"):
    """A function that the caller runs. `parameters` is a JSON schema; `strict` makes the model keep to it."""

    name: str
    description: str = ""
    parameters: Raw | None = None
    strict: bool | None = None
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class Custom(Struct, frozen=True, tag="custom"):
    """A tool that takes any text instead of JSON: OpenAI's custom tools. `definition` is the grammar of that text, in
    `syntax`; empty for free text. A format without such tools writes the functions of core/custom_tools.py."""

    name: str
    description: str = ""
    syntax: str = ""  # lark, regex
    definition: str = ""
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class BuiltIn(Struct, frozen=True, tag="built_in"):
    """A tool that the vendor runs. `kind` is the format's own type for it; `raw` the whole entry.

    `web_search` is set for tools that search the web, which several formats have in words of their own.
    """

    format: str
    kind: str
    raw: Raw
    web_search: bool = False


Tool = Function | Custom | BuiltIn


class ToolChoice(Struct, frozen=True):
    """Which tools the model may or must call: `named` is one of `names`, which else narrow auto and required."""

    mode: Literal["auto", "none", "required", "named"]
    names: tuple[str, ...] = ()


class Sampling(Struct, frozen=True, kw_only=True):
    """How the next token is drawn. Ranges are those of the widest format; a writer refuses what its own excludes."""

    temperature: float | None = None  # 0 to 2
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    top_a: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    logit_bias: Mapping[str, float] | None = None  # token id -> bias


class JsonFormat(Struct, frozen=True):
    """The reply must be JSON: any object, or one that fits `schema`."""

    schema: Raw | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class Speech(Struct, frozen=True):
    """How a spoken reply sounds."""

    voice: str = ""
    media_format: str = ""  # wav, mp3, pcm16, ...
    language: str = ""


class Canvas(Struct, frozen=True):
    """What a picture in the reply measures."""

    ratio: str = ""  # of its sides: 16:9
    resolution: str = ""  # 1K, 2K, 4K


class Output(Struct, frozen=True, kw_only=True):
    """What the reply may and must be."""

    cap: int | None = None  # tokens, thinking included, per choice
    n: int | None = None
    stop: tuple[str, ...] = ()
    stop_tokens: tuple[int, ...] = ()
    json: JsonFormat | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    modalities: tuple[str, ...] = ()  # text, image, audio
    speech: Speech | None = None
    canvas: Canvas | None = None
    verbosity: str | None = None


class Reasoning(Struct, frozen=True, kw_only=True):
    """Whether and how much to think. `shown` asks for the text (or a summary) of it in the reply; `signed` for what
    proves it, which formats that always give it need not look at."""

    enabled: bool | None = None
    effort: str | None = None  # none, minimal, low, medium, high, xhigh, max
    budget: int | None = None  # tokens; OPEN_BUDGET leaves it to the model
    shown: bool | None = None
    signed: bool | None = None
    summary: str | None = None  # auto, concise, detailed

    @property
    def left_open(self) -> bool:
        """Whether the model is to decide itself how much it thinks, if at all."""
        return self.budget == OPEN_BUDGET


class Search(Struct, frozen=True, kw_only=True):
    """A web search by the vendor before it answers, asked for by a parameter instead of a tool."""

    enabled: bool | None = None
    options: Raw | None = None  # as the source format wrote them


class Chat(Struct, frozen=True, kw_only=True):
    """One request. `extra` holds parameters that have no word here; names in `essential` change the answer's meaning,
    so a writer of another format refuses them, and drops the others with a warning."""

    format: str
    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    include_usage: bool = False  # OpenAI's streams tell usage only when asked; others always do
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    output: Output = Output()
    reasoning: Reasoning = Reasoning()
    search: Search = Search()
    user: str | None = None
    service_tier: str | None = None
    metadata: Raw | None = None
    translation: Raw | None = None  # Qwen-MT's translation_options
    high_resolution_images: bool | None = None  # Qwen-VL
    cache: CacheMark | None = None  # for the whole prompt
    style: frozenset[str] = frozenset()  # ways of writing that the source format offers; only its own writers read them
    extra: Extra = NO_EXTRA
    essential: frozenset[str] = frozenset()


def instructions_first(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the turns for a model that takes instructions at the beginning alone: those that stand between or behind
    other turns, as Anthropic's format allows, are put together with those before them."""
    given = [message for message in messages if message.role in _INSTRUCTING]
    if given == [*messages[: len(given)]]:
        return messages
    first = replace(given[0], parts=tuple(part for message in given for part in message.parts))
    return (first, *(message for message in messages if message.role not in _INSTRUCTING))


_INSTRUCTING = frozenset({"system", "developer"})
