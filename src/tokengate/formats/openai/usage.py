"""OpenAI's usage object, read into disjoint buckets and written from them."""

from typing import Any

import msgspec

from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.openai.shapes import is_object

_MOST_TOKENS = 10**12  # more than this is not a count


def read_usage(raw: bytes, *, reasoning_outside: bool = False) -> ReportedUsage | None:
    """Return a usage object's buckets; None when there is nothing in it to bill by.

    Cached, cache-written and media tokens are inside `prompt_tokens`, reasoning, audio and image tokens inside
    `completion_tokens`, and are taken out of them, so that the buckets of one side add up to its total; what does
    not fit is dropped. `reasoning_outside` is for vendors that leave reasoning out of `completion_tokens`
    (xAI). Details may be missing, null or empty. Takes the names that OpenAI, DashScope and DeepSeek use.
    """
    try:
        report = _decode(raw)
    except (ValueError, RecursionError):
        return None
    prompt = _count(report, "prompt_tokens")
    completion = _count(report, "completion_tokens")
    total = _count(report, "total_tokens")
    if not (prompt or completion or total or report.keys() & _TOTALS):
        return None
    if not prompt:
        prompt = max(0, total - completion)
    elif "completion_tokens" not in report:
        completion = max(0, total - prompt)

    read = _object(report, "prompt_tokens_details")
    written = _object(report, "completion_tokens_details")
    is_split = any(read.values()) or "prompt_cache_hit_tokens" in report
    # Most details are all zero, and then there is nothing to take out.
    if not is_split and not any(written.values()) and "plugins" not in report:
        return ReportedUsage(Usage(input=prompt, output=completion), raw)
    buckets = {"input": prompt, "output": completion}
    if is_split:
        buckets |= _split_prompt(prompt, read, report)
    if any(written.values()):
        buckets |= _split_completion(completion, written, reasoning_outside=reasoning_outside)
    if "plugins" in report:
        buckets["search"] = _count(_object(_object(report, "plugins"), "search"), "count")
    return ReportedUsage(Usage(**buckets), raw)


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as OpenAI's usage object."""
    prompt = usage.input_total
    completion = usage.output_total
    prompt_details: dict[str, Any] = {"cached_tokens": usage.cache_read}
    if prompt > usage.input + usage.cache_read:
        prompt_details |= _filled(
            cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
            image_tokens=usage.image_in,
            video_tokens=usage.video_in,
            audio_tokens=usage.audio_in,
        )
    if usage.cache_write_1h:
        prompt_details["cache_creation"] = {"ephemeral_1h_input_tokens": usage.cache_write_1h}
    completion_details: dict[str, Any] = {"reasoning_tokens": usage.reasoning}
    if usage.audio_out or usage.image_out:
        completion_details |= _filled(audio_tokens=usage.audio_out, image_tokens=usage.image_out)
    report: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": completion_details,
    }
    if usage.search:
        report["plugins"] = {"search": {"count": usage.search}}
    return report


_NOTHING: dict[str, Any] = {}
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_TOTALS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def _filled(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _split_prompt(prompt: int, details: dict[str, Any], report: dict[str, Any]) -> dict[str, int]:
    """Return the buckets of the input side. Cached tokens come first: media may be among them."""
    cached = _count(details, "cached_tokens") or _count(report, "prompt_cache_hit_tokens")
    written = _count(details, "cache_write_tokens") or _count(details, "cache_creation_input_tokens")
    cache_read, left = _take(cached, prompt)
    cache_write_1h, left = _take(_count(_object(details, "cache_creation"), "ephemeral_1h_input_tokens"), left)
    cache_write_5m, left = _take(written - cache_write_1h, left)
    image_in, left = _take(_count(details, "image_tokens"), left)
    video_in, left = _take(_count(details, "video_tokens"), left)
    audio_in, left = _take(_count(details, "audio_tokens"), left)
    return {
        "input": left,
        "cache_read": cache_read,
        "cache_write_5m": cache_write_5m,
        "cache_write_1h": cache_write_1h,
        "image_in": image_in,
        "video_in": video_in,
        "audio_in": audio_in,
    }


def _split_completion(completion: int, details: dict[str, Any], *, reasoning_outside: bool) -> dict[str, int]:
    """Return the buckets of the output side."""
    reasoning = _count(details, "reasoning_tokens")
    left = completion
    if not reasoning_outside:
        reasoning, left = _take(reasoning, left)
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
