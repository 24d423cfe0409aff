"""The price words and what they cost: decimal strings in any currency become integers of one grain.

A rate is in nano yuan per 1,000,000 units, so that units x rate is in 10^-15 yuan and every sum is exact. A word that
is left out costs what its parent costs; a rate finer than the grain is rounded up, and said so.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import astuple

from tokengate.core.money import NANO_PER_YUAN
from tokengate.core.usage import BUCKETS

MILLION = 1_000_000

INPUT_WORDS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "image_in", "video_in", "audio_in")
OUTPUT_WORDS = ("output", "reasoning", "image_out", "audio_out")
TOKEN_WORDS = frozenset(INPUT_WORDS + OUTPUT_WORDS)

# word -> (parent, how many times the parent's price)
PARENTS: dict[str, tuple[str, Fraction]] = {
    "cache_read": ("input", Fraction(1)),
    "image_in": ("input", Fraction(1)),
    "video_in": ("input", Fraction(1)),
    "audio_in": ("input", Fraction(1)),
    "cache_write_5m": ("input", Fraction(5, 4)),
    "cache_write_1h": ("input", Fraction(2)),
    "reasoning": ("output", Fraction(1)),
    "image_out": ("output", Fraction(1)),
    "audio_out": ("output", Fraction(1)),
}

_PER = {"ktok": 1_000, "mtok": MILLION}
_MAX_YUAN = 10**9  # for one unit of `per`; a larger price is a slip of the pen
_MAX_DIGITS = 40


class Rates(Struct, frozen=True):
    """Nano yuan per 1,000,000 units of each word (tokens, or pieces from `image` on), fallbacks resolved.

    None: the word has no price and no parent. The fields up to `request` are the buckets of `Usage`, in their order.
    """

    input: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    output: int | None = None
    reasoning: int | None = None
    image_in: int | None = None
    image_out: int | None = None
    video_in: int | None = None
    audio_in: int | None = None
    audio_out: int | None = None
    image: int | None = None
    second: int | None = None
    character: int | None = None
    search: int | None = None
    request: int | None = None
    batch: int | None = None

    def of_buckets(self) -> tuple[int | None, ...]:
        """Return one rate per bucket of `Usage`, in the order of `BUCKETS`."""
        return astuple(self)[: len(BUCKETS)]


WORDS: tuple[str, ...] = Rates.__struct_fields__
assert WORDS[: len(BUCKETS)] == BUCKETS


class Resolved(Struct, frozen=True):
    """Rates, and what had to be assumed for them: `("cache_write_5m", "1.25 x input")`, and words rounded up."""

    rates: Rates
    fallbacks: tuple[tuple[str, str], ...]
    rounded: tuple[str, ...]


def resolve(written: Mapping[str, str], per: str, yuan_per_unit: Fraction) -> Resolved:
    """Return the rates of the words in `written`, whose amounts are in a currency worth `yuan_per_unit`.

    `per` is "ktok" or "mtok" and counts for token words; others are priced per piece. Raises ValueError.
    """
    exact: dict[str, Fraction] = {}
    for word, text in written.items():
        if word not in WORDS:
            raise ValueError(f"unknown price word {word!r}; the words are {', '.join(WORDS)}")
        units = _PER[per] if word in TOKEN_WORDS else 1
        exact[word] = read_amount(text) * yuan_per_unit * Fraction(NANO_PER_YUAN * MILLION, units)
    fallbacks: list[tuple[str, str]] = []
    for word, (parent, times) in PARENTS.items():
        if word not in written and parent in exact:
            exact[word] = exact[parent] * times
            fallbacks.append((word, parent if times == 1 else f"{write_times(times)} x {parent}"))
    rates = {word: -(-amount.numerator // amount.denominator) for word, amount in exact.items()}
    rounded = tuple(word for word, amount in exact.items() if amount.denominator != 1)
    return Resolved(Rates(**rates), tuple(fallbacks), rounded)


def read_amount(text: str) -> Fraction:
    """Return a price as an exact fraction. Raises ValueError unless it is a plain decimal of zero or more."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a price, such as 0.0025") from None
    if len(text) > _MAX_DIGITS or not amount.is_finite() or amount < 0 or abs(amount.adjusted()) > _MAX_DIGITS:
        raise ValueError(f"{text!r} is not a price, such as 0.0025")
    if amount > _MAX_YUAN:
        raise ValueError(f"the price {text} is larger than {_MAX_YUAN}")
    return Fraction(amount)


def write_times(times: Fraction) -> str:
    """Return how many times a parent's price a word costs, such as `1.25`."""
    return str(Decimal(times.numerator * 100 // times.denominator).scaleb(-2).normalize())
