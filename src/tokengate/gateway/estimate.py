"""What a call would come to, without making it: the same reading, bounds and prices as the call itself."""

from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.billing.quote import LONGEST_OUTPUT
from tokengate.catalog import price as prices
from tokengate.catalog.price import CallTraits
from tokengate.core.usage import Usage
from tokengate.gateway.asked import as_counted
from tokengate.gateway.count import count_prompt
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.preset import with_preset


class Estimate(Struct, frozen=True):
    """Tokens and nano yuan. `least` is for the expected prompt and an empty answer; `held` is what is set aside."""

    model: str
    input_expected: int
    input_most: int
    output_most: int
    least_nano: int
    most_nano: int
    held_nano: int
    price_version: int


async def estimate(gateway: Gateway, principal: Principal, operation: Operation, body: bytes) -> Estimate:
    """Return what a request would come to. Raises GatewayError as the call would, but for the wallet's and limits'."""
    asked = operation.read(body)
    model, price, _ = gateway.find(asked.model, operation, principal)
    if model.preset is not None:
        asked = with_preset(model, model.preset, asked, operation, body)
    asked = as_counted(asked, model)
    bound = asked.prompt_bound
    if model.context is not None:
        bound = min(bound, model.context * asked.prompts)
    expected = min((await count_prompt(operation, asked.chat, body, model)).tokens, bound)
    most = model.max_output or LONGEST_OUTPUT
    if asked.output_cap is not None:
        held = most = min(asked.output_cap, most)
    else:
        held = min(most, gateway.default_output_cap)
    written = asked.generated if model.has_output or asked.characters else 0
    traits = CallTraits(thinking=asked.thinking, size=asked.size, quality=asked.quality)
    least = prices.bill(Usage(input=expected, character=asked.characters), price, traits)
    pieces = (asked.searches, asked.images, asked.characters, asked.seconds)
    return Estimate(
        model=model.id,
        input_expected=expected,
        input_most=bound,
        output_most=most * written,
        least_nano=least.total_nano,
        most_nano=price.max_cost_nano(bound, most * written, *pieces),
        held_nano=price.max_cost_nano(bound, held * written, *pieces),
        price_version=price.version,
    )
