"""Token counts: countTokens, asked and answered."""

import msgspec
from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.splice import Members
from tokengate.formats.gemini.fields import Fields
from tokengate.formats.gemini.requests import read_chat

_encode = msgspec.json.Encoder().encode


def read_count(body: bytes, *, model: str) -> Chat:
    """Return what a client wants counted: contents, or a whole request. Raises BadRequest."""
    fields = Fields(body, "")
    whole = fields.raw("generateContentRequest")
    if whole is not None and "contents" in fields:
        raise BadRequest(
            "The request body must have only one of 'contents' and 'generateContentRequest'.",
            param="generateContentRequest",
        )
    return read_chat(body if whole is None else bytes(whole), model=model, stream=False)


def write_count_reply(tokens: int) -> bytes:
    """Return the answer to a client."""
    details = [{"modality": "TEXT", "tokenCount": tokens}] if tokens else []
    return _encode({"totalTokens": tokens, "promptTokensDetails": details})


def write_count(request: bytes, model: str) -> bytes:
    """Return the question to Google for the body of a generateContent request, in which no model is named."""
    named = Members(request).edit(replace={}, add={"model": _encode(f"models/{model}")})
    return b'{"generateContentRequest":%b}' % named


def read_count_reply(body: bytes) -> int:
    """Return Google's count. Raises UpstreamFailed."""
    try:
        return _decode(body).total_tokens
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's token count cannot be read.", kind="invalid") from error


class _Count(Struct, rename="camel"):
    total_tokens: int


_decode = msgspec.json.Decoder(_Count).decode
