"""What a call may cost at most, before it runs: the amount to hold and the output cap to send.

Bound = prompt upper bound x input price + output cap x output price. A call that names its cap is held for all of
it or refused. A call that names none is held for a default cap, so that it does not take a whole wallet; when
the wallet, or what is left of its key's budget, could not pay the model's maximum, the cap sent upstream is what they
can pay.
"""

from functools import partial
from typing import Final, Literal

from msgspec import Struct

from tokengate.catalog.model import Kind, Model
from tokengate.catalog.price import Price
from tokengate.core.errors import InsufficientBalance
from tokengate.ledger.teller import Hold, Teller
from tokengate.limits.budgets import Allowance

LONGEST_OUTPUT = 131_072  # for a model whose maximum nobody stated: the longest output sold today
_MILLION = 1_000_000

# What costs less, by what a model makes; music costs the same whatever is asked for.
_INSTEAD: Final[dict[Kind, str]] = {
    "chat": "lower max_tokens",
    "completion": "lower max_tokens",
    "embedding": "send less text",
    "image": "ask for fewer or smaller pictures",
    "moderation": "send less text",
    "music": "",
    "rerank": "send fewer or shorter documents",
    "speech": "send a shorter text",
    "transcription": "send a shorter recording",
    "video": "ask for a shorter film or a lower resolution",
}


class Quote(Struct, frozen=True):
    """A hold that has been taken. Token counts cover all choices (`n`) together."""

    hold: Hold
    prompt_bound: int
    output_held: int  # output tokens that the hold covers
    output_cap: int | None  # per choice: the cap to send upstream because no more can be paid
    capped_by: Literal["balance", "budget"] = "balance"  # which of the two that is
    images: int = 0  # that the hold covers beside the tokens


async def hold_for_call(
    teller: Teller,
    wallet_id: str,
    model: Model,
    price: Price,
    *,
    prompt_bound: int,
    prompts: int,
    asked_cap: int | None,
    choices: int,
    default_cap: int,
    searches: int = 0,
    images: int = 0,
    characters: int = 0,
    seconds: int = 0,
    allowance: Allowance | None = None,
) -> Quote:
    """Take the hold for one call. Raises InsufficientBalance, BudgetExhausted, naming needed and available yuan.

    `asked_cap` is per choice, as the caller wrote it. `prompt_bound` is in tokens; `searches`, `characters` and
    `seconds` are held for models without output of their own, and of tokens what `asked_cap` says; `images` on top of
    the tokens, if those have a price. `allowance` is of a key with a budget, and holds as much.
    """
    if model.context is not None:
        prompt_bound = min(prompt_bound, model.context * prompts)
    most = model.max_output or LONGEST_OUTPUT
    if not model.has_output:
        output = min(asked_cap or 0, most)
        nano = price.max_cost_nano(prompt_bound, output, searches, characters=characters, seconds=seconds)
        return Quote(await take_hold(teller, wallet_id, nano, model.kind, allowance), prompt_bound, output, None)

    if asked_cap is not None or (images and not price.per_token):
        output = min(asked_cap or 0, most) * choices
        nano = price.max_cost_nano(prompt_bound, output, images=images)
        hold = await take_hold(teller, wallet_id, nano, model.kind, allowance)
        return Quote(hold, prompt_bound, output, None, images=images)
    return await _hold_uncapped(
        teller, wallet_id, model.kind, price, prompt_bound, most, choices, default_cap, images, allowance
    )


async def _hold_uncapped(
    teller: Teller,
    wallet_id: str,
    kind: Kind,
    price: Price,
    prompt_bound: int,
    most: int,
    choices: int,
    default_cap: int,
    images: int,
    allowance: Allowance | None,
) -> Quote:
    cost_nano = partial(price.max_cost_nano, prompt_bound, images=images)
    output = min(most, default_cap) * choices
    if allowance is not None and cost_nano(output) > allowance.reach_nano:
        within = output_affordable(price, prompt_bound, allowance.reach_nano, images) // choices * choices
        output = within or output
    try:
        hold = await take_hold(teller, wallet_id, cost_nano(output), kind, allowance)
    except InsufficientBalance as short:
        output = output_affordable(price, prompt_bound, short.available_nano, images) // choices * choices
        if output < choices:
            raise
        hold = await take_hold(teller, wallet_id, cost_nano(output), kind, allowance)
        return Quote(hold, prompt_bound, output, output // choices, images=images)

    all_nano, capped_by = hold.nano + teller.reach_nano(wallet_id), "balance"
    if allowance is not None and allowance.reach_nano < all_nano:
        all_nano, capped_by = allowance.reach_nano, "budget"
    if cost_nano(most * choices) <= all_nano:
        return Quote(hold, prompt_bound, output, None, images=images)
    cap = output_affordable(price, prompt_bound, all_nano, images) // choices
    return Quote(hold, prompt_bound, output, cap if cap < most else None, capped_by, images)


def output_affordable(price: Price, prompt_tokens: int, nano: int, images: int = 0) -> int:
    """Return how many output tokens `nano` pays for after the prompt and the pictures."""
    base_nano = price.max_cost_nano(prompt_tokens, 0, images=images)
    per_million = price.max_cost_nano(prompt_tokens, _MILLION, images=images) - base_nano
    if nano < base_nano:
        return 0
    # One token less than the division allows: each bill is rounded up once.
    return max((nano - base_nano - 1) * _MILLION // per_million, 0) if per_million else LONGEST_OUTPUT


async def take_hold(teller: Teller, wallet_id: str, nano: int, kind: Kind, allowance: Allowance | None = None) -> Hold:
    """Take a hold for something of a model of this kind, of the allowance first. Raises BudgetExhausted and
    InsufficientBalance, which say how to ask for less."""
    if allowance is not None:
        allowance.hold(nano, instead=_INSTEAD[kind])
    hold = teller.try_hold(wallet_id, nano)
    if hold is not None:
        return hold
    try:
        return await teller.hold(wallet_id, nano)
    except InsufficientBalance as short:
        raise InsufficientBalance(
            needed_nano=short.needed_nano, available_nano=short.available_nano, instead=_INSTEAD[kind]
        ) from None
