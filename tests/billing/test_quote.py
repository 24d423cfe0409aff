import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.billing.purse import WALLET, Purse
from tests.ledger.bank import Bank
from tests.support import FakeClock
from tokengate.accounts.keys import Budget
from tokengate.billing.quote import LONGEST_OUTPUT, Quote, hold_for_call, output_affordable
from tokengate.catalog.model import Model
from tokengate.catalog.price import ALWAYS, NO_TRAITS, CallTraits, Price, When, bill, make_price
from tokengate.catalog.rates import INPUT_WORDS, OUTPUT_WORDS, TOKEN_WORDS, Rates
from tokengate.core.errors import BudgetExhausted, InsufficientBalance
from tokengate.core.money import NANO_PER_YUAN
from tokengate.core.usage import Usage
from tokengate.limits.budgets import Allowance, Budgets
from tokengate.storage.engine import Database

EXAMPLES = settings(max_examples=150)
MILLION = 1_000_000
TOKEN = 1_000  # nano yuan: a price of ¥1 per million tokens
RICH = 10**18

rates = st.builds(Rates, **dict.fromkeys(sorted(TOKEN_WORDS), st.integers(0, 10**12)))
counts = st.integers(0, 300_000)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    tiers = [(When(up_to=up_to), draw(rates)) for up_to in sorted(draw(st.sets(counts, max_size=3)))]
    if draw(st.booleans()):
        tiers.append((When(thinking=True), draw(rates)))
    return make_price([*tiers, (ALWAYS, draw(rates))])


def flat(input: int = TOKEN, output: int = TOKEN) -> Price:
    """A price in nano yuan per token, the same for every bucket of a side."""
    return make_price(
        [
            (
                ALWAYS,
                Rates(**dict.fromkeys(INPUT_WORDS, input * MILLION), **dict.fromkeys(OUTPUT_WORDS, output * MILLION)),
            )
        ]
    )


def model(max_output: int | None = 4_096, context: int | None = None, kind: Any = "chat") -> Model:
    return Model(id="m", kind=kind, vendor="v", name="M", context=context, max_output=max_output)


async def quote(
    teller: Any,
    price: Price,
    of: Model,
    *,
    prompt_bound: int = 100,
    asked_cap: int | None = None,
    choices: int = 1,
    prompts: int = 1,
    default_cap: int = 4_096,
    wallet_id: str = WALLET,
    images: int = 0,
    allowance: Allowance | None = None,
) -> Quote:
    return await hold_for_call(
        teller,
        wallet_id,
        of,
        price,
        prompt_bound=prompt_bound,
        prompts=prompts,
        asked_cap=asked_cap,
        choices=choices,
        default_cap=default_cap,
        images=images,
        allowance=allowance,
    )


def run(teller: Purse, price: Price, of: Model, **more: Any) -> Quote:
    return asyncio.run(quote(teller, price, of, **more))


@EXAMPLES
@given(prices(), st.data())
def test_the_hold_of_a_capped_call_covers_whatever_it_may_use(price: Price, data: st.DataObject):
    prompt_bound, cap, choices = data.draw(counts), data.draw(st.integers(1, 300_000)), data.draw(st.integers(1, 8))
    taken = run(
        Purse(RICH), price, model(max_output=300_000), prompt_bound=prompt_bound, asked_cap=cap, choices=choices
    )

    used = _split(data, prompt_bound, INPUT_WORDS) | _split(data, cap * choices, OUTPUT_WORDS)
    traits = data.draw(st.sampled_from([NO_TRAITS, CallTraits(thinking=True), CallTraits(thinking=False)]))

    assert bill(Usage(**used, request=1), price, traits).total_nano <= taken.hold.nano


def _split(data: st.DataObject, most: int, words: tuple[str, ...]) -> dict[str, int]:
    """Return some of `most` tokens, spread over buckets in some way."""
    used: dict[str, int] = {}
    for word in words:
        used[word] = data.draw(st.integers(0, most))
        most -= used[word]
    return used


@EXAMPLES
@given(prices(), counts, st.integers(0, 10**15))
def test_what_is_affordable_is_paid_for_and_hardly_more_would_be(price: Price, prompt: int, nano: int):
    tokens = output_affordable(price, prompt, nano)
    base_nano, per_million = price.max_cost_nano(prompt, 0), price.max_cost_nano(prompt, MILLION)

    if nano < base_nano:
        assert tokens == 0
    elif per_million > base_nano:
        assert price.max_cost_nano(prompt, tokens) <= nano
        # A bill is rounded up to a nano yuan, and so may be the affordable amount's own bound.
        assert price.max_cost_nano(prompt, tokens + 2) > nano - 2


