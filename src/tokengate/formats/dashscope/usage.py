"""DashScope's usage object, read into disjoint buckets and written from them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.dashscope.shapes import encode, is_object

_MOST_TOKENS = 10**12  # more than this is not a count


def read_usage(raw: bytes) -> ReportedUsage | None:
    """Return a usage object's buckets; None when there is nothing in it to bill by.

    Cached and media tokens are inside `input_tokens`, reasoning and media tokens inside `output_tokens`, and are taken
    out of them, so that the buckets of one side add up to its total; what does not fit is dropped. Totals may be
    missing (the reply to a question about a video has no `total_tokens`, embeddings have nothing else).
    """
    try:
        report = _decode(raw)
    except (ValueError, RecursionError):
        return None
    given = _count(report, "input_tokens")
    produced = _count(report, "output_tokens")
    total = _count(report, "total_tokens")
    others = {name: _count(report, theirs) for name, theirs in _UNITS.items()}
    others["search"] = _count(_object(_object(report, "plugins"), "search"), "count")
    if not given and total > produced:
        given = total - produced
    elif "output_tokens" not in report:
        produced = max(0, total - given)
    if not report.keys() & _NAMES:
        return None
    return ReportedUsage(Usage(**_split_input(given, report), **_split_output(produced, report), **others), raw)


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as DashScope's usage object; details only where there is something to tell."""
    written: dict[str, Any] = {
        "input_tokens": usage.input_total,
        "output_tokens": usage.output_total,
        "total_tokens": usage.input_total + usage.output_total,
    }
    media = {"image_tokens": usage.image_in, "video_tokens": usage.video_in, "audio_tokens": usage.audio_in}
    media = {name: count for name, count in media.items() if count}
    if media:
        written.update(media)
        written["input_tokens_details"] = {"text_tokens": usage.input_total - sum(media.values()), **media}
    cached: dict[str, Any] = {"cached_tokens": usage.cache_read}
    if usage.cache_write_5m or usage.cache_write_1h:
        lifetimes = {"5m": usage.cache_write_5m, "1h": usage.cache_write_1h}
        cached["cache_creation_input_tokens"] = sum(lifetimes.values())
        cached["cache_creation"] = {f"ephemeral_{name}_input_tokens": n for name, n in lifetimes.items() if n}
    written["prompt_tokens_details"] = cached
    output = {
        "reasoning_tokens": usage.reasoning,
        "image_tokens": usage.image_out,
        "audio_tokens": usage.audio_out,
    }
    output = {name: count for name, count in output.items() if count}
    if output:
        written["output_tokens_details"] = output
    written.update((theirs, count) for name, theirs in _UNITS.items() if (count := getattr(usage, name)))
    if usage.search:
        written["plugins"] = {"search": {"count": usage.search}}
    return written


def sum_usage(raws: Iterable[bytes]) -> ReportedUsage | None:
    """Return the usage of a stream of several choices, whose events each report on one: input once, all output."""
    usages = [usage for raw in raws if (usage := read_usage(raw)) is not None]
    if len(usages) < 2:
        return usages[0] if usages else None
    total = usages[0].usage
    for usage in usages[1:]:
        more = usage.usage
        total = msgspec.structs.replace(
            total,
            output=total.output + more.output,
            reasoning=total.reasoning + more.reasoning,
            image_out=total.image_out + more.image_out,
            audio_out=total.audio_out + more.audio_out,
        )
    return ReportedUsage(total, encode(write_usage(total)))


_NOTHING: dict[str, Any] = {}
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_UNITS = {"image": "image_count", "character": "characters", "second": "seconds"}  # what is not tokens: bucket -> name
_NAMES = frozenset({"input_tokens", "output_tokens", "total_tokens", *_UNITS.values()})


def _split_input(given: int, report: dict[str, Any]) -> dict[str, int]:
    """Return the buckets of the input side. Cached tokens come first: media may be among them."""
    details = _object(report, "input_tokens_details")
    cache = _object(report, "prompt_tokens_details")
    created = _object(cache, "cache_creation")
    cached = _count(cache, "cached_tokens") or _count(details, "cached_tokens") or _count(report, "cached_tokens")
    cache_read, left = _take(cached, given)
    cache_write_1h, left = _take(_count(created, "ephemeral_1h_input_tokens"), left)
    written = _count(cache, "cache_creation_input_tokens") or (
        cache_write_1h + _count(created, "ephemeral_5m_input_tokens")
    )
    cache_write_5m, left = _take(written - cache_write_1h, left)
    buckets = {"cache_read": cache_read, "cache_write_5m": cache_write_5m, "cache_write_1h": cache_write_1h}
    for bucket in ("image", "video", "audio"):
        name = f"{bucket}_tokens"
        buckets[f"{bucket}_in"], left = _take(_count(details, name) or _count(report, name), left)
    return {"input": left, **buckets}


def _split_output(produced: int, report: dict[str, Any]) -> dict[str, int]:
    """Return the buckets of the output side."""
    details = _object(report, "output_tokens_details")
    reasoning, left = _take(_count(details, "reasoning_tokens"), produced)
    audio_out, left = _take(_count(details, "audio_tokens"), left)
    image_out, left = _take(_count(details, "image_tokens"), left)
    return {"output": left, "reasoning": reasoning, "audio_out": audio_out, "image_out": image_out}


def _count(report: dict[str, Any], name: str) -> int:
    value = report.get(name)
    if type(value) is int:
        return value if 0 < value <= _MOST_TOKENS else 0
    if type(value) is float and 0 < value <= _MOST_TOKENS:
        return int(value)
    return 0


def _object(report: dict[str, Any], name: str) -> dict[str, Any]:
    value = report.get(name)
    return value if is_object(value) else _NOTHING


def _take(count: int, left: int) -> tuple[int, int]:
    """Return as many of `count` as are left, and what is left then."""
    taken = min(max(count, 0), left)
    return taken, left - taken
