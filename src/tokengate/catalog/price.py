"""What a model costs, and what a call came to.

A price is a list of tiers with one rate per usage bucket; the first tier that fits the call prices all of it. A bill is
exact integer arithmetic: every line is units x rate, and the total is rounded up once, at its end.
"""

from collections.abc import Iterator
from itertools import compress
from operator import mul
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import astuple, replace

from tokengate.catalog.rates import INPUT_WORDS, MILLION, OUTPUT_WORDS, TOKEN_WORDS, Rates
from tokengate.core.money import write_decimal, write_yuan
from tokengate.core.usage import BUCKETS, Usage, UsageSource

_FEMTO_DIGITS = 15  # units x nano per million is in 10^-15 yuan
_MINUTES_PER_DAY = 24 * 60
# A call is always one request, so `request` without a price is no surprise; every other bucket is.
_EXPECTED = "request"

_POSITIONS = range(len(BUCKETS))

_encode = msgspec.json.encode


class When(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The conditions of a tier; all that are stated must hold. `hours` is a UTC window such as "16:30-00:30"."""

    up_to: Annotated[int, Meta(ge=0)] | None = None  # input tokens of the whole request, this number included
    thinking: bool | None = None
    size: str | None = None
    quality: str | None = None
    resolution: str | None = None
    task: str | None = None  # what a job is asked for, where a model does several things, such as "lyrics"
    hours: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")] | None = None

    def only_up_to(self) -> bool:
        """Whether the length of the input alone decides."""
        return self.up_to is not None and replace(self, up_to=None) == ALWAYS


ALWAYS = When()


class CallTraits(Struct, frozen=True):
    """What tiers may ask about a call, besides its usage. A condition on something that is None does not hold."""

    thinking: bool | None = None  # None: it was thinking if it has reasoning tokens
    minute: int | None = None  # of the UTC day in which the call began
    size: str | None = None
    quality: str | None = None
    resolution: str | None = None
    task: str | None = None


NO_TRAITS = CallTraits()


class Tier(Struct, frozen=True):
    """Rates and when they apply; made by `make_price`, which works out the rest."""

    when: When
    rates: Rates
    weights: tuple[int, ...]  # rate per bucket of Usage, 0 where there is none
    unpriced: tuple[str, ...]  # the bucket's own word where it has no rate, empty where it has one
    heads: tuple[str, ...]  # what a stored bill line of each bucket begins with
    window: tuple[int, int] | None

    def fits(self, input_tokens: int, traits: CallTraits) -> bool:
        """Whether a call with this much input is priced by this tier."""
        when = self.when
        return (
            (when.up_to is None or input_tokens <= when.up_to)
            and (when.thinking is None or when.thinking == bool(traits.thinking))
            and (when.size is None or when.size == traits.size)
            and (when.quality is None or when.quality == traits.quality)
            and (when.resolution is None or when.resolution == traits.resolution)
            and (when.task is None or when.task == traits.task)
            and (self.window is None or _in_window(self.window, traits.minute))
        )


class HoldRate(Struct, frozen=True):
    """The dearest rates that a call with more than `above` input tokens can meet."""

    above: int
    input: int
    output: int
    request: int
    search: int
    image: int
    character: int
    second: int


class Price(Struct, frozen=True):
    """A model's price at one version. The last tier has no condition."""

    tiers: tuple[Tier, ...]
    hold_rates: tuple[HoldRate, ...]  # by `above`, falling
    version: int = 0  # row of price_versions; 0: not stored yet
    source: str = ""
    currency_rate: str = ""  # yuan per unit of the currency in which it was published; empty for yuan
    per_token: bool = False  # whether tokens of any sort have a price, which may be zero
    per_character: bool = False
    per_second: bool = False

    def tier(self, input_tokens: int, traits: CallTraits = NO_TRAITS) -> Tier:
        """Return the tier for a call whose whole input is `input_tokens`."""
        for tier in self.tiers:
            if tier.fits(input_tokens, traits):
                return tier
        raise AssertionError("the last tier fits every call")

    def rates(self, input_tokens: int, traits: CallTraits = NO_TRAITS) -> Rates:
        """Return the rates for a call whose whole input is `input_tokens`."""
        return self.tier(input_tokens, traits).rates

    def cost_nano(self, usage: Usage, traits: CallTraits = NO_TRAITS) -> int:
        """Return what the usage costs, rounded up to the nano yuan: the total of `bill`, without its lines."""
        tier = self.tiers[0] if len(self.tiers) == 1 else _tier_for(self, usage, traits)
        return _total_nano(astuple(usage), tier)

    def most_nano(self, usage: Usage, traits: CallTraits) -> int:
        """Return the most that this usage can cost: a size, quality or resolution that is None may turn out as any."""
        units, dearest = astuple(usage), 0
        for tier in self.tiers:
            if _may_fit(tier.when, traits):
                dearest = max(dearest, _total_nano(units, tier))
            if tier.fits(usage.input_total, traits):
                break
        return dearest

    def max_cost_nano(
        self,
        input_tokens: int,
        output_tokens: int,
        searches: int = 0,
        images: int = 0,
        characters: int = 0,
        seconds: int = 0,
    ) -> int:
        """Return the most that a call with up to so many tokens, searches, pictures, characters and seconds can cost,
        in any tier and however its input splits into text, media, cache reads and cache writes.

        Linear in `output_tokens`.
        """
        for rate in self.hold_rates:
            if input_tokens > rate.above:
                break
        else:
            raise AssertionError("the last hold rate is for every call")
        pieces = rate.request
        if searches or images or characters or seconds:
            pieces += searches * rate.search + images * rate.image
            pieces += characters * rate.character + seconds * rate.second
        return -(-(input_tokens * rate.input + output_tokens * rate.output + pieces) // MILLION)


class BillLine(Struct, frozen=True):
    """One bucket of a bill: units x price = amount, exactly. Amounts are decimal strings in yuan."""

    word: str
    units: int
    price: str
    per: int  # the number of units that `price` is for: 1,000,000 tokens or 1 piece
    amount: str


class Bill(Struct, frozen=True):
    """What a call came to. Lines are worked out when they are asked for."""

    total_nano: int
    price_version: int
    units: tuple[int, ...]  # one per bucket
    tier: Tier
    alarms: tuple[str, ...]  # words that were used, have no price and no parent, and were billed 0

    @property
    def lines(self) -> tuple[BillLine, ...]:
        """One line per bucket that was used."""
        return tuple(
            BillLine(word, units, *_unit_price(word, rate), amount=write_femto(units * rate))
            for word, units, rate in zip(BUCKETS, self.units, self.tier.weights, strict=True)
            if units
        )

    def to_json(self, source: UsageSource, raw_usage: bytes | None = None) -> str:
        """Return the bill as it is stored: version, arithmetic per line, total, who counted, the vendor's own usage.

        `raw_usage` is JSON, and is stored as it is.
        """
        tier, units = self.tier, self.units
        lines = ",".join(
            [
                f'{tier.heads[at]}"units":{units[at]},"amount":"{write_femto(units[at] * tier.weights[at])}"}}'
                for at in compress(_POSITIONS, units)
            ]
        )
        more = "" if tier.when is ALWAYS else f',"when":{_encode(tier.when).decode()}'
        if self.alarms:
            more += f',"unpriced":{_encode(self.alarms).decode()}'
        if raw_usage:
            more += f',"vendor_usage":{raw_usage.decode()}'
        return (
            f'{{"price_version":{self.price_version},"usage_source":"{source}","lines":[{lines}],'
            f'"total":"{write_yuan(self.total_nano)}","total_nano":{self.total_nano}{more}}}'
        )


def bill(usage: Usage, price: Price, traits: CallTraits = NO_TRAITS) -> Bill:
    """Return the bill for the usage at this price."""
    tier = price.tiers[0] if len(price.tiers) == 1 else _tier_for(price, usage, traits)
    units = astuple(usage)
    alarms = tuple([word for word in compress(tier.unpriced, units) if word])
    return Bill(_total_nano(units, tier), price.version, units, tier, alarms)


def make_price(
    tiers: list[tuple[When, Rates]], *, version: int = 0, source: str = "", currency_rate: str = ""
) -> Price:
    """Return the price with these tiers, tried in this order; the last must have no condition."""
    assert tiers and tiers[-1][0] == ALWAYS, "a price ends with a tier that fits every call"
    made = tuple(_make_tier(when, rates) for when, rates in tiers)
    return Price(
        made,
        tuple(_hold_rates(made)),
        version,
        source,
        currency_rate,
        per_token=_states(made, *INPUT_WORDS, *OUTPUT_WORDS),
        per_character=_states(made, "character"),
        per_second=_states(made, "second"),
    )


def write_price(price: Price) -> str:
    """Return the tiers as JSON, in nano yuan per million units: what `price_versions` stores and compares."""
    return _encode({"tiers": [{"when": tier.when, "rates": _stated(tier.rates)} for tier in price.tiers]}).decode()


class _StoredTier(Struct, frozen=True):
    when: When
    rates: Rates


class _StoredPrice(Struct, frozen=True):
    tiers: list[_StoredTier]


_decode_price = msgspec.json.Decoder(_StoredPrice).decode


def read_price(text: str, *, version: int, source: str = "", currency_rate: str = "") -> Price:
    """Return the price that `write_price` wrote."""
    tiers = [(tier.when, tier.rates) for tier in _decode_price(text).tiers]
    return make_price(tiers, version=version, source=source, currency_rate=currency_rate)


def write_femto(femto: int) -> str:
    """Return the shortest exact decimal string of an amount in 10^-15 yuan."""
    return write_decimal(femto, _FEMTO_DIGITS)


def write_rate(word: str, rate: int) -> str:
    """Return a rate in words, such as "2.5 per million tokens" in yuan."""
    price, per = _unit_price(word, rate)
    return f"{price} per {'million tokens' if per == MILLION else word}"


def _unit_price(word: str, rate: int) -> tuple[str, int]:
    return (write_yuan(rate), MILLION) if word in TOKEN_WORDS else (write_femto(rate), 1)


def _head(word: str, rate: int) -> str:
    price, per = _unit_price(word, rate)
    return f'{{"word":"{word}","price":"{price}","per":{per},'


def _tier_for(price: Price, usage: Usage, traits: CallTraits) -> Tier:
    if traits.thinking is None and usage.reasoning:
        traits = replace(traits, thinking=True)
    return price.tier(usage.input_total, traits)


def _may_fit(when: When, traits: CallTraits) -> bool:
    wanted = (
        (when.size, traits.size),
        (when.quality, traits.quality),
        (when.resolution, traits.resolution),
        (when.task, traits.task),
    )
    return all(one is None or other is None or one == other for one, other in wanted)


def _total_nano(units: tuple[int, ...], tier: Tier) -> int:
    assert min(units) >= 0, "a bucket below zero is a reader's mistake"
    return -(-sum(map(mul, units, tier.weights)) // MILLION)


def _make_tier(when: When, rates: Rates) -> Tier:
    by_bucket = rates.of_buckets()
    return Tier(
        ALWAYS if when == ALWAYS else when,
        rates,
        weights=tuple(rate or 0 for rate in by_bucket),
        unpriced=tuple(
            word if rate is None and word != _EXPECTED else "" for word, rate in zip(BUCKETS, by_bucket, strict=True)
        ),
        heads=tuple(_head(word, rate or 0) for word, rate in zip(BUCKETS, by_bucket, strict=True)),
        window=None if when.hours is None else _window(when.hours),
    )


def _hold_rates(tiers: tuple[Tier, ...]) -> Iterator[HoldRate]:
    """Yield, from the longest input to the shortest, the dearest rates of the tiers that such a call can meet."""
    above = -1
    reached: list[tuple[int, Tier]] = []
    for tier in tiers:
        reached.append((above, tier))
        if tier.when.only_up_to():
            above = max(above, tier.when.up_to or 0)
    for above in sorted({above for above, _ in reached}, reverse=True):
        met = [tier.rates for start, tier in reached if start <= above]
        yield HoldRate(
            above,
            input=max(_dearest(rates, INPUT_WORDS) for rates in met),
            output=max(_dearest(rates, OUTPUT_WORDS) for rates in met),
            request=max(rates.request or 0 for rates in met),
            search=max(rates.search or 0 for rates in met),
            image=max(rates.image or 0 for rates in met),
            character=max(rates.character or 0 for rates in met),
            second=max(rates.second or 0 for rates in met),
        )


def _dearest(rates: Rates, words: tuple[str, ...]) -> int:
    return max(getattr(rates, word) or 0 for word in words)


def _states(tiers: tuple[Tier, ...], *words: str) -> bool:
    return any(getattr(tier.rates, word) is not None for tier in tiers for word in words)


def _stated(rates: Rates) -> dict[str, int]:
    return {word: rate for word, rate in msgspec.structs.asdict(rates).items() if rate is not None}


def _window(hours: str) -> tuple[int, int]:
    start, end = ((int(part[:2]) * 60 + int(part[3:])) for part in hours.split("-"))
    return start, end


def _in_window(window: tuple[int, int], minute: int | None) -> bool:
    """Whether a minute of the day lies in the window, its end excluded; a window may pass midnight."""
    if minute is None:
        return False
    start, end = window
    return (minute - start) % _MINUTES_PER_DAY < ((end - start) % _MINUTES_PER_DAY or _MINUTES_PER_DAY)
