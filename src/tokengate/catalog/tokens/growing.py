"""The tokens of texts that grow: estimated at once, and handed out in pieces that the model's own tokenizer may count
one by one, with bounded memory.

The pieces of a text are cut where no token lies, so their counts add up to that of the whole. This never counts by
itself: a tokenizer is slow, and whoever owns the text knows when there is time.
"""

from collections.abc import Sequence

from tokengate.catalog.tokens.estimate import TokenEstimate
from tokengate.catalog.tokens.tokenizer import last_break

STEP_CHARACTERS = 32_768  # some 8,000 tokens, which a tokenizer counts in about ten milliseconds
MOST_CHARACTERS = 1_048_576  # kept for a tokenizer that does not keep up; then the estimate stands
_FRESH_CHARACTERS = 8_192  # joined and estimated together

Place = tuple[int, int | str]  # the choice and which of its texts: each is a text by itself


class GrowingTexts:
    """The texts of one stream. `countable` turns false when there is more than a tokenizer could be given."""

    __slots__ = ("_estimate", "_fresh", "_fresh_characters", "_kept", "_kept_characters", "countable")

    def __init__(self) -> None:
        self._estimate = TokenEstimate()
        self._fresh: dict[Place, list[str]] = {}
        self._fresh_characters = 0
        self._kept: dict[Place, str] = {}
        self._kept_characters = 0
        self.countable = True

    def add(self, place: Place, text: str) -> None:
        """Take a piece of the text at a place."""
        self._fresh.setdefault(place, []).append(text)
        self._fresh_characters += len(text)
        if self._fresh_characters > _FRESH_CHARACTERS:
            self._keep()

    @property
    def tokens(self) -> int:
        """About how many tokens all texts so far have."""
        self._keep()
        return self._estimate.tokens

    def is_due(self) -> bool:
        """Say whether there is enough for one step of a tokenizer."""
        return self._kept_characters >= STEP_CHARACTERS

    def forget(self) -> None:
        """Keep no text any more: nobody is going to count it."""
        self.countable = False
        self._kept.clear()
        self._kept_characters = 0

    def take(self) -> Sequence[str]:
        """Hand out what can be counted by now; the ends of the texts stay, since tokens may go on behind them."""
        self._keep()
        taken: list[str] = []
        for place, text in self._kept.items():
            end = last_break(text)
            taken.append(text[:end])
            self._kept[place] = text[end:]
            self._kept_characters -= end
        return taken

    def take_rest(self) -> Sequence[str]:
        """Hand out everything that was not handed out before."""
        self._keep()
        rest = list(self._kept.values())
        self._kept.clear()
        self._kept_characters = 0
        return rest

    def _keep(self) -> None:
        if not self._fresh:
            return
        for place, pieces in self._fresh.items():
            text = "".join(pieces)
            self._estimate.add(text)
            if self.countable:
                self._kept[place] = self._kept.get(place, "") + text
        if self.countable:
            self._kept_characters += self._fresh_characters
            if self._kept_characters > MOST_CHARACTERS:
                self.forget()
        self._fresh.clear()
        self._fresh_characters = 0
