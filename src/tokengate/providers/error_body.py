"""Reads what vendors write when they refuse: the handful of shapes of their error bodies, Retry-After, and what must
not be repeated to anyone.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import cast

import msgspec
from msgspec import Struct

MAX_KEPT = 2048  # characters of a vendor's body that are kept

_MAX_WORD = 200  # characters of a code, a parameter or an id
_MAX_MESSAGE = 1000
_MAX_PLAIN = 200
_MAX_RETRY_AFTER_S = 3600.0
_REMOVED = "[removed]"

# Keys as vendors shape them: sk-… (also masked with asterisks), xai-…, Google's AIza…, Zhipu's hex.secret, JSON web
# tokens, and whatever follows Bearer.
_SECRET = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|xai|gsk)-[A-Za-z0-9_*.\-]{6,}"
    r"|AIza[0-9A-Za-z_\-]{16,}"
    r"|\b[0-9a-f]{32}\.[A-Za-z0-9]{8,}"
    r"|\beyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?"
    r"|(?<=(?i:bearer)\s)[^\s\"',;<>]{6,}"
)
_TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,200}?)\s*</title>", re.IGNORECASE)

_decode = msgspec.json.Decoder().decode


class VendorError(Struct, frozen=True):
    """An error in the vendor's words, without secrets. `message` is empty when it gave none."""

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    found: bool = False  # the body was an error object


def read_error(body: bytes, credential: str) -> VendorError:
    """Return the error in a body.

    The shapes, by who sends them:

    {"error": {"message", "type", "param", "code"}}     OpenAI and most others; vLLM's code is a number
    [{"error": {"message", "status", "code"}}]          Google
    {"type": "error", "error": {"type", "message"}}     Anthropic
    {"code", "error": "message"}                        xAI; Ollama without a code
    {"object": "error", "message", "type", "code"}      older vLLM, SGLang
    {"code", "message", "request_id"}                   DashScope
    {"code": 402, "msg", "data"}                        sellers of Suno, with status 200
    {"base_resp": {"status_code", "status_msg"}}        MiniMax, with status 200
    {"detail": "message" | [{"loc", "msg"}]}            FastAPI servers
    data: {…}                                           any of these in a stream
    """
    text = body.decode("utf-8", "replace").strip()
    value = _json(text)
    if not isinstance(value, dict):
        return VendorError(message=_plain(text, credential))
    fields = cast("dict[str, object]", value)
    error, found = _error_in(fields)
    message = (
        _text(error.get("message"))
        or _text(error.get("msg"))
        or _text(fields.get("error"))
        or _detail(fields.get("detail"))
    )
    return VendorError(
        message=without_secrets(message or "", credential)[:_MAX_MESSAGE],
        type=word(error.get("type"), credential) or word(error.get("status"), credential),
        code=word(error.get("code"), credential),
        param=word(error.get("param"), credential),
        request_id=word(fields.get("request_id"), credential) or word(error.get("request_id"), credential),
        found=found and message is not None,
    )


def word(value: object, credential: str) -> str | None:
    """Return a vendor's word, such as a code or an id, without secrets; None for what is none."""
    text = _text(value)
    return None if text is None else without_secrets(text, credential)[:_MAX_WORD]


def kept_body(body: bytes, credential: str) -> str:
    """Return the beginning of a body for the operator, without secrets."""
    return without_secrets(body.decode("utf-8", "replace"), credential)[:MAX_KEPT]


def without_secrets(text: str, credential: str) -> str:
    """Return the text without the credential and without anything that looks like one."""
    if credential:
        text = text.replace(credential, _REMOVED)
    return _SECRET.sub(_REMOVED, text)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the vendor asks to wait; None when it does not say. A date counts from the reply's own."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, _MAX_RETRY_AFTER_S)
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None:
        try:
            seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers["date"])).total_seconds()
        except (ValueError, TypeError, KeyError):
            return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)


def _json(text: str) -> object:
    for line in (text, *(line[5:] for line in text.splitlines()[:20] if line.startswith("data:"))):
        try:
            value = _decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue
        values = cast("list[object]", value) if isinstance(value, list) else [cast("object", value)]
        return values[0] if values else None
    return None


def _error_in(fields: Mapping[str, object]) -> tuple[Mapping[str, object], bool]:
    """Return where message, type, code and param are, and whether it is an error for certain."""
    inner = fields.get("error")
    if isinstance(inner, dict):
        return cast("dict[str, object]", inner), True
    base = fields.get("base_resp")
    if isinstance(base, dict):
        answer = cast("dict[str, object]", base)
        code = answer.get("status_code")
        return {"message": answer.get("status_msg"), "code": code}, code not in (0, None)
    coded = "code" in fields and ("message" in fields or "msg" in fields or isinstance(inner, str))
    return fields, coded or isinstance(inner, str) or "detail" in fields or fields.get("object") == "error"


def _plain(text: str, credential: str) -> str:
    """Return a sentence from a body that is not JSON: a page's title, or a short text."""
    if text[:1] == "<":
        title = _TITLE.search(text[:MAX_KEPT])
        text = title[1] if title else ""
    if text[:1] in ("{", "["):  # broken JSON is no sentence
        return ""
    words = "".join(letter if letter.isprintable() else " " for letter in text[:_MAX_MESSAGE]).split()
    return without_secrets(" ".join(words), credential)[:_MAX_PLAIN]


def _detail(detail: object) -> str | None:
    if isinstance(detail, str):
        return detail or None
    if not isinstance(detail, list):
        return None
    parts: list[str] = []
    for part in cast("list[object]", detail):
        if isinstance(part, dict):
            fields = cast("dict[str, object]", part)
            where = fields.get("loc")
            path = ".".join(map(str, cast("list[object]", where))) if isinstance(where, list) else ""
            parts.append(f"{path}: {fields.get('msg')}")
    return "; ".join(parts) or None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
