"""Price arithmetic against an oracle that knows only decimals and the words of the design."""

import json
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tokengate.catalog.price import CallTraits, Price, bill, read_price, write_price
from tokengate.catalog.rates import INPUT_WORDS, OUTPUT_WORDS, TOKEN_WORDS
from tokengate.catalog.written import read_written
from tokengate.core.settings import CurrencySettings, PriceSettings
from tokengate.core.usage import BUCKETS, Usage, UsageSource

EXAMPLES = settings(max_examples=100)
CNY = CurrencySettings()
NANO = Decimal(10) ** 9

amounts = st.decimals(min_value=0, max_value=1000, places=6).map(lambda amount: f"{amount:f}")
optional_words = st.dictionaries(
    st.sampled_from([word for word in BUCKETS if word not in ("input", "output")]), amounts
)
units = st.integers(0, 10_000_000)
usages = st.builds(Usage, **dict.fromkeys(BUCKETS, units))
token_usages = st.builds(
    Usage,
    **dict.fromkeys((*INPUT_WORDS, *OUTPUT_WORDS), st.integers(0, 2_000_000)),
    request=st.integers(0, 1),
)
bounds = st.lists(st.integers(0, 20_000_000), unique=True, max_size=4).map(sorted)


@st.composite
def written_prices(draw: st.DrawFn) -> PriceSettings:
    base: dict[str, Any] = {"input": draw(amounts), "output": draw(amounts), **draw(optional_words)}
    when: list[dict[str, str | int | bool]] = []
    for up_to in draw(bounds):
        if draw(st.booleans()):
            when.append({"up_to": up_to, "thinking": True, "output": draw(amounts)})
        when.append({"up_to": up_to, "input": draw(amounts), "output": draw(amounts)})
    return PriceSettings(per=draw(st.sampled_from(["ktok", "mtok"])), when=when, **base)


def read(written: PriceSettings, currency: CurrencySettings = CNY) -> Price:
    price = read_written(written, "chat", currency).price
    assert price
    return price


def oracle_yuan(written: PriceSettings, usage: Usage, yuan_per_unit: Decimal = Decimal(1)) -> Decimal:
    """Price the usage by the text of the design: tier by whole input, fallbacks to the parent, exact sum."""
    words: dict[str, Any] = {word: text for word in BUCKETS if (text := getattr(written, word)) is not None}
    for row in written.when:
        if usage.input_total <= int(row["up_to"]) and ("thinking" not in row or usage.reasoning > 0):
            words |= {word: text for word, text in row.items() if word not in ("up_to", "thinking")}
            break
    price = {word: Decimal(text) for word, text in words.items()}
    for word in ("cache_read", "image_in", "video_in", "audio_in"):
        price.setdefault(word, price["input"])
    price.setdefault("cache_write_5m", price["input"] * Decimal("1.25"))
    price.setdefault("cache_write_1h", price["input"] * 2)
    for word in ("reasoning", "image_out", "audio_out"):
        price.setdefault(word, price["output"])
    per = {"ktok": 1000, "mtok": 1_000_000}[written.per]
    total = Decimal(0)
    for word in BUCKETS:
        total += getattr(usage, word) * price.get(word, Decimal(0)) / (per if word in TOKEN_WORDS else 1)
    return total * yuan_per_unit


@EXAMPLES
@given(written_prices(), usages)
def test_a_bill_is_the_decimal_sum_rounded_up_once(written: PriceSettings, usage: Usage):
    with localcontext(Context(prec=80)):
        expected_nano = int((oracle_yuan(written, usage) * NANO).to_integral_value(ROUND_CEILING))

    assert bill(usage, read(written)).total_nano == expected_nano


@EXAMPLES
@given(written_prices(), usages)
def test_dollars_are_converted_exactly(written: PriceSettings, usage: Usage):
    in_dollars = structs.replace(written, currency="usd")
    price = read(in_dollars, CurrencySettings(usd="7.1234"))

    with localcontext(Context(prec=80)):
        expected_nano = int((oracle_yuan(written, usage, Decimal("7.1234")) * NANO).to_integral_value(ROUND_CEILING))

    # 6 + 4 decimals per million tokens may be finer than the grain, which rounds up.
    difference_nano = bill(usage, price).total_nano - expected_nano
    assert 0 <= difference_nano <= 1 + sum(structs.astuple(usage)) // 1_000_000


@EXAMPLES
@given(written_prices(), usages)
def test_the_cost_is_the_total_of_the_bill(written: PriceSettings, usage: Usage):
    price = read(written)

    assert price.cost_nano(usage) == bill(usage, price).total_nano


@EXAMPLES
@given(written_prices(), usages)
def test_the_lines_of_a_bill_add_up_to_its_total(written: PriceSettings, usage: Usage):
    priced = bill(usage, read(written))

    with localcontext(Context(prec=80)):
        for line in priced.lines:
            assert Decimal(line.amount) == line.units * Decimal(line.price) / line.per
        yuan = sum((Decimal(line.amount) for line in priced.lines), Decimal(0))
        assert priced.total_nano == int((yuan * NANO).to_integral_value(ROUND_CEILING))
    assert [line.word for line in priced.lines] == [word for word in BUCKETS if getattr(usage, word)]


@EXAMPLES
@given(written_prices(), token_usages, st.integers(0, 30_000_000), units, st.sampled_from([None, True, False]))
def test_no_call_within_its_bounds_costs_more_than_its_hold(
    written: PriceSettings, usage: Usage, more_input: int, more_output: int, thinking: bool | None
):
    price = read(written)

    hold_nano = price.max_cost_nano(usage.input_total + more_input, usage.output_total + more_output)

    assert price.cost_nano(usage, CallTraits(thinking=thinking)) <= hold_nano


@EXAMPLES
@given(written_prices(), usages)
def test_a_stored_price_bills_as_the_one_that_was_stored(written: PriceSettings, usage: Usage):
    price = read(written)

    again = read_price(write_price(price), version=7)

    assert again.version == 7
    assert again.tiers == price.tiers
    assert again.hold_rates == price.hold_rates
    assert again.cost_nano(usage) == price.cost_nano(usage)


@EXAMPLES
@given(written_prices(), usages, usages)
def test_more_usage_never_costs_less_in_one_tier(written: PriceSettings, usage: Usage, more: Usage):
    price = read(structs.replace(written, when=[]))
    summed = Usage(*(a + b for a, b in zip(structs.astuple(usage), structs.astuple(more), strict=True)))

    costs_nano = price.cost_nano(usage) + price.cost_nano(more)

    # Each bill is rounded up by less than one nano yuan.
    assert costs_nano - 1 <= price.cost_nano(summed) <= costs_nano


@EXAMPLES
@given(written_prices(), usages)
def test_what_has_no_price_and_no_parent_is_free_with_an_alarm(written: PriceSettings, usage: Usage):
    expected = tuple(
        word
        for word in ("image", "second", "character", "search")
        if getattr(usage, word) and getattr(written, word) is None
    )

    assert bill(usage, read(written)).alarms == expected


@EXAMPLES
@given(written_prices(), usages)
def test_a_stored_bill_can_be_recomputed_from_its_own_lines(written: PriceSettings, usage: Usage):
    stored = json.loads(bill(usage, read(written)).to_json(UsageSource.VENDOR))

    with localcontext(Context(prec=80)):
        yuan = sum((line["units"] * Decimal(line["price"]) / line["per"] for line in stored["lines"]), Decimal(0))
        assert stored["total_nano"] == int((yuan * NANO).to_integral_value(ROUND_CEILING))
        assert Decimal(stored["total"]) * NANO == stored["total_nano"]
