"""The published description of the console's API, OpenAPI 3.1, made from the routes themselves."""

from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

import tokengate
from tokengate.web.console_api.access import PUBLIC
from tokengate.web.console_api.authenticate import CSRF_HEADER, SESSION_COOKIE

_ERROR = {
    "description": "The request was refused; `code` says why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
}
_BODILESS = frozenset({"204", "302"})
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "code", "param", "request_id"],
            "properties": {
                "message": {"type": "string"},
                "code": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "request_id": {"type": "string"},
            },
        }
    },
}


def openapi_config() -> OpenAPIConfig:
    """Return what Litestar needs to describe the routes, and to serve that."""
    return OpenAPIConfig(
        title="TokenGate console API",
        version=tokengate.__version__,
        description="Accounts, keys, wallets, calls and the portal's pages. Money is a decimal string in yuan.",
        openapi_router=Router("/openapi.json", route_handlers=[], guards=[PUBLIC], include_in_schema=False),
        render_plugins=[_Document()],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="apiKey", security_scheme_in="cookie", name=SESSION_COOKIE),
                "csrf": SecurityScheme(type="apiKey", security_scheme_in="header", name=CSRF_HEADER),
                "admin_token": SecurityScheme(type="http", scheme="bearer"),
            }
        ),
        security=[{"session": [], "csrf": []}, {"admin_token": []}],
    )


def document(app: Litestar) -> dict[str, object]:
    """Return the published document."""
    return _ours(app.openapi_schema.to_schema())


class _Document(OpenAPIRenderPlugin):
    """Serves the document as JSON, written once."""

    def __init__(self) -> None:
        super().__init__(path=["/", "/openapi.json"], media_type=MediaType.JSON)
        self._written = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document."""
        if not self._written:
            self._written = msgspec.json.encode(_ours(openapi_schema))
        return self._written


def _ours(schema: dict[str, Any]) -> dict[str, object]:
    """Return the document with our own errors instead of the framework's."""
    made = cast("dict[str, dict[str, dict[str, dict[str, object]]]]", schema)
    made["components"].setdefault("schemas", {})["ErrorBody"] = dict(_ERROR_SCHEMA)
    for operations in made["paths"].values():
        for operation in operations.values():
            responses = cast("dict[str, object]", operation["responses"])
            responses.pop("400", None)
            for status in _BODILESS & responses.keys():
                cast("dict[str, object]", responses[status]).pop("content", None)
            responses["default"] = _ERROR
    return cast("dict[str, object]", made)
