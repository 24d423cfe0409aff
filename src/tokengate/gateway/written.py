"""What the model writes in one stream, as tokens: estimated at once, counted by its own tokenizer when nobody reports.

The tokenizer works in a thread, step by step while the stream passes, so that a long one needs little memory and its
bill little time. Nothing waits for it before the end; texts of a model without a tokenizer are not kept.
"""

import asyncio
from collections.abc import Sequence

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import Counted, GrowingTexts, count_texts
from tokengate.catalog.tokens.families import family_of
from tokengate.catalog.tokens.growing import Place
from tokengate.core.usage import UsageSource


class Written:
    """The output of one attempt. A lane adds to it, the stream's run makes it count."""

    __slots__ = ("_counted", "_model", "_step", "_texts", "_whole")

    def __init__(self, model: Model) -> None:
        self._model = model
        self._texts = GrowingTexts()
        self._counted = 0
        self._step: asyncio.Future[Counted] | None = None
        self._whole = True  # nothing but texts was written

    @property
    def tokens(self) -> int:
        """About how many tokens there are so far."""
        return self._texts.tokens

    def add(self, place: Place, text: str) -> None:
        """Take a piece of text."""
        self._texts.add(place, text)

    def add_other(self) -> None:
        """Take note of output that is no text, whose tokens no tokenizer tells."""
        self._whole = False

    def step(self) -> None:
        """Begin to count what there is, when it is worth it and the last step is done."""
        if not self._texts.is_due():
            return
        if self._step is not None:
            if not self._step.done():
                return
            self._counted += self._step.result().tokens
            self._step = None
        if family_of(self._model) is None:
            self._texts.forget()
            return
        self._step = self._begin(self._texts.take())

    async def count(self) -> Counted:
        """Return how many tokens were written, and whether a tokenizer says so. Ask once, at the end."""
        about = Counted(self.tokens, UsageSource.ESTIMATED)
        if not self._texts.countable or family_of(self._model) is None:
            return about
        if self._step is not None:
            self._counted += (await self._step).tokens
        rest = await self._begin(self._texts.take_rest())
        source = rest.source if self._whole else UsageSource.ESTIMATED
        return Counted(self._counted + rest.tokens, source)

    def _begin(self, texts: Sequence[str]) -> asyncio.Future[Counted]:
        return asyncio.get_running_loop().run_in_executor(None, count_texts, texts, self._model)
