"""The OpenAPI 3.1 document of what the gateway serves, built from the bound rows of the operation table."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tokengate.reference.checked import body_fields
from tokengate.reference.error_shapes import SHAPES, error_example
from tokengate.reference.errors import Status, statuses_of
from tokengate.reference.running import Route, Running
from tokengate.reference.schema import Schema, field_schema, object_schema
from tokengate.reference.table import ApiOperation, Auth, ErrorShape
from tokengate.reference.words import (
    FORM_TYPE,
    Field,
    Lang,
    OperationWords,
    Text,
    group_of,
    operation_words,
    request_headers,
    response_headers,
)

Document = dict[str, Any]

_TITLE = Text("TokenGate：一个密钥，所有模型", "TokenGate: one key for every model")
_ABOUT = Text(
    "自托管的 AI 网关：OpenAI、Anthropic、Google 与 DashScope 的接口，预付费钱包，精确到最后一位的账单。",
    "A self-hosted AI gateway: the APIs of OpenAI, Anthropic, Google and DashScope over every model, prepaid wallets, "
    "and bills exact to the last digit.",
)

_SCHEMES: dict[Auth, tuple[str, Document]] = {
    "bearer": ("key", {"type": "http", "scheme": "bearer"}),
    "x-api-key": ("anthropicKey", {"type": "apiKey", "in": "header", "name": "x-api-key"}),
    "x-goog-api-key": ("googleKey", {"type": "apiKey", "in": "header", "name": "x-goog-api-key"}),
}


def openapi_document(running: Running, *, version: str, server: str, lang: Lang) -> Document:
    """Return the document for the gateway's routes; every route has words, or a KeyError says which has none."""
    listed = running.routes
    paths: dict[str, Document] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.operation.method.lower()] = _operation(
            route, running.example_model(route.operation), lang
        )
    used = {route.operation.auth for route in listed} - {"none"}
    tags = dict.fromkeys(group_of()[route.operation.id].in_lang(lang) for route in listed)
    shapes: list[ErrorShape] = ["openai", *(shape for route in listed for shape in _shapes(route.operation))]
    schemas: dict[str, Schema] = {SHAPES[shape].name: SHAPES[shape].schema for shape in shapes}
    for route in listed:
        operation = route.operation
        if operation.request is not None:
            fields = body_fields(operation, operation_words()[operation.id])
            schemas[operation.request.__name__] = object_schema(fields, lang)
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLE.in_lang(lang), "description": _ABOUT.in_lang(lang), "version": version},
        "servers": [{"url": server or "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {name: scheme for auth, (name, scheme) in _SCHEMES.items() if auth in used},
        },
    }


def _operation(route: Route, model: str, lang: Lang) -> Document:
    operation = route.operation
    words = operation_words()[operation.id]
    document: Document = {
        "operationId": _operation_id(route),
        "tags": [group_of()[operation.id].in_lang(lang)],
        "summary": words.summary.in_lang(lang),
        "description": words.description.in_lang(lang) or words.summary.in_lang(lang),
        "security": [] if operation.auth == "none" else [{_SCHEMES[operation.auth][0]: []}],
    }
    parameters = [
        *_parameters("path", words.path, lang),
        *_parameters("query", words.query, lang),
        *_parameters("header", _headers(words), lang),
    ]
    if parameters:
        document["parameters"] = parameters
    body = _request_body(operation, words, model, lang)
    if body is not None:
        document["requestBody"] = body
    document["responses"] = _responses(words, _shapes(operation), model, lang)
    return document


def _operation_id(route: Route) -> str:
    """Return a name that no other route has: the operation's own under its first base."""
    if route.base in ("", route.operation.bases[0]):
        return route.operation.id
    return f"{route.operation.id}@{route.base.strip('/').replace('/', '.')}"


def _headers(words: OperationWords) -> list[Field]:
    """Return the request headers that are no credentials: those are security schemes."""
    sets = (request_headers()[name] for name in words.headers if name not in ("key",))
    return [field for found in sets for field in found.fields if field.name not in ("x-api-key", "x-goog-api-key")]


def _parameters(place: str, fields: Iterable[Field], lang: Lang) -> list[Document]:
    return [
        {
            "name": field.name,
            "in": place,
            "required": field.required,
            "description": field.meaning(lang),
            "schema": {name: value for name, value in field_schema(field, lang).items() if name != "description"},
        }
        for field in fields
    ]


def _request_body(operation: ApiOperation, words: OperationWords, model: str, lang: Lang) -> Document | None:
    if operation.request is None and not words.body:
        return None
    content: Document = {kind: {"schema": _body_schema(operation, words, kind, lang)} for kind in words.content_types()}
    for example in words.example:
        content[words.type_of(example)].setdefault("examples", {})[example.title.en] = {
            "summary": example.title.in_lang(lang),
            "value": msgspec.json.decode(example.text(lang, model)),
        }
    return {"required": True, "content": content}


def _body_schema(operation: ApiOperation, words: OperationWords, kind: str, lang: Lang) -> Schema:
    if operation.request is not None and kind != FORM_TYPE:
        return {"$ref": f"#/components/schemas/{operation.request.__name__}"}
    fields = body_fields(operation, words)
    if kind == FORM_TYPE:
        fields = tuple(replace(field, type="file") if field.name in words.files else field for field in fields)
    return object_schema(fields, lang)


def _responses(words: OperationWords, shapes: Sequence[ErrorShape], model: str, lang: Lang) -> Document:
    responses: Document = {}
    headers = _reply_headers(words, lang)
    for reply in words.reply:
        found = responses.setdefault(
            str(reply.status), {"description": reply.title.in_lang(lang), "headers": headers, "content": {}}
        )
        content: Document = {}
        text = reply.text(lang, model)
        if reply.content_type == "application/json":
            example = content["example"] = msgspec.json.decode(text)
            kind = "array" if isinstance(example, list) else "object"
            content["schema"] = object_schema(reply.fields, lang) if reply.fields else {"type": kind}
        elif reply.content_type == "text/event-stream":
            content["example"] = text  # a schema would be of the whole stream, or of an event: readers differ
        elif reply.content_type.startswith("text/"):
            content["schema"] = {"type": "string"}
            content["example"] = text
        found["content"][reply.content_type] = content
    for status in statuses_of(words.errors):
        _add_error(responses, status, shapes, lang)
    return responses


def _shapes(operation: ApiOperation) -> tuple[ErrorShape, ...]:
    return (operation.errors, operation.native) if operation.native else (operation.errors,)


def _add_error(responses: Document, status: Status, shapes: Sequence[ErrorShape], lang: Lang) -> None:
    """Add an error; several classes may share a status, each with an example."""
    schemas = [{"$ref": f"#/components/schemas/{SHAPES[shape].name}"} for shape in shapes]
    found = responses.setdefault(str(status.status), {"description": status.words.meaning.in_lang(lang), "content": {}})
    content = found["content"].setdefault(
        "application/json", {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}, "examples": {}}
    )
    if "examples" in content:
        value = error_example(status, shapes[0])
        content["examples"][status.name] = {"summary": status.words.title.in_lang(lang), "value": value}


def _reply_headers(words: OperationWords, lang: Lang) -> Document:
    return {
        field.name: {
            "description": field.meaning(lang),
            "schema": {name: value for name, value in field_schema(field, lang).items() if name != "description"},
        }
        for name in words.reply_headers
        for field in response_headers()[name].fields
    }
