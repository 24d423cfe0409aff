"""Strategies for what the vocabulary can say: chats, replies and the pieces of both.

A format's row of the laws builds its own `chats(...)` and `replies(...)` out of these: each argument is a strategy of
what the format can express there. Without arguments they are everything that there is.
"""

import json
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Raw

from tokengate.core.chat import (
    OPEN_BUDGET,
    BuiltIn,
    Canvas,
    Chat,
    Custom,
    Function,
    JsonFormat,
    Message,
    Output,
    Reasoning,
    Role,
    Sampling,
    Search,
    Speech,
    Tool,
    ToolChoice,
)
from tokengate.core.parts import (
    Audio,
    CacheMark,
    Citation,
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult, TokenLogprob, TopLogprob
from tokengate.core.usage import ReportedUsage, Usage

Some = st.SearchStrategy

FORMATS = ("openai", "responses", "anthropic", "gemini", "dashscope")


def maybe(value: Some[Any]) -> Some[Any]:
    """None, or the value."""
    return st.none() | value


def few(value: Some[Any], least: int = 0, most: int = 3) -> Some[tuple[Any, ...]]:
    """A tuple of a few."""
    return st.lists(value, min_size=least, max_size=most).map(tuple)


def raw(value: Some[Any]) -> Some[Raw]:
    """JSON, as `msgspec` writes it."""
    return value.map(lambda value: Raw(msgspec.json.encode(value)))


TEXT = st.text(max_size=20)
WORD = st.text(min_size=1, max_size=12)
NAME = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,15}", fullmatch=True)  # of a function
ID = st.from_regex(r"[a-zA-Z0-9_-]{1,24}", fullmatch=True)  # of a tool call: what every vendor takes
LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)

OBJECTS = st.dictionaries(WORD, st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT, max_size=3)
SCHEMAS = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(NAME, st.sampled_from([{"type": "string"}, {"type": "integer"}]), max_size=2),
    }
)
ARGUMENTS = st.dictionaries(NAME, TEXT | st.integers(-9, 9), max_size=2).map(json.dumps)

# Sources
BASE64 = st.sampled_from(["AAAA", "aGVsbG8=", "8J+YgA=="])
URLS = st.sampled_from(["https://example.com/a.png", "https://example.com/b?c=d#e"]).map(Url)
FILE_IDS = ID.map(FileId)


def data(*media_types: str) -> Some[Data]:
    """Bytes inside the request."""
    return st.builds(Data, media_type=st.sampled_from(media_types), base64=BASE64)


CACHE_MARKS = st.sampled_from([CacheMark(), CacheMark("1h")])
CITATIONS = st.builds(Citation, url=TEXT, title=TEXT, quote=TEXT, start=st.integers(0, 9), end=st.integers(0, 9))

# Parts of a request
IMAGE_SOURCES = URLS | data("image/png", "image/jpeg")
PLAIN_TEXTS = st.builds(Text, text=WORD)
TEXTS = st.builds(Text, text=TEXT, cache=maybe(CACHE_MARKS))
PLAIN_IMAGES = st.builds(Image, source=IMAGE_SOURCES)
IMAGES = st.builds(
    Image,
    source=IMAGE_SOURCES | FILE_IDS,
    detail=maybe(st.sampled_from(["low", "high", "auto", "original"])),
    min_pixels=maybe(st.integers(1, 10**6)),
    max_pixels=maybe(st.integers(1, 10**6)),
    cache=maybe(CACHE_MARKS),
)
AUDIOS = st.builds(Audio, source=URLS | data("audio/wav", "audio/mpeg"), cache=maybe(CACHE_MARKS))
VIDEOS = st.builds(
    Video,
    frames=few(URLS | data("video/mp4"), 1, 1),
    fps=maybe(st.floats(0.1, 10)),
    min_pixels=maybe(st.integers(1, 10**6)),
    max_pixels=maybe(st.integers(1, 10**6)),
    total_pixels=maybe(st.integers(1, 10**6)),
    max_frames=maybe(st.integers(1, 100)),
    start_s=maybe(st.floats(0, 9)),
    end_s=maybe(st.floats(9, 99)),
    cache=maybe(CACHE_MARKS),
)
FRAMES = st.builds(Video, frames=few(URLS, 1, 4), whole=st.just(False), fps=maybe(st.floats(0.1, 10)))
FILES = st.builds(
    File,
    source=data("application/pdf", "text/plain") | FILE_IDS | URLS,
    name=TEXT,
    title=TEXT,
    context=TEXT,
    citations=st.booleans(),
    cache=maybe(CACHE_MARKS),
)
OPAQUES = st.builds(Opaque, format=st.sampled_from(FORMATS), kind=NAME, raw=raw(OBJECTS))
CALLS = st.builds(
    ToolCall, id=ID, name=NAME, arguments=ARGUMENTS, signature=TEXT, custom=st.booleans(), cache=maybe(CACHE_MARKS)
)
PLAIN_CALLS = st.builds(ToolCall, id=ID, name=NAME, arguments=ARGUMENTS)
RESULTS = st.builds(
    ToolResult,
    call_id=ID,
    content=few(TEXTS | IMAGES | FILES),
    name=st.just("") | NAME,
    is_error=st.booleans(),
    custom=st.booleans(),
    cache=maybe(CACHE_MARKS),
)
PLAIN_RESULTS = st.builds(ToolResult, call_id=ID, content=few(PLAIN_TEXTS, 1, 1))
PLAIN_THOUGHTS = st.builds(Thinking, text=WORD)


