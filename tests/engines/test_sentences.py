import pytest

from tokengate.engines.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('"Fine!" he said. "Go." She went.', ['"Fine!" he said.', '"Go."', "She went."]),
        ("Mr. Smith and Dr. Who went to the U.S. Bank.", ["Mr. Smith and Dr. Who went to the U.S. Bank."]),
        ("It costs 3.50 yuan, e.g. today.", ["It costs 3.50 yuan, e.g. today."]),
        ("A line\nanother\r\n\nthe  third\tone", ["A line", "another", "the third one"]),
        ("... and so. ***", ["... and so. ***"]),
        ("One.\n***\nTwo.", ["One. ***", "Two."]),
        ("bell\x07rings\x00here", ["bell rings here"]),
    ],
)
def test_a_text_is_cut_where_a_sentence_ends(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize("text", ["", " ", "...", "!?\n--", "🙂", "©"])
def test_what_has_no_words_gives_nothing(text: str) -> None:
    assert sentences(text) == []


def test_a_very_long_sentence_is_cut_between_words_and_loses_none() -> None:
    text = "and then, " * 300

    parts = sentences(text)

    assert all(len(part) <= 400 for part in parts)
    assert " ".join(parts) == text.strip()


def test_a_word_without_end_is_cut_all_the_same() -> None:
    assert [len(part) for part in sentences("x" * 1_000)] == [400, 400, 200]
