"""Cuts a text into what is read aloud at once: sentences, and parts of very long ones."""

import re
from collections.abc import Iterator

_MAX_CHARACTERS = 400  # about half a minute of speech
_TITLES = r"(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\bProf\.)(?<!\b[A-Z]\.)"
# Before a capital letter, a digit or a quotation mark only: "e.g. this" goes on.
_sentence_ends = re.compile(rf"{_TITLES}(?<=[.!?…])\s+(?=[\"'“‘(]?[A-Z0-9])|(?<=[.!?…][\"'”’)])\s+(?=[A-Z0-9\"“])|\n+")
_has_words = re.compile(r"[0-9A-Za-zÀ-ɏ]").search
_without_controls = re.compile(r"[\x00-\x1f\x7f-\x9f]").sub


def sentences(text: str) -> list[str]:
    """Return the sentences, each on one line and with something to say; empty when nothing can be said."""
    found: list[str] = []
    silent = ""  # a row of dots or dashes before the first words
    for part in _sentence_ends.split(text):
        for piece in _cut(" ".join(_without_controls(" ", part).split())):
            if _has_words(piece):
                found.append(f"{silent} {piece}".lstrip())
                silent = ""
            elif found:
                found[-1] += f" {piece}"
            else:
                silent = f"{silent} {piece}".lstrip()
    return found


def _cut(sentence: str) -> Iterator[str]:
    while len(sentence) > _MAX_CHARACTERS:
        head = sentence[:_MAX_CHARACTERS]
        at = max(head.rfind(", "), head.rfind("; "), head.rfind(": ")) + 1 or head.rfind(" ") + 1 or _MAX_CHARACTERS
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence
