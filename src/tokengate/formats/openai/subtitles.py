"""Segments as subtitles: SubRip (srt) and WebVTT.

https://en.wikipedia.org/wiki/SubRip and https://www.w3.org/TR/webvtt1/, 2026-11. A blank line would end a cue, and
`-->` or a tag would change it, so neither can come out of what was said.
"""

from collections.abc import Iterable
from typing import Final

from tokengate.core.transcription import Segment

_MAX_MS: Final = 360_000_000  # 100 hours: more than two digits of hours


def write_srt(segments: Iterable[Segment]) -> str:
    """Return segments as numbered cues; none as an empty text."""
    return "".join(
        f"{number}\n{_times(segment, ',')}\n{_lines(segment.text).replace('-->', '->')}\n\n"
        for number, segment in enumerate(segments, 1)
    )


def write_vtt(segments: Iterable[Segment]) -> str:
    """Return segments as cues below a heading."""
    cues = (f"{_times(segment, '.')}\n{_escaped(_lines(segment.text))}\n\n" for segment in segments)
    return f"WEBVTT\n\n{''.join(cues)}"


def write_time(seconds: float, point: str) -> str:
    """Return a time as HH:MM:SS and thousandths after the `point`."""
    ms = round(min(max(seconds, 0), (_MAX_MS - 1) / 1000) * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"


def _times(segment: Segment, point: str) -> str:
    end_s = max(segment.end_s, segment.start_s)
    return f"{write_time(segment.start_s, point)} --> {write_time(end_s, point)}"


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
