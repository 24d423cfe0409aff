"""Counting the tokens of a request: `/responses/input_tokens`.

https://platform.openai.com/docs/api-reference/responses/input-tokens, and openai-python 3.54, 2026-11.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tokengate.core.splice import Members

PATH: Final = "/responses/input_tokens"
# What of a request makes the prompt; the operation refuses the rest.
_ASKED: Final = frozenset(
    {"model", "input", "instructions", "parallel_tool_calls", "reasoning", "text", "tool_choice", "tools", "truncation"}
)


def write_count(request: bytes) -> bytes:
    """Return the body of a count for the body of a request."""
    members = Members(request)
    return members.edit(remove=members.names() - _ASKED)


def read_count(body: bytes) -> int | None:
    """Return a vendor's count; None for a body that is none."""
    try:
        return _decode(body).input_tokens
    except (ValueError, RecursionError):
        return None


def write_count_reply(tokens: int) -> dict[str, Any]:
    """Return the answer."""
    return {"object": "response.input_tokens", "input_tokens": tokens}


class _Counted(Struct):
    input_tokens: int


_decode = msgspec.json.Decoder(_Counted).decode
