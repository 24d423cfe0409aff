"""Links to results: only what was signed here is let in, for one file and until its time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import FakeClock
from tokengate.core.errors import Forbidden
from tokengate.files.links import Links

KEY = bytes(range(32))
UNTIL_S = 1_800_000_000


def links_at(now_s: float = UNTIL_S - 1, key: bytes = KEY) -> Links:
    return Links(key, FakeClock(now_s))


def query_of(links: Links, job_id: str = "job_1", name: str = "film.mp4") -> str:
    return links.sign(job_id, name, UNTIL_S).partition("?")[2]


def test_a_link_leads_to_its_file_until_its_time() -> None:
    path = links_at().sign("job_1", "film.mp4", UNTIL_S)

    assert path.startswith(f"/v1/results/job_1/film.mp4?expires={UNTIL_S}&signature=")
    links_at().require_signed("job_1", "film.mp4", path.partition("?")[2])


def test_an_expired_link_says_so() -> None:
    query = query_of(links_at())

    for now_s in (UNTIL_S, UNTIL_S + 1, UNTIL_S + 1e9):
        with pytest.raises(Forbidden) as caught:
            links_at(now_s).require_signed("job_1", "film.mp4", query)
        assert caught.value.code == "link_expired"


def test_a_link_is_for_one_file_and_one_key() -> None:
    query = query_of(links_at())

    for links, job_id, name in (
        (links_at(), "job_2", "film.mp4"),
        (links_at(), "job_1", "other.mp4"),
        (links_at(), "job_1/film.mp4", ""),
        (links_at(key=bytes(32)), "job_1", "film.mp4"),
    ):
        with pytest.raises(Forbidden) as caught:
            links.require_signed(job_id, name, query)
        assert caught.value.code == "link_invalid"


def test_a_later_end_needs_a_signature_of_its_own() -> None:
    query = query_of(links_at()).replace(str(UNTIL_S), str(UNTIL_S + 1))

    with pytest.raises(Forbidden, match="not one that was signed here"):
        links_at().require_signed("job_1", "film.mp4", query)


@given(
    query=st.text(st.characters(max_codepoint=255), max_size=80)
    | st.builds("expires={}&signature={}".format, st.text(max_size=20), st.text(max_size=50))
)
def test_nothing_else_is_let_in(query: str) -> None:
    with pytest.raises(Forbidden):
        links_at().require_signed("job_1", "film.mp4", query)


@given(at=st.integers(0, 42), bit=st.integers(0, 5))
def test_every_character_of_a_signature_counts(at: int, bit: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    head, _, signature = query_of(links_at()).rpartition("=")
    changed = alphabet[alphabet.index(signature[at]) ^ 1 << bit]

    with pytest.raises(Forbidden):
        links_at().require_signed("job_1", "film.mp4", f"{head}={signature[:at]}{changed}{signature[at + 1 :]}")
