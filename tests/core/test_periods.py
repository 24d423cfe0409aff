from datetime import UTC, datetime

import pytest

from tokengate.core.periods import Period, span_of


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "first_day", "ends"),
    [
        ("day", "2026-11-21T00:00:00", 20261121, "2026-11-22T00:00:00"),
        ("day", "2026-12-31T23:59:59", 20261231, "2027-01-01T00:00:00"),
        ("week", "2026-11-21T12:00:00", 20261116, "2026-11-23T00:00:00"),  # a Saturday
        ("week", "2026-11-23T00:00:00", 20261123, "2026-11-30T00:00:00"),
        ("month", "2026-11-21T12:00:00", 20261101, "2026-12-01T00:00:00"),
        ("month", "2026-12-31T12:00:00", 20261201, "2027-01-01T00:00:00"),
        ("month", "2028-02-29T12:00:00", 20280201, "2028-03-01T00:00:00"),
    ],
)
def test_a_period_begins_and_ends_with_the_calendar(period: Period, now: str, first_day: int, ends: str):
    span = span_of(period, at(now))

    assert (span.first_day, span.ends_s) == (first_day, at(ends))


def test_never_has_no_end():
    assert span_of("never", at("2026-11-21")).ends_s is None
