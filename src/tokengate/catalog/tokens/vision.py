"""Which rule counts a model's pictures, by the model's name; None where no rule is public."""

import re

from tokengate.catalog.model import Model
from tokengate.catalog.tokens.families import model_name
from tokengate.catalog.tokens.images import Area, Crops, Grid, Levels, Patches, Rule, Tiles, most_tokens

_HIGH_RESOLUTION_TOKENS = 16_384
_ANY_PICTURE_TOKENS = 24_600  # where no rule is public: above every rule but that of gpt-4o-mini, which is its own

# DashScope's bounds, and those of the open models' own processor, which self-hosted servers use.
_DASHSCOPE_28, _DASHSCOPE_32 = Grid(28, 4, 1280), Grid(32, 4, 2560)
_OPEN_28, _OPEN_32 = Grid(28, 4, 16_384), Grid(32, 64, 16_384)


def rule_of(model: Model, *, high_resolution: bool = False) -> tuple[Rule, bool] | None:
    """Return the rule for a model's pictures, and whether it is the model's own rather than a relative's."""
    name = model_name(model)
    for pattern, rule, exact in _RULES:
        if not pattern.match(name):
            continue
        if isinstance(rule, Grid):
            return _grid(rule, hosted=model.vendor == "qwen", high_resolution=high_resolution), exact
        return rule, exact
    return None


def picture_bound(model: Model) -> int:
    """Return a number of tokens that a picture or a video's frame does not exceed, for holds."""
    found = rule_of(model, high_resolution=True)
    if found is None:
        return _ANY_PICTURE_TOKENS
    rule, exact = found
    return most_tokens(rule) if exact else max(most_tokens(rule), _ANY_PICTURE_TOKENS)


def _grid(rule: Grid, *, hosted: bool, high_resolution: bool) -> Grid:
    if not hosted:
        return _OPEN_28 if rule.factor == 28 else _OPEN_32
    if high_resolution:
        return Grid(rule.factor, rule.min_tokens, _HIGH_RESOLUTION_TOKENS)
    return rule


# The first that matches the beginning of the name.
_RULES: tuple[tuple[re.Pattern[str], Rule, bool], ...] = tuple(
    (re.compile(pattern), rule, exact)
    for pattern, rule, exact in (
        (r"qwen(3-vl|3\.[5-9]|[4-9])", _DASHSCOPE_32, True),
        (r"qwen-vl-(max|plus)-(2025-(0[89]|1)|202[6-9]|2025-07-10)", _DASHSCOPE_32, True),
        (r"qwen-vl-(v1|chat|plus)", _DASHSCOPE_28, False),  # older models cut pictures in a way of their own
        (r"qwen2(\.5)?-vl|qwen-vl|qvq", _DASHSCOPE_28, True),
        (r"gpt-4o-mini", Tiles(2833, 5667), True),
        (r"(chatgpt-|gpt-)4o|gpt-4\.1($|-20)|gpt-4\.5|gpt-4-(turbo|vision)", Tiles(85, 170), True),
        (r"o1|o3($|-20|-pro)", Tiles(75, 150), True),
        (r"computer-use", Tiles(65, 129), True),
        (r"gpt-5-mini|gpt-4\.1-mini", Patches(162), True),
        (r"gpt-5-nano|gpt-4\.1-nano", Patches(246), True),
        (r"o4-mini", Patches(172), True),
        (r"gpt-5($|-20|-chat|-pro)", Tiles(70, 140), True),
        (r"gpt-5", Patches(120, 2500), False),  # from 5.2 on; the factor is not published
        (r"claude", Area(), True),
        (r"gemini-[12]", Crops(), True),
        (r"gemini", Levels(), True),
    )
)
