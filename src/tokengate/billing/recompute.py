"""A stored bill worked out again from its price version: what it was charged, and what the arithmetic says.

The units are the bill's own; rates, amounts and total come from the price as it is stored.
"""

import msgspec
from msgspec import Struct

from tokengate.catalog.price import ALWAYS, Price, Tier, When, write_femto
from tokengate.catalog.versions import load_version
from tokengate.core.usage import BUCKETS
from tokengate.storage.engine import Database

_MILLION = 1_000_000


class Line(Struct, frozen=True):
    """One bucket: units / per x price = amount. Amounts are decimal strings in yuan."""

    word: str
    units: int
    price: str
    per: int
    amount: str


class StoredBill(Struct, frozen=True):
    """What `catalog.price.Bill.to_json` wrote."""

    price_version: int
    usage_source: str
    lines: tuple[Line, ...]
    total_nano: int
    when: When = ALWAYS
    unpriced: tuple[str, ...] = ()
    vendor_usage: msgspec.Raw = msgspec.Raw()


class Recomputed(Struct, frozen=True):
    """A bill beside its price. `agrees` says that every amount and the total come out again; None when the version
    is not there any more to be asked."""

    bill: StoredBill
    price: Price | None
    total_nano: int | None
    agrees: bool | None


_decode = msgspec.json.Decoder(StoredBill).decode


async def recompute(database: Database, stored: str) -> Recomputed:
    """Work a stored bill out again. Raises msgspec.DecodeError when it is no bill."""
    bill = _decode(stored)
    price = await load_version(database, bill.price_version)
    if price is None:
        return Recomputed(bill, None, None, None)
    tier = _tier(price, bill.when)
    if tier is None:
        return Recomputed(bill, price, None, False)
    units = {line.word: line.units for line in bill.lines}
    weights = dict(zip(BUCKETS, tier.weights, strict=True))
    total_nano = -(-sum(units[word] * weights.get(word, 0) for word in units) // _MILLION)
    agrees = total_nano == bill.total_nano and all(
        line.amount == write_femto(line.units * weights.get(line.word, -1)) for line in bill.lines
    )
    return Recomputed(bill, price, total_nano, agrees)


def _tier(price: Price, when: When) -> Tier | None:
    return next((tier for tier in price.tiers if tier.when == when), None)
