"""OpenAI request bodies, read: what the gateway needs to route, price and limit a call.

The body's bytes stay as they are; `members` finds and edits its top level. Everything a caller can get wrong here
raises BadRequest with `param`; whatever is not named in `parameters` is the backend's to judge.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadRequest
from tokengate.core.splice import Members
from tokengate.formats.openai.languages import check_languages
from tokengate.formats.openai.parameters import (
    MAX_EMBEDDING_INPUTS,
    ROLES,
    SEED_RANGE,
    ChatBody,
    CompletionBody,
    EmbeddingBody,
)
from tokengate.formats.openai.refusal import missing, must_be, refusal_of
from tokengate.formats.openai.shapes import is_list, is_object


class Media(Struct, frozen=True):
    """What a prompt holds besides text. `characters` is how much of the body it takes, never more: a data URL's
    length says nothing about the tokens of its image."""

    images: int = 0
    videos: int = 0
    frames: int = 0  # of videos that are lists of frames
    audios: int = 0
    files: int = 0
    characters: int = 0


NO_MEDIA = Media()


class ChatRequest(Struct, frozen=True):
    """A chat completion as the pipeline sees it."""

    members: Members
    model: str
    stream: bool
    include_usage: bool
    output_cap: int | None  # per choice: what counts of the two caps
    output_bound: int | None  # the larger of them: a backend may obey either
    n: int
    messages: int
    tools: int
    media: Media
    thinking: bool | None  # as asked for; None leaves it to the model
    reasoning_effort: str | None
    search: bool
    audio_out: bool
    logprobs: bool
    service_tier: str | None
    store: bool
    user: str | None


class CompletionRequest(Struct, frozen=True):
    """A completion as the pipeline sees it. `choices` counts every sequence that is generated and paid for."""

    members: Members
    model: str
    stream: bool
    include_usage: bool
    output_cap: int | None
    prompts: int
    prompt_tokens: int  # given as token ids
    n: int
    choices: int
    logprobs: bool
    user: str | None


class EmbeddingRequest(Struct, frozen=True):
    """An embedding request as the pipeline sees it."""

    members: Members
    model: str
    inputs: int
    input_tokens: int  # given as token ids
    dimensions: int | None
    base64: bool
    user: str | None


def read_chat(body: bytes) -> ChatRequest:
    """Read the body of `POST /v1/chat/completions`. Raises BadRequest."""
    wire, members = _read_chat(body)
    media = _check_messages(wire.messages or [])
    cap = wire.max_completion_tokens or wire.max_tokens
    bound = cap
    if cap is not None and wire.max_tokens is not None:
        bound = max(cap, wire.max_tokens)
    stream_options = wire.stream_options
    return ChatRequest(
        members,
        wire.model,
        wire.stream is True,
        stream_options is not None and stream_options.include_usage is True,
        cap,
        bound,
        wire.n or 1,
        len(wire.messages or ()),
        (len(wire.tools) if wire.tools else 0) + (len(wire.functions) if wire.functions else 0),
        media,
        _thinking(wire),
        wire.reasoning_effort,
        wire.enable_search is True or wire.web_search_options is not None,
        wire.modalities is not None and "audio" in wire.modalities,
        wire.logprobs is True,
        wire.service_tier,
        wire.store is True,
        wire.user,
    )


def read_chat_body(body: bytes) -> tuple[ChatBody, Members]:
    """Read the same body as its wire struct, with everything checked that `read_chat` checks. Raises BadRequest."""
    wire, members = _read_chat(body)
    _check_messages(wire.messages or [])
    return wire, members


def read_completion(body: bytes) -> CompletionRequest:
    """Read the body of `POST /v1/completions`. Raises BadRequest."""
    wire, members = _read(body, _decode_completion, _COMPLETION_NAMES)
    _check_sampling(wire.seed, wire.stop)
    prompts, prompt_tokens = _count_texts(wire.prompt, "prompt")
    n = wire.n or 1
    best_of = wire.best_of or n
    if best_of < n:
        raise BadRequest("'best_of' must not be less than 'n'.", param="best_of")
    stream_options = wire.stream_options
    return CompletionRequest(
        members=members,
        model=wire.model,
        stream=wire.stream is True,
        include_usage=stream_options is not None and stream_options.include_usage is True,
        output_cap=wire.max_tokens,
        prompts=prompts,
        prompt_tokens=prompt_tokens,
        n=n,
        choices=prompts * best_of,
        logprobs=bool(wire.logprobs),
        user=wire.user,
    )


def read_embedding(body: bytes) -> EmbeddingRequest:
    """Read the body of `POST /v1/embeddings`. Raises BadRequest."""
    wire, members = _read(body, _decode_embedding, _EMBEDDING_NAMES)
    inputs, input_tokens = _count_texts(wire.input, "input")
    if inputs > MAX_EMBEDDING_INPUTS:
        raise must_be("input")
    return EmbeddingRequest(
        members=members,
        model=wire.model,
        inputs=inputs,
        input_tokens=input_tokens,
        dimensions=wire.dimensions,
        base64=wire.encoding_format == "base64",
        user=wire.user,
    )


_decode_chat = msgspec.json.Decoder(ChatBody).decode
_decode_completion = msgspec.json.Decoder(CompletionBody).decode
_decode_embedding = msgspec.json.Decoder(EmbeddingBody).decode
_decode_anything = msgspec.json.Decoder().decode

_CHAT_NAMES = frozenset(ChatBody.__struct_encode_fields__)
_COMPLETION_NAMES = frozenset(CompletionBody.__struct_encode_fields__)
_EMBEDDING_NAMES = frozenset(EmbeddingBody.__struct_encode_fields__)

# What an assistant message may hold instead of content.
_INSTEAD_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")

# The type of a content part -> which count of Media it adds to. Types that are not here are read as text.
_MEDIA_KINDS = {
    "image_url": "images",
    "image": "images",
    "image_embeds": "images",
    "video": "videos",
    "video_url": "videos",
    "input_audio": "audios",
    "audio_url": "audios",
    "file": "files",
}

Wire = TypeVar("Wire", ChatBody, CompletionBody, EmbeddingBody)


def _read_chat(body: bytes) -> tuple[ChatBody, Members]:
    """Read and check everything of a chat's body but the messages themselves."""
    wire, members = _read(body, _decode_chat, _CHAT_NAMES)
    if wire.input is not None:
        raise BadRequest(
            "'input' belongs to DashScope's own request format, which this path does not read; send 'messages'.",
            param="input",
        )
    if wire.messages is None:
        raise missing("messages")
    _check_sampling(wire.seed, wire.stop)
    if wire.top_logprobs and wire.logprobs is not True:
        raise BadRequest("'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs")
    if wire.translation_options is not None:
        check_languages(wire.model, wire.translation_options)
    return wire, members


