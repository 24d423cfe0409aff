"""What a call may cost at most, before it runs: the amount to hold and the output cap to send.

Bound = prompt upper bound x input price + output cap x output price. A call that names its cap is held for all of
it or refused. A call that names none is held for a default cap, so that it does not take a whole wallet; when
the wallet could not pay the model's maximum, the cap sent upstream is what the wallet can pay.
"""

from msgspec import Struct

from tokengate.catalog.model import Model
from tokengate.catalog.price import Price
from tokengate.core.errors import InsufficientBalance
from tokengate.ledger.teller import Hold, Teller

LONGEST_OUTPUT = 131_072  # for a model whose maximum nobody stated: the longest output sold today
_MILLION = 1_000_000


class Quote(Struct, frozen=True):
    """A hold that has been taken. Token counts cover all choices (`n`) together."""

    hold: Hold
    prompt_bound: int
    output_held: int  # output tokens that the hold covers
    output_cap: int | None  # per choice: the cap to send upstream because the wallet cannot pay more


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
) -> Quote:
    """Take the hold for one call. Raises InsufficientBalance, naming needed and available yuan.

    `asked_cap` is per choice, as the caller wrote it. `prompt_bound` is in tokens.
    """
    if model.context is not None:
        prompt_bound = min(prompt_bound, model.context * prompts)
    if not model.has_output:
        nano = price.max_cost_nano(prompt_bound, 0)
        return Quote(await _hold(teller, wallet_id, nano), prompt_bound, 0, None)

    most = model.max_output or LONGEST_OUTPUT
    if asked_cap is not None:
        output = min(asked_cap, most) * choices
        nano = price.max_cost_nano(prompt_bound, output)
        return Quote(await _hold(teller, wallet_id, nano), prompt_bound, output, None)
    return await _hold_uncapped(teller, wallet_id, price, prompt_bound, most, choices, default_cap)


async def _hold_uncapped(
    teller: Teller, wallet_id: str, price: Price, prompt_bound: int, most: int, choices: int, default_cap: int
) -> Quote:
    output = min(most, default_cap) * choices
    base_nano = price.max_cost_nano(prompt_bound, 0)
    try:
        hold = await _hold(teller, wallet_id, price.max_cost_nano(prompt_bound, output))
    except InsufficientBalance as short:
        output = _affordable(price, prompt_bound, base_nano, short.available_nano) // choices * choices
        if output < choices:
            raise
        hold = await _hold(teller, wallet_id, price.max_cost_nano(prompt_bound, output))
        return Quote(hold, prompt_bound, output, output // choices)

    all_nano = hold.nano + teller.free_nano(wallet_id)
    if price.max_cost_nano(prompt_bound, most * choices) <= all_nano:
        return Quote(hold, prompt_bound, output, None)
    cap = _affordable(price, prompt_bound, base_nano, all_nano) // choices
    return Quote(hold, prompt_bound, output, cap if cap < most else None)


def output_affordable(price: Price, prompt_tokens: int, nano: int) -> int:
    """Return how many output tokens `nano` pays for after the prompt."""
    return _affordable(price, prompt_tokens, price.max_cost_nano(prompt_tokens, 0), nano)


def _affordable(price: Price, prompt_bound: int, base_nano: int, nano: int) -> int:
    per_million = price.max_cost_nano(prompt_bound, _MILLION) - base_nano
    if nano <= base_nano:
        return 0
    # One token less than the division allows: each bill is rounded up once.
    return max((nano - base_nano - 1) * _MILLION // per_million, 0) if per_million else LONGEST_OUTPUT


async def _hold(teller: Teller, wallet_id: str, nano: int) -> Hold:
    return teller.try_hold(wallet_id, nano) or await teller.hold(wallet_id, nano)
