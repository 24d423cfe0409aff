"""Compaction of a conversation: `/responses/compact`. The vendor folds what was said into one sealed item, which only
it can open, and which stands in later requests for all that is in it.

https://platform.openai.com/docs/api-reference/responses/compact, and openai-python 3.54, 2026-11.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.chat import Chat
from tokengate.core.splice import Members
from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Losses
from tokengate.formats.responses.read_chat import Request, not_served, read_request
from tokengate.formats.responses.replies import decode, invalid
from tokengate.formats.responses.types import NONE
from tokengate.formats.responses.usage import read_usage
from tokengate.formats.responses.write_items import write_items

PATH: Final = "/responses/compact"
_OBJECT: Final = "response.compaction"

_encode = msgspec.json.Encoder().encode


class Compaction(Struct, frozen=True):
    """A vendor's answer: its bytes, what it used, and the sealed texts in it."""

    body: bytes
    usage: ReportedUsage | None
    sealed: tuple[str, ...]


def read_compaction_request(body: bytes) -> Request:
    """Read a body as far as it can be without the calls before it. Raises BadRequest."""
    request = read_request(body)
    if request.wire.background:
        raise not_served("background")
    if request.wire.stream:
        raise not_served("stream")
    return request


def write_compaction_request(request: Request, chat: Chat, model: str, losses: Losses) -> bytes:
    """Return the body for a vendor, which knows the model by this name and none of our responses: as the caller wrote
    it, with the whole conversation of `chat`, which is the request in the vocabulary."""
    members = request.members
    messages = chat.messages if request.wire.instructions is None else chat.messages[1:]
    wanted = {"model": _encode(model), "input": _encode(write_items(messages, losses, own=True))}
    present = wanted.keys() & members.names()
    return members.edit(
        replace={name: wanted[name] for name in present},
        remove={"previous_response_id"} & members.names(),
        add={name: value for name, value in wanted.items() if name not in present},
    )


def read_compaction(data: bytes, id: str) -> Compaction:
    """Read a vendor's answer, and give it an id of ours. Raises UpstreamFailed when it is none."""
    wire = decode(_decode, data)
    if wire.object != _OBJECT:
        raise invalid()
    sealed = tuple(text for item in wire.output if (text := decode(_decode_item, item).encrypted_content))
    members = decode(Members, data)
    given = {"id": _encode(id)}
    body = members.edit(replace=given) if "id" in members else members.edit(add=given)
    return Compaction(body, read_usage(wire.usage), sealed)


class _Compacted(Struct):
    object: str
    output: list[Raw]
    usage: Raw = NONE


class _Item(Struct):
    encrypted_content: str | None = None


_decode = msgspec.json.Decoder(_Compacted).decode
_decode_item = msgspec.json.Decoder(_Item).decode
