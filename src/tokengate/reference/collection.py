"""The served operations as a Postman v2.1 collection, which Apifox imports too."""

import hashlib
from typing import Any

import msgspec

from tokengate.reference.running import Route, Running
from tokengate.reference.words import (
    FORM_TYPE,
    Field,
    Lang,
    OperationWords,
    Reply,
    group_of,
    operation_words,
    request_headers,
)

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

Document = dict[str, Any]

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def collection(running: Running, *, server: str, lang: Lang) -> Document:
    """Return the collection: a folder per family, a request per operation, base URL and key as variables."""
    folders: dict[str, list[Document]] = {}
    for route in running.routes:
        if route.base in ("", route.operation.bases[0]):  # the other bases are the same operations again
            name = group_of()[route.operation.id].in_lang(lang)
            folders.setdefault(name, []).append(_item(route, running.example_model(route.operation), lang))
    return {
        "info": {
            "_postman_id": _stable_id(server),
            "name": "TokenGate",
            "schema": _SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{TOKENGATE_API_KEY}}", "type": "string"}]},
        "variable": [
            {"key": "base_url", "value": server, "type": "string"},
            {"key": "TOKENGATE_API_KEY", "value": "", "type": "string"},
        ],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def _item(route: Route, model: str, lang: Lang) -> Document:
    words = operation_words()[route.operation.id]
    request: Document = {
        "method": route.operation.method,
        "description": words.description.in_lang(lang) or words.summary.in_lang(lang),
        "header": [_header(field, lang) for field in _headers(words)],
        "url": _url(route, words, lang),
    }
    if route.operation.auth == "none":
        request["auth"] = {"type": "noauth"}
    if words.example:
        first = words.example[0]
        text = first.text(lang, model)
        if words.type_of(first) == FORM_TYPE:
            request["body"] = {"mode": "formdata", "formdata": [_part(*part) for part in _decode(text).items()]}
        else:
            request["header"].insert(0, {"key": "Content-Type", "value": words.type_of(first)})
            request["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    replies = [_reply(reply, request, model, lang) for reply in words.reply]
    return {"name": words.title.in_lang(lang), "request": request, "response": replies}


def _part(name: str, value: object) -> Document:
    """Return a part of a form; the boundary is left to who sends it."""
    if isinstance(value, str) and value.startswith("@"):
        return {"key": name, "type": "file", "src": value.removeprefix("@")}
    return {
        "key": name,
        "type": "text",
        "value": value if isinstance(value, str) else msgspec.json.encode(value).decode(),
    }


def _headers(words: OperationWords) -> list[Field]:
    return [field for name in words.headers if name != "key" for field in request_headers()[name].fields]


def _header(field: Field, lang: Lang) -> Document:
    return {
        "key": field.name,
        "value": field.example,
        "description": field.meaning(lang),
        "disabled": not field.required,
    }


def _url(route: Route, words: OperationWords, lang: Lang) -> Document:
    path = route.path
    for field in words.path:
        path = path.replace(f"{{{field.name}}}", f":{field.name}")
    url: Document = {"raw": "{{base_url}}" + path, "host": ["{{base_url}}"], "path": path.strip("/").split("/")}
    if words.query:
        url["query"] = [
            {
                "key": field.name,
                "value": field.example or field.default,
                "description": field.meaning(lang),
                "disabled": True,
            }
            for field in words.query
        ]
    if words.path:
        url["variable"] = [
            {"key": field.name, "value": field.example, "description": field.meaning(lang)} for field in words.path
        ]
    return url


def _reply(reply: Reply, request: Document, model: str, lang: Lang) -> Document:
    return {
        "name": reply.title.in_lang(lang),
        "originalRequest": {"method": request["method"], "url": request["url"], "header": []},
        "code": reply.status,
        "status": "OK" if reply.status == 200 else str(reply.status),
        "_postman_previewlanguage": "json" if reply.content_type == "application/json" else "text",
        "header": [{"key": "Content-Type", "value": reply.content_type}],
        "body": reply.text(lang, model),
    }


def _stable_id(server: str) -> str:
    """Return an id that is the same for the same gateway, so that an import again replaces the collection."""
    text = hashlib.sha256(f"tokengate {server}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
