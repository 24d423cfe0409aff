"""A request body that cannot be read, as a BadRequest that names the parameter and says what it must be."""

import re
from collections.abc import Mapping

import msgspec

from tokengate.core.errors import BadRequest
from tokengate.core.splice import DuplicateMember
from tokengate.formats.openai.parameters import MUST_BE

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


def must_be(param: str, what: str | None = None) -> BadRequest:
    """Return the refusal of a parameter's value: `'n' must be an integer from 1 to 128.` and the like."""
    return BadRequest(f"'{param}' must be {what or MUST_BE[_index.sub('[]', param)]}.", param=param)


def missing(param: str) -> BadRequest:
    """Return the refusal of a request that lacks a parameter."""
    return BadRequest(f"'{param}' is required.", param=param, code="missing_required_parameter")


def refusal_of(error: Exception, inside: str = "", words: Mapping[str, str] = MUST_BE) -> BadRequest:
    """Return what the caller is told about a body that could not be decoded, or a value `inside` it. `words` say what
    parameters must be."""
    match error:
        case DuplicateMember():
            return BadRequest(f"'{error.member}' appears more than once in the request body.", param=error.member)
        case msgspec.ValidationError():
            return _refusal_of_value(str(error), inside, words)
        case UnicodeDecodeError():
            return BadRequest("The request body is not valid UTF-8.", param=inside or None)
        case RecursionError():
            return BadRequest("The request body is nested too deeply.", param=inside or None)
        case _:
            return BadRequest(f"The request body is not valid JSON: {_reason(str(error))}.", param=inside or None)


def _refusal_of_value(text: str, inside: str, words: Mapping[str, str]) -> BadRequest:
    found = _at(text)
    param = inside + (found[1].replace("[...]", "") if found else "")
    if absent := _missing(text):
        return missing(f"{param}.{absent[1]}" if param else absent[1])
    if not param:
        return BadRequest("The request body must be a JSON object.")
    if known := words.get(_index.sub("[]", param)):
        return must_be(param, known)
    if expected := _expected(text):
        kinds = [_TYPE_WORDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        return must_be(param, " or ".join(kinds))
    return BadRequest(f"The value of '{param}' is not allowed.", param=param)


def _reason(text: str) -> str:
    if "surrogate" in text:
        return "a \\u escape is half of a surrogate pair"
    return text.removeprefix("JSON is malformed: ")[:100].lower()
