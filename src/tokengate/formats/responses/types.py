"""The request body of OpenAI's Responses API as wire structs: the members whose types and ranges are checked.

Members that are not here are kept as they came and are the vendor's to judge. The `type` of an input item, a content
part or a tool picks its struct in `read_items.py` and `read_tools.py`. `MUST_BE` says the ranges in words.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

NAME = "responses"
INSIDE = "content."  # before the kind of an opaque part that lies in a message

MAX_MODEL_CHARACTERS = 200
MAX_CAP = 2**31 - 1
MAX_TOP_LOGPROBS = 20

ROLES = frozenset({"system", "developer", "user", "assistant"})

SIGNED = "reasoning.encrypted_content"  # of `include`
LOGPROBS = "message.output_text.logprobs"

NONE = Raw(b"null")

_Name = Annotated[str, Meta(min_length=1)]


class TextFormat(Struct):
    """`text.format`, of any type."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema: dict[str, Raw] | None = None
    strict: bool | None = None


class TextConfig(Struct):
    format: TextFormat | None = None
    verbosity: str | None = None


class ReasoningConfig(Struct):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None  # the older name of `summary`


class StreamOptions(Struct):
    include_obfuscation: bool | None = None


class CreateBody(Struct, kw_only=True):
    """`POST /v1/responses`. Members of type `Any` are only recognised here: they are passed on as they came."""

    model: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)]
    input: str | list[Raw] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=MAX_CAP)] | None = None
    tools: list[Raw] | None = None
    tool_choice: Raw = NONE
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    background: bool | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    include: list[str] | None = None
    reasoning: ReasoningConfig | None = None
    text: TextConfig | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    user: str | None = None
    max_tool_calls: Annotated[int, Meta(ge=1, le=MAX_CAP)] | None = None
    prompt: Any = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    moderation: Any = None
    context_management: Any = None


class Typed(Struct):
    """What picks the struct of an item, a part or a tool."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class MessageItem(Struct):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Raw]
    phase: str | None = None


class TextPart(Struct):
    """`input_text`, `output_text`, and `text` as other APIs call it."""

    text: str
    annotations: list[Raw] | None = None


class RefusalPart(Struct):
    refusal: str


class ImagePart(Struct):
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None


class FilePart(Struct):
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class AudioData(Struct):
    data: str
    format: str


class AudioPart(Struct):
    input_audio: AudioData


class CallItem(Struct):
    """`function_call`."""

    call_id: _Name
    name: _Name
    arguments: str


class CustomCallItem(Struct):
    """`custom_tool_call`."""

    call_id: _Name
    name: _Name
    input: str


class DrawnItem(Struct):
    """`image_generation_call`."""

    result: str | None = None  # base64
    output_format: str = "png"


class OutputItem(Struct):
    """`function_call_output`, `custom_tool_call_output`."""

    call_id: _Name
    output: str | list[Raw]


class ThoughtPart(Struct):
    """`summary_text`, `reasoning_text`."""

    text: str


class ReasoningItem(Struct):
    id: str | None = None
    summary: list[ThoughtPart] | None = None
    content: list[ThoughtPart] | None = None
    encrypted_content: str | None = None


class FunctionTool(Struct):
    name: _Name
    description: str | None = None
    parameters: dict[str, Raw] | None = None
    strict: bool | None = None


class CustomFormat(Struct):
    type: Literal["text", "grammar"] = "text"
    syntax: str = ""
    definition: str = ""


class CustomTool(Struct):
    name: _Name
    description: str | None = None
    format: CustomFormat | None = None


class AllowedTool(Struct):
    type: str
    name: str | None = None


class ToolChoiceObject(Struct):
    type: str
    name: str | None = None
    mode: Literal["auto", "required"] = "auto"
    tools: list[AllowedTool] | None = None


class UrlCitation(Struct):
    """What the kinds of annotation have in common, or some of them."""

    url: str | None = None
    title: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


# Parameter -> what its value must be, where the type alone does not say it. "[]" stands for any index.
MUST_BE = {
    "model": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "input": "a string or a list of items",
    "input[]": 'an item, such as {"role": "user", "content": "..."} or {"type": "function_call_output", ...}',
    "input[].role": "one of system, developer, user, assistant",
    "input[].content": "a string or a list of parts",
    "input[].content[]": 'an object with a type, such as {"type": "input_text", "text": "..."}',
    "input[].output": "a string or a list of parts",
    "max_output_tokens": f"an integer from 1 to {MAX_CAP}",
    "max_tool_calls": f"an integer from 1 to {MAX_CAP}",
    "temperature": "a number from 0 to 2",
    "top_p": "a number from 0 to 1",
    "top_logprobs": f"an integer from 0 to {MAX_TOP_LOGPROBS}",
    "truncation": "auto or disabled",
    "metadata": "an object of strings",
    "text.format.type": "one of text, json_object, json_schema",
    "tools[]": "an object with a type",
    "tool_choice": "none, auto, required, or an object with a type",
}
