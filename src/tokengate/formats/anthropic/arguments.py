"""A tool call's arguments: JSON text in the vocabulary, a JSON object here."""

import msgspec
from msgspec import Raw

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_EMPTY = Raw(b"{}")


def write_input(arguments: str) -> Raw:
    """Return the object that the arguments are; what is no object is wrapped as Anthropic's pages advise:
    `{"INVALID_JSON": "…"}`."""
    if not arguments.strip():
        return _EMPTY
    data = arguments.encode("utf-8", "replace")
    try:
        _decode_members(data)
    except (ValueError, RecursionError):
        return Raw(msgspec.json.encode({"INVALID_JSON": data.decode()}))
    return Raw(data)