def signed_thoughts(*formats: str) -> Some[Thinking]:
    """Thoughts with their proof."""
    return st.builds(Thinking, text=WORD, signature=ID, format=st.sampled_from(formats))


def sealed_thoughts(*formats: str) -> Some[Thinking]:
    """Thoughts of which nothing is told but the proof."""
    return st.builds(Thinking, text=st.just(""), signature=ID, format=st.sampled_from(formats), redacted=st.just(True))


THOUGHTS = st.one_of(
    PLAIN_THOUGHTS,
    signed_thoughts(*FORMATS),
    sealed_thoughts(*FORMATS),
    st.builds(Thinking, text=WORD, signature=ID, format=st.just("responses"), summary=st.just(True), id=ID),
)
REFUSALS = st.builds(Refusal, text=WORD)
USER_PARTS: Some[Part] = st.one_of(TEXTS, IMAGES, AUDIOS, VIDEOS, FRAMES, FILES, RESULTS, OPAQUES)
ASSISTANT_PARTS: Some[Part] = st.one_of(TEXTS, REFUSALS, THOUGHTS, CALLS, OPAQUES)


NO_NAME = st.just("")


def turns(*kinds: Some[Any]) -> Some[tuple[Part, ...]]:
    """Parts of one turn in this order of kinds: an assistant's thoughts, then its texts, then its calls."""
    return st.tuples(*kinds).map(lambda groups: tuple(part for group in groups for part in group))


def messages(role: Role, parts: Some[tuple[Part, ...]], name: Some[str] = NO_NAME, **fields: Any) -> Some[Message]:
    """Messages of one role."""
    return st.builds(Message, role=st.just(role), parts=parts, name=name, **fields)


def talks(*kinds: Some[Message], most: int = 4) -> Some[tuple[Message, ...]]:
    """A few messages of these kinds in any order, no two users' in a row: those are one turn in some formats."""
    return few(st.one_of(*kinds), 1, most).map(_without_neighbours)


