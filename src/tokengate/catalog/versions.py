"""Keeps the prices in the database in step with the files: a change is a new version, a wild one stops the start.

A bill names its version, so it can be recomputed for as long as the row exists.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from tokengate.catalog.load import Catalog
from tokengate.catalog.price import Price, read_price, write_price, write_rate
from tokengate.catalog.rates import WORDS
from tokengate.catalog.store import add_price, latest_prices, stored_price, versions_of
from tokengate.storage.engine import Database, Tx

_GUARD = 10  # a rate that moves by more than this factor is more often a slip than a decision


class PriceMoved(Exception):
    """Prices moved more than tenfold since the last start and nobody accepted it; nothing was changed."""

    def __init__(self, moves: list[str]) -> None:
        super().__init__(
            "These prices moved more than tenfold since the last start:\n  "
            + "\n  ".join(moves)
            + "\nCorrect them, or accept them once with --accept-prices."
        )
        self.moves = moves


class PriceVersion(Struct, frozen=True):
    """A price and when it came into force."""

    effective_ms: int
    price: Price


class PriceSync(Struct, frozen=True):
    """The models whose price got a new version."""

    added: tuple[str, ...]  # models priced for the first time
    changed: tuple[str, ...]
    versions: Mapping[str, int]  # of every price that was looked at


async def sync_prices(tx: Tx, catalog: Catalog, now_ms: int, accept: bool = False) -> PriceSync:
    """Store every price that is new or differs from its newest version, effective now, and let the catalogue's prices
    name their versions.

    Raises PriceMoved, and stores nothing, when a rate moved more than tenfold; `accept` allows it.
    """
    synced = await store_prices(tx, catalog.prices(), now_ms, accept)
    catalog.set_versions(synced.versions)
    return synced


async def store_prices(tx: Tx, prices: Mapping[str, Price], now_ms: int, accept: bool = False) -> PriceSync:
    """Store those of the prices, by model, that are new or differ from their newest version. Raises PriceMoved."""
    stored = await latest_prices(tx)
    versions: dict[str, int] = {}
    added: list[str] = []
    changed: list[str] = []
    moves: list[str] = []
    for model_id, price in prices.items():
        newest = stored.get(model_id)
        if newest is None:
            added.append(model_id)
        elif newest.price == write_price(price):
            versions[model_id] = newest.version
        else:
            changed.append(model_id)
            moves += [f"{model_id}: {move}" for move in moves_of(read_price(newest.price, version=0), price)]
    if moves and not accept:
        raise PriceMoved(moves)
    for model_id in (*added, *changed):
        price = prices[model_id]
        versions[model_id] = await add_price(
            tx,
            model_id=model_id,
            effective_ms=now_ms,
            price=write_price(price),
            source=price.source,
            currency_rate=price.currency_rate,
        )
    return PriceSync(tuple(added), tuple(changed), versions)


async def load_version(database: Database, version: int) -> Price | None:
    """Return the price as it was at a version, to recompute an old bill."""
    async with database.read() as read:
        row = await stored_price(read, version)
    if row is None:
        return None
    return read_price(row.price, version=row.version, source=row.source, currency_rate=row.currency_rate)


async def price_history(database: Database, model_id: str) -> list[PriceVersion]:
    """Return every version of a model's price, the newest first."""
    async with database.read() as read:
        rows = await versions_of(read, model_id)
    return [
        PriceVersion(
            row.effective_ms,
            read_price(row.price, version=row.version, source=row.source, currency_rate=row.currency_rate),
        )
        for row in rows
    ]


def moves_of(old: Price, new: Price) -> list[str]:
    """Return a sentence for each word that moved more than tenfold, to or from free included.

    Tiers with the same conditions are compared with each other; a tier that came or went, with the range of the
    other price. A word that had no price before may take any.
    """
    moves: dict[str, None] = {}
    before = {tier.when: structs.asdict(tier.rates) for tier in old.tiers}
    after = {tier.when: structs.asdict(tier.rates) for tier in new.tiers}
    for word in WORDS:
        pairs = [(before[when][word], after[when][word]) for when in before.keys() & after.keys()]
        old_range, new_range = _range(before.values(), word), _range(after.values(), word)
        if before.keys() != after.keys() and old_range:
            pairs += zip(old_range, new_range or (None, None), strict=True)
        for was, now in pairs:
            if was is not None and _moved(was, now or 0):
                moves[f"{word} from {write_rate(word, was)} to {write_rate(word, now or 0)} yuan"] = None
    return list(moves)


def _range(tiers: Iterable[Mapping[str, int | None]], word: str) -> tuple[int, int] | None:
    rates = [rate for tier in tiers if (rate := tier[word]) is not None]
    return (min(rates), max(rates)) if rates else None


def _moved(was: int, now: int) -> bool:
    return max(was, now) > _GUARD * min(was, now)
