import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.usage import Usage
from tokengate.formats.gemini.usage import read_usage, write_usage


def usage(**report: Any) -> Usage | None:
    found = read_usage(json.dumps(report).encode())
    return found.usage if found else None


def test_cached_tokens_are_inside_the_prompt_and_thoughts_outside_the_answer() -> None:
    assert usage(
        promptTokenCount=100,
        cachedContentTokenCount=40,
        candidatesTokenCount=7,
        thoughtsTokenCount=30,
        toolUsePromptTokenCount=5,
        totalTokenCount=142,
    ) == Usage(input=65, cache_read=40, output=7, reasoning=30)


def test_media_are_counted_apart() -> None:
    assert usage(
        promptTokenCount=300,
        cachedContentTokenCount=100,
        candidatesTokenCount=1300,
        totalTokenCount=1600,
        promptTokensDetails=[
            {"modality": "TEXT", "tokenCount": 10},
            {"modality": "IMAGE", "tokenCount": 258},
            {"modality": "AUDIO", "tokenCount": 32},
        ],
        cacheTokensDetails=[{"modality": "IMAGE", "tokenCount": 100}],
        candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": 1290}],
    ) == Usage(input=10, cache_read=100, image_in=158, audio_in=32, output=10, image_out=1290)


def test_what_is_missing_follows_from_the_total() -> None:
    assert usage(promptTokenCount=10, totalTokenCount=25, thoughtsTokenCount=5) == Usage(
        input=10, output=10, reasoning=5
    )
    assert usage(candidatesTokenCount=5, totalTokenCount=25) == Usage(input=20, output=5)


def test_details_that_do_not_fit_are_not_believed() -> None:
    found = usage(
        promptTokenCount=10,
        cachedContentTokenCount=50,
        candidatesTokenCount=2,
        promptTokensDetails=[{"modality": "IMAGE", "tokenCount": 500}],
    )

    assert found == Usage(cache_read=10, output=2)


def test_nothing_reported_is_no_usage() -> None:
    assert usage() is None
    assert usage(trafficType="ON_DEMAND") is None
    assert read_usage(b"[]") is None
    assert usage(promptTokenCount=0, totalTokenCount=0) == Usage()


COUNTS = st.integers(0, 10**6)
READ = ("input", "cache_read", "image_in", "video_in", "audio_in")
WRITTEN = ("output", "reasoning", "image_out", "audio_out")


@given(st.builds(Usage, **dict.fromkeys((*READ, *WRITTEN), COUNTS)))
def test_what_is_written_is_read_again(given: Usage) -> None:
    report = write_usage(given)

    assert report["totalTokenCount"] == given.input_total + given.output_total
    assert usage(**report) == given
