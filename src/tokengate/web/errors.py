"""The one place that writes an error for a caller, in the shape that OpenAI's SDKs parse.

`{"error": {"message", "type", "param", "code"}}`; the SDK picks its exception by the status. A base path may show a
bad key in its own words, as its product page does.
"""

import math
import re

import msgspec
from msgspec import Struct

from tokengate.core.errors import BadKey, BadRange, GatewayError, MethodNotAllowed, RateLimited, UpstreamFailed

Headers = list[tuple[str, str]]

_visible = re.compile(r"[!-~]{1,200}").fullmatch  # what a header may hold of a vendor's own words
_encode = msgspec.json.Encoder().encode


class _Error(Struct):
    message: str
    type: str
    param: str | None
    code: str | None


class _Body(Struct):
    error: _Error


class BadKeyWords(Struct, frozen=True):
    """How a base path words a bad key."""

    message: str | None  # None: the sentence of the error itself
    code: str | None


def error_body(error: GatewayError, words: BadKeyWords | None = None) -> bytes:
    """Return the JSON body of an error."""
    message, code = error.message, error.code
    if words is not None and isinstance(error, BadKey):
        message, code = words.message or message, words.code
    return _encode(_Body(_Error(message, error.type, error.param, code)))


def error_headers(error: GatewayError) -> Headers:
    """Return the headers that belong to an error: Retry-After, Allow, rate limits, a file's size, the vendor's id
    of the request."""
    headers: Headers = []
    if error.retry_after_s is not None:
        headers.append(("retry-after", str(max(1, math.ceil(error.retry_after_s)))))
    match error:
        case MethodNotAllowed():
            headers.append(("allow", error.allowed))
        case BadRange():
            headers.append(("content-range", f"bytes */{error.size_bytes}"))
        case RateLimited():
            headers.extend(error.headers)
        case UpstreamFailed(upstream_request_id=str() as theirs) if _visible(theirs):
            headers.append(("x-upstream-request-id", theirs))
        case _:
            pass
    return headers
