"""A request that cannot be read, as a BadRequest that names the parameter as OpenAI does: `input[0].content[1]`."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from tokengate.core.errors import BadRequest
from tokengate.core.splice import DuplicateMember
from tokengate.formats.responses.types import MUST_BE

T = TypeVar("T")

_at = re.compile(r" - at `\$\.?(.*)`$").search
_missing = re.compile(r"required field `([^`]+)`").search
_expected = re.compile(r"^Expected `([^`]+)`").search
_index = re.compile(r"\[\d+\]")

_TYPE_WORDS = {
    "bool": "true or false",
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "array": "a list",
    "object": "an object",
}


def read(decode: Callable[[bytes], T], value: bytes, at: str) -> T:
    """Return a decoded value of the request; `at` is where it stands there. Raises BadRequest."""
    try:
        return decode(value)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, at) from None


def must_be(param: str, what: str | None = None) -> BadRequest:
    """Return the refusal of a parameter's value: `'top_p' must be a number from 0 to 1.` and the like."""
    return BadRequest(f"'{param}' must be {what or MUST_BE[_index.sub('[]', param)]}.", param=param)


def missing(param: str) -> BadRequest:
    """Return the refusal of a request that lacks a parameter."""
    return BadRequest(f"'{param}' is required.", param=param, code="missing_required_parameter")


def refusal_of(error: Exception, at: str = "") -> BadRequest:
    """Return what the caller is told about a body that could not be decoded, or a value in it."""
    match error:
        case DuplicateMember():
            return BadRequest(f"'{error.member}' appears more than once in the request body.", param=error.member)
        case msgspec.ValidationError():
            return _refusal_of_value(str(error), at)
        case UnicodeDecodeError():
            return BadRequest("The request body is not valid UTF-8.", param=at or None)
        case RecursionError():
            return BadRequest("The request body is nested too deeply.", param=at or None)
        case _:
            return BadRequest(f"The request body is not valid JSON: {_reason(str(error))}.", param=at or None)


def _refusal_of_value(text: str, at: str) -> BadRequest:
    found = _at(text)
    inside = found[1].replace("[...]", "") if found else ""
    param = at + inside if inside.startswith("[") else ".".join(step for step in (at, inside) if step)
    if absent := _missing(text):
        return missing(f"{param}.{absent[1]}" if param else absent[1])
    if not param:
        return BadRequest("The request body must be a JSON object.")
    if known := MUST_BE.get(_index.sub("[]", param)):
        return must_be(param, known)
    if expected := _expected(text):
        kinds = [_TYPE_WORDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        return must_be(param, " or ".join(kinds))
    return BadRequest(f"The value of '{param}' is not allowed.", param=param)


def _reason(text: str) -> str:
    if "surrogate" in text:
        return "a \\u escape is half of a surrogate pair"
    return text.removeprefix("JSON is malformed: ")[:100].lower()
