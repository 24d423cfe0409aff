"""Calendar periods, UTC, after which a budget begins anew: day, week (from Monday), month, or never."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import Struct

Period = Literal["day", "week", "month", "never"]
PERIODS: tuple[Period, ...] = ("day", "week", "month", "never")


class Span(Struct, frozen=True):
    """The period that a moment lies in: its first day, such as 20261121, and when it ends; None is never."""

    first_day: int
    ends_s: int | None


def span_of(period: Period, now_s: float) -> Span:
    """Return the period around a moment."""
    today = datetime.fromtimestamp(now_s, UTC).date()
    match period:
        case "day":
            return _span(today, today + timedelta(days=1))
        case "week":
            monday = today - timedelta(days=today.weekday())
            return _span(monday, monday + timedelta(days=7))
        case "month":
            first = today.replace(day=1)
            return _span(first, (first + timedelta(days=32)).replace(day=1))
        case "never":
            return Span(0, None)


def _span(first: date, after: date) -> Span:
    midnight = datetime(after.year, after.month, after.day, tzinfo=UTC)
    return Span(first.year * 10_000 + first.month * 100 + first.day, int(midnight.timestamp()))
