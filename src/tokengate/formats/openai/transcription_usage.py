"""The usage object of OpenAI's transcriptions, of both its kinds, read into disjoint buckets and written from them.

{"type": "duration", "seconds"}, or {"type": "tokens", "input_tokens", "input_token_details": {"text_tokens",
"audio_tokens"}, "output_tokens", "total_tokens"}. vLLM's streams have {"prompt_tokens", "completion_tokens"}.
"""

import math
from typing import Any, Final

import msgspec

from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.openai.shapes import is_object

_MOST: Final = 10**9  # more than this is no count of seconds or tokens

_decode = msgspec.json.Decoder().decode


def read_transcription_usage(raw: bytes) -> ReportedUsage | None:
    """Return what a backend counted; None when it is no count. Parts of a second are a whole one."""
    report: Any = _decode(raw)
    if not is_object(report):
        return None
    seconds: Any = report.get("seconds")
    if isinstance(seconds, int | float) and 0 < seconds <= _MOST:
        return ReportedUsage(Usage(second=math.ceil(seconds)), raw)
    heard = _count(report.get("input_tokens") or report.get("prompt_tokens"))
    written = _count(report.get("output_tokens") or report.get("completion_tokens"))
    if not heard + written:
        return None
    details = report.get("input_token_details")
    details = details if is_object(details) else {}
    texts = min(_count(details.get("text_tokens")), heard)
    return ReportedUsage(Usage(input=texts, audio_in=heard - texts, output=written), raw)


def write_transcription_usage(usage: Usage) -> dict[str, Any]:
    """Return buckets as the usage object of their kind."""
    if not usage.input_total + usage.output_total:
        return {"type": "duration", "seconds": usage.second}
    return {
        "type": "tokens",
        "input_tokens": usage.input_total,
        "input_token_details": {"text_tokens": usage.input_total - usage.audio_in, "audio_tokens": usage.audio_in},
        "output_tokens": usage.output_total,
        "total_tokens": usage.input_total + usage.output_total,
    }


def _count(value: Any) -> int:
    return value if type(value) is int and 0 < value <= _MOST else 0
