"""DashScope's request bodies as wire structs: the members that have a word in the vocabulary, with their ranges.

Null is the same as absent. `MUST_BE` says the ranges in words, for error messages.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from tokengate.formats.dashscope.shapes import NULL

MAX_MODEL_CHARACTERS = 200
MAX_CAP = 2**31 - 1
MAX_CHOICES = 4
MAX_TOP_LOGPROBS = 5
MAX_SEED = 2**64 - 1
MAX_TEXTS = 2048
MAX_TASK_SEED = 2**31 - 1
MAX_FILM_S = 60
MAX_TASK_PICTURES = 9  # of one task
MAX_RECORDINGS = 100
MAX_SPOKEN_CHARACTERS = 4096  # the vendor itself takes 600

Model = Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)]
_Natural = Annotated[int, Meta(ge=0, le=MAX_CAP)]
_Cap = Annotated[int, Meta(ge=1, le=MAX_CAP)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Bias = Annotated[float, Meta(ge=-100, le=100)]


class Body(Struct):
    """What every service takes: `{"model", "input": {…}, "parameters": {…}}`."""

    model: Model
    input: Raw
    parameters: Raw = NULL


class ChatInput(Struct):
    messages: list[Raw] | None = None
    prompt: str | None = None
    history: list["Exchange"] | None = None


class Exchange(Struct):
    """A turn of the oldest requests, from before there were messages."""

    user: str
    bot: str


class CacheControl(Struct):
    type: Literal["ephemeral"] = "ephemeral"


class CalledFunction(Struct):
    name: str
    arguments: str = ""


class Call(Struct):
    function: CalledFunction
    id: str | None = None
    type: Literal["function"] | None = None
    index: int | None = None
    extra_content: Raw = NULL


class ChatMessage(Struct):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Raw] | None = None
    name: str | None = None
    partial: bool | None = None
    reasoning_content: str | None = None
    reasoning_signature: str | None = None
    reasoning_details: list[Raw] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None


class ContentPart(Struct):
    """An entry of a content list, told apart by which of these names it has."""

    text: str | None = None
    image: str | None = None
    video: str | list[str] | None = None
    audio: str | None = None
    type: str | None = None
    min_pixels: _Natural | None = None
    max_pixels: _Natural | None = None
    total_pixels: _Natural | None = None
    max_frames: _Natural | None = None
    fps: Annotated[float, Meta(gt=0, le=1000)] | None = None
    cache_control: CacheControl | None = None


class OfferedFunction(Struct):
    name: str
    description: str | None = None
    parameters: Raw = NULL
    strict: bool | None = None


class ChosenFunction(Struct):
    name: str


class Choice(Struct):
    function: ChosenFunction
    type: Literal["function"] = "function"


class JsonSchema(Struct):
    schema: Raw = NULL
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatParameters(Struct):
    result_format: Literal["text", "message"] | None = None
    incremental_output: bool | None = None
    temperature: Annotated[float, Meta(ge=0, lt=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: _Natural | None = None
    max_tokens: _Cap | None = None
    max_completion_tokens: _Cap | None = None
    seed: int | None = None
    stop: str | list[str | int | list[int]] | None = None
    repetition_penalty: Annotated[float, Meta(gt=0)] | None = None
    presence_penalty: _Penalty | None = None
    logit_bias: dict[str, _Bias] | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_CHOICES)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    response_format: ResponseFormat | None = None
    tools: list[Raw] | None = None
    tool_choice: Literal["auto", "none", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    enable_thinking: bool | None = None
    thinking_budget: _Natural | None = None
    reasoning_effort: str | None = None
    enable_search: bool | None = None
    search_options: Raw = NULL
    translation_options: Raw = NULL
    vl_high_resolution_images: bool | None = None
    cache_control: CacheControl | None = None


class TranslationOptions(Struct):
    """What is checked of `translation_options`; all of it goes to the model."""

    source_lang: str | None = None
    target_lang: str | None = None


class TextsInput(Struct):
    texts: list[str]


class ContentsInput(Struct):
    contents: list[Raw]


class RerankInput(Struct):
    query: Raw
    documents: list[Raw]


class EmbeddingParameters(Struct):
    text_type: Literal["query", "document"] | None = None
    dimension: _Cap | None = None
    output_type: Literal["dense", "sparse", "dense&sparse"] | None = None
    instruct: str | None = None


class SpeechInput(Struct):
    text: Annotated[str, Meta(min_length=1, max_length=MAX_SPOKEN_CHARACTERS)]
    voice: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)]
    language_type: str | None = None
    instructions: str | None = None


class SpeechParameters(Struct):
    """Where the vendor's SDK puts what its own methods have no name for."""

    language_type: str | None = None
    instructions: str | None = None


