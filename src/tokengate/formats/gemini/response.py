"""A GenerateContentResponse as it is on the wire: a whole reply, or one chunk of a stream."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.formats.gemini.fields import is_null
from tokengate.formats.gemini.shapes import is_object

NULL = Raw(b"null")


class Blob(Struct, rename="camel"):
    mime_type: str | None = None
    data: str | None = None


class FileData(Struct, rename="camel"):
    mime_type: str | None = None
    file_uri: str | None = None


class PartialArg(Struct, rename="camel"):
    """One step of arguments that arrive piecewise: a value, or more of a string, at a place."""

    json_path: str | None = None
    string_value: str | None = None
    number_value: float | None = None
    bool_value: bool | None = None
    null_value: Raw = NULL
    will_continue: bool | None = None


class FunctionCall(Struct, rename="camel"):
    name: str | None = None
    args: Raw = NULL
    id: str | None = None
    partial_args: list[PartialArg] | None = None
    will_continue: bool | None = None


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    executable_code: Raw = NULL
    code_execution_result: Raw = NULL
    tool_call: Raw = NULL
    tool_response: Raw = NULL


class Content(Struct):
    parts: list[Part] | None = None


class Web(Struct):
    uri: str | None = None
    title: str | None = None
    domain: str | None = None


class GroundingChunk(Struct, rename="camel"):
    web: Web | None = None
    retrieved_context: Web | None = None
    maps: Web | None = None


class Segment(Struct, rename="camel"):
    start_index: int | None = None
    end_index: int | None = None
    part_index: int | None = None
    text: str | None = None


class GroundingSupport(Struct, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(Struct, rename="camel"):
    web_search_queries: list[str] | None = None
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None


class CitationSource(Struct, rename="camel"):
    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None


class Citations(Struct, rename="camel"):
    citation_sources: list[CitationSource] | None = None
    citations: list[CitationSource] | None = None  # Vertex AI's name


class Logprob(Struct, rename="camel"):
    token: str | None = None
    log_probability: float | None = None


class TopCandidates(Struct):
    candidates: list[Logprob] | None = None


class Logprobs(Struct, rename="camel"):
    chosen_candidates: list[Logprob] | None = None
    top_candidates: list[TopCandidates] | None = None


class Candidate(Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    index: int | None = None
    grounding_metadata: Grounding | None = None
    citation_metadata: Citations | None = None
    logprobs_result: Logprobs | None = None


class PromptFeedback(Struct, rename="camel"):
    block_reason: str | None = None


class Response(Struct, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: Raw = NULL
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
    error: Raw = NULL


def decode_response(body: bytes) -> Response:
    """Return a response. Raises UpstreamFailed when it is none."""
    try:
        return _decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error


def present(raw: Raw) -> bool:
    """Say whether a member is there."""
    return raw is not NULL and not is_null(raw)


def error_message(raw: bytes) -> str:
    """Return the message of an error object."""
    try:
        value: Any = _decode_any(raw)
    except (ValueError, RecursionError):
        value = None
    message = value.get("message") if is_object(value) else value
    return message if isinstance(message, str) and message else "The upstream sent an error."


_decode = msgspec.json.Decoder(Response).decode
_decode_any = msgspec.json.Decoder().decode
