"""How many tokens a video costs a Qwen-VL model: frames are sampled, resized and read two at a time.

The rule is that of `qwen-vl-utils`, which Alibaba's documents repeat.
"""

from tokengate.catalog.tokens.images import Grid, resized

FPS = 2  # frames that are looked at per second unless the caller says otherwise

_MIN_FRAMES = 4
_MAX_FRAMES = 768
_MIN_TOKENS = 128  # of one frame
_MAX_TOKENS = 768


def sampled_frames(duration_ms: int, fps: float = FPS, *, most: int = _MAX_FRAMES, real: int | None = None) -> int:
    """Return how many frames of a film are looked at: an even number, at least 4, never more than there are."""
    frames = max(_MIN_FRAMES, min(int(duration_ms * fps) // 1000, most))
    if real is not None:
        frames = min(frames, real)
    return max(2, frames // 2 * 2)


def video_tokens(factor: int, width: int, height: int, frames: int, *, total_pixels: int | None = None) -> int:
    """Return the tokens of a film's frames, without marks. An odd last frame is seen twice.

    Raises ValueError for frames that the vendor refuses.
    """
    assert frames > 0, "a film has frames"
    steps = (frames + 1) // 2
    square = factor * factor
    budget = _MAX_TOKENS * square
    if total_pixels is not None:
        budget = max(min(budget, total_pixels * 2 // frames), _MIN_TOKENS * square * 21 // 20)
    across, down = resized(Grid(factor, _MIN_TOKENS, budget // square), width, height)
    return steps * (across // factor) * (down // factor)
