"""The edits of the lane in which caller and backend both speak this format: all other bytes stay as they are.

`is_foreign` says which requests are not for that lane.
"""

import msgspec

from tokengate.core.chat import Chat
from tokengate.core.parts import Part, Thinking, ToolCall
from tokengate.core.splice import Members, edit
from tokengate.core.wire import Heading
from tokengate.formats.dashscope.answers import request_id
from tokengate.formats.dashscope.models import is_multimodal
from tokengate.formats.dashscope.requests import PARTS, WHOLE
from tokengate.formats.dashscope.shapes import encode

_CAPS = ("max_tokens", "max_completion_tokens")


def forward_chat(members: Members, *, model: str, output_cap: int | None) -> bytes:
    """Return a request's body under the vendor's name of the model, with this output cap when one is given."""
    replace = {"model": encode(model)}
    add: dict[str, bytes] = {}
    if output_cap is not None:
        parameters = members.get("parameters")
        if parameters is None:
            add["parameters"] = encode({"max_tokens": output_cap})
        elif parameters == b"null":
            replace["parameters"] = encode({"max_tokens": output_cap})
        else:
            replace["parameters"] = _capped(parameters, encode(output_cap))
    return members.edit(replace=replace, add=add)


def rename_model(data: bytes, model: str) -> bytes:
    """Return a reply, or an event's data, with the model called as the caller called it. Most do not name it."""
    if b'"model"' not in data:
        return data
    try:
        members = Members(data)
        return members.replace("model", msgspec.json.encode(model)) if "model" in members else data
    except (ValueError, RecursionError):
        return data


def put_id(data: bytes, heading: Heading) -> bytes:
    """Return a reply, or an event's data, with our id of the call as its `request_id`: it is that of the bill."""
    own = encode(request_id(heading))
    try:
        members = Members(data)
        return members.replace("request_id", own) if "request_id" in members else members.edit(add={"request_id": own})
    except (ValueError, RecursionError):
        return data


def is_foreign(chat: Chat) -> bool:
    """Say whether the vendor cannot be asked, or not be understood, with the request as it stands: another service
    serves its model, its stream tells all that was said so far in every event, or another vendor's thinking is in it.
    """
    if (chat.stream and WHOLE in chat.style) or (PARTS in chat.style) is not is_multimodal(chat.model):
        return True
    return any(_is_foreign(part) for message in chat.messages for part in message.parts)


def _is_foreign(part: Part) -> bool:
    match part:
        case Thinking():
            return bool(part.signature or part.format or part.summary or part.id)
        case ToolCall():
            return part.signature != ""
        case _:
            return False


def _capped(parameters: bytes, cap: bytes) -> bytes:
    present = [name for name in _CAPS if name in Members(parameters)]
    if not present:
        return edit(parameters, add={"max_tokens": cap})
    return edit(parameters, replace=dict.fromkeys(present, cap))
