"""The bodies of errors in the words of each wire format: their schema, and what one looks like."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tokengate.core.errors import GatewayError
from tokengate.formats.anthropic.errors import write_error as write_anthropic_error
from tokengate.formats.dashscope.errors import write_error as write_dashscope_error
from tokengate.formats.gemini.errors import write_error as write_gemini_error
from tokengate.formats.suno.replies import write_error as write_suno_error
from tokengate.reference.errors import Status
from tokengate.reference.schema import Schema
from tokengate.reference.table import ErrorShape

_REQUEST_ID: Final = "req_0kq3v8s2m4n6p8r0"


class Shape(Struct, frozen=True):
    """One format's errors. `write` is what answers callers; OpenAI's are in `Status` already."""

    name: str  # of the schema
    schema: Schema
    write: Callable[[GatewayError, str], bytes] | None = None


_GEMINI: Final[Schema] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
                "details": {"type": "array", "items": {"type": "object"}},
            },
            "required": ["code", "message", "status"],
        }
    },
    "required": ["error"],
}

SHAPES: Final[Mapping[ErrorShape, Shape]] = {
    "openai": Shape(
        "Error",
        {
            "type": "object",
            "properties": {
                "error": {
                    "type": "object",
                    "properties": {
                        "message": {"type": "string"},
                        "type": {"type": "string"},
                        "param": {"type": ["string", "null"]},
                        "code": {"type": ["string", "null"]},
                    },
                    "required": ["message", "type", "param", "code"],
                }
            },
            "required": ["error"],
        },
    ),
    "anthropic": Shape(
        "AnthropicError",
        {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["error"]},
                "error": {
                    "type": "object",
                    "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
                    "required": ["type", "message"],
                },
                "request_id": {"type": ["string", "null"]},
            },
            "required": ["type", "error"],
        },
        write_anthropic_error,
    ),
    "gemini": Shape("GeminiError", _GEMINI, write_gemini_error),
    # Who asks for a stream as an array is refused by an array.
    "gemini-stream": Shape(
        "GeminiStreamError",
        {"anyOf": [_GEMINI, {"type": "array", "items": _GEMINI, "minItems": 1, "maxItems": 1}]},
        write_gemini_error,
    ),
    "dashscope": Shape(
        "DashScopeError",
        {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
            },
            "required": ["code", "message", "request_id"],
        },
        write_dashscope_error,
    ),
    "suno": Shape(
        "SunoError",
        {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "data": {"type": "null"},
            },
            "required": ["code", "message", "data"],
        },
        write_suno_error,
    ),
}


def error_example(status: Status, shape: ErrorShape) -> dict[str, Any]:
    """Return a body as a caller of that format gets it."""
    write = SHAPES[shape].write
    return status.example if write is None else _decode(write(status.sample, _REQUEST_ID))


_decode = msgspec.json.Decoder(dict[str, Any]).decode
