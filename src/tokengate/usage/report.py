"""Sums of an org's calls by day, model or key; days without calls are there too, with zeros."""

from datetime import date, timedelta
from typing import Literal

from tokengate.core.errors import BadRequest
from tokengate.storage.engine import Database
from tokengate.usage.store import Total, totals

MAX_DAYS = 800  # two years and a bit

By = Literal["day", "model", "key"]


async def usage_report(
    database: Database,
    org_id: str,
    by: By,
    first_day: int,
    last_day: int,
    *,
    key_id: str | None = None,
    model: str | None = None,
    project_id: str | None = None,
) -> list[Total]:
    """Return sums over the days from `first_day` to `last_day` (such as 20261121), both included.

    By day: every day, the earliest first. By model or key: the dearest first. Raises BadRequest for days that are none,
    or too many.
    """
    days = _days(first_day, last_day)
    async with database.read() as read:
        found = await totals(
            read,
            org_id,
            by,
            key_id=key_id,
            model=model,
            project_id=project_id,
            first_day=first_day,
            last_day=last_day,
        )
    if by != "day":
        return found
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
