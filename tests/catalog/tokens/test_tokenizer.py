"""The tokenizers give the very tokens of the vendors' own packages, on every text of the fixture."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.catalog.tokens.tokenizer import Encoding, tokenizer

REFERENCES = json.loads((Path(__file__).parents[2] / "fixtures" / "tokens" / "references.json").read_text())
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tokens_are_those_of_the_vendors_own_package(encoding: Encoding) -> None:
    encode = tokenizer(encoding).encode

    assert len(REFERENCES["texts"]) == 80
    for row in REFERENCES["texts"]:
        assert encode(row["text"]) == row[encoding], row["text"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_long_text_has_the_tokens_of_its_parts(encoding: Encoding) -> None:
    # The reference cuts nowhere: what matters is that the cuts fall where no token lies.
    words = "The hold grows, and 钱包里没有钱了，流就结束。 It's "
    ours = tokenizer(encoding)

    assert ours.count(words * 2_000) == 2_000 * (ours.count(words * 3) - ours.count(words * 2)) + (
        ours.count(words) - (ours.count(words * 2) - ours.count(words))
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("run", [" ", "\n", "a", "!", "0", "あ", "\u0301", "\u200d"])
def test_a_long_run_of_one_character_is_counted(encoding: Encoding, run: str) -> None:
    tokens = tokenizer(encoding).count(run * 50_000)

    assert 50_000 / 255 < tokens <= 50_000 * len(run.encode())


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.sampled_from(ENCODINGS))
def test_any_text_is_counted_and_never_beyond_its_bytes(text: str, encoding: Encoding) -> None:
    tokens = tokenizer(encoding).count(text)

    # Composing may lengthen a text for Qwen: a handful of letters are written as two.
    assert (tokens == 0) == (text == "")
    assert tokens <= 3 * len(text.encode("utf-8", "surrogatepass"))


def test_a_gateway_without_counts_loads_no_tokenizer() -> None:
    code = "import sys, tokengate.app; assert 'tiktoken' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)