def _read(body: bytes, decode: Callable[[bytes], Wire], names: frozenset[str]) -> tuple[Wire, Members]:
    try:
        members = Members(body)
        wire = decode(body)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error) from None
    if not members.names() <= names:
        _check_others(members, names)
    return wire, members


def _check_others(members: Members, names: frozenset[str]) -> None:
    """Check that members which we do not know are sound JSON.

    Refuse `Model` beside or instead of `model`: a backend that ignores case would read what we did not.
    """
    for name in members:
        if name in names:
            continue
        if name.casefold() in names:
            raise BadRequest(f"'{name}' must be written '{name.casefold()}'.", param=name)
        try:
            _decode_anything(members.get(name) or b"")
        except (ValueError, RecursionError) as error:
            raise refusal_of(error, name) from None


def _check_sampling(seed: int | None, stop: str | list[str | int] | None) -> None:
    if seed is not None and not SEED_RANGE[0] <= seed <= SEED_RANGE[1]:
        raise must_be("seed")
    if type(stop) is list and len({type(item) for item in stop}) > 1:
        raise must_be("stop")


def _check_messages(messages: list[dict[str, Any]]) -> Media:
    """Check every message's role and content, and count the media."""
    media = NO_MEDIA
    for index, message in enumerate(messages):
        role = message.get("role")
        if type(role) is not str or role not in ROLES:
            raise must_be(f"messages[{index}].role")
        content = message.get("content")
        if type(content) is str:
            continue
        if is_list(content):
            media = _count_parts(content, f"messages[{index}].content", media)
        elif content is not None:
            raise must_be(f"messages[{index}].content")
        elif role != "function" and not (
            role == "assistant" and any(message.get(name) is not None for name in _INSTEAD_OF_CONTENT)
        ):
            raise BadRequest(
                f"'messages[{index}].content' is required; only an assistant message with tool calls, a refusal or "
                "audio may leave it out.",
                param=f"messages[{index}].content",
            )
    return media


def _count_parts(parts: list[Any], param: str, before: Media) -> Media:
    counts = {"images": before.images, "videos": before.videos, "audios": before.audios, "files": before.files}
    frames = before.frames
    characters = before.characters
    for index, part in enumerate(parts):
        if not is_object(part) or type(part.get("type")) is not str:
            raise must_be(f"{param}[{index}]")
        if part["type"] == "text" and type(part.get("text")) is not str:
            raise must_be(f"{param}[{index}].text", "a string")
        kind = _MEDIA_KINDS.get(part["type"])
        if kind is None:
            continue
        counts[kind] += 1
        characters += _characters(part)
        if kind == "videos" and is_list(part.get("video")):
            frames += len(part["video"])
    return Media(frames=frames, characters=characters, **counts)


def _characters(value: Any) -> int:
    """Return how many characters all strings in a JSON value have together, names left out."""
    if type(value) is str:
        return len(value)
    if is_object(value):
        return sum(map(_characters, value.values()))
    if is_list(value):
        return sum(map(_characters, value))
    return 0


def _thinking(wire: ChatBody) -> bool | None:
    if wire.enable_thinking is not None:
        return wire.enable_thinking
    if wire.thinking is not None and wire.thinking.type is not None:
        return wire.thinking.type != "disabled"
    if wire.chat_template_kwargs is not None:
        return wire.chat_template_kwargs.enable_thinking
    return None


def _count_texts(value: Any, param: str) -> tuple[int, int]:
    """Return how many texts a prompt or an embedding input holds, and how many token ids."""
    if type(value) is str and (value or param == "prompt"):
        return 1, 0
    if not is_list(value) or not value:
        raise must_be(param)
    kinds: set[type] = {type(item) for item in value}
    if kinds == {int}:
        return 1, len(value)
    if kinds == {str} and (param == "prompt" or all(value)):
        return len(value), 0
    if kinds == {list} and all(item and {type(token) for token in item} == {int} for item in value):
        return len(value), sum(map(len, value))
    raise must_be(param)
