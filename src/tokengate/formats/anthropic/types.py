"""The request bodies of Anthropic's Messages API as wire structs: the members whose types and ranges are checked.

Members that are not here are kept as they came and are the vendor's to judge. A content block's `type` picks its
struct in `read_blocks.py`. `MUST_BE` says the ranges in words, for error messages.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

NAME = "anthropic"

MAX_MODEL_CHARACTERS = 200
MAX_MESSAGES = 100_000  # the vendor's own limit
MAX_TOKENS = 2**31 - 1
MIN_BUDGET = 1024  # tokens of thinking
MAX_CACHE_MARKS = 4  # in one request

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

_Name = Annotated[str, Meta(min_length=1)]


class CacheControl(Struct):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class Base64Source(Struct, tag_field="type", tag="base64"):
    media_type: str
    data: str


class UrlSource(Struct, tag_field="type", tag="url"):
    url: str


class FileSource(Struct, tag_field="type", tag="file"):
    file_id: str


class TextSource(Struct, tag_field="type", tag="text"):
    data: str
    media_type: Literal["text/plain"] = "text/plain"


class ContentSource(Struct, tag_field="type", tag="content"):
    content: Raw


class CitationsConfig(Struct):
    enabled: bool = False


class TextBlock(Struct):
    text: str
    cache_control: CacheControl | None = None
    citations: list[Raw] | None = None


class ImageBlock(Struct):
    source: Base64Source | UrlSource | FileSource
    cache_control: CacheControl | None = None


class DocumentBlock(Struct):
    source: Base64Source | UrlSource | FileSource | TextSource | ContentSource
    title: str | None = None
    context: str | None = None
    citations: CitationsConfig | None = None
    cache_control: CacheControl | None = None


class ThinkingBlock(Struct):
    """Without a signature it is what a model of another vendor thought, which nobody signed."""

    thinking: str
    signature: str = ""


class RedactedThinkingBlock(Struct):
    data: str


class ToolUseBlock(Struct):
    id: _Name
    name: _Name
    input: Raw
    cache_control: CacheControl | None = None


class ToolResultBlock(Struct):
    tool_use_id: _Name
    content: str | list[Raw] | None = None
    is_error: bool | None = None
    cache_control: CacheControl | None = None


class Citation(Struct):
    """What the kinds of citation have in common, or some of them."""

    type: str = ""
    url: str | None = None
    title: str | None = None
    document_title: str | None = None
    source: str | None = None
    cited_text: str | None = None
    encrypted_index: str | None = None


class MessageParam(Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[Raw]


class Tool(Struct):
    """A function of the caller's; an entry with a dated `type` is one that the vendor runs, and no struct."""

    name: _Name
    input_schema: Raw
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class ToolChoice(Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(Struct):
    type: str
    budget_tokens: Annotated[int, Meta(ge=MIN_BUDGET, le=MAX_TOKENS)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class JsonSchema(Struct, tag_field="type", tag="json_schema"):
    schema: Raw


class OutputConfig(Struct):
    effort: str | None = None
    format: JsonSchema | None = None


class Metadata(Struct):
    user_id: str | None = None


class CountBody(Struct, kw_only=True):
    """`POST /v1/messages/count_tokens`."""

    model: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)]
    messages: Annotated[list[Raw], Meta(min_length=1, max_length=MAX_MESSAGES)]
    system: str | list[Raw] | None = None
    tools: list[Raw] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    cache_control: CacheControl | None = None


class MessageBody(CountBody, kw_only=True):
    """`POST /v1/messages`. `max_tokens` 0 only warms the prompt cache."""

    max_tokens: Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0, le=MAX_TOKENS)] | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None


# Parameter -> what its value must be, where the type alone does not say it. "#" stands for any index.
MUST_BE = {
    "model": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "messages": f"a list of 1 to {MAX_MESSAGES} messages",
    "messages.#": "an object with a role and content",
    "messages.#.role": "one of user, assistant, system",
    "messages.#.content": "a string or a list of content blocks",
    "max_tokens": f"an integer from 0 to {MAX_TOKENS}",
    "temperature": "a number from 0 to 1",
    "top_p": "a number from 0 to 1",
    "top_k": f"an integer from 0 to {MAX_TOKENS}",
    "thinking.budget_tokens": f"an integer of at least {MIN_BUDGET}",
    "thinking.display": "summarized or omitted",
    "tool_choice.type": "one of auto, any, tool, none",
    "system": "a string or a list of text blocks",
    "output_config.format.type": "json_schema",
}
