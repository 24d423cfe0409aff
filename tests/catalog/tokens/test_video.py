"""Films cost a Qwen-VL model what its published examples say."""

import pytest

from tokengate.catalog.tokens.video import sampled_frames, video_tokens


def test_published_examples() -> None:
    assert video_tokens(28, 3840, 2160, 4) == 1440
    assert video_tokens(28, 1280, 720, sampled_frames(10_000)) == 7200
    assert video_tokens(32, 1280, 720, sampled_frames(10_000)) == 7200


@pytest.mark.parametrize(
    ("duration_ms", "fps", "real", "frames"),
    [
        (10_000, 2, None, 20),
        (10_700, 2, None, 20),  # 21 is odd
        (500, 2, None, 4),
        (500, 2, 3, 2),
        (10_000, 0.5, None, 4),
        (60_000, 1.1, None, 66),
        (3_600_000, 2, None, 768),
    ],
)
def test_frames_are_even_and_bounded(duration_ms: int, fps: float, real: int | None, frames: int) -> None:
    assert sampled_frames(duration_ms, fps, real=real) == frames


def test_an_odd_last_frame_is_seen_twice() -> None:
    assert video_tokens(28, 640, 480, 3) == video_tokens(28, 640, 480, 4)


def test_a_budget_for_the_whole_makes_frames_smaller() -> None:
    plain = video_tokens(28, 1280, 720, 100)
    small = video_tokens(28, 1280, 720, 100, total_pixels=100 * 200 * 784 // 2)

    assert plain == 50 * 720
    assert 50 * 128 <= small <= 50 * 200
