import re

import pytest

from tests.reference.shelf import library
from tokengate.reference.plain import plain


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("## The [key](keys.en.md#a) of **one** `project`", "The key of one project"),
        ("![A form](../pictures/sign-up.png) to fill", "A form to fill"),
        ("| key | meaning |\n|---|:---:|\n| `a` |  |\n| b \\| c | d |\n", "key · meaning\na\nb \\| c · d\n"),
        ("```sh\ncat a | wc # lines\n```", "\ncat a | wc # lines\n"),
        ("snake_case and 2 * 3 * 4 stay", "snake_case and 2 * 3 * 4 stay"),
    ],
)
def test_text_is_what_a_reader_sees(markdown: str, text: str):
    assert plain(markdown) == text


@pytest.mark.parametrize("word", ["余额", "webhook", "temperature", "balance", "钱包"])
def test_no_result_of_a_search_shows_marks(word: str):
    found = [*library().search(word, "zh", 20), *library().search(word, "en", 20)]
    snippets = ["".join(piece.text for piece in one.snippet) for one in found]

    assert snippets
    for snippet in snippets:
        assert not re.search(r"\|---|\*\*|`|\]\(|## ", snippet), snippet
