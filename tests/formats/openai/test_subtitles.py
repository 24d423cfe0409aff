"""Subtitles: times that every player reads, and texts that cannot become anything else than text."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.transcription import Segment
from tokengate.formats.openai.subtitles import write_srt, write_time, write_vtt

SECONDS = st.floats(0, 359_999, allow_nan=False)
SEGMENT = st.builds(Segment, start_s=SECONDS, end_s=SECONDS, text=st.text(max_size=60))


def ms_of(text: str) -> int:
    assert re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d[,.]\d{3}", text, re.ASCII), text
    hours, minutes, rest = text.replace(",", ".").split(":")
    seconds, thousandths = rest.split(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


@given(SECONDS)
def test_a_time_is_read_as_it_was_to_the_thousandth(seconds: float) -> None:
    assert abs(ms_of(write_time(seconds, ",")) - seconds * 1000) <= 0.5001


@given(SECONDS, SECONDS)
def test_later_times_are_never_written_earlier(one: float, other: float) -> None:
    first, second = sorted((one, other))

    assert ms_of(write_time(first, ".")) <= ms_of(write_time(second, "."))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_a_time(seconds: float) -> None:
    assert 0 <= ms_of(write_time(seconds, ".")) < 360_000_000


@given(st.lists(SEGMENT, max_size=6))
def test_there_is_one_cue_for_each_segment(segments: list[Segment]) -> None:
    srt, vtt = write_srt(segments), write_vtt(segments)

    assert srt.count(" --> ") == vtt.count(" --> ") == len(segments)
    assert vtt.startswith("WEBVTT\n\n")
    assert [line for line in srt.split("\n") if " --> " in line] == [
        line.replace(".", ",") for line in vtt.split("\n") if " --> " in line
    ]
    for line in (line for line in vtt.split("\n") if " --> " in line):
        start, end = line.split(" --> ")
        assert ms_of(start) <= ms_of(end)


def test_a_text_cannot_end_its_cue_or_hold_a_tag() -> None:
    segments = [Segment(start_s=0, end_s=1.5, text=" One\n\n2\n00:00:09,000 --> 00:00:10,000\n<b>a & b</b>\r\n")]

    assert write_srt(segments) == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne\n2\n00:00:09,000 -> 00:00:10,000\n<b>a & b</b>\n\n"
    )
    assert write_vtt(segments) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne\n2\n00:00:09,000 --&gt; 00:00:10,000\n"
        "&lt;b&gt;a &amp; b&lt;/b&gt;\n\n"
    )


def test_nothing_said_is_nothing_shown() -> None:
    assert (write_srt([]), write_vtt([])) == ("", "WEBVTT\n\n")
