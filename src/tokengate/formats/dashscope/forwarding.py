"""The edits of the lane in which caller and backend both speak this format: all other bytes stay as they are."""

import msgspec

from tokengate.core.splice import Members, edit
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


def _capped(parameters: bytes, cap: bytes) -> bytes:
    present = [name for name in _CAPS if name in Members(parameters)]
    if not present:
        return edit(parameters, add={"max_tokens": cap})
    return edit(parameters, replace=dict.fromkeys(present, cap))
