"""Texts that grow: handed out in pieces whose tokens add up, with bounded memory."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.catalog.tokens import GrowingTexts, estimate_tokens
from tokengate.catalog.tokens.growing import MOST_CHARACTERS, STEP_CHARACTERS
from tokengate.catalog.tokens.tokenizer import Encoding, tokenizer

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
PROSE = "The hold grows, and 钱包里没有钱了，流就结束。 It's 3.14 or\n\n    return {'a': [1, 2]}; "


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_pieces_have_the_tokens_of_the_whole(encoding: Encoding, sizes: list[int]) -> None:
    ours = tokenizer(encoding)
    texts = GrowingTexts()
    tokens, said = 0, ""

    for size in sizes:
        piece = (PROSE * 10)[len(said) % len(PROSE) :][:size]
        said += piece
        texts.add((0, 0), piece)
        tokens += sum(map(ours.count, texts.take()))
    tokens += sum(map(ours.count, texts.take_rest()))

    assert tokens == ours.count(said)
    assert texts.tokens == estimate_tokens(said)


def test_each_place_is_a_text_by_itself() -> None:
    texts = GrowingTexts()

    for choice in (0, 1, 0, 1):
        texts.add((choice, "content"), "ab")

    assert list(texts.take_rest()) == ["abab", "abab"]
    assert list(texts.take_rest()) == []


def test_a_text_without_a_break_is_cut_somewhere() -> None:
    texts = GrowingTexts()
    texts.add((0, 0), "x" * STEP_CHARACTERS)

    assert texts.is_due()
    (taken,) = texts.take()

    assert 0 < len(taken) < STEP_CHARACTERS
    assert taken + "".join(texts.take_rest()) == "x" * STEP_CHARACTERS


def test_what_nobody_counts_is_not_kept() -> None:
    texts = GrowingTexts()

    for _ in range(MOST_CHARACTERS // 1_000 + 10):
        texts.add((0, 0), "x" * 1_000)

    assert not texts.countable and not texts.is_due()
    assert "".join(texts.take_rest()) == ""
    assert texts.tokens > MOST_CHARACTERS // 10
