"""Each vendor's published table names the rule of each model, and no picture or film costs more than is held for it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import count_chat, prompt_bound
from tokengate.catalog.tokens.images import (
    Area,
    Crops,
    Grid,
    Levels,
    Patches,
    Rule,
    Tiles,
    image_tokens,
    most_tokens,
    resized,
)
from tokengate.catalog.tokens.video import sampled_frames, video_tokens
from tokengate.catalog.tokens.vision import picture_bound, rule_of
from tokengate.core.chat import Chat, Message
from tokengate.core.parts import Audio, Url, Video

PER_FILM = prompt_bound(0, films=1) - prompt_bound(0)
RULES: list[tuple[str, str, Rule]] = [
    # OpenAI: base and tile, or patches times a factor
    ("gpt-4o", "openai", Tiles(85, 170)),
    ("gpt-4o-2024-08-06", "openai", Tiles(85, 170)),
    ("gpt-4.1", "openai", Tiles(85, 170)),
    ("gpt-4.5-preview", "openai", Tiles(85, 170)),
    ("gpt-4o-mini", "openai", Tiles(2833, 5667)),
    ("o1", "openai", Tiles(75, 150)),
    ("o1-pro", "openai", Tiles(75, 150)),
    ("o3", "openai", Tiles(75, 150)),
    ("gpt-5", "openai", Tiles(70, 140)),
    ("gpt-5-chat-latest", "openai", Tiles(70, 140)),
    ("computer-use-preview", "openai", Tiles(65, 129)),
    ("gpt-5-mini", "openai", Patches(162)),
    ("gpt-4.1-mini", "openai", Patches(162)),
    ("gpt-5-nano", "openai", Patches(246)),
    ("gpt-4.1-nano", "openai", Patches(246)),
    ("o4-mini", "openai", Patches(172)),
    # Qwen-VL: 28 pixels until Qwen3-VL and the hosted models of its time; hosts bound them differently
    ("qwen2-vl-7b-instruct", "qwen", Grid(28, 4, 1280)),
    ("qwen2.5-vl-72b-instruct", "qwen", Grid(28, 4, 1280)),
    ("qvq-72b-preview", "qwen", Grid(28, 4, 1280)),
    ("qwen-vl-max-2025-04-08", "qwen", Grid(28, 4, 1280)),
    ("qwen-vl-max-2025-08-13", "qwen", Grid(32, 4, 2560)),
    ("qwen-vl-plus-2025-07-10", "qwen", Grid(32, 4, 2560)),
    ("qwen3-vl-8b-instruct", "qwen", Grid(32, 4, 2560)),
    ("qwen2.5-vl-7b-instruct", "internal", Grid(28, 4, 16_384)),
    ("qwen3-vl-8b-instruct", "internal", Grid(32, 64, 16_384)),
    ("claude-opus-4-6", "anthropic", Area()),
    ("gemini-2.5-flash", "google", Crops()),
    ("gemini-3-flash-preview", "google", Levels()),
]
# Pictures after resizing, height x width, as the table of the rule has them: 28 pixels up to 1280 and up to 16384
# tokens, 32 pixels at DashScope and by the open processor.
RESIZED: list[tuple[tuple[int, int], tuple[tuple[int, int] | None, ...]]] = [
    ((28, 28), ((56, 56), (56, 56), (64, 64), (256, 256))),
    ((100, 100), ((112, 112), None, (96, 96), (256, 256))),
    ((224, 224), ((224, 224), None, (224, 224), (256, 256))),
    ((448, 448), ((448, 448), None, (448, 448), None)),
    ((640, 480), ((476, 644), None, (480, 640), None)),
    ((1024, 1024), ((980, 980), (1036, 1036), (1024, 1024), None)),
    ((1280, 720), ((728, 1288), None, (704, 1280), None)),
    ((1920, 1080), ((728, 1316), (1092, 1932), (1088, 1920), None)),
    ((1365, 2048), ((1204, 812), (2044, 1372), (1952, 1312), (2048, 1376))),
    ((3840, 2160), ((728, 1316), (2156, 3836), (1184, 2144), (2176, 3840))),
    ((4096, 4096), ((980, 980), (3584, 3584), (1600, 1600), (4096, 4096))),
    ((8000, 100), ((112, 8008), None, (96, 8000), None)),
]
GRIDS = (Grid(28, 4, 1280), Grid(28, 4, 16_384), Grid(32, 4, 2560), Grid(32, 64, 16_384))


def model(name: str, vendor: str) -> Model:
    return Model(id=name, kind="chat", vendor=vendor, name=name)


@pytest.mark.parametrize(("name", "vendor", "rule"), RULES)
def test_a_models_pictures_follow_its_vendors_table(name: str, vendor: str, rule: Rule) -> None:
    assert rule_of(model(name, vendor)) == (rule, True)


def test_high_resolution_raises_the_bound_of_hosted_qwen_only() -> None:
    assert rule_of(model("qwen3-vl-8b-instruct", "qwen"), high_resolution=True) == (Grid(32, 4, 16_384), True)
    assert rule_of(model("qwen2.5-vl-7b-instruct", "qwen"), high_resolution=True) == (Grid(28, 4, 16_384), True)


@pytest.mark.parametrize(("size", "grids"), RESIZED)
def test_pictures_are_resized_as_the_table_says(
    size: tuple[int, int], grids: tuple[tuple[int, int] | None, ...]
) -> None:
    for rule, grid in zip(GRIDS, grids, strict=True):
        if grid is not None:
            assert resized(rule, *size) == grid[::-1]


@given(
    st.sampled_from([rule for _, _, rule in RULES]),
    st.integers(1, 6_900),
    st.integers(1, 6_900),
    st.sampled_from([None, "low", "high", "original"]),
)
@example(Crops(), 6_900, 6_900, None)
def test_no_picture_costs_more_than_its_rule_says(rule: Rule, width: int, height: int, detail: str | None) -> None:
    """Up to 47 megapixels, which is more than cameras take; only Gemini 2's crops have no bound of their own."""
    try:
        tokens = image_tokens(rule, width, height, detail)
    except ValueError:  # the vendor refuses it
        return

    assert tokens <= most_tokens(rule)


