"""How many tokens a prompt has: the model's own tokenizer, template and picture rules where they are at hand.

The label is `counted` when every part of the prompt was counted as the model does it; one part that was not, such as a
picture at an address, makes the whole an estimate.
"""

from collections.abc import Sequence

from msgspec import Struct

from tokengate.catalog.model import Model
from tokengate.catalog.tokens.estimate import estimate_tokens
from tokengate.catalog.tokens.families import Family, family_of
from tokengate.catalog.tokens.template import prompt_of
from tokengate.catalog.tokens.tokenizer import tokenizer
from tokengate.core.chat import Chat
from tokengate.core.usage import UsageSource

MAX_CHARACTERS = 2_000_000  # a longer prompt is estimated: its count would keep a thread busy for seconds


class Counted(Struct, frozen=True):
    """A number of tokens and who found it: the model's tokenizer (`counted`), or an estimate."""

    tokens: int
    source: UsageSource


def count_chat(chat: Chat, model: Model) -> Counted:
    """Count a prompt. Takes a few milliseconds for 10,000 tokens, and longer when a tokenizer is first loaded: an event
    loop should leave it to a thread."""
    family = family_of(model)
    prompt = prompt_of(chat, model, family)
    tokens, exact = _count(prompt.texts, family)
    return _counted(prompt.fixed + tokens, exact=exact and prompt.exact)


def count_texts(texts: Sequence[str], model: Model) -> Counted:
    """Count texts, each by itself, such as what a model wrote."""
    family = family_of(model)
    tokens, exact = _count(texts, family)
    return _counted(tokens, exact=exact and family is not None and family.exact)


def _counted(tokens: int, *, exact: bool) -> Counted:
    return Counted(tokens, UsageSource.COUNTED if exact else UsageSource.ESTIMATED)


def _count(texts: Sequence[str], family: Family | None) -> tuple[int, bool]:
    if family is None or sum(map(len, texts)) > MAX_CHARACTERS:
        return estimate_tokens("".join(texts)), False
    count = tokenizer(family.encoding).count
    return sum(map(count, texts)), True
