"""OpenAI request bodies, read: what the gateway needs to route, price and limit a call.

The body's bytes stay as they are; `members` finds and edits its top level. Everything a caller can get wrong here
raises BadRequest with `param`; whatever is not named in `parameters` is the backend's to judge.
"""

from collections.abc import Callable, Set
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadRequest
from tokengate.core.languages import check_languages
from tokengate.core.parts import Data
from tokengate.core.splice import Members
from tokengate.formats.openai.media import is_address, source_of
from tokengate.formats.openai.parameters import (
    MAX_EMBEDDING_INPUTS,
    MAX_MODERATED,
    MAX_SPOKEN_CHARACTERS,
    ROLES,
    SEED_RANGE,
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ModerationBody,
    RerankBody,
    SpeechBody,
)
from tokengate.formats.openai.refusal import missing, must_be, refusal_of
from tokengate.formats.openai.shapes import is_list, is_object


class Media(Struct, frozen=True):
    """What a prompt holds besides text. `characters` is how much of the body it takes, never more: a data URL's
    length says nothing about the tokens of its image."""

    images: int = 0
    films: int = 0
    frames: int = 0  # of videos that are lists of frames
    characters: int = 0
    sounds: tuple[str | None, ...] = ()  # in base64; None when the bytes are elsewhere
    documents: tuple[str | None, ...] = ()


NO_MEDIA = Media()

RESULT_MEDIA = "media in a tool's result"  # in `said`; no member is called so


class ChatRequest(Struct, frozen=True):
    """A chat completion as the pipeline sees it. `said` holds the roles of its messages, the types of their parts, the
    names of the members of both, and RESULT_MEDIA."""

    wire: ChatBody
    members: Members
    said: Set[str]
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


class ModerationRequest(Struct, frozen=True):
    """A request for moderation as the pipeline sees it."""

    members: Members
    model: str
    inputs: int  # texts, or parts of the one input
    media: Media