@pytest.mark.parametrize(
    ("name", "vendor", "most"),
    [
        ("gpt-4o-mini", "openai", 2833 + 8 * 5667),
        ("gpt-4.1", "openai", 85 + 8 * 170),
        ("qwen3-vl-8b-instruct", "qwen", 16_384 + 2),  # when it is asked to look closely
        ("claude-sonnet-4-5", "anthropic", 3279),
        ("gemini-3-flash-preview", "google", 2240),
        ("gpt-5.4", "openai", 24_600),  # its rule is not public
        ("my-own-model", "me", 24_600),
    ],
)
def test_a_picture_is_held_by_the_rule_of_its_model(name: str, vendor: str, most: int) -> None:
    assert picture_bound(model(name, vendor)) == most


@given(st.sampled_from([28, 32]), st.integers(1_000, 300_000), st.sampled_from([(1280, 720), (3840, 2160), (480, 640)]))
def test_no_film_of_a_few_minutes_costs_more_than_is_held(factor: int, duration_ms: int, size: tuple[int, int]) -> None:
    """With the budget that Qwen's own reader has for a whole film: 0.9 x 128,000 tokens."""
    frames = sampled_frames(duration_ms)

    tokens = video_tokens(factor, *size, frames, total_pixels=115_200 * factor * factor)

    assert tokens + 9 * frames // 2 + 2 <= PER_FILM


def test_ten_seconds_of_film_and_half_a_minute_of_sound() -> None:
    film = Chat(format="x", model="m", messages=(Message("user", (Video((Url("https://a/b.mp4"),)),)),))
    sound = Chat(format="x", model="m", messages=(Message("user", (Audio(Url("https://a/b.mp3")),)),))
    plain = Chat(format="x", model="m", messages=(Message("user", ()),))

    def more(chat: Chat, name: str, vendor: str) -> int:
        one = model(name, vendor)
        return count_chat(chat, one).tokens - count_chat(plain, one).tokens

    assert more(film, "qwen2.5-vl-72b-instruct", "qwen") == 7200 + 2
    assert 7200 + 2 + 10 * 7 <= more(film, "qwen3-vl-8b-instruct", "qwen") <= 7200 + 2 + 10 * 9
    assert more(film, "gemini-2.5-flash", "google") == 10 * 258
    assert more(sound, "gemini-2.5-flash", "google") == 30 * 32
