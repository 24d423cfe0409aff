import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.errors import BadRequest
from tokengate.reference.listing import FACETS, Listing, Row, Sort

VENDORS = ("openai", "qwen", "zhipu")
KINDS = ("chat", "image")

models = st.lists(
    st.tuples(
        st.integers(0, 99),
        st.sampled_from(VENDORS),
        st.sampled_from(KINDS),
        st.sets(st.sampled_from(("text", "vision"))),
        st.one_of(st.none(), st.integers(0, 5)),
    ),
    max_size=30,
)


def row(number: int, vendor: str, kind: str, abilities: set[str], price: int | None, place: int = 0) -> Row:
    facets = {"vendor": (vendor,), "kind": (kind,), "capability": tuple(sorted(abilities))}
    return Row(f"m{place}", f"Model {number}", facets, f"m{place} model {number} {vendor}", input_nano=price)


@given(
    models, st.sets(st.sampled_from(VENDORS)), st.sets(st.sampled_from(KINDS)), st.sampled_from(("", "model 1", "qwen"))
)
def test_pages_and_counts_are_those_of_a_plain_scan(
    made: list[tuple[int, str, str, set[str], int | None]], vendors: set[str], kinds: set[str], q: str
) -> None:
    rows = [row(*one, place=place) for place, one in enumerate(made)]
    listing = Listing(rows)
    chosen = {"vendor": sorted(vendors), "kind": sorted(kinds)}

    found = listing.select(chosen, q=q, limit=200)

    def fits(one: Row, but: str = "") -> bool:
        return all(word in one.text for word in q.split()) and all(
            not values or facet == but or set(values) & set(one.facets[facet]) for facet, values in chosen.items()
        )

    assert list(found.ids) == [one.id for one in rows if fits(one)]
    assert found.total == len(found.ids)
    for facet in FACETS:
        for value, count in found.counts[facet].items():
            assert count == sum(fits(one, facet) and value in one.facets.get(facet, ()) for one in rows)


@pytest.mark.parametrize("sort", ["name", "input", "updated"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_follow_each_other_without_gaps(sort: Sort, descending: bool):
    rows = [row(n * 7 % 23, "qwen", "chat", set(), None if n % 5 == 0 else n % 4, place=n) for n in range(23)]
    listing = Listing(rows)

    whole = listing.select({}, sort=sort, descending=descending, limit=100).ids
    after: str | None = ""
    paged: list[str] = []
    while after is not None:
        page = listing.select({}, sort=sort, descending=descending, limit=4, after=after)
        paged += page.ids
        after = page.next

    assert paged == list(whole) and len(set(whole)) == 23
    if sort == "input":
        prices = [next(one.input_nano for one in rows if one.id == id) for id in whole]
        priced = [price for price in prices if price is not None]
        assert prices[len(priced) :] == [None] * 5
        assert priced == sorted(priced, reverse=descending)


@pytest.mark.parametrize("after", ["-1", "x", "٣", "9" * 10])
def test_an_after_that_no_page_returned_is_refused(after: str):
    with pytest.raises(BadRequest):
        Listing([]).select({}, after=after)


def test_ten_thousand_models_are_filtered_at_once():
    rows = [row(n, VENDORS[n % 3], KINDS[n % 2], {"text"}, n, place=n) for n in range(10_000)]
    listing = Listing(rows)
    listing.select({}, sort="input")

    began_s = time.perf_counter()
    found = listing.select({"vendor": ["qwen"]}, q="model 12", sort="input", descending=True, limit=50)
    took_s = time.perf_counter() - began_s

    assert len(found.ids) == 50
    assert took_s < 0.5  # some milliseconds; a slow machine is no failure
