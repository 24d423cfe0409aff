"""OpenAI's Responses API under each of OpenAI's base paths: making a response, also in the background, and what can be
done with a stored one.

A stored response belongs to the org and the project of the key that made it; to every other key it is not there.
"""

import asyncio
from collections.abc import Mapping, Set
from urllib.parse import parse_qs

from msgspec import Raw
from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.conversations.responses import Conversations, StoredResponse
from tokengate.core.errors import BadRequest
from tokengate.formats.responses.items import id_of
from tokengate.formats.responses.tokens import write_count_reply
from tokengate.gateway.call import Headers
from tokengate.gateway.compaction import compaction_of
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.responses import CREATE, count_tokens, input_items, turn_of
from tokengate.reference import table
from tokengate.tasks.background import Runs
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Request
from tokengate.web.surfaces.bases import BASES, Base
from tokengate.web.surfaces.quote import Quotable

_DEFAULT_PAGE = 20
_MAX_PAGE = 100
_MAX_NUMBER_DIGITS = 9  # of an event: no stream has a thousand million
_QUIET_LOOKS = 60  # four a second, before a comment says that the connection lives
_STREAM = "text/event-stream; charset=utf-8"

# Embeddings have an input, too, and so have DashScope's own bodies.
_OF_OTHERS = frozenset({"encoding_format", "dimensions", "parameters"})


