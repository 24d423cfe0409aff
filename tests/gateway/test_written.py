"""What a stream wrote is counted in a thread, step by step, and only when nobody reports it."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec import structs

from tests.gateway.parts import MODEL
from tokengate.catalog.model import Model
from tokengate.catalog.tokens import Counted, count_texts, estimate_tokens
from tokengate.catalog.tokens.growing import STEP_CHARACTERS
from tokengate.core.usage import UsageSource
from tokengate.gateway.written import Written

QWEN = structs.replace(MODEL, id="qwen-plus")
WORDS = "Words that a model writes, one after the other. "
COUNTED, ESTIMATED = UsageSource.COUNTED, UsageSource.ESTIMATED


class Counting:
    """Stands for the tokenizer: remembers how much it was given each time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, texts: Sequence[str], model: Model) -> Counted:
        self.sizes.append(sum(map(len, texts)))
        return count_texts(texts, model)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr("tokengate.gateway.written.count_texts", counting)
    return counting


async def _idle(written: Written) -> None:
    """Wait for the step that is under way."""
    if written._step is not None:  # pyright: ignore[reportPrivateUsage]  # nothing else tells when a step is done
        await asyncio.wait([written._step])  # pyright: ignore[reportPrivateUsage]  # as above


async def test_a_short_stream_is_counted_at_its_end(counting: Counting) -> None:
    written = Written(QWEN)

    written.add((0, 0), WORDS)
    written.step()

    assert counting.sizes == []
    assert await written.count() == count_texts([WORDS], QWEN)


async def test_a_long_stream_is_counted_in_steps_while_it_passes(counting: Counting) -> None:
    written = Written(QWEN)
    pieces = 4 * STEP_CHARACTERS // len(WORDS)

    for _ in range(pieces):
        written.add((0, 0), WORDS)
        written.step()
        await _idle(written)

    assert len(counting.sizes) >= 2
    assert await written.count() == count_texts([WORDS * pieces], QWEN)
    assert sum(counting.sizes) == len(WORDS) * pieces
    assert max(counting.sizes) < 2 * STEP_CHARACTERS


async def test_nothing_is_given_to_a_tokenizer_that_has_not_finished_the_last_step(counting: Counting) -> None:
    written = Written(QWEN)

    for _ in range(3 * STEP_CHARACTERS // len(WORDS)):
        written.add((0, 0), WORDS)
        written.step()

    assert written.tokens > 0 and len(counting.sizes) <= 1
    assert (await written.count()).source is COUNTED


async def test_texts_of_a_model_without_a_tokenizer_are_estimated(counting: Counting) -> None:
    written = Written(MODEL)
    pieces = 2 * STEP_CHARACTERS // len(WORDS)

    for _ in range(pieces):
        written.add((0, 0), WORDS)
        written.step()

    assert await written.count() == Counted(estimate_tokens(WORDS * pieces), ESTIMATED)
    assert counting.sizes == []


async def test_output_that_is_no_text_makes_the_count_an_estimate() -> None:
    written = Written(QWEN)

    written.add((0, 0), "Hello")
    written.add_other()

    assert await written.count() == Counted(1, ESTIMATED)