def _without_neighbours(talk: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(message for at, message in enumerate(talk) if not at or message.role != talk[at - 1].role)


MESSAGES = st.one_of(
    messages("system", few(TEXTS, 1)),
    messages("developer", few(TEXTS, 1)),
    messages("user", few(USER_PARTS), TEXT),
    messages("assistant", few(ASSISTANT_PARTS), TEXT, partial=st.booleans()),
)

# Parameters
FUNCTIONS = st.builds(
    Function,
    name=NAME,
    description=TEXT,
    parameters=maybe(raw(SCHEMAS)),
    strict=maybe(st.booleans()),
    cache=maybe(CACHE_MARKS),
)
CUSTOMS = st.builds(Custom, name=NAME, description=TEXT) | st.builds(
    Custom, name=NAME, description=TEXT, syntax=st.sampled_from(["lark", "regex"]), definition=WORD
)
BUILT_INS = st.builds(BuiltIn, format=st.sampled_from(FORMATS), kind=NAME, raw=raw(OBJECTS), web_search=st.booleans())
TOOLS: Some[Tool] = st.one_of(FUNCTIONS, CUSTOMS, BUILT_INS)
CHOICES = st.one_of(
    st.builds(ToolChoice, mode=st.sampled_from(["auto", "none", "required"])),
    st.builds(ToolChoice, mode=st.just("named"), names=few(NAME, 1, 1)),
    st.builds(ToolChoice, mode=st.sampled_from(["auto", "required"]), names=few(NAME, 1, 2)),
)

SAMPLING: dict[str, Some[Any]] = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(0, 100),
    "min_p": st.floats(0, 1),
    "top_a": st.floats(0, 1),
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "repetition_penalty": st.floats(0, 2),
    "seed": st.integers(0, 2**31 - 1),
    "logit_bias": st.dictionaries(st.integers(0, 10**5).map(str), st.floats(-100, 100), min_size=1, max_size=2),
}
OUTPUT: dict[str, Some[Any]] = {
    "cap": st.integers(1, 10**6),
    "n": st.integers(1, 8),
    "stop": few(LINE, 0, 4),
    "stop_tokens": few(st.integers(0, 10**5)),
    "json": st.just(JsonFormat())
    | st.builds(JsonFormat, schema=raw(SCHEMAS), name=NAME, description=TEXT, strict=maybe(st.booleans())),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 20),
    "modalities": st.sampled_from([("text",), ("text", "audio"), ("text", "image")]),
    "canvas": st.builds(Canvas, ratio=st.sampled_from(["1:1", "16:9"]), resolution=st.sampled_from(["", "2K"])),
    "speech": st.builds(Speech, voice=NAME, media_format=st.sampled_from(["wav", "mp3"]), language=TEXT),
    "verbosity": st.sampled_from(["low", "medium", "high"]),
}
REASONING: dict[str, Some[Any]] = {
    "enabled": st.booleans(),
    "effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    "budget": st.integers(OPEN_BUDGET, 32_000),
    "shown": st.booleans(),
    "summary": st.sampled_from(["auto", "concise", "detailed"]),
}
REASONINGS = st.builds(Reasoning, **{name: maybe(value) for name, value in REASONING.items()})


def sampling(*words: str) -> Some[Sampling]:
    """Any of these words, each given or not; all words when none is named."""
    return st.builds(Sampling, **{word: maybe(SAMPLING[word]) for word in words or SAMPLING})


def output(*words: str) -> Some[Output]:
    """Any of these words, each given or not; all words when none is named."""
    empty: dict[str, Any] = {"stop": (), "stop_tokens": (), "modalities": ()}
    chosen = {word: st.just(empty.get(word)) | OUTPUT[word] for word in words or OUTPUT}
    return st.builds(Output, **chosen).map(_with_logprobs)


def _with_logprobs(output: Output) -> Output:
    """The likeliest tokens are told only with the token's own probability."""
    if output.top_logprobs is None or output.logprobs:
        return output
    return msgspec.structs.replace(output, top_logprobs=None)


def chats(format: str, **fields: Some[Any]) -> Some[Chat]:
    """Chats in which these fields of `Chat` vary and the others are left out; `messages` must be among them."""
    return st.builds(Chat, format=st.just(format), model=NAME, stream=st.booleans(), **fields).map(_with_usage)


def _with_usage(chat: Chat) -> Chat:
    """Streams tell their usage: writers always ask for it."""
    return msgspec.structs.replace(chat, include_usage=chat.stream)


