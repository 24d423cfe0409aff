"""The Responses API as the pipeline sees it: an operation for each request, because what was said before it comes from
what is stored here, and because its response may be stored, too: as its caller got it, with the bill of the call.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.conversations.responses import Conversations, StoredResponse
from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest, GatewayError
from tokengate.core.reply import Reply
from tokengate.core.wire import Heading, Losses
from tokengate.formats.responses.background import TOLD_AT_FIRST, Said, write_queued
from tokengate.formats.responses.format import RESPONSES, ResponsesFormat
from tokengate.formats.responses.items import id_of, items_with_ids, referenced, resolved
from tokengate.formats.responses.namespaces import without_namespaces
from tokengate.formats.responses.read_chat import Request, chat_of, read_chat, read_request
from tokengate.formats.responses.response import Keeping, response_id
from tokengate.formats.responses.stream_writer import StreamWriter, write_response
from tokengate.formats.responses.tokens import PATH, read_count, write_count
from tokengate.gateway.asked import asked_of
from tokengate.gateway.call import Keep
from tokengate.gateway.chats import chat_operation
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Target
from tokengate.gateway.vendor_count import Question, count_prompt_of
from tokengate.storage.writer import Row

CREATE: Final = replace(
    chat_operation(name="responses", path="/responses", format=RESPONSES, read_chat=read_chat),
    portable=without_namespaces,
)

_is_our_item = re.compile(r"[a-z]+_([0-9a-f]{32})i?[0-9a-f]{2,4}", re.ASCII).fullmatch


class Conversation(Struct, frozen=True):
    """One request and, in `chat`, what was said before it, too: `earlier_bytes` that are stored here."""

    request: Request
    chat: Chat
    earlier_bytes: int


class Turn(Struct, frozen=True):
    """One request, with what was said before it. `keep` returns the rows that store its response; None stores none."""

    operation: Operation
    keep: Keep | None
    background: "InBackground | None" = None


class InBackground(Struct, frozen=True):
    """What is kept of a request whose response is made in the background."""

    previous_id: str | None
    items: tuple[bytes, ...]  # of its own input
    streams: bool  # whether its caller wants the events
    queued: Callable[[Heading], Said]
    response: Callable[[], dict[str, Any]]  # what was written last; empty before anything was


async def conversation_of(conversations: Conversations, principal: Principal, request: Request) -> Conversation:
    """Return a request with what was said before it. Raises BadRequest when that is not (all) there."""
    previous = request.wire.previous_response_id
    history: list[Raw] = []
    if previous is not None:
        history = await conversations.history(principal.org_id, principal.project_id, previous)
    own_size_bytes = _size_bytes(request.items)
    request = await _resolved(request, history, conversations, principal)
    earlier_bytes = max(0, _size_bytes(history) + _size_bytes(request.items) - own_size_bytes)
    return Conversation(request, chat_of(request, history), earlier_bytes)


async def turn_of(
    conversations: Conversations, principal: Principal, body: bytes, *, heading: Heading | None = None
) -> Turn:
    """Return a request as the pipeline takes it. `heading` is the response's when it is not its call's own: one that is
    made again by another call. Raises BadRequest, also for a conversation that is not (all) there."""
    conversation = await conversation_of(conversations, principal, read_request(body))
    request, chat = conversation.request, conversation.chat
    streams, in_background = chat.stream, bool(request.wire.background)
    if in_background:
        if not principal.stores_responses:
            raise BadRequest(
                "'background' needs responses to be stored, and this project stores none.",
                param="background",
                code="unsupported_parameter",
            )
        chat = replace(chat, stream=True)  # what was said until it is cancelled is known, and billed
    org_id, project_id, previous = principal.org_id, principal.project_id, request.wire.previous_response_id
    stores = request.stored and principal.stores_responses
    keeping = Keeping(stores, previous, in_background, TOLD_AT_FIRST if in_background else 0)
    told = _Told(keeping=keeping, chat=chat, last=_Last(), heading=heading)

    def read(body: bytes) -> Asked:
        return asked_of(chat, request.members, conversation.earlier_bytes)

    def read_whole(body: bytes) -> Chat:
        return chat

    items = tuple(map(bytes, request.items))

    def keep(last: bytes, error: GatewayError | None) -> list[Row]:
        response = told.last.response()
        if error is not None or response["status"] == "failed":
            return []
        stored = StoredResponse(response["id"], previous, _encode(response), items)
        return [conversations.row_of(org_id, project_id, stored)]

    def queued(heading: Heading) -> Said:
        return write_queued(heading, chat, keeping)

    operation = replace(CREATE, format=told, read=read, read_chat=read_whole)
    if in_background:
        return Turn(operation, None, InBackground(previous, items, streams, queued, told.last.response))
    return Turn(operation, keep if stores else None)


async def count_tokens(gateway: Gateway, conversations: Conversations, principal: Principal, body: bytes) -> int:
    """Return how many tokens a request would have, with what was said before it. Raises GatewayError."""
    turn = await turn_of(conversations, principal, body)
    assert turn.operation.read_chat is not None
    chat = turn.operation.read_chat(body)

    def ask(target: Target) -> Question | None:
        format = target.formats.get(RESPONSES.name)
        if format is None:
            return None
        asked = format.write_chat(replace(chat, model=target.model), Losses(target.backend.name, RESPONSES.names))
        return Question(PATH, write_count(asked), format.headers(stream=False), read_count)

    return await count_prompt_of(gateway, principal, turn.operation, chat, ask)


def input_items(stored: StoredResponse) -> list[Raw]:
    """Return the items of a stored response's own input, each with an id."""
    return items_with_ids(list(map(Raw, stored.items)), _call_id(stored.id))


class _Last:
    """What was written last for the caller: that of the backend which answered."""

    def __init__(self) -> None:
        self.whole: dict[str, Any] = {}
        self.stream: StreamWriter | None = None

    def response(self) -> dict[str, Any]:
        """Return the response object that the caller got."""
        return self.stream.response if self.stream is not None else self.whole


class _Told(ResponsesFormat, frozen=True, kw_only=True):
    """The format as one caller is told it: their own request comes back, without an application's part in it."""

    chat: Chat
    last: _Last
    heading: Heading | None = None  # of the response, when it is not its call's

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        response = self.last.whole = write_response(reply, heading, self.chat, self.keeping)
        return _encode(response)

    def stream_writer(self, heading: Heading, chat: Chat) -> StreamWriter:
        writer = self.last.stream = StreamWriter(self.heading or heading, self.chat, self.keeping)
        return writer


async def _resolved(
    request: Request, history: Sequence[Raw], conversations: Conversations, principal: Principal
) -> Request:
    """Return a request with the items in place of their names: those of the history, and of responses stored here."""
    names = referenced(request.items)
    if not names:
        return request
    sources = {found[1]: None for name in names if (found := _is_our_item(name))}
    stored = await conversations.find(principal.org_id, principal.project_id, list(map(response_id, sources)))
    known = {id: item for item in history if (id := id_of(item))}
    for one in stored:
        for item in (*input_items(one), *one.output):
            known[id_of(item)] = item
    return Request(replace(request.wire, input=resolved(request.items, known)), request.members)


def _call_id(id: str) -> str:
    return id.partition("_")[2]


def _size_bytes(items: Sequence[Raw]) -> int:
    return sum(map(len, map(bytes, items)))


_encode = msgspec.json.Encoder().encode
