from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.usage import Usage
from tokengate.formats.dashscope.usage import read_usage, sum_usage, write_usage

COUNT = st.integers(0, 10**9)


def read(**report: Any) -> Usage | None:
    reported = read_usage(msgspec.json.encode(report))
    return reported.usage if reported else None


CASES: list[tuple[dict[str, Any], Usage]] = [
    ({"input_tokens": 5207, "output_tokens": 110, "video_tokens": 5182}, Usage(input=25, video_in=5182, output=110)),
    ({"input_tokens": 3613, "output_tokens": 3, "image_tokens": 3577}, Usage(input=36, image_in=3577, output=3)),
    ({"input_tokens": 783, "output_tokens": 7, "audio_tokens": 752}, Usage(input=31, audio_in=752, output=7)),
    (
        {
            "input_tokens": 2807,
            "output_tokens": 50,
            "total_tokens": 2857,
            "image_tokens": 2503,
            "input_tokens_details": {"image_tokens": 2503, "text_tokens": 304},
            "output_tokens_details": {"reasoning_tokens": 38, "text_tokens": 12},
            "prompt_tokens_details": {},
        },
        Usage(input=304, image_in=2503, output=12, reasoning=38),
    ),
    (
        {"input_tokens": 100, "output_tokens": 9, "prompt_tokens_details": {"cached_tokens": 60}},
        Usage(input=40, cache_read=60, output=9),
    ),
    ({"input_tokens": 100, "output_tokens": 9, "cached_tokens": 60}, Usage(input=40, cache_read=60, output=9)),
    (
        {
            "input_tokens": 100,
            "output_tokens": 1,
            "prompt_tokens_details": {
                "cached_tokens": 10,
                "cache_creation_input_tokens": 50,
                "cache_creation": {"ephemeral_5m_input_tokens": 50},
                "cache_type": "ephemeral",
            },
        },
        Usage(input=40, cache_read=10, cache_write_5m=50, output=1),
    ),
    (
        {"input_tokens": 619, "output_tokens": 9, "plugins": {"search": {"count": 1, "strategy": "turbo"}}},
        Usage(input=619, output=9, search=1),
    ),
    ({"total_tokens": 9}, Usage(input=9)),
    ({"height": 928, "image_count": 1, "width": 1664}, Usage(image=1)),
    ({"characters": 20, "input_tokens": 7, "output_tokens": 50}, Usage(input=7, output=50, character=20)),
    ({"input_tokens": 10, "output_tokens": 2, "image_tokens": 99}, Usage(image_in=10, output=2)),
    ({"input_tokens": 10, "output_tokens": 2, "prompt_tokens_details": None}, Usage(input=10, output=2)),
]


@pytest.mark.parametrize(("report", "expected"), CASES, ids=range(len(CASES)))
def test_reports_are_read_into_buckets_that_add_up(report: dict[str, Any], expected: Usage):
    assert read(**report) == expected


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"null", b'{"models": []}', b"{", b"\xff"])
def test_nothing_to_bill_by_is_no_report(raw: bytes):
    assert read_usage(raw) is None


@given(
    st.builds(
        Usage,
        input=COUNT,
        cache_read=COUNT,
        cache_write_5m=COUNT,
        cache_write_1h=COUNT,
        output=COUNT,
        reasoning=COUNT,
        image_in=COUNT,
        image_out=COUNT,
        video_in=COUNT,
        audio_in=COUNT,
        audio_out=COUNT,
        image=COUNT,
        character=COUNT,
        search=COUNT,
    )
)
def test_what_was_written_is_read_again_the_same(usage: Usage):
    reported = read_usage(msgspec.json.encode(write_usage(usage)))

    assert reported is not None and reported.usage == usage


@given(
    st.dictionaries(st.sampled_from(sorted({*CASES[3][0], "cached_tokens"})), st.integers() | st.floats() | st.none())
)
def test_whatever_numbers_come_no_bucket_is_negative(report: dict[str, Any]):
    usage = read(**report)

    assert usage is None or all(count >= 0 for count in msgspec.structs.astuple(usage))


def test_the_choices_of_a_stream_share_their_input():
    raws = [b'{"input_tokens": 9, "output_tokens": 2}', b'{"input_tokens": 9, "output_tokens": 3}']

    total = sum_usage(raws)

    assert total is not None and total.usage == Usage(input=9, output=5)
    assert msgspec.json.decode(total.raw)["total_tokens"] == 14