def any_chats(format: str) -> Some[Chat]:
    """Everything that a chat can be."""
    extra = st.dictionaries(NAME, raw(OBJECTS), max_size=2)
    return chats(
        format,
        messages=few(MESSAGES, 1, 4),
        tools=few(TOOLS),
        tool_choice=maybe(CHOICES),
        parallel_tool_calls=maybe(st.booleans()),
        sampling=sampling(),
        output=output(),
        reasoning=REASONINGS,
        search=st.builds(Search, enabled=maybe(st.booleans()), options=maybe(raw(OBJECTS))),
        user=maybe(WORD),
        service_tier=maybe(st.sampled_from(["auto", "default", "flex", "priority"])),
        metadata=maybe(raw(st.dictionaries(NAME, WORD, max_size=2))),
        translation=maybe(raw(st.just({"source_lang": "auto", "target_lang": "English"}))),
        high_resolution_images=maybe(st.booleans()),
        cache=maybe(CACHE_MARKS),
        extra=extra,
        essential=few(NAME).map(frozenset),
    )


# Replies
SAID = st.builds(Text, text=WORD)
CITED = st.builds(Text, text=WORD, citations=few(CITATIONS, 0, 2))
DRAWN = st.builds(Image, source=data("image/png"))
SPOKEN = st.builds(Audio, source=data(""), transcript=TEXT, id=ID)
LOGPROBS = st.builds(
    TokenLogprob,
    token=WORD,
    logprob=st.floats(-9, 0),
    bytes=maybe(few(st.integers(0, 255))),
    top=few(st.builds(TopLogprob, token=WORD, logprob=st.floats(-9, 0), bytes=maybe(few(st.integers(0, 255))))),
)
SEARCHES = st.builds(
    SearchResult, url=st.just("https://example.com"), title=TEXT, site=TEXT, icon=TEXT, index=st.integers(0, 9)
)
FINISHES = st.sampled_from([finish for finish in FinishReason if finish is not FinishReason.ERROR])
COUNTS = st.integers(0, 10**6)


def usages(*buckets: str) -> Some[ReportedUsage]:
    """Usage in these buckets."""
    counted = st.builds(Usage, **{bucket: COUNTS for bucket in buckets or Usage.__struct_fields__})
    return st.builds(ReportedUsage, usage=counted, raw=st.just(b"{}"))


NOTHING = st.none()
NO_SEARCHES: Some[tuple[SearchResult, ...]] = st.just(())
PLAIN_USAGES = usages("input", "output")


@st.composite
def replies(
    draw: st.DrawFn,
    parts: Some[tuple[Part, ...]],
    *,
    most: int = 1,
    finishes: Some[FinishReason] = FINISHES,
    sequences: Some[str | None] = NOTHING,
    logprobs: Some[tuple[TokenLogprob, ...] | None] = NOTHING,
    usage: Some[ReportedUsage] = PLAIN_USAGES,
    searches: Some[tuple[SearchResult, ...]] = NO_SEARCHES,
    service_tier: Some[str | None] = NOTHING,
    fingerprint: Some[str | None] = NOTHING,
) -> Reply:
    """Whole replies of up to `most` choices with these parts."""
    choices: list[Choice] = []
    for index in range(draw(st.integers(1, most))):
        said = draw(parts)
        called = any(isinstance(part, ToolCall) for part in said)
        finish = FinishReason.TOOL_CALLS if called else draw(finishes)
        if not called and finish is FinishReason.TOOL_CALLS:
            finish = FinishReason.STOP
        choices.append(
            Choice(
                index=index,
                parts=said,
                finish=finish,
                stop_sequence=draw(sequences),
                logprobs=draw(logprobs),
            )
        )
    return Reply(
        id=draw(ID),
        model=draw(NAME),
        created_s=draw(st.integers(1, 2**33)),
        choices=tuple(choices),
        usage=draw(usage),
        service_tier=draw(service_tier),
        system_fingerprint=draw(fingerprint),
        searches=draw(searches),
    )


SILENT = st.just(Thinking(""))
REPLY_PARTS: Some[Part] = st.one_of(CITED, REFUSALS, THOUGHTS, SILENT, CALLS, DRAWN, SPOKEN, OPAQUES)


def any_replies() -> Some[Reply]:
    """Everything that a reply can be."""
    return replies(
        few(REPLY_PARTS, 0, 4),
        most=2,
        finishes=st.sampled_from(FinishReason),
        sequences=maybe(LINE),
        logprobs=maybe(few(LOGPROBS, 1)),
        usage=usages(),
        searches=few(SEARCHES, 0, 2),
        service_tier=maybe(NAME),
        fingerprint=maybe(NAME),
    )
