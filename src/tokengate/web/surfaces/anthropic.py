"""Anthropic's API: messages and their count, and how its SDKs read the list of models.

The key comes in `x-api-key` or as a Bearer token; `anthropic-beta` goes on to Anthropic's own backends.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

from msgspec import Struct
from msgspec.structs import replace

from tokengate.catalog.model import Model
from tokengate.core.errors import BadRequest
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.anthropic.read import write_count
from tokengate.gateway.anthropic import MESSAGES, count_tokens
from tokengate.gateway.call import Options
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Request
from tokengate.web.surfaces.models import Listing
from tokengate.web.surfaces.quote import Quotable

_is_date = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
_are_betas = re.compile(r"[\w.,\- ]{1,2000}", re.ASCII).fullmatch
_DEFAULT_PAGE = 20
_MAX_PAGE = 1000

# No format but this one has instructions or stop sequences under these names.
_OWN_MEMBERS = frozenset({"system", "stop_sequences"})
ANTHROPIC_QUOTABLE = Quotable(
    "/messages", lambda names: "messages" in names and bool(_OWN_MEMBERS & names), lambda path: MESSAGES
)


class AnthropicSurface:
    """Hands messages to the pipeline."""

    def __init__(self, gateway: Gateway, admit: Admit) -> None:
        self._gateway = gateway
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return both routes."""
        return [
            Endpoint(table.ANTHROPIC_MESSAGES, self._message, write_error=ANTHROPIC.write_error),
            Endpoint(table.ANTHROPIC_COUNT_TOKENS, self._count, write_error=ANTHROPIC.write_error),
        ]

    async def _message(self, request: Request) -> None:
        try:
            principal = self._admit.principal(request, key_of(request))
            asked = _options(request)
            body = await self._admit.json_body(request)
            await self._gateway.answer(request.id, principal, MESSAGES, body, request, asked)
        except Exception:
            _name(request)  # an error's head; an answer has it already, a replayed one its own
            raise

    async def _count(self, request: Request) -> None:
        _name(request)
        principal = self._admit.principal(request, key_of(request))
        asked = _options(request)
        body = await self._admit.json_body(request)
        counted = await count_tokens(self._gateway, principal, body, asked)
        headers = [("content-type", "application/json"), ("x-request-id", request.id)]
        request.whole(200, headers, write_count(counted))


def key_of(request: Request) -> str:
    """Return the key where Anthropic's SDKs may put it; empty leaves it to the Authorization header."""
    return request.headers.get("x-api-key", "").strip()


class _Model(Struct, kw_only=True):
    type: str = "model"
    id: str
    display_name: str
    created_at: str
    lifecycle: str = "active"
    max_input_tokens: int | None
    max_tokens: int | None


class _Models(Struct):
    data: list[_Model]
    has_more: bool
    first_id: str | None
    last_id: str | None


def _model(model: Model) -> _Model:
    return _Model(
        id=model.id,
        display_name=model.name,
        created_at=datetime.fromtimestamp(model.created_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        max_input_tokens=model.context,
        max_tokens=model.max_output,
    )


def _models(models: Iterable[Model], request: Request) -> _Models:
    """Return one page, by `limit` and the id before or after it. Raises BadRequest."""
    query = parse_qs(request.query)
    found = list(map(_model, models))
    limit = _limit(query)
    after, before = (query.get(name, [""])[-1] for name in ("after_id", "before_id"))
    ids = [model.id for model in found]
    start = ids.index(after) + 1 if after in ids else 0
    end = ids.index(before) if before in ids else len(ids)
    whole = found[start:end]
    page = whole[-limit:] if before and not after else whole[:limit]
    first, last = (page[0].id, page[-1].id) if page else (None, None)
    return _Models(page, len(page) < len(whole), first, last)


ANTHROPIC_LISTING = Listing(key=key_of, many=_models, one=_model, write_error=ANTHROPIC.write_error)


def _limit(query: Mapping[str, list[str]]) -> int:
    text = query.get("limit", [str(_DEFAULT_PAGE)])[-1]
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= _MAX_PAGE:
        raise BadRequest(f"'limit' must be an integer from 1 to {_MAX_PAGE}.", param="limit")
    return int(text)


def _name(request: Request) -> None:
    """Give the reply the request's id where Anthropic's SDKs look for it."""
    request.extra.append((MESSAGES.id_header, request.id))


def _options(request: Request) -> Options:
    """Return what the headers of a call ask for. Raises BadRequest."""
    version: str | None = request.headers.get("anthropic-version")
    if version is not None and not _is_date(version):
        raise BadRequest("'anthropic-version' must be a date, such as 2023-06-01.", param="anthropic-version")
    asked = options(request)
    betas: str | None = request.headers.get("anthropic-beta")
    if betas is None:
        return asked
    if not _are_betas(betas):
        raise BadRequest("'anthropic-beta' must be a list of names with commas.", param="anthropic-beta")
    return replace(asked, vendor_headers={"anthropic-beta": betas})
