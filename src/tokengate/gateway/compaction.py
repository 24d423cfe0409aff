"""Compaction of a conversation as the pipeline sees it: only a vendor that speaks Responses folds one, and only it can
open what it folded. What was said before comes from what is stored here, as for every response.
"""

from collections.abc import Mapping
from typing import Final, NoReturn

from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.conversations.responses import Conversations
from tokengate.core.http import Exchange
from tokengate.core.wire import Losses
from tokengate.formats.responses.compaction import (
    PATH,
    read_compaction,
    read_compaction_request,
    write_compaction_request,
)
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.responses.response import response_id
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.asked import asked_of, prompt_estimate
from tokengate.gateway.call import Call
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Asked, Operation, Way
from tokengate.gateway.responses import Conversation, conversation_of
from tokengate.gateway.route import Target
from tokengate.gateway.written import Written

# A compaction takes no cap; it is held for as many tokens of output as hardly any has, and billed by its usage.
_HELD_TOKENS: Final = 32_768

_NO_HEADERS: Mapping[str, str] = {}


async def compaction_of(conversations: Conversations, principal: Principal, body: bytes) -> Operation:
    """Return the operation that one request is. Raises BadRequest, also for a conversation that is not (all) there."""
    conversation = await conversation_of(conversations, principal, read_compaction_request(body))
    chat = conversation.chat

    def read(body: bytes) -> Asked:
        asked = asked_of(chat, conversation.request.members, conversation.earlier_bytes)
        return replace(asked, output_cap=_HELD_TOKENS)

    def way(target: Target) -> Way | None:
        if RESPONSES.name not in target.formats:
            return None

        async def ask(call: Call, body: bytes, fetch: Fetch) -> Compacted:
            return Compacted(call, target, conversation)

        return ask

    return Operation(
        name="responses.compact",
        path=PATH,
        kinds=frozenset({"chat"}),
        read=read,
        chat_names=False,
        prompt_estimate=lambda body: prompt_estimate(chat),
        speaks=RESPONSES.name,
        way=way,
    )


class Compacted:
    """Implements `Adapter`."""

    __slots__ = ("_call", "body", "dropped")

    path = PATH
    headers = _NO_HEADERS

    def __init__(self, call: Call, target: Target, conversation: Conversation) -> None:
        losses = Losses(target.backend.name, RESPONSES.names)
        self._call = call
        self.body = write_compaction_request(conversation.request, conversation.chat, target.model, losses)
        self.dropped = losses.dropped

    def whole(self, data: bytes) -> WholeReply:
        """Read the vendor's answer, which is the caller's under an id of ours."""
        compaction = read_compaction(data, response_id(self._call.id))
        return WholeReply(compaction.body, has_content=True, usage=compaction.usage, texts=compaction.sealed)

    def lane(self, written: Written) -> NoReturn:
        raise AssertionError("a compaction comes whole")

    def pieces(self, exchange: Exchange, fetch: Fetch) -> NoReturn:
        raise AssertionError("a compaction comes whole")
