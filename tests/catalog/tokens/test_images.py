"""Pictures cost what the vendors' own examples say."""

from math import ceil, floor, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.catalog.tokens.images import Area, Crops, Grid, Levels, Patches, Rule, Tiles, image_tokens, resized

DASHSCOPE_28, HIGH_28 = Grid(28, 4, 1280), Grid(28, 4, 16_384)
DASHSCOPE_32, OPEN_32 = Grid(32, 4, 2560), Grid(32, 64, 16_384)
GPT_4O, ONE_PER_PATCH = Tiles(85, 170), Patches(100)

SIDES = st.integers(1, 20_000)


@pytest.mark.parametrize(
    ("size", "tokens"),
    [  # Qwen-VL: 28 pixels up to 1280 tokens and up to 16384, 32 pixels on DashScope and by the open processor
        ((28, 28), (4, 4, 4, 64)),
        ((100, 100), (16, 16, 9, 64)),
        ((224, 224), (64, 64, 49, 64)),
        ((448, 448), (256, 256, 196, 196)),
        ((640, 480), (391, 391, 300, 300)),
        ((1024, 1024), (1225, 1369, 1024, 1024)),
        ((1280, 720), (1196, 1196, 880, 880)),
        ((1920, 1080), (1222, 2691, 2040, 2040)),
        ((1365, 2048), (1247, 3577, 2501, 2752)),
        ((3840, 2160), (1222, 10549, 2479, 8160)),
        ((4096, 4096), (1225, 16384, 2500, 16384)),
        ((8000, 100), (1144, 1144, 750, 750)),
    ],
)
def test_qwen_grids_are_those_of_the_table(size: tuple[int, int], tokens: tuple[int, ...]) -> None:
    rules = (DASHSCOPE_28, HIGH_28, DASHSCOPE_32, OPEN_32)

    assert tuple(image_tokens(rule, *size) - 2 for rule in rules) == tokens


def test_a_full_hd_picture_is_seen_smaller() -> None:
    assert resized(DASHSCOPE_28, 1920, 1080) == (1316, 728)
    assert resized(OPEN_32, 28, 28) == (256, 256)


def test_a_picture_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="200"):
        image_tokens(DASHSCOPE_28, 2010, 10)


@given(SIDES, SIDES, st.sampled_from([DASHSCOPE_28, HIGH_28, DASHSCOPE_32, OPEN_32]))
def test_whole_numbers_give_what_the_published_rule_gives(width: int, height: int, rule: Grid) -> None:
    if max(width, height) > 200 * min(width, height):
        return
    factor, area = rule.factor, width * height
    down, across = (max(factor, round(side / factor) * factor) for side in (height, width))
    most, least = rule.max_tokens * factor**2, rule.min_tokens * factor**2
    if down * across > most:
        beta = sqrt(area / most)
        down, across = (max(factor, floor(side / beta / factor) * factor) for side in (height, width))
    elif down * across < least:
        beta = sqrt(least / area)
        down, across = (ceil(side * beta / factor) * factor for side in (height, width))

    ours = resized(rule, width, height)

    # Where a root is a whole number, the published rule is at the mercy of its floating point.
    assert all(abs(mine - theirs) in (0, factor) for mine, theirs in zip(ours, (across, down), strict=True))
    assert ours == (across, down) or _root_is_whole(rule, width, height)


def _root_is_whole(rule: Grid, width: int, height: int) -> bool:
    near = [
        sqrt(bound * one / other)
        for bound in (rule.max_tokens, rule.min_tokens)
        for one, other in ((width, height), (height, width))
    ]
    return any(abs(root - round(root)) < 1e-9 for root in near)


@pytest.mark.parametrize(
    ("rule", "size", "detail", "tokens"),
    [
        (GPT_4O, (1024, 1024), "high", 765),
        (GPT_4O, (2048, 4096), "high", 1105),
        (GPT_4O, (4096, 8192), "low", 85),
        (GPT_4O, (512, 512), None, 255),
        (Tiles(2833, 5667), (1024, 1024), "auto", 2833 + 4 * 5667),
        (ONE_PER_PATCH, (1024, 1024), None, 1024),
        (ONE_PER_PATCH, (1800, 2400), None, 1452),
        (Patches(162), (1024, 1024), None, 1659),
        (Patches(246), (1800, 2400), "high", 3572),
        (Area(), (1092, 1092), None, 1590),
        (Area(), (3136, 1568), None, 1640),
        (Crops(), (384, 384), None, 258),
        (Crops(), (1024, 1024), None, 4 * 258),
        (Levels(), (4000, 3000), None, 1120),
        (Levels(), (4000, 3000), "low", 280),
        (Levels(), (4000, 3000), "medium", 560),
        (Levels(), (4000, 3000), "original", 2240),
    ],
)
def test_published_examples(rule: Rule, size: tuple[int, int], detail: str | None, tokens: int) -> None:
    assert image_tokens(rule, *size, detail) == tokens


@given(SIDES, SIDES)
def test_patches_stay_within_their_budget(width: int, height: int) -> None:
    tokens = image_tokens(ONE_PER_PATCH, width, height)

    assert 1 <= tokens <= 1536 + (1536 if max(width, height) > 1536 * min(width, height) else 0)


@given(SIDES, SIDES, st.sampled_from([GPT_4O, ONE_PER_PATCH, Area(), Crops(), Levels()]))
def test_a_picture_on_its_side_costs_the_same(width: int, height: int, rule: Rule) -> None:
    assert image_tokens(rule, width, height) == image_tokens(rule, height, width)
