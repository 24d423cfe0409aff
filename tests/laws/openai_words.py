"""What OpenAI's chat format can say, and what each of its vendors' dialects can be asked for."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.laws import vocabulary as v
from tokengate.core.chat import Chat, Message
from tokengate.core.parts import FileId
from tokengate.core.wire import Format
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.dashscope import PROVIDER as DASHSCOPE
from tokengate.providers.openai import PROVIDER as OPENAI
from tokengate.providers.vllm import PROVIDER as VLLM

_UPLOADED = st.builds(v.File, source=v.FILE_IDS | v.data("application/pdf", "text/plain"), name=v.TEXT)
_SENT_IMAGES = st.builds(
    v.Image, source=v.IMAGE_SOURCES, detail=v.maybe(st.sampled_from(["low", "high", "auto", "original"]))
)
_SENT_AUDIO = st.builds(v.Audio, source=v.data("audio/wav", "audio/mpeg"))
_QWEN_IMAGES = v.IMAGES.filter(lambda image: not isinstance(image.source, FileId))
_QWEN_VIDEOS = st.builds(
    v.Video,
    frames=v.few(v.URLS | v.data("video/mp4"), 1, 1),
    fps=v.maybe(st.floats(0.1, 10)),
    min_pixels=v.maybe(st.integers(1, 10**6)),
    max_pixels=v.maybe(st.integers(1, 10**6)),
    total_pixels=v.maybe(st.integers(1, 10**6)),
    max_frames=v.maybe(st.integers(1, 100)),
    cache=v.maybe(v.CACHE_MARKS),
)
_ANSWERS = v.messages("assistant", v.turns(v.few(v.PLAIN_TEXTS, 0, 2), v.few(v.REFUSALS, 0, 1), v.few(v.PLAIN_CALLS)))
_RESULTS = v.messages("user", v.few(v.PLAIN_RESULTS, 1, 3))
_SYSTEM = v.messages("system", v.few(v.PLAIN_TEXTS, 1, 2), v.TEXT)
_EXTRA = st.dictionaries(v.NAME.map(lambda name: f"x_{name}"), v.raw(v.OBJECTS.filter(bool)), max_size=2)

_PLAIN_FUNCTIONS = st.builds(
    v.Function, name=v.NAME, description=v.TEXT, parameters=v.maybe(v.raw(v.SCHEMAS)), strict=v.maybe(st.booleans())
)


def _thoughtful(thoughts: st.SearchStrategy[Any], texts: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    """An assistant's turn with its thinking."""
    return v.messages("assistant", v.turns(v.few(thoughts, 0, 1), v.few(texts, 0, 2), v.few(v.PLAIN_CALLS)))


def _continued(talk: tuple[Message, ...]) -> tuple[Message, ...]:
    """A last turn of the assistant is the beginning of the answer."""
    last = msgspec.structs.replace(talk[-1], partial=talk[-1].role == "assistant")
    return (*talk[:-1], last)


def compact(chat: Chat) -> Chat:
    """Without tools there is no choice among them."""
    return chat if chat.tools else msgspec.structs.replace(chat, tool_choice=None, parallel_tool_calls=None)


# What OpenAI itself takes.
_OPENAI = v.chats(
    "openai",
    messages=v.talks(
        _SYSTEM,
        v.messages("developer", v.few(v.PLAIN_TEXTS, 1, 2)),
        v.messages("user", v.few(st.one_of(v.PLAIN_TEXTS, _SENT_IMAGES, _SENT_AUDIO, _UPLOADED)), v.TEXT),
        _RESULTS,
        _ANSWERS,
    ),
    tools=v.few(_PLAIN_FUNCTIONS | v.CUSTOMS),
    tool_choice=v.maybe(v.CHOICES),
    parallel_tool_calls=v.maybe(st.booleans()),
    sampling=v.sampling("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias"),
    output=v.output("cap", "n", "stop", "json", "logprobs", "top_logprobs", "verbosity"),
    reasoning=st.builds(v.Reasoning, effort=v.maybe(v.REASONING["effort"])),
    search=st.builds(v.Search, enabled=st.just(True), options=v.raw(st.just({"search_context_size": "low"})))
    | st.just(v.Search()),
    user=v.maybe(v.WORD),
    service_tier=v.maybe(v.NAME),
    metadata=v.maybe(v.raw(v.OBJECTS)),
    extra=_EXTRA,
)

# What OpenRouter takes, and with it a server of which nothing is known.
_ANYTHING = v.chats(
    "openai",
    messages=v.talks(
        _SYSTEM,
        v.messages("user", v.few(st.one_of(v.TEXTS, _QWEN_IMAGES, v.AUDIOS, v.FRAMES, _QWEN_VIDEOS)), v.TEXT),
        _RESULTS,
        _thoughtful(v.PLAIN_THOUGHTS | v.signed_thoughts("openai") | v.sealed_thoughts("openai"), v.PLAIN_TEXTS),
    ),
    tools=v.few(v.FUNCTIONS),
    tool_choice=v.maybe(v.CHOICES.filter(lambda choice: choice.mode == "named" or not choice.names)),
    parallel_tool_calls=v.maybe(st.booleans()),
    sampling=v.sampling(),
    output=v.output("cap", "n", "stop", "stop_tokens", "json", "logprobs", "top_logprobs", "verbosity"),
    reasoning=st.builds(
        v.Reasoning,
        enabled=v.maybe(st.booleans()),
        effort=v.maybe(v.REASONING["effort"]),
        budget=v.maybe(st.integers(0, 32_000)),
        shown=v.maybe(st.booleans()),
    ),
    user=v.maybe(v.WORD),
    service_tier=v.maybe(v.NAME),
    metadata=v.maybe(v.raw(v.OBJECTS)),
    cache=v.maybe(v.CACHE_MARKS),
    extra=_EXTRA,
)

