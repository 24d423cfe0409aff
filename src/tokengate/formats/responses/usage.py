"""The Responses API's usage object, read into disjoint buckets and written from them."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.usage import ReportedUsage, Usage

_MOST_TOKENS = 10**12  # more than this is not a count


def read_usage(raw: Raw, searches: int = 0) -> ReportedUsage | None:
    """Return a usage object's buckets; None when there is nothing in it to bill by.

    Cached and cache-written tokens are inside `input_tokens`, reasoning inside `output_tokens`, and are taken out of
    them; what does not fit is dropped. `searches` were counted elsewhere in the reply.
    """
    try:
        wire = _decode(raw)
    except (ValueError, RecursionError):
        return None
    if wire.input_tokens is None and wire.output_tokens is None and wire.total_tokens is None:
        return None
    read, written = _count(wire.input_tokens), _count(wire.output_tokens)
    total = _count(wire.total_tokens)
    read = read or max(0, total - written)
    written = written or max(0, total - read)
    inside, outside = wire.input_tokens_details or _Input(), wire.output_tokens_details or _Output()
    cache_read, left = _take(_count(inside.cached_tokens), read)
    long = inside.cache_write_tokens_details or _CacheWrite()
    cache_write_1h, left = _take(_count(long.ttl_12h_tokens), left)
    cache_write_5m, left = _take(_count(inside.cache_write_tokens) - cache_write_1h, left)
    reasoning, answer = _take(_count(outside.reasoning_tokens), written)
    usage = Usage(
        input=left,
        cache_read=cache_read,
        cache_write_5m=cache_write_5m,
        cache_write_1h=cache_write_1h,
        output=answer,
        reasoning=reasoning,
        search=searches,
    )
    return ReportedUsage(usage, bytes(raw))


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as the API's usage object."""
    read, written = usage.input_total, usage.output_total
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": read + written,
    }


class _CacheWrite(Struct):
    ttl_12h_tokens: float | None = None


class _Input(Struct):
    cached_tokens: float | None = None
    cache_write_tokens: float | None = None
    cache_write_tokens_details: _CacheWrite | None = None


class _Output(Struct):
    reasoning_tokens: float | None = None


class _Usage(Struct):
    input_tokens: float | None = None
    output_tokens: float | None = None
    total_tokens: float | None = None
    input_tokens_details: _Input | None = None
    output_tokens_details: _Output | None = None


_decode = msgspec.json.Decoder(_Usage).decode


def _count(value: float | None) -> int:
    return int(value) if value is not None and 0 < value <= _MOST_TOKENS else 0


def _take(count: int, left: int) -> tuple[int, int]:
    """Return as many of `count` as are left, and what is left then."""
    taken = min(max(count, 0), left)
    return taken, left - taken