@EXAMPLES
@given(
    prices(),
    st.integers(0, 10**13),
    counts,
    st.integers(1, 300_000),
    st.integers(1, 300_000),
    st.integers(1, 8),
)
def test_an_uncapped_call_holds_no_more_than_its_default_and_is_capped_by_what_can_be_paid(
    price: Price, nano: int, prompt: int, most: int, default_cap: int, choices: int
):
    purse = Purse(nano)
    try:
        taken = run(purse, price, model(max_output=most), prompt_bound=prompt, choices=choices, default_cap=default_cap)
    except InsufficientBalance as refused:
        assert refused.available_nano == nano < refused.needed_nano
        assert output_affordable(price, prompt, nano) < choices
        assert purse.lease.free_nano == nano
        return

    assert taken.hold.nano <= min(nano, price.max_cost_nano(prompt, min(most, default_cap) * choices))
    assert taken.hold.nano >= price.max_cost_nano(prompt, taken.output_held)
    assert taken.output_held % choices == 0
    if price.max_cost_nano(prompt, most * choices) <= nano:
        assert taken.output_cap is None
    else:
        assert taken.output_cap is None or 1 <= taken.output_cap < most
        assert price.max_cost_nano(prompt, (taken.output_cap or 0) * choices) <= nano
    if taken.output_cap is not None:
        assert price.max_cost_nano(prompt, taken.output_cap * choices) <= nano


def test_a_capped_call_is_held_in_full_or_refused():
    purse = Purse(600 * TOKEN)

    taken = run(purse, flat(), model(), asked_cap=500)
    with pytest.raises(InsufficientBalance) as refused:
        run(purse, flat(), model(), asked_cap=1)

    assert (taken.hold.nano, taken.output_held, taken.output_cap) == (600 * TOKEN, 500, None)
    assert (refused.value.needed_nano, refused.value.available_nano) == (101 * TOKEN, 0)
    assert "¥0.000101" in refused.value.message and "¥0 is available" in refused.value.message


def test_a_cap_beyond_the_model_s_own_is_held_as_the_model_s():
    taken = run(Purse(RICH), flat(), model(max_output=1_000), asked_cap=10**9)

    assert taken.output_held == 1_000


def test_every_choice_is_held_for():
    taken = run(Purse(RICH), flat(), model(), asked_cap=10, choices=3)

    assert taken.hold.nano == 130 * TOKEN


def test_no_prompt_is_longer_than_the_model_s_context_lets_it_be():
    one = run(Purse(RICH), flat(), model(context=50), prompt_bound=100_000, asked_cap=1)
    three = run(Purse(RICH), flat(), model(context=50), prompt_bound=100_000, asked_cap=1, prompts=3)

    assert (one.prompt_bound, three.prompt_bound) == (50, 150)


def test_an_uncapped_call_on_a_full_wallet_holds_the_default_and_sends_no_cap():
    taken = run(Purse(RICH), flat(), model(max_output=128_000))

    assert (taken.output_held, taken.output_cap) == (4_096, None)


def test_an_uncapped_call_on_a_wallet_that_cannot_pay_the_maximum_is_capped_by_what_it_can():
    taken = run(Purse(10_100 * TOKEN), flat(), model(max_output=128_000))

    assert taken.output_held == 4_096
    assert taken.output_cap == pytest.approx(10_000, abs=1)


def allowance(nano: int) -> Allowance:
    return Budgets(FakeClock()).allow("key_1", Budget(nano, "never"))


def test_a_call_of_fixed_size_above_what_is_left_of_its_key_s_budget_is_refused_and_holds_nothing():
    purse = Purse(RICH)

    with pytest.raises(BudgetExhausted, match=r"up to ¥0\.0006 and ¥0\.0005 is available of .*or lower max_tokens"):
        run(purse, flat(), model(), asked_cap=500, allowance=allowance(500 * TOKEN))

    assert purse.lease.held_nano == 0


def test_an_uncapped_call_is_capped_by_what_is_left_of_its_key_s_budget():
    more, less = allowance(10_100 * TOKEN), allowance(150 * TOKEN)

    within = run(Purse(RICH), flat(), model(max_output=128_000), allowance=more)
    nearly_spent = run(Purse(RICH), flat(), model(), allowance=less)

    assert (within.output_held, within.output_cap, within.capped_by) == (4_096, pytest.approx(10_000, abs=1), "budget")
    assert nearly_spent.output_cap == nearly_spent.output_held == pytest.approx(50, abs=1)
    assert less.reach_nano - nearly_spent.hold.nano <= TOKEN
    with pytest.raises(BudgetExhausted, match="is available"):
        run(Purse(RICH), flat(), model(), allowance=allowance(90 * TOKEN))


