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
MAX_DOCUMENTS = 2048
MAX_MODERATED = 2048
MAX_PICTURES = 10  # in one reply
MAX_PICTURES_IN = 16  # in one request
MAX_PICTURE_PROMPT = 32_000  # characters
MAX_PICTURE_SIDE = 8192  # pixels
MAX_FILM_PROMPT = 32_000  # characters
MAX_FILM_SECONDS = 60
MAX_FILM_SIDE = 4096  # pixels
MAX_FRAMES = 3_600
MAX_FRAMES_PER_SECOND = 120
MAX_SPOKEN_CHARACTERS = 4096
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
    image_config: _Object | None = None
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


class RerankBody(Struct):
    """`POST /v1/rerank`, as Cohere and Jina shape it, with the instruction that DashScope and SGLang add."""

    model: _Model
    query: Annotated[str, Meta(min_length=1)]
    documents: Annotated[list[str | _Object], Meta(min_length=1, max_length=MAX_DOCUMENTS)]
    top_n: _Cap | None = None
    return_documents: bool | None = None
    max_tokens_per_doc: _Cap | None = None
    instruct: str | None = None


class ModerationBody(Struct):
    """`POST /v1/moderations`, after https://platform.openai.com/docs/api-reference/moderations, 2026-11."""

    input: Any
    model: _Model = "omni-moderation-latest"


class _PicturesBody(Struct, kw_only=True):
    """What the operations on pictures have in common."""

    model: _Model
    n: Annotated[int, Meta(ge=1, le=MAX_PICTURES)] | None = None
    size: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    user: str | None = None


class ImageBody(_PicturesBody, kw_only=True):
    """`POST /v1/images/generations`, with the negative prompt and the seed that DashScope and vLLM-Omni know."""

    prompt: Annotated[str, Meta(min_length=1, max_length=MAX_PICTURE_PROMPT)]
    quality: Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"] | None = None
    background: Literal["auto", "transparent", "opaque"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    moderation: Literal["auto", "low"] | None = None
    style: Literal["vivid", "natural"] | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    safety_identifier: str | None = None


class PictureReference(Struct):
    """A picture by its address, which may be a data URL."""

    image_url: str | None = None
    file_id: str | None = None


class ImageEditBody(ImageBody, kw_only=True):
    """`POST /v1/images/edits`, whose pictures are `image`, or `images` as OpenAI's JSON has them."""

    image: str | list[str] | None = None
    images: list[PictureReference] | None = None
    mask: str | PictureReference | None = None
    input_fidelity: Literal["high", "low"] | None = None


class ImageVariationBody(_PicturesBody, kw_only=True):
    """`POST /v1/images/variations`."""

    image: str


class FilmReference(Struct):
    """A film by the id of the job that made it."""

    id: str


_FilmPrompt = Annotated[str, Meta(min_length=1, max_length=MAX_FILM_PROMPT)]


class VideoBody(Struct, kw_only=True):
    """`POST /v1/videos`, after https://platform.openai.com/docs/api-reference/videos, with what DashScope's and
    vLLM-Omni's films may have beside, 2026-11."""

    prompt: _FilmPrompt
    model: _Model = "sora-2"
    seconds: str | int | None = None
    size: str | None = None
    input_reference: str | PictureReference | None = None
    resolution: Literal["480P", "720P", "1080P"] | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    generate_sound: bool | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None
    num_frames: Annotated[int, Meta(ge=1, le=MAX_FRAMES)] | None = None
    fps: Annotated[int, Meta(ge=1, le=MAX_FRAMES_PER_SECOND)] | None = None


class VideoRemixBody(Struct):
    """`POST /v1/videos/{video_id}/remix`."""

    prompt: _FilmPrompt


class VideoEditBody(Struct):
    """`POST /v1/videos/edits`."""

    prompt: _FilmPrompt
    video: FilmReference


class VoiceId(Struct):
    id: _Model


class SpeechBody(Struct):
    """`POST /v1/audio/speech`, after https://platform.openai.com/docs/api-reference/audio/createSpeech, with the
    language that vLLM-Omni takes (docs.vllm.ai/projects/vllm-omni, Speech API), 2026-11."""

    model: _Model
    input: Any
    voice: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)] | VoiceId
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None = None
    speed: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    instructions: str | None = None
    language: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)] | None = None
    stream_format: Literal["audio", "sse"] | None = None


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
    "voice": "the name of a voice, or an object with the id of one",
    "voice.id": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "speed": "a number from 0.25 to 4",
    "language": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "stream_format": "audio or sse",
    "query": "a text that is not empty",
    "documents": f"a list of 1 to {MAX_DOCUMENTS} documents",
    "documents[]": 'a text that is not empty, or an object such as {"text": "..."}',
    "top_n": f"an integer from 1 to {MAX_CAP}",
    "max_tokens_per_doc": f"an integer from 1 to {MAX_CAP}",
    "prompt": "a string, a list of strings, a list of token ids, or a list of such lists, and not empty",
    "input": "a string, a list of strings, a list of token ids, or a list of such lists, and not empty, "
    f"with at most {MAX_EMBEDDING_INPUTS} inputs",
    "input[]": 'an object with a type, such as {"type": "text", "text": "..."}',
}

# The same for pictures, where some names mean something else.
PICTURES_MUST_BE = {
    **MUST_BE,
    "n": f"an integer from 1 to {MAX_PICTURES}",
    "prompt": f"a text of 1 to {MAX_PICTURE_PROMPT} characters",
    "size": f"auto or such as 1024x1024, with sides of up to {MAX_PICTURE_SIDE} pixels",
    "response_format": "url or b64_json",
    "quality": "one of auto, low, medium, high, xhigh, max, standard, hd",
    "background": "one of auto, transparent, opaque",
    "output_format": "one of png, jpeg, webp",
    "output_compression": "an integer from 0 to 100",
    "moderation": "auto or low",
    "style": "vivid or natural",
    "partial_images": "an integer from 0 to 3",
    "input_fidelity": "high or low",
    "image": f"a picture, or 1 to {MAX_PICTURES_IN} of them",
    "images": f"a list of 1 to {MAX_PICTURES_IN} pictures",
}

# And for films.
FILMS_MUST_BE = {
    **MUST_BE,
    "prompt": f"a text of 1 to {MAX_FILM_PROMPT} characters",
    "seconds": f"a whole number of seconds from 1 to {MAX_FILM_SECONDS}",
    "size": f"such as 1280x720, with sides of up to {MAX_FILM_SIDE} pixels",
    "input_reference": "a picture, or an object with its image_url",
    "resolution": "one of 480P, 720P, 1080P",
    "num_frames": f"an integer from 1 to {MAX_FRAMES}",
    "fps": f"an integer from 1 to {MAX_FRAMES_PER_SECOND}",
    "video": "an object with the id of a video that was made here; films are not taken",
}
