"""The request bodies of OpenAI's API as wire structs: the parameters whose types and ranges are checked.

Where the vendors' pages differ the widest range holds, ends included, and null is the same as absent. Other
parameters may be anything: they stay in the bytes. `MUST_BE` says the ranges in words, for error messages.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

MAX_MODEL_CHARACTERS = 200
MAX_CAP = 2**31 - 1
MAX_CHOICES = 128
MAX_EMBEDDING_INPUTS = 2048
SEED_RANGE = (-(2**63), 2**64 - 1)  # OpenAI's seed is a signed, DashScope's an unsigned 64-bit integer

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

_Model = Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)]
_ZeroToOne = Annotated[float, Meta(ge=0, le=1)]
_ZeroToTwo = Annotated[float, Meta(ge=0, le=2)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Bias = Annotated[float, Meta(ge=-100, le=100)]
_Natural = Annotated[int, Meta(ge=0, le=MAX_CAP)]
_Cap = Annotated[int, Meta(ge=1, le=MAX_CAP)]
_Choices = Annotated[int, Meta(ge=1, le=MAX_CHOICES)]
_Stop = str | list[str | int] | None
_Object = dict[str, Any]


class StreamOptions(Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Thinking(Struct):
    type: str | None = None


class TemplateArguments(Struct):
    enable_thinking: bool | None = None


class TranslationOptions(Struct):
    source_lang: str | None = None
    target_lang: str | None = None


class _Sampling(Struct, kw_only=True):
    """What chat completions and completions have in common."""

    model: _Model
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _Cap | None = None
    n: _Choices | None = None
    temperature: _ZeroToTwo | None = None
    top_p: _ZeroToOne | None = None
    top_k: _Natural | None = None
    min_p: _ZeroToOne | None = None
    top_a: _ZeroToOne | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    repetition_penalty: _ZeroToTwo | None = None
    seed: int | None = None
    stop: _Stop = None
    stop_token_ids: list[int] | None = None
    logit_bias: dict[str, _Bias] | None = None
    min_tokens: _Natural | None = None
    ignore_eos: bool | None = None
    user: str | None = None


class ChatBody(_Sampling, kw_only=True):
    """`POST /v1/chat/completions`, with the parameters that DashScope, DeepSeek, OpenRouter and vLLM add."""

    messages: Annotated[list[_Object], Meta(min_length=1)] | None = None  # required, unless `input` says more
    max_completion_tokens: _Cap | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_format: _Object | None = None
    structured_outputs: bool | _Object | None = None  # a flag on the product page, an object to vLLM
    tools: list[_Object] | None = None
    tool_choice: str | _Object | list[Any] | None = None
    parallel_tool_calls: bool | None = None
    functions: list[_Object] | None = None
    function_call: str | _Object | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    reasoning_effort: str | None = None
    reasoning: _Object | None = None
    thinking: Thinking | None = None
    enable_thinking: bool | None = None
    thinking_budget: _Natural | None = None
    chat_template_kwargs: TemplateArguments | None = None
    enable_search: bool | None = None
    search_options: _Object | None = None
    web_search_options: _Object | None = None
    translation_options: TranslationOptions | None = None
    modalities: list[str] | None = None
    audio: _Object | None = None
    prediction: _Object | None = None
    service_tier: str | None = None
    store: bool | None = None
    metadata: _Object | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: _Object | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    vl_high_resolution_images: bool | None = None
    input: Any = None  # DashScope's own body, which is another format


class CompletionBody(_Sampling, kw_only=True):
    """`POST /v1/completions`."""

    prompt: Any
    suffix: str | None = None
    echo: bool | None = None
    best_of: _Choices | None = None
    logprobs: Annotated[int, Meta(ge=0, le=100)] | None = None


class EmbeddingBody(Struct):
    """`POST /v1/embeddings`."""

    model: _Model
    input: Any
    dimensions: _Cap | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


# Parameter -> what its value must be, where the type alone does not say it. "[]" stands for any index.
MUST_BE = {
    "model": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "messages": "a list of at least one message",
    "messages[]": "an object with a role and content",
    "messages[].role": "one of system, developer, user, assistant, tool, function",
    "messages[].content": "a string or a list of parts",
    "messages[].content[]": 'an object with a type, such as {"type": "text", "text": "..."}',
    "max_tokens": f"an integer from 1 to {MAX_CAP}",
    "max_completion_tokens": f"an integer from 1 to {MAX_CAP}",
    "min_tokens": f"an integer from 0 to {MAX_CAP}",
    "thinking_budget": f"an integer from 0 to {MAX_CAP}",
    "dimensions": f"an integer from 1 to {MAX_CAP}",
    "n": f"an integer from 1 to {MAX_CHOICES}",
    "best_of": f"an integer from 1 to {MAX_CHOICES}",
    "temperature": "a number from 0 to 2",
    "top_p": "a number from 0 to 1",
    "min_p": "a number from 0 to 1",
    "top_a": "a number from 0 to 1",
    "top_k": f"an integer from 0 to {MAX_CAP}",
    "frequency_penalty": "a number from -2 to 2",
    "presence_penalty": "a number from -2 to 2",
    "repetition_penalty": "a number from 0 to 2",
    "seed": f"an integer from {SEED_RANGE[0]} to {SEED_RANGE[1]}",
    "stop": "a string, or a list of only strings or only token ids",
    "stop[]": "a string or a token id",
    "logit_bias": "an object of token ids and numbers from -100 to 100",
    "top_logprobs": "an integer from 0 to 20",
    "verbosity": "one of low, medium, high",
    "encoding_format": "float or base64",
    "prompt": "a string, a list of strings, a list of token ids, or a list of such lists, and not empty",
    "input": "a string, a list of strings, a list of token ids, or a list of such lists, and not empty, "
    f"with at most {MAX_EMBEDDING_INPUTS} inputs",
}