def test_the_shorter_of_wallet_and_budget_caps_a_call():
    taken = run(Purse(150 * TOKEN), flat(), model(), allowance=allowance(200 * TOKEN))

    assert (taken.output_cap, taken.capped_by) == (pytest.approx(50, abs=1), "balance")


def test_an_uncapped_call_on_a_nearly_empty_wallet_holds_all_of_it():
    taken = run(Purse(150 * TOKEN), flat(), model())

    assert taken.output_cap == taken.output_held == pytest.approx(50, abs=1)


def test_a_model_without_a_stated_maximum_is_capped_too():
    taken = run(Purse(10_100 * TOKEN), flat(), model(max_output=None))

    assert taken.output_cap is not None


def test_an_embedding_is_held_by_its_prompt_alone():
    taken = run(Purse(RICH), flat(), model(kind="embedding"))

    assert (taken.hold.nano, taken.output_held, taken.output_cap) == (100 * TOKEN, 0, None)


def test_pictures_are_held_as_the_tokens_that_they_may_be():
    taken = run(Purse(RICH), flat(), model(kind="image"), asked_cap=2_000)

    assert (taken.hold.nano, taken.output_held) == (2_100 * TOKEN, 2_000)


def test_a_picture_that_is_sold_by_the_piece_holds_nothing_for_tokens():
    by_piece = make_price([(ALWAYS, Rates(image=MILLION * TOKEN))])

    assert run(Purse(0), by_piece, model(kind="image")).hold.nano == 0


def test_a_chat_that_draws_is_held_for_its_pictures_where_only_they_have_a_price():
    by_piece = make_price([(ALWAYS, Rates(image=MILLION * TOKEN))])

    taken = run(Purse(RICH), by_piece, model(kind="image"), images=2)

    assert (taken.hold.nano, taken.output_cap) == (2 * TOKEN, None)
    assert run(Purse(RICH), flat(), model(kind="image"), images=2).output_held == 4_096
    assert output_affordable(by_piece, 100, taken.hold.nano, images=2) == LONGEST_OUTPUT  # which costs nothing


@pytest.mark.parametrize("yuan_nano", [RICH, 5_000 * TOKEN, 10_000 * TOKEN])
def test_a_chat_that_draws_is_held_for_its_pictures_beside_its_tokens_where_both_have_a_price(yuan_nano: int):
    both = make_price([(ALWAYS, Rates(input=TOKEN * MILLION, output=TOKEN * MILLION, image=MILLION * 1_000 * TOKEN))])

    taken = run(Purse(yuan_nano), both, model(max_output=8_192, kind="image"), images=2)

    drawn = bill(Usage(input=100, output=taken.output_held, image=2), both).total_nano
    assert 0 <= taken.hold.nano - drawn <= TOKEN and taken.images == 2
    assert output_affordable(both, 100, taken.hold.nano, images=2) in (taken.output_held, taken.output_held - 1)


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("chat", "Top up the wallet, or lower max_tokens."),
        ("image", "Top up the wallet, or ask for fewer or smaller pictures."),
        ("speech", "Top up the wallet, or send a shorter text."),
    ],
)
def test_a_refusal_says_what_would_cost_less(kind: str, remedy: str):
    price = make_price([(ALWAYS, Rates(input=MILLION * TOKEN, output=0, request=RICH))])

    with pytest.raises(InsufficientBalance) as refused:
        run(Purse(TOKEN), price, model(kind=kind), asked_cap=10)

    assert refused.value.message.endswith(f"is available. {remedy}")


def test_a_free_model_needs_no_money_and_is_never_capped():
    taken = run(Purse(0), flat(0, 0), model(max_output=128_000))

    assert (taken.hold.nano, taken.output_cap) == (0, None)


async def test_twenty_calls_without_a_cap_run_beside_each_other_on_ten_yuan(database: Database, clock: FakeClock):
    bank = await Bank.open(database, clock)
    wallet_id = await bank.wallet(10 * NANO_PER_YUAN)
    price = flat(50_000, 100_000)  # ¥0.05 and ¥0.1 per 1,000: the longest reply would cost ¥12.80

    taken = await asyncio.gather(
        *(
            quote(bank.teller, price, model(max_output=128_000), prompt_bound=600, wallet_id=wallet_id)
            for _ in range(20)
        )
    )

    assert len(taken) == 20
    assert sum(one.hold.nano for one in taken) <= 10 * NANO_PER_YUAN
    for one in taken:
        bank.teller.release(one.hold)
    await bank.close()