# What DashScope's compatible mode takes.
_QWEN = v.chats(
    "openai",
    messages=v.talks(
        _SYSTEM,
        v.messages("user", v.few(st.one_of(v.TEXTS, _QWEN_IMAGES, v.AUDIOS, v.FRAMES, _QWEN_VIDEOS))),
        _RESULTS,
        _thoughtful(v.PLAIN_THOUGHTS, v.TEXTS),
    ).map(_continued),
    tools=v.few(_PLAIN_FUNCTIONS),
    tool_choice=v.maybe(v.CHOICES.filter(lambda choice: choice.mode == "named" or not choice.names)),
    parallel_tool_calls=v.maybe(st.booleans()),
    sampling=st.builds(
        v.Sampling,
        temperature=v.maybe(st.floats(0, 2, exclude_max=True)),
        top_p=v.maybe(st.floats(0, 1, exclude_min=True)),
        top_k=v.maybe(st.integers(0, 100)),
        presence_penalty=v.maybe(v.SAMPLING["presence_penalty"]),
        repetition_penalty=v.maybe(v.SAMPLING["repetition_penalty"]),
        seed=v.maybe(st.integers(0, 2**64 - 1)),
    ),
    output=v.output("cap", "n", "stop", "json", "logprobs", "top_logprobs")
    | v.output("cap", "n", "stop_tokens", "json", "logprobs", "top_logprobs"),
    reasoning=st.builds(v.Reasoning, enabled=st.booleans(), budget=v.maybe(st.integers(1, 32_000)))
    | st.just(v.Reasoning()),
    search=st.builds(v.Search, enabled=st.just(True), options=v.maybe(v.raw(st.just({"forced_search": True}))))
    | st.builds(v.Search, enabled=v.maybe(st.just(False))),
    translation=v.maybe(v.raw(st.just({"source_lang": "auto", "target_lang": "English", "terms": []}))),
    high_resolution_images=v.maybe(st.booleans()),
    extra=_EXTRA,
)

# What vLLM takes.
_SELF_HOSTED = v.chats(
    "openai",
    messages=v.talks(
        _SYSTEM,
        v.messages("user", v.few(v.PLAIN_TEXTS | v.PLAIN_IMAGES | st.builds(v.Audio, source=v.URLS))),
        _RESULTS,
        _thoughtful(v.PLAIN_THOUGHTS, v.PLAIN_TEXTS),
    ).map(_continued),
    tools=v.few(_PLAIN_FUNCTIONS),
    sampling=v.sampling("temperature", "top_k", "min_p", "repetition_penalty", "logit_bias"),
    output=v.output("cap", "n", "stop", "stop_tokens", "json", "logprobs", "top_logprobs"),
    reasoning=st.builds(
        v.Reasoning,
        enabled=st.booleans(),
        budget=v.maybe(st.integers(0, 32_000)),
        effort=v.maybe(st.sampled_from(["low", "high"])),
        shown=v.maybe(st.booleans()),
    )
    | st.just(v.Reasoning()),
    extra=_EXTRA,
)

DIALECTS: list[tuple[str, Format, st.SearchStrategy[Chat]]] = [
    ("openai", OPENAI.spoken[0], _OPENAI),
    ("openrouter", OpenAIChat(reasoning="object"), _ANYTHING),
    ("qwen", DASHSCOPE.spoken[0], _QWEN),
    ("vllm", VLLM.spoken[0], _SELF_HOSTED),
]

REPLIES = v.replies(
    v.turns(
        v.few(v.THOUGHTS, 0, 2),
        v.few(v.CITED, 0, 1),
        v.few(v.REFUSALS, 0, 1),
        v.few(v.SPOKEN, 0, 1),
        v.few(v.DRAWN, 0, 2),
        v.few(st.builds(v.ToolCall, id=v.ID, name=v.NAME, arguments=v.ARGUMENTS, signature=v.TEXT), 0, 2),
    ).filter(bool),
    most=2,
    finishes=st.sampled_from([v.FinishReason.STOP, v.FinishReason.LENGTH, v.FinishReason.CONTENT_FILTER]),
    sequences=v.maybe(v.LINE),
    logprobs=v.maybe(v.few(v.LOGPROBS, 1)),
    usage=v.usages(
        *("input", "cache_read", "cache_write_5m", "cache_write_1h", "image_in", "video_in", "audio_in", "search"),
        *("output", "reasoning", "audio_out", "image_out"),
    ),
    searches=v.few(v.SEARCHES, 0, 2),
    service_tier=v.maybe(v.NAME),
    fingerprint=v.maybe(v.NAME),
)
