"""How many tokens a picture of known size costs: each vendor's rule as a value, all in whole numbers.

The rules and their worked examples are the vendors' own: Qwen's `smart_resize`, OpenAI's tiles and patches, Anthropic's
area, Gemini's crops.
"""

from math import isqrt
from typing import assert_never

from msgspec import Struct

_MAX_RATIO = 200  # Qwen refuses longer pictures
_MARKS = 2  # vision_start and vision_end
_PATCH = 32  # pixels of an OpenAI patch's side
_TILE = 512
_FIT = 2048  # OpenAI first fits a picture into this square,
_SHORT = 768  # then makes its shorter side this long
_GEMINI_WHOLE = 384  # a picture that is no larger is not cut
_GEMINI_CROP = 768
_GEMINI_TOKENS = 258
_MOST_TILES = 8  # 768 x 2048 pixels
_MOST_CROPS = 95  # 47 megapixels, more than cameras take


class Grid(Struct, frozen=True):
    """Qwen-VL: the picture is resized to multiples of `factor` pixels within bounds; each such square is a token."""

    factor: int
    min_tokens: int
    max_tokens: int
    marks: int = _MARKS


class Tiles(Struct, frozen=True):
    """OpenAI: a base, and so many tokens for each tile of 512 pixels."""

    base: int
    tile: int


class Patches(Struct, frozen=True):
    """OpenAI's smaller and newer models: patches of 32 pixels times a factor, here in hundredths."""

    hundredths: int
    budget: int = 1536


class Area(Struct, frozen=True):
    """Anthropic: pixels over 750, after fitting the longer side."""

    pixels_per_token: int = 750
    long_side: int = 1568


class Crops(Struct, frozen=True):
    """Gemini 2: 258 tokens for each crop of 768 pixels."""


class Levels(Struct, frozen=True):
    """Gemini 3: a fixed number by the asked resolution."""

    low: int = 280
    medium: int = 560
    high: int = 1120
    ultra: int = 2240


Rule = Grid | Tiles | Patches | Area | Crops | Levels


def image_tokens(rule: Rule, width: int, height: int, detail: str | None = None) -> int:
    """Return a picture's tokens. Raises ValueError for one that the vendor refuses."""
    assert width > 0 and height > 0, "a picture has an area"
    match rule:
        case Grid():
            across, down = resized(rule, width, height)
            return across * down // rule.factor**2 + rule.marks
        case Tiles():
            return rule.base if detail == "low" else rule.base + rule.tile * _tiles(width, height)
        case Patches():
            return -(-_patches(rule.budget, width, height) * rule.hundredths // 100)
        case Area():
            return _area(rule, width, height)
        case Crops():
            if max(width, height) <= _GEMINI_WHOLE:
                return _GEMINI_TOKENS
            return _GEMINI_TOKENS * -(-width // _GEMINI_CROP) * -(-height // _GEMINI_CROP)
        case Levels():
            levels = {"low": rule.low, "medium": rule.medium, "original": rule.ultra, "ultra_high": rule.ultra}
            return levels.get(detail or "", rule.high)
        case _:
            assert_never(rule)


def most_tokens(rule: Rule) -> int:
    """Return the most that a picture can cost; of one that has no bound of its own, up to 47 megapixels."""
    match rule:
        case Grid():
            return rule.max_tokens + rule.marks
        case Tiles():
            return rule.base + rule.tile * _MOST_TILES
        case Patches():
            return -(-rule.budget * rule.hundredths // 100)
        case Area():
            return -(-(rule.long_side**2) // rule.pixels_per_token)
        case Crops():
            return _GEMINI_TOKENS * _MOST_CROPS
        case Levels():
            return rule.ultra
        case _:
            assert_never(rule)


def resized(rule: Grid, width: int, height: int) -> tuple[int, int]:
    """Return width and height as Qwen's models see a picture. Raises ValueError when it is too long.

    For example 1920 x 1080 becomes 1316 x 728 with a factor of 28 and at most 1280 tokens.
    """
    factor = rule.factor
    if max(width, height) > _MAX_RATIO * min(width, height):
        raise ValueError(f"a picture must not be more than {_MAX_RATIO} times as long as wide")
    across, down = (max(1, _rounded(side, factor)) for side in (width, height))
    square = factor * factor
    if across * down > rule.max_tokens:
        # floor(side / sqrt(area / max_pixels) / factor), without a root of anything but whole numbers
        most = rule.max_tokens * square
        across = max(1, isqrt(width * most // (height * square)))
        down = max(1, isqrt(height * most // (width * square)))
    elif across * down < rule.min_tokens:
        least = rule.min_tokens * square
        across = _root_up(width * least, height * square)
        down = _root_up(height * least, width * square)
    return across * factor, down * factor


def _rounded(number: int, step: int) -> int:
    """Return number / step, a half to the even side, as Python rounds."""
    whole, rest = divmod(number, step)
    return whole + (2 * rest > step or (2 * rest == step and whole % 2 == 1))


def _root_up(number: int, divisor: int) -> int:
    """Return the square root of number / divisor, rounded up."""
    return isqrt((number - 1) // divisor) + 1


def _tiles(width: int, height: int) -> int:
    # Sides are kept as fractions with one divisor, so that nothing is rounded before the tiles are.
    divisor = 1
    longer = max(width, height)
    if longer > _FIT:
        width, height, divisor = width * _FIT, height * _FIT, longer
    shorter = min(width, height)
    if shorter > _SHORT * divisor:
        width, height, divisor = width * _SHORT, height * _SHORT, shorter
    return -(-width // (_TILE * divisor)) * -(-height // (_TILE * divisor))


def _patches(budget: int, width: int, height: int) -> int:
    across, down = -(-width // _PATCH), -(-height // _PATCH)
    if across * down <= budget:
        return across * down
    # Scaled to the budget's area, then so that the side which loses more fits whole patches.
    across, down = max(1, isqrt(budget * width // height)), max(1, isqrt(budget * height // width))
    if across * height <= down * width:
        return across * -(-across * height // width)
    return down * -(-down * width // height)


def _area(rule: Area, width: int, height: int) -> int:
    longer = max(width, height)
    if longer > rule.long_side:
        width, height = width * rule.long_side // longer, height * rule.long_side // longer
    return -(-max(1, width) * max(1, height) // rule.pixels_per_token)