def read_chat(body: bytes) -> ChatRequest:
    """Read the body of `POST /v1/chat/completions`. Raises BadRequest."""
    wire, members = _read_chat(body)
    media, said = _check_messages(wire.messages or [])
    cap = wire.max_completion_tokens or wire.max_tokens
    bound = cap
    if cap is not None and wire.max_tokens is not None:
        bound = max(cap, wire.max_tokens)
    stream_options = wire.stream_options
    return ChatRequest(
        wire,
        members,
        said,
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


def read_moderation(body: bytes) -> ModerationRequest:
    """Read the body of `POST /v1/moderations`. Raises BadRequest."""
    wire, members = _read(body, _decode_moderation, _MODERATION_NAMES)
    value: Any = wire.input
    media = NO_MEDIA
    if type(value) is str:
        value = [value]
    if not is_list(value) or not 1 <= len(value) <= MAX_MODERATED:
        raise must_be("input", _MODERATED)
    if type(value[0]) is str:
        if not all(type(text) is str and text for text in value):
            raise must_be("input", _MODERATED)
    else:
        media = _count_parts(value, "input", NO_MEDIA)
        for index, part in enumerate(value):
            if part["type"] not in ("text", "image_url"):
                raise must_be(f"input[{index}].type", "text or image_url")
    return ModerationRequest(members, wire.model, len(value), media)


def read_rerank(body: bytes) -> tuple[RerankBody, Members]:
    """Read the body of `POST /v1/rerank`. Raises BadRequest."""
    wire, members = _read(body, _decode_rerank, _RERANK_NAMES)
    for index, document in enumerate(wire.documents):
        if not document:
            raise must_be(f"documents[{index}]")
        if is_object(document) and "text" in document and type(document["text"]) is not str:
            raise must_be(f"documents[{index}].text", "a string")
    return wire, members


def read_speech(body: bytes) -> tuple[SpeechBody, Members]:
    """Read the body of `POST /v1/audio/speech`. Raises BadRequest."""
    try:
        wire, members = _read(body, _decode_speech, _SPEECH_NAMES)
    except BadRequest as refusal:
        if refusal.param == "response_format":
            raise must_be("response_format", "one of mp3, opus, aac, flac, wav, pcm") from None
        raise
    if type(wire.input) is not str or not 1 <= len(wire.input) <= MAX_SPOKEN_CHARACTERS:
        raise must_be("input", f"a text of 1 to {MAX_SPOKEN_CHARACTERS} characters")
    return wire, members


_decode_chat = msgspec.json.Decoder(ChatBody).decode
_decode_completion = msgspec.json.Decoder(CompletionBody).decode
_decode_embedding = msgspec.json.Decoder(EmbeddingBody).decode
_decode_moderation = msgspec.json.Decoder(ModerationBody).decode
_decode_rerank = msgspec.json.Decoder(RerankBody).decode
_decode_speech = msgspec.json.Decoder(SpeechBody).decode
_decode_anything = msgspec.json.Decoder().decode

_CHAT_NAMES = frozenset(ChatBody.__struct_encode_fields__)
_COMPLETION_NAMES = frozenset(CompletionBody.__struct_encode_fields__)
_EMBEDDING_NAMES = frozenset(EmbeddingBody.__struct_encode_fields__)
_MODERATION_NAMES = frozenset(ModerationBody.__struct_encode_fields__)
_RERANK_NAMES = frozenset(RerankBody.__struct_encode_fields__)
_SPEECH_NAMES = frozenset(SpeechBody.__struct_encode_fields__)

# What an assistant message may hold instead of content.
_INSTEAD_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio", "images")

_MODERATED = f"a text, a list of texts, or a list of parts with text and image_url; 1 to {MAX_MODERATED} of them"

# The type of a content part -> what it adds to Media. Types that are not here are read as text.
_MEDIA_KINDS = {
    "image_url": "image",
    "image": "image",
    "image_embeds": "image",
    "video": "video",
    "video_url": "video",
    "input_audio": "audio",
    "audio_url": "audio",
    "file": "file",
}

_TWO_FORMATS = "'input' belongs to DashScope's own request format; send either it or 'messages'."

Wire = TypeVar("Wire", ChatBody, CompletionBody, EmbeddingBody, ModerationBody, RerankBody, SpeechBody)


class OtherFormat(BadRequest):
    """A chat's body in DashScope's own format: where that is read too, it is no mistake."""

    def __init__(self) -> None:
        super().__init__(
            "'input' belongs to DashScope's own request format, which this path does not read; send 'messages'.",
            param="input",
        )


def _read_chat(body: bytes) -> tuple[ChatBody, Members]:
    """Read and check everything of a chat's body but the messages themselves."""
    wire, members = _read(body, _decode_chat, _CHAT_NAMES)
    if wire.input is not None:
        raise OtherFormat() if wire.messages is None else BadRequest(_TWO_FORMATS, param="input")
    if wire.messages is None:
        raise missing("messages")
    _check_sampling(wire.seed, wire.stop)
    if wire.top_logprobs and wire.logprobs is not True:
        raise BadRequest("'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs")
    if (options := wire.translation_options) is not None:
        check_languages(wire.model, options.source_lang, options.target_lang, "translation_options")
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


def _check_messages(messages: list[dict[str, Any]]) -> tuple[Media, set[str]]:
    """Check every message's role and content, count the media, and note what was said."""
    media = NO_MEDIA
    said: set[str] = set()
    for index, message in enumerate(messages):
        role = message.get("role")
        if type(role) is not str or role not in ROLES:
            raise must_be(f"messages[{index}].role")
        said.add(role)
        said.update(message)
        content = message.get("content")
        if type(content) is str:
            continue
        if is_list(content):
            media = _count_parts(content, f"messages[{index}].content", media)
            for part in content:
                said.add(part["type"])
                said.update(part)
                if role == "tool" and part["type"] in _MEDIA_KINDS:
                    said.add(RESULT_MEDIA)
        elif content is not None:
            raise must_be(f"messages[{index}].content")
        elif role != "function" and not (
            role == "assistant" and any(message.get(name) is not None for name in _INSTEAD_OF_CONTENT)
        ):
            raise BadRequest(
                f"'messages[{index}].content' is required; only an assistant message with tool calls, a refusal, "
                "audio or pictures may leave it out.",
                param=f"messages[{index}].content",
            )
    return media, said


def _count_parts(parts: list[Any], param: str, before: Media) -> Media:
    images, films, frames, characters = before.images, before.films, before.frames, before.characters
    sounds, documents = list(before.sounds), list(before.documents)
    for index, part in enumerate(parts):
        if not is_object(part) or type(part.get("type")) is not str:
            raise must_be(f"{param}[{index}]")
        if part["type"] == "text" and type(part.get("text")) is not str:
            raise must_be(f"{param}[{index}].text", "a string")
        match _MEDIA_KINDS.get(part["type"]):
            case "image":
                images += 1
            case "video":
                video = part.get("video")
                frames += len(video) if is_list(video) else 0
                films += not is_list(video)
            case "audio":
                sounds.append(_base64(part, "input_audio", "data"))
            case "file":
                documents.append(_base64(part, "file", "file_data"))
            case _:
                continue
        characters += _characters(part)
    return Media(images, films, frames, characters, tuple(sounds), tuple(documents))


def _base64(part: dict[str, Any], name: str, member: str) -> str | None:
    inner = part.get(name)
    data = inner.get(member) if is_object(inner) else None
    if type(data) is not str or is_address(data):
        return None
    source = source_of(data)
    return source.base64 if isinstance(source, Data) else data


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
