"""A price as a person wrote it, in the catalogue or the configuration, read into the price that bills.

Names every fallback it takes, every rate it rounds up, and the word that is missing when a model stays unpriced.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec
from msgspec import Struct, structs

from tokengate.catalog.price import ALWAYS, Price, When, make_price
from tokengate.catalog.rates import WORDS, Rates, read_amount, resolve
from tokengate.core.settings import CurrencySettings, Kind, PriceSettings

# The words without which a model of this kind has no price; for any other kind one word of any sort will do.
_NEEDED: dict[Kind, tuple[str, ...]] = {
    "chat": ("input", "output"),
    "completion": ("input", "output"),
    "embedding": ("input",),
}


class PriceReading(Struct, frozen=True):
    """What came of reading a price. `price` is None when needed words are `missing`: the model is refused."""

    price: Price | None
    fallbacks: tuple[tuple[str, str], ...]  # such as ("cache_write_5m", "1.25 x input")
    rounded: tuple[str, ...]  # words whose rate is finer than the grain
    missing: tuple[str, ...]


def read_written(written: PriceSettings, kind: Kind, currency: CurrencySettings, source: str = "") -> PriceReading:
    """Read a price. Raises ValueError for unknown words, bad amounts, and tiers that can never apply."""
    base = {word: text for word in WORDS if (text := getattr(written, word)) is not None}
    needed = _NEEDED.get(kind, ())
    missing = tuple(word for word in needed if word not in base) or (() if base else ("any price word",))
    if missing:
        return PriceReading(None, (), (), missing)

    rate = currency.usd if written.currency == "usd" else "1"
    yuan = read_amount(rate)
    tiers: list[tuple[When, Rates]] = []
    rounded: dict[str, None] = {}
    for when, words in [*map(_when_row, written.when), (ALWAYS, {})]:
        _refuse_unreachable(when, [earlier for earlier, _ in tiers])
        resolved = resolve(base | words, written.per, yuan)
        tiers.append((when, resolved.rates))
        rounded |= dict.fromkeys(resolved.rounded)
    fallbacks = resolve(base, written.per, Fraction(1)).fallbacks
    return PriceReading(
        make_price(tiers, source=source, currency_rate="" if written.currency == "cny" else rate),
        fallbacks,
        tuple(rounded),
        (),
    )


def _when_row(row: Mapping[str, Any]) -> tuple[When, dict[str, str]]:
    conditions = {key: value for key, value in row.items() if key in When.__struct_fields__}
    words = {key: value for key, value in row.items() if key not in conditions}
    for word, text in words.items():
        if word not in WORDS:
            raise ValueError(
                f"{word!r} in a `when` row is neither a price word nor a condition "
                f"({', '.join(When.__struct_fields__)})"
            )
        if not isinstance(text, str):
            raise ValueError(f"{word} in a `when` row must be a decimal in quotes, not {text!r}")
    if not conditions or not words:
        raise ValueError(f"a `when` row needs a condition and a price word: {dict(row)!r}")
    try:
        return msgspec.convert(conditions, When), words
    except msgspec.ValidationError as error:
        raise ValueError(f"a `when` row is wrong: {error}") from None


def _refuse_unreachable(when: When, earlier: list[When]) -> None:
    for other in earlier:
        if all(_covers(key, value, getattr(when, key)) for key, value in structs.asdict(other).items()):
            raise ValueError(
                f"the `when` row {structs.asdict(when)!r} can never apply, because an earlier row covers it"
            )


def _covers(key: str, earlier: Any, later: Any) -> bool:
    if earlier is None:
        return True
    return later is not None and (later <= earlier if key == "up_to" else later == earlier)
