"""Which calls are wanted, and in which order."""

from typing import Literal

from msgspec import Struct

from tokengate.core.errors import BadRequest

Sort = Literal["-started", "started", "-cost", "cost", "-latency", "latency"]

_MAX_MS = 2**48 - 1  # what the time of an id has room for
_MAX_TEXT_CHARS = 200


class CallFilter(Struct, frozen=True):
    """Which calls are wanted; None is all. `text` is how a request id of ours, or the caller's own, begins."""

    from_ms: int | None = None
    to_ms: int | None = None  # not included
    model: str | None = None
    key_id: str | None = None
    project_id: str | None = None
    status: int | None = None
    outcome: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        for name in ("from_ms", "to_ms"):
            value: int | None = getattr(self, name)
            if value is not None and not 0 <= value <= _MAX_MS:
                raise BadRequest(f"'{name}' must be milliseconds since 1970.", param=name)
        for name in ("model", "key_id", "project_id", "outcome", "text"):
            text: str | None = getattr(self, name)
            if text is not None and not (text.isprintable() and 0 < len(text) <= _MAX_TEXT_CHARS):
                raise BadRequest(f"'{name}' cannot be searched for.", param="q" if name == "text" else name)
