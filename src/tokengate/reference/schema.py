"""Fields as JSON Schema 2020-12, the dialect of OpenAPI 3.1."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tokengate.reference.words import Field, Lang

Schema = dict[str, Any]


def object_schema(fields: Iterable[Field], lang: Lang) -> Schema:
    """Return the schema of an object with these members, and any others."""
    listed = tuple(fields)
    schema: Schema = {"type": "object", "properties": {field.name: field_schema(field, lang) for field in listed}}
    required = [field.name for field in listed if field.required]
    if required:
        schema["required"] = required
    return schema


def field_schema(field: Field, lang: Lang) -> Schema:
    """Return the schema of one field, with its meaning as the description."""
    schema = _typed(field, lang)
    meaning = field.meaning(lang)
    if meaning:
        schema["description"] = meaning
    if field.default:
        schema["default"] = _value(field.default, field.type)
    if field.example:
        schema["examples"] = [_value(field.example, field.type)]
    return schema


def _typed(field: Field, lang: Lang) -> Schema:
    kinds = field.type.split(" | ")
    if kinds == ["any"]:
        return {}
    if kinds == ["file"]:
        return {"type": "string", "format": "binary"}
    schema: Schema = {}
    named = [*kinds, "null"] if field.nullable and "null" not in kinds else kinds
    schema["type"] = named[0] if len(named) == 1 else named
    if field.enum:
        schema["enum"] = [*field.enum, None] if "null" in named else list(field.enum)
    limits = {
        "minimum": field.min,
        "maximum": field.max,
        "minLength": field.min_length,
        "maxLength": field.max_length,
        "minItems": field.min_items,
        "format": field.format or None,
    }
    schema |= {name: limit for name, limit in limits.items() if limit is not None}
    inner = _inner(field, lang)
    if "array" in kinds and inner:
        schema["items"] = inner
    elif "object" in kinds and field.children:
        schema |= {name: value for name, value in inner.items() if name != "type"}
    elif "object" in kinds and inner:
        schema["additionalProperties"] = inner
    return schema


def _inner(field: Field, lang: Lang) -> Schema:
    """Return the schema of an array's items, or of an object's members or values; empty when they may be anything."""
    if field.children:
        return object_schema(field.children, lang)
    if not field.of:
        return {}
    return _typed(Field(type=field.of, min=field.item_min, max=field.item_max), lang)


def _value(text: str, kind: str) -> object:
    """Return a default or an example as JSON: words are strings, numbers and true or false are themselves."""
    if kind.startswith("string"):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def indented(value: object) -> str:
    """Return JSON as pages print it: four spaces, and text as it is read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=4).decode()
