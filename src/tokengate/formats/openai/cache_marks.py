"""Prompt-cache markers, `"cache_control": {"type": "ephemeral", "ttl"}`, on a part or a tool.

DashScope and OpenRouter take them.
"""

from typing import Any

from tokengate.core.parts import CacheMark
from tokengate.core.wire import Losses
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.fields import Fields
from tokengate.formats.openai.refusal import must_be


def read_cache_mark(fields: Fields) -> CacheMark | None:
    """Take a marker. Raises BadRequest."""
    mark = fields.inner("cache_control")
    if mark is None:
        return None
    match mark.text("ttl"):
        case None | "5m":
            return CacheMark()
        case "1h":
            return CacheMark("1h")
        case _:
            raise must_be(mark.path("ttl"), "5m or 1h")


def write_cache_mark(mark: CacheMark | None, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    """Return the member that says it; without one where the vendor has none."""
    if mark is None:
        return {}
    if not dialect.cache_marks:
        losses.drop("cache")
        return {}
    control = {"type": "ephemeral"} if mark.ttl == "5m" else {"type": "ephemeral", "ttl": mark.ttl}
    return {"cache_control": control}
