"""Gemini's usage metadata, read into disjoint buckets and written from them."""

from typing import Any

import msgspec
from msgspec import Struct

from tokengate.core.usage import ReportedUsage, Usage

_MOST_TOKENS = 10**12  # more than this is not a count


def read_usage(raw: bytes) -> ReportedUsage | None:
    """Return the buckets of a usage object; None when there is nothing in it to bill by.

    Cached tokens are inside `promptTokenCount`; what built-in tools read and what was thought are outside of it and of
    `candidatesTokenCount`. Details name the modality of what is inside.
    """
    try:
        report = _decode(raw)
    except (ValueError, RecursionError):
        return None
    prompt, tools, thoughts = _count(report.prompt), _count(report.tools), _count(report.thoughts)
    written = _count(report.written)
    total = _count(report.total)
    if not (prompt or tools or written or thoughts or total):
        silent = report.prompt is None and report.written is None and report.total is None
        return None if silent else ReportedUsage(Usage(), raw)
    if not written:
        written = max(0, total - prompt - tools - thoughts)
    elif not prompt:
        prompt = max(0, total - written - tools - thoughts)
    cached = min(_count(report.cached), prompt)
    read = _modalities(report.prompt_details, report.tools_details)
    kept = _modalities(report.cached_details)
    left = prompt + tools - cached
    buckets = {"cache_read": cached, "reasoning": thoughts}
    for modality, name in (("IMAGE", "image_in"), ("VIDEO", "video_in"), ("AUDIO", "audio_in")):
        buckets[name], left = _take(read.get(modality, 0) - kept.get(modality, 0), left)
    out = _modalities(report.written_details)
    buckets["image_out"], written = _take(out.get("IMAGE", 0), written)
    buckets["audio_out"], written = _take(out.get("AUDIO", 0), written)
    return ReportedUsage(Usage(input=left, output=written, **buckets), raw)


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as Gemini's usage object."""
    written = usage.output + usage.image_out + usage.audio_out
    report: dict[str, Any] = {"promptTokenCount": usage.input_total, "candidatesTokenCount": written}
    if usage.cache_read:
        report["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        report["thoughtsTokenCount"] = usage.reasoning
    report["totalTokenCount"] = usage.input_total + usage.output_total
    media_in = {"IMAGE": usage.image_in, "VIDEO": usage.video_in, "AUDIO": usage.audio_in}
    report["promptTokensDetails"] = _details(usage.input_total, media_in)
    media_out = {"IMAGE": usage.image_out, "AUDIO": usage.audio_out}
    if any(media_out.values()):
        report["candidatesTokensDetails"] = _details(written, media_out)
    return report


class _Modality(Struct, rename="camel"):
    modality: str = ""
    token_count: int | float | None = None


class _Report(Struct):
    prompt: int | float | None = msgspec.field(default=None, name="promptTokenCount")
    cached: int | float | None = msgspec.field(default=None, name="cachedContentTokenCount")
    written: int | float | None = msgspec.field(default=None, name="candidatesTokenCount")
    thoughts: int | float | None = msgspec.field(default=None, name="thoughtsTokenCount")
    tools: int | float | None = msgspec.field(default=None, name="toolUsePromptTokenCount")
    total: int | float | None = msgspec.field(default=None, name="totalTokenCount")
    prompt_details: list[_Modality] | None = msgspec.field(default=None, name="promptTokensDetails")
    cached_details: list[_Modality] | None = msgspec.field(default=None, name="cacheTokensDetails")
    written_details: list[_Modality] | None = msgspec.field(default=None, name="candidatesTokensDetails")
    tools_details: list[_Modality] | None = msgspec.field(default=None, name="toolUsePromptTokensDetails")


_decode = msgspec.json.Decoder(_Report).decode


def _count(value: float | None) -> int:
    return int(value) if value is not None and 0 < value <= _MOST_TOKENS else 0


def _modalities(*lists: list[_Modality] | None) -> dict[str, int]:
    """Return the tokens of each modality, added up."""
    counts: dict[str, int] = {}
    for details in lists:
        for detail in details or ():
            counts[detail.modality] = counts.get(detail.modality, 0) + _count(detail.token_count)
    return counts


def _details(total: int, media: dict[str, int]) -> list[dict[str, Any]]:
    counts = {"TEXT": total - sum(media.values()), **media}
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items() if count]


def _take(count: int, left: int) -> tuple[int, int]:
    """Return as many of `count` as are left, and what is left then."""
    taken = min(max(count, 0), left)
    return taken, left - taken
