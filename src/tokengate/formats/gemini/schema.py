"""Gemini's Schema, a dialect of OpenAPI, read as JSON Schema.

Types are in capitals, null is a flag, and limits may be strings of digits. Requests are always written with JSON
Schema, which Gemini takes too.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tokengate.formats.gemini.fields import camel, wrong
from tokengate.formats.gemini.shapes import is_list, is_object

MAX_DEPTH = 64  # a schema that is nested deeper is no schema

_COUNTS = frozenset(
    {"maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties", "minimum", "maximum"}
)
_RENAMED = {"ref": "$ref", "defs": "$defs"}
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_schema(raw: Raw, path: str) -> Raw:
    """Return a schema of Gemini's as a JSON schema. Raises BadRequest."""
    try:
        schema = _decode(raw)
    except (ValueError, RecursionError):
        raise wrong(path, "a schema") from None
    return Raw(_encode(_json_schema(schema, path, MAX_DEPTH)))


def _json_schema(schema: Any, path: str, depth: int) -> dict[str, Any]:
    if not is_object(schema) or not depth:
        raise wrong(path, "a schema")
    written: dict[str, Any] = {}
    nullable = False
    for key, value in schema.items():
        name = camel(key)
        where = f"{path}.{name}"
        if value is None:
            continue
        match name:
            case "nullable":
                nullable = bool(value)
            case "type":
                written["type"] = _type(value, where)
            case "properties" | "defs" | "$defs":
                if not is_object(value):
                    raise wrong(where, "an object")
                inner = {key: _json_schema(one, f"{where}.{key}", depth - 1) for key, one in value.items()}
                written[_RENAMED.get(name, name)] = inner
            case "items":
                written[name] = _json_schema(value, where, depth - 1)
            case "anyOf" | "oneOf" | "allOf" | "prefixItems":
                if not is_list(value):
                    raise wrong(where, "a list of schemas")
                written[name] = [_json_schema(one, f"{where}[{at}]", depth - 1) for at, one in enumerate(value)]
            case _ if name in _COUNTS and isinstance(value, str):
                written[name] = _count(value, where)
            case _:
                written[_RENAMED.get(name, name)] = value
    return _with_null(written) if nullable else written


def _type(value: Any, path: str) -> str | list[str]:
    if isinstance(value, str):
        return value.lower()
    if is_list(value) and all(isinstance(one, str) for one in value):
        return [str(one).lower() for one in value]
    raise wrong(path, "a type")


def _count(value: str, path: str) -> int | float:
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        raise wrong(path, "a number") from None


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
    elif "anyOf" in schema:
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
