"""Thinking inside the text, told apart wherever the text is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.formats.openai.think_text import ThinkText


def told(*pieces: str) -> tuple[str, str]:
    """Return what was thought and what was said."""
    splitter = ThinkText()
    parts = [part for piece in pieces for part in splitter.feed(piece)] + splitter.close()
    return (
        "".join(part.text for part in parts if part.thought),
        "".join(part.text for part in parts if not part.thought),
    )


@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("<think>\nhm\n</think>\n\nyes", "hm", "yes"),
        ("\n<think>hm</think>yes", "hm", "yes"),
        ("yes", "", "yes"),
        ("", "", ""),
        ("yes <think>no</think>", "", "yes <think>no</think>"),
        ("<thin", "", "<thin"),
        ("<think>hm", "hm", ""),
        ("<think>a\n\nb</thi", "a\n\nb</thi", ""),
        ("<think></think>yes", "", "yes"),
        ("<think>hm</think>\n", "hm", ""),
        ("<think>a</think>b</think>", "a", "b</think>"),
    ],
)
def test_thought_and_said_are_told_apart(text: str, thought: str, said: str) -> None:
    assert told(text) == (thought, said)


@given(
    st.text("<>/think\n ab", max_size=40) | st.just("<think>\nlong thought\n</think>\n\nthe answer"),
    st.lists(st.integers(0, 40)),
)
def test_a_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    ends = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(ends)]

    assert told(*pieces) == told(text)
