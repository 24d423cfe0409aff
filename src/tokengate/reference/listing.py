"""The list of models: filtered, counted by facet, sorted and paged, in a few milliseconds for 10,000 models.

Each value of each facet is a set of rows kept as the bits of one integer, so a filter is an AND and a count is a
population count. Sort orders are worked out once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from tokengate.core.errors import BadRequest

Sort = Literal["default", "name", "vendor", "context", "input", "output", "updated", "calls"]

FACETS = ("vendor", "kind", "series", "capability", "region", "status")
MAX_PAGE = 200


class Row(Struct, frozen=True):
    """What of a model is filtered and sorted by. Prices are nano yuan per million tokens."""

    id: str
    name: str
    facets: Mapping[str, tuple[str, ...]]
    text: str  # lower case; what a search looks in
    context: int = 0
    input_nano: int | None = None
    output_nano: int | None = None
    updated: str = ""
    calls: int = 0
    available: bool = True


class Count(Struct, frozen=True):
    """A value of a facet and how many models have it, given the other filters."""

    value: str
    title: str
    count: int


class Selected(Struct, frozen=True):
    """A page of ids, and the counts beside it."""

    ids: tuple[str, ...]
    total: int
    next: str | None
    counts: Mapping[str, Mapping[str, int]]


class Listing:
    """The rows of a catalogue, ready to be asked."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)
        self._all = (1 << len(self._rows)) - 1
        self._sets: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
        for number, row in enumerate(self._rows):
            bit = 1 << number
            for facet, values in row.facets.items():
                known = self._sets[facet]
                for value in values:
                    known[value] = known.get(value, 0) | bit
        self._orders: dict[Sort, list[int]] = {}

    def select(
        self,
        chosen: Mapping[str, Sequence[str]],
        *,
        q: str = "",
        sort: Sort = "default",
        descending: bool = False,
        limit: int = 50,
        after: str = "",
    ) -> Selected:
        """Return a page of the models that have one of the chosen values in every facet, and all words of `q`.

        Raises BadRequest for an `after` that no page returned.
        """
        start = _offset(after)
        matching = self._matching(q)
        sets = {facet: self._chosen(facet, chosen.get(facet, ())) for facet in FACETS}
        counts = {facet: self._counts(facet, sets, matching) for facet in FACETS}
        for bits in sets.values():
            matching &= bits
        present = bin(matching)[:1:-1]  # "1" at the place of each row that is in
        ordered = [at for at in self._order(sort, descending) if at < len(present) and present[at] == "1"]
        page = ordered[start : start + limit]
        more = start + limit < len(ordered)
        return Selected(
            tuple(self._rows[at].id for at in page), len(ordered), str(start + limit) if more else None, counts
        )

    def _chosen(self, facet: str, values: Sequence[str]) -> int:
        if not values:
            return self._all
        known = self._sets[facet]
        bits = 0
        for value in values:
            bits |= known.get(value, 0)
        return bits

    def _counts(self, facet: str, sets: Mapping[str, int], matching: int) -> dict[str, int]:
        others = matching
        for name, bits in sets.items():
            if name != facet:
                others &= bits
        return {value: (bits & others).bit_count() for value, bits in self._sets[facet].items()}

    def _matching(self, q: str) -> int:
        words = q.lower().split()
        if not words:
            return self._all
        bits = "".join("1" if all(word in row.text for word in words) else "0" for row in reversed(self._rows))
        return int(bits or "0", 2)

    def _order(self, sort: Sort, descending: bool) -> Iterable[int]:
        order = self._orders.get(sort)
        if order is None:
            order = self._orders[sort] = sorted(range(len(self._rows)), key=lambda at: _key(self._rows[at], sort, at))
        if not descending:
            return order
        if sort in ("input", "output"):  # models without a price stay at the end
            priced = [at for at in order if _price(self._rows[at], sort) is not None]
            return [*reversed(priced), *order[len(priced) :]]
        return reversed(order)


def _key(row: Row, sort: Sort, place: int) -> tuple[bool, int | str, int]:
    match sort:
        case "default":
            return not row.available, 0, place
        case "name":
            return False, row.name.casefold(), place
        case "vendor":
            return False, "".join(row.facets.get("vendor", ())), place
        case "context":
            return False, row.context, place
        case "updated":
            return False, row.updated, place
        case "calls":
            return False, row.calls, place
        case "input" | "output":
            price = _price(row, sort)
            return price is None, price or 0, place


def _price(row: Row, sort: Sort) -> int | None:
    return row.input_nano if sort == "input" else row.output_nano


def _offset(after: str) -> int:
    if not after:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= 9):
        raise BadRequest("'after' must be the `next` of an earlier page.", param="after")
    return int(after)
