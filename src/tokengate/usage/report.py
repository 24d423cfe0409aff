"""Sums of an org's calls by day, model or key, or of days split by one of them; days without calls have zeros."""

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.errors import BadRequest
from tokengate.storage.engine import Database
from tokengate.usage.store import EVERYTHING, DayTotal, Total, UsageFilter, totals, totals_of_days

MAX_DAYS = 800  # two years and a bit

By = Literal["day", "model", "key"]
Split = Literal["model", "key"]


class SplitReport(Struct, frozen=True):
    """Sums of every day, and what the dearest models or keys are of each; what is left of a day is the others'."""

    days: list[Total]
    parts: list[DayTotal]


async def usage_report(
    database: Database, org_id: str, by: By, first_day: int, last_day: int, wanted: UsageFilter = EVERYTHING
) -> list[Total]:
    """Return sums over the days from `first_day` to `last_day` (such as 20261121), both included.

    By day: every day, the earliest first. By model or key: the dearest first. Raises BadRequest for days that are none,
    or too many.
    """
    days = _days(first_day, last_day)
    wanted = replace(wanted, first_day=first_day, last_day=last_day)
    async with database.read() as read:
        found = await totals(read, org_id, by, wanted)
    return _every_day(days, found) if by == "day" else found


async def split_report(
    database: Database, org_id: str, split: Split, first_day: int, last_day: int, wanted: UsageFilter = EVERYTHING
) -> SplitReport:
    """Return the report by day, with its days split by model or key. Raises BadRequest as `usage_report`."""
    days = _days(first_day, last_day)
    wanted = replace(wanted, first_day=first_day, last_day=last_day)
    async with database.read() as read:
        # The days come last: a call that is counted between the questions is then the others', never missing.
        parts = await totals_of_days(read, org_id, split, wanted)
        found = await totals(read, org_id, "day", wanted)
    return SplitReport(_every_day(days, found), parts)


def _every_day(days: list[str], found: list[Total]) -> list[Total]:
    by_day = {total.name: total for total in found}
    return [by_day.get(day) or Total(day, 0, 0, 0, 0, 0, 0, 0) for day in days]


def _days(first_day: int, last_day: int) -> list[str]:
    first, last = _date(first_day, "from_day"), _date(last_day, "to_day")
    count = (last - first).days + 1
    if not 1 <= count <= MAX_DAYS:
        raise BadRequest(f"A report covers from 1 to {MAX_DAYS} days.", param="from_day")
    return [f"{first + timedelta(days=number):%Y%m%d}" for number in range(count)]


def _date(day: int, param: str) -> date:
    try:
        return date(day // 10_000, day // 100 % 100, day % 100)
    except ValueError:
        raise BadRequest(f"'{param}' must be a day such as 20261121.", param=param) from None