class RerankParameters(Struct):
    top_n: _Cap | None = None
    return_documents: bool | None = None
    instruct: str | None = None


# Parameters without a word in the vocabulary that change what the answer means.
ESSENTIAL = frozenset(
    {
        "asr_options",
        "audio",
        "enable_code_interpreter",
        "enable_text_image_mixed",
        "modalities",
        "negative_prompt",
        "ocr_options",
        "output_format",
        "skill",
    }
)

# Parameter -> what its value must be, where the type alone does not say it. "[]" stands for any index.
MUST_BE = {
    "model": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "input": "an object",
    "input.messages": "a list of at least one message",
    "input.messages[]": "an object with a role and content",
    "input.messages[].role": "one of system, user, assistant, tool",
    "input.messages[].content": "a string or a list of parts",
    "input.messages[].content[]": 'an object with one of text, image, video and audio, such as {"text": "..."}',
    "input.messages[].content[].video": "a URL or a list of the URLs of frames",
    "input.messages[].content[].fps": "a number above 0, at most 1000",
    "input.prompt": "a string that is not empty",
    "input.texts": f"a list of 1 to {MAX_TEXTS} texts that are not empty",
    "input.texts[]": "a string that is not empty",
    "input.contents": f"a list of 1 to {MAX_TEXTS} entries",
    "input.contents[]": 'an object with one of text, image, video and audio, such as {"text": "..."}',
    "input.text": f"a text of 1 to {MAX_SPOKEN_CHARACTERS} characters",
    "input.voice": "the name of a voice",
    "input.query": "a text that is not empty",
    "input.documents": f"a list of 1 to {MAX_TEXTS} documents",
    "input.documents[]": 'a text, or an object such as {"image": "..."}',
    "input.images": "a list of addresses of pictures",
    "input.media[]": 'an object such as {"type": "first_frame", "url": "..."}',
    "input.file_urls": f"a list of 1 to {MAX_RECORDINGS} addresses",
    "input.file_url": "an address",
    "parameters": "an object",
    "parameters.duration": f"an integer from 1 to {MAX_FILM_S}",
    "parameters.resolution": "one of 480P, 720P, 1080P",
    "parameters.text_type": "query or document",
    "parameters.dimension": f"an integer from 1 to {MAX_CAP}",
    "parameters.output_type": "one of dense, sparse, dense&sparse",
    "parameters.top_n": f"an integer from 1 to {MAX_CAP}",
    "parameters.result_format": "text or message",
    "parameters.temperature": "a number from 0 to 2, without 2",
    "parameters.top_p": "a number above 0, at most 1",
    "parameters.top_k": f"an integer from 0 to {MAX_CAP}",
    "parameters.max_tokens": f"an integer from 1 to {MAX_CAP}",
    "parameters.max_completion_tokens": f"an integer from 1 to {MAX_CAP}",
    "parameters.thinking_budget": f"an integer from 0 to {MAX_CAP}",
    "parameters.seed": f"an integer from 0 to {MAX_SEED}",
    "parameters.stop": "a string, or a list of only strings or only token ids",
    "parameters.stop[]": "a string, a token id, or a list of token ids",
    "parameters.repetition_penalty": "a number above 0",
    "parameters.presence_penalty": "a number from -2 to 2",
    "parameters.logit_bias": "an object of token ids and numbers from -100 to 100",
    "parameters.n": f"an integer from 1 to {MAX_CHOICES}",
    "parameters.top_logprobs": f"an integer from 0 to {MAX_TOP_LOGPROBS}",
    "parameters.response_format.type": "one of text, json_object, json_schema",
    "parameters.search_options": "an object",
    "parameters.translation_options": "an object",
    "parameters.tools[]": 'an object such as {"type": "function", "function": {"name": "..."}}',
    "parameters.tool_choice": 'auto, none, required, or {"type": "function", "function": {"name": "..."}}',
}
