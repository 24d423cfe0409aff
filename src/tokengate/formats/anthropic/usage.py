"""Anthropic's usage object, read into disjoint buckets and written from them.

Cached tokens are outside `input_tokens` here and thinking is inside `output_tokens`. A stream reports twice: counts are
cumulative, so the larger number holds, whichever report a vendor leaves it out of.
"""

from typing import Any

import msgspec
from msgspec import Struct

from tokengate.core.usage import ReportedUsage, Usage

_MOST_TOKENS = 10**12  # more than this is not a count


def read_usage(raw: bytes) -> ReportedUsage | None:
    """Return a usage object's buckets; None when it is none, or says nothing."""
    try:
        wire = _decode(raw)
    except (ValueError, RecursionError):
        return None
    if wire.input_tokens is None and wire.output_tokens is None:
        return None
    written_5m = written_1h = 0
    if wire.cache_creation or wire.cache_creation_input_tokens:
        created = wire.cache_creation or _CacheCreation()
        written_1h = _count(created.ephemeral_1h_input_tokens)
        # Some vendors give only the sum; what no lifetime claims was kept for five minutes.
        rest = _count(wire.cache_creation_input_tokens) - written_1h
        written_5m = max(_count(created.ephemeral_5m_input_tokens), rest)
    output = _count(wire.output_tokens)
    details = wire.output_tokens_details
    thinking = min(_count(details.thinking_tokens), output) if details else 0
    usage = Usage(
        input=_count(wire.input_tokens),
        cache_read=_count(wire.cache_read_input_tokens),
        cache_write_5m=written_5m,
        cache_write_1h=written_1h,
        output=output - thinking,
        reasoning=thinking,
        search=_count(wire.server_tool_use.web_search_requests) if wire.server_tool_use else 0,
    )
    return ReportedUsage(usage, raw)


def read_count_reply(body: bytes) -> int | None:
    """Return what a vendor counted; None when that cannot be read."""
    try:
        wire = _decode(body)
    except (ValueError, RecursionError):
        return None
    return None if wire.input_tokens is None else _count(wire.input_tokens)


def merge_usage(before: bytes, after: bytes) -> bytes:
    """Return the usage object of a stream that has said both."""
    try:
        return msgspec.json.encode(_merged(_decode_object(before), _decode_object(after)))
    except (ValueError, RecursionError):
        return after or before


def write_usage(usage: Usage, service_tier: str | None = None) -> dict[str, Any]:
    """Return buckets as Anthropic's usage object. Media tokens are input as any other."""
    written = usage.cache_write_5m + usage.cache_write_1h
    return {
        "input_tokens": usage.input_total - usage.cache_read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output_total,
        "output_tokens_details": {"thinking_tokens": usage.reasoning} if usage.reasoning else None,
        "server_tool_use": _searches(usage.search),
        "service_tier": service_tier if service_tier in _TIERS else None,
    }


def write_delta_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as the usage object of a stream's end."""
    whole = write_usage(usage)
    return {name: whole[name] for name in _DELTA_NAMES}


class _CacheCreation(Struct):
    ephemeral_5m_input_tokens: int | float | None = None
    ephemeral_1h_input_tokens: int | float | None = None


class _OutputDetails(Struct):
    thinking_tokens: int | float | None = None


class _ServerTools(Struct):
    web_search_requests: int | float | None = None


class _Usage(Struct):
    input_tokens: int | float | None = None
    output_tokens: int | float | None = None
    cache_creation_input_tokens: int | float | None = None
    cache_read_input_tokens: int | float | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None


_decode = msgspec.json.Decoder(_Usage).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_TIERS = frozenset({"standard", "priority", "batch"})
_DELTA_NAMES = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
)


def _count(value: float | None) -> int:
    return int(value) if value is not None and 0 < value <= _MOST_TOKENS else 0


def _searches(count: int) -> dict[str, int] | None:
    return {"web_search_requests": count, "web_fetch_requests": 0} if count else None


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for name, value in after.items():
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[name] = _merged(old, value)  # pyright: ignore[reportUnknownArgumentType]  # JSON objects
        elif isinstance(old, int | float) and isinstance(value, int | float):
            merged[name] = max(old, value)
        elif value is not None:
            merged[name] = value
    return merged
