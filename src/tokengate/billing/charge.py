"""The money of one call, from hold to settlement.

    with Charge(quote, ...) as charge: ... bill = await charge.settle(usage, ...)

Leaving without settling releases the hold. A settled bill carries its rows: whoever settles must commit them, with
everything else of the call, before the reply's last byte leaves, or revoke the charge when they are refused.
"""

from types import TracebackType
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from tokengate.billing.quote import Quote, output_affordable
from tokengate.catalog import price as prices
from tokengate.catalog.price import CallTraits, Price
from tokengate.core.usage import Usage, UsageSource
from tokengate.ledger.teller import Teller
from tokengate.limits.budgets import Allowance
from tokengate.storage.writer import Row

_GROWTH_TOKENS = 4_096  # a stream's hold grows by this many output tokens at a time


class Bill(Struct, frozen=True):
    """What a call came to."""

    cost_nano: int  # what the wallet pays
    overrun_nano: int  # what the house bears beyond it
    json: str  # the bill line: price version, words x price = amount, usage source, the vendor's own usage
    alarms: tuple[str, ...]  # units on the wire that have no price
    rows: list[Row]


class Charge:
    """Owns one hold. `price` is the version in force when the call was admitted; `traits` pick its tier; `allowance` is
    its admission's, which ends it."""

    __slots__ = ("_allowance", "_open", "_teller", "_traits", "price", "quote", "wallet_id")

    def __init__(
        self,
        quote: Quote,
        price: Price,
        traits: CallTraits,
        wallet_id: str,
        teller: Teller,
        allowance: Allowance | None = None,
    ) -> None:
        self.quote = quote
        self.price = price
        self._traits = traits
        self.wallet_id = wallet_id
        self._teller = teller
        self._allowance = allowance
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._open = False
            self._teller.release(self.quote.hold)

    def output_covered(self) -> int:
        """Return how many output tokens the hold pays for now."""
        quote = self.quote
        return output_affordable(self.price, quote.prompt_bound, quote.hold.nano, quote.images)

    async def cover_more(self, delivered_tokens: int) -> int:
        """Grow the hold by a step beyond what it covers and what was delivered, as far as wallet and budget allow;
        return how many output tokens it now pays for."""
        wanted_tokens = max(self.output_covered(), delivered_tokens) + _GROWTH_TOKENS
        quote = self.quote
        wanted_nano = self.price.max_cost_nano(quote.prompt_bound, wanted_tokens, images=quote.images) + 1
        if self._allowance is not None:
            wanted_nano = self._allowance.grow(wanted_nano)
        await self._teller.grow(quote.hold, wanted_nano)
        return self.output_covered()

    async def settle(
        self,
        usage: Usage,
        source: UsageSource,
        raw_usage: bytes | None,
        *,
        call_id: str,
        now_ms: int,
        size: str | None = None,
        quality: str | None = None,
    ) -> Bill:
        """Price the usage and move the money out of the lease; a cost above the hold first grows it as far as the
        wallet allows, and what remains is the house's overrun. `size` and `quality` are those of what was made, where
        the vendor says so; otherwise those that were asked for count."""
        hold = self.quote.hold
        traits = self._traits
        if size is not None or quality is not None:
            traits = replace(traits, size=size or traits.size, quality=quality or traits.quality)
        priced = prices.bill(usage, self.price, traits)
        if priced.total_nano > hold.nano:
            await self._teller.grow(hold, priced.total_nano)
        line = priced.to_json(source, raw_usage)  # before the money moves: from there on nothing may fail
        self._open = False
        settled = self._teller.settle(hold, priced.total_nano, call_id=call_id, now_ms=now_ms)
        return Bill(
            cost_nano=settled.settled_nano,
            overrun_nano=settled.overrun_nano,
            json=line,
            alarms=priced.alarms,
            rows=settled.rows,
        )

    def revoke(self, bill: Bill) -> None:
        """Undo the settlement: none of the bill's rows was written."""
        self._teller.revoke(self.quote.hold, bill.cost_nano)
