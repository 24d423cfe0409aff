"""The usage object of OpenAI's pictures, read into disjoint buckets and written from them.

{"input_tokens", "input_tokens_details": {"text_tokens", "image_tokens"}, "output_tokens", "output_tokens_details",
"total_tokens"}: what is written are a picture's tokens unless the details say otherwise.
"""

from typing import Any

import msgspec

from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.openai.shapes import is_object

_MOST_TOKENS = 10**12  # more than this is not a count

_decode = msgspec.json.Decoder().decode


def read_image_usage(raw: bytes, pictures: int, size: str | None, quality: str | None) -> ReportedUsage:
    """Return what so many pictures came to: themselves, and their tokens where the vendor counts those."""
    report: Any = _decode(raw)
    if not is_object(report):
        return ReportedUsage(Usage(image=pictures), b"", size=size, quality=quality)
    prompt, written = _count(report.get("input_tokens")), _count(report.get("output_tokens"))
    details = report.get("input_tokens_details")
    details = details if is_object(details) else {}
    cached = min(_count(details.get("cached_tokens")), prompt)
    image_in = min(_count(details.get("image_tokens")), prompt - cached)
    details = report.get("output_tokens_details")
    texts = min(_count(details.get("text_tokens")), written) if is_object(details) else 0
    usage = Usage(
        input=prompt - cached - image_in,
        cache_read=cached,
        image_in=image_in,
        output=texts,
        image_out=written - texts,
        image=pictures,
    )
    return ReportedUsage(usage, raw, size=size, quality=quality)


def write_image_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as the usage object."""
    text_out = usage.output + usage.reasoning
    return {
        "input_tokens": usage.input_total,
        "input_tokens_details": {
            "text_tokens": usage.input_total - usage.image_in,
            "image_tokens": usage.image_in,
        },
        "output_tokens": text_out + usage.image_out,
        "output_tokens_details": {"text_tokens": text_out, "image_tokens": usage.image_out},
        "total_tokens": usage.input_total + text_out + usage.image_out,
    }


def _count(value: Any) -> int:
    return value if type(value) is int and 0 < value <= _MOST_TOKENS else 0