class ResponsesSurface:
    """Hands responses to the pipeline, and stored ones to their owners."""

    def __init__(self, gateway: Gateway, admit: Admit, conversations: Conversations, runs: Runs) -> None:
        self._gateway = gateway
        self._admit = admit
        self._conversations = conversations
        self._runs = runs

    def endpoints(self) -> list[Endpoint]:
        """Return every route, under every base path."""
        return [endpoint for base in BASES for endpoint in self._below(base)]

    def quotable(self) -> Quotable:
        """Return how a response is quoted."""
        return Quotable("/responses", _fits, lambda path: CREATE, self._prepare)

    def _below(self, base: Base) -> list[Endpoint]:
        head = f"{base.path}/responses/"
        served: list[tuple[table.ApiOperation, Handler]] = [
            (table.RESPONSES, self._create),
            (table.RESPONSE_TOKENS, self._count),
            (table.COMPACT_RESPONSE, self._compact),
            (table.RESPONSE_ITEMS, self._items(head)),
            (table.CANCEL_RESPONSE, self._cancel(head)),
            (table.SHOW_RESPONSE, self._show(head)),
            (table.DELETE_RESPONSE, self._delete(head)),
        ]
        return [Endpoint(operation, handler, base.path, base.bad_key) for operation, handler in served]

    async def _create(self, request: Request) -> None:
        principal = self._admit.principal(request)
        asked = options(request)
        body = await self._admit.json_body(request)
        turn = await turn_of(self._conversations, principal, body)
        if turn.background is not None:
            begun = await self._runs.create(request.id, principal, turn, turn.background, body, asked)
            if turn.background.streams:
                await self._stream(request, principal, begun.id, 0, begun.headers)
            else:
                request.whole(200, [("content-type", "application/json"), *begun.headers], begun.response)
            return
        asked = replace(asked, keep=turn.keep)
        await self._gateway.answer(request.id, principal, turn.operation, body, request, asked)

    async def _count(self, request: Request) -> None:
        principal = self._admit.principal(request)
        body = await self._admit.json_body(request)
        request.json(write_count_reply(await count_tokens(self._gateway, self._conversations, principal, body)))

    async def _compact(self, request: Request) -> None:
        principal = self._admit.principal(request)
        asked = options(request)
        body = await self._admit.json_body(request)
        operation = await compaction_of(self._conversations, principal, body)
        await self._gateway.answer(request.id, principal, operation, body, request, asked)

    async def _prepare(self, principal: Principal, body: bytes) -> Operation:
        return (await turn_of(self._conversations, principal, body)).operation

    def _show(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            stored = await self._found(request, head)
            query = parse_qs(request.query)
            if not _is_stream(query):
                self._send(request, stored.response)
                return
            number = _starting_after(query) + 1
            principal = self._admit.principal(request)
            if not stored.standing.background:
                raise BadRequest("A response that was not made in the background cannot be streamed.", param="stream")
            if not await self._runs.streams(principal.org_id, principal.project_id, stored.id):
                raise BadRequest("A response that was not created with stream=true cannot be streamed.", param="stream")
            await self._stream(request, principal, stored.id, number, [("x-request-id", request.id)])

        return handler

    def _delete(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            id = _id_of(request, head)
            await self._runs.delete(principal.org_id, principal.project_id, id)
            request.json({"id": id, "object": "response", "deleted": True})

        return handler

    def _items(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            stored = await self._found(request, head, "/input_items")
            query = parse_qs(request.query)
            items = input_items(stored)
            if _order(query) == "desc":
                items.reverse()
            page, more = _page(items, query)
            first, last = (id_of(page[0]), id_of(page[-1])) if page else (None, None)
            request.json({"object": "list", "data": page, "first_id": first, "last_id": last, "has_more": more})

        return handler

    def _cancel(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            id = _id_of(request, head, "/cancel")
            self._send(request, await self._runs.cancel(principal.org_id, principal.project_id, id))

        return handler

    async def _found(self, request: Request, head: str, tail: str = "") -> StoredResponse:
        principal = self._admit.principal(request)
        id = _id_of(request, head, tail)
        return await self._conversations.get(principal.org_id, principal.project_id, id)

    async def _stream(self, request: Request, principal: Principal, id: str, number: int, headers: Headers) -> None:
        """Send the events of a response in the background from one of them on; it goes on when the caller leaves."""
        gone = asyncio.Event()
        request.when_gone(gone.set)
        request.open(200, [("content-type", _STREAM), *headers, ("cache-control", "no-cache")])
        quiet = 0
        async for frames in self._runs.follow(principal.org_id, principal.project_id, id, number, gone):
            quiet = 0 if frames else (quiet + 1) % _QUIET_LOOKS
            if frames or not quiet:
                await request.write(frames or b": \n\n")
        request.end(b"")

    def _send(self, request: Request, body: bytes) -> None:
        request.whole(200, [("content-type", "application/json"), ("x-request-id", request.id)], body)


def _fits(names: Set[str]) -> bool:
    return bool(names & {"input", "previous_response_id"}) and not names & _OF_OTHERS


def _id_of(request: Request, head: str, tail: str = "") -> str:
    return request.path[len(head) : len(request.path) - len(tail)]


def _is_stream(query: Mapping[str, list[str]]) -> bool:
    """Say whether the events are asked for. Raises BadRequest, also for a place in a stream that is not asked for."""
    stream = query.get("stream", ["false"])[-1].lower()
    if stream not in ("true", "false"):
        raise BadRequest("'stream' must be true or false.", param="stream")
    if stream == "false" and "starting_after" in query:
        raise BadRequest("'starting_after' can only be used with stream=true.", param="starting_after")
    return stream == "true"


def _starting_after(query: Mapping[str, list[str]]) -> int:
    text = query.get("starting_after", ["-1"])[-1]
    if text == "-1":
        return -1
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_NUMBER_DIGITS:
        raise BadRequest("'starting_after' must be the sequence_number of an event.", param="starting_after")
    return int(text)


def _order(query: Mapping[str, list[str]]) -> str:
    order = query.get("order", ["desc"])[-1]
    if order not in ("asc", "desc"):
        raise BadRequest("'order' must be asc or desc.", param="order")
    return order


def _page(items: list[Raw], query: Mapping[str, list[str]]) -> tuple[list[Raw], bool]:
    """Return the items after the one that `after` names, at most `limit`, and whether there are more."""
    text = query.get("limit", [str(_DEFAULT_PAGE)])[-1]
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= _MAX_PAGE:
        raise BadRequest(f"'limit' must be an integer from 1 to {_MAX_PAGE}.", param="limit")
    after = query.get("after", [""])[-1]
    start = 0
    if after:
        ids = list(map(id_of, items))
        if after not in ids:
            raise BadRequest(f"Item with id '{after[:100]}' not found.", param="after")
        start = ids.index(after) + 1
    page = items[start : start + int(text)]
    return page, start + len(page) < len(items)
