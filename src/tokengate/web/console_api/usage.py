"""What an org used and what it cost, by day, model or key: what the charts are drawn from. Days may be split."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from tokengate.core.errors import BadRequest
from tokengate.core.money import write_yuan
from tokengate.usage.report import By, Split, split_report, usage_report
from tokengate.usage.store import DayTotal, Total, UsageFilter
from tokengate.web.console_api.access import may
from tokengate.web.console_api.calls import Exactly
from tokengate.web.console_api.given import OrgId, Services

Day = Annotated[int | None, QueryParameter(ge=19700101, le=99991231, description="A day (UTC) such as 20261121.")]
Grouped = Annotated[By, QueryParameter(name="by", description="What to sum by.")]
Splitting = Annotated[Split | None, QueryParameter(description="What every day is split by; only with `by=day`.")]

_DAYS = 30  # when nothing else is asked for


class UsageRow(Struct, frozen=True):
    """Sums of one day (such as 20261121), model or key; `name` says which."""

    name: str
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_yuan: str


class DayPart(Struct, frozen=True):
    """What one model or key is of a day."""

    day: str
    row: UsageRow


class UsageReport(Struct, frozen=True):
    """By day every day is there, the earliest first; by model or key the dearest comes first.

    `parts` are there when days are split: what the dearest few models or keys are of each day. The rest of a day is
    the other models' or keys'.
    """

    data: list[UsageRow]
    parts: list[DayPart]
    from_day: int
    to_day: int
    total: UsageRow


class Usage(Controller):
    """`/orgs/{org_id}/usage`."""

    path = "/orgs/{org_id:str}/usage"
    tags = ("usage",)

    @get(guards=[may("calls.read")], summary="Sum an org's calls by day, model or key")
    async def report(
        self,
        console: Services,
        org_id: OrgId,
        group: Grouped = "day",
        split: Splitting = None,
        from_day: Day = None,
        to_day: Day = None,
        key_id: Exactly = None,
        model: Exactly = None,
        project_id: Exactly = None,
    ) -> UsageReport:
        """Without days, the last thirty. Sums outlive the calls themselves."""
        if split and group != "day":
            raise BadRequest("Only days can be split.", param="split")
        today = datetime.fromtimestamp(console.clock.now_s(), UTC)
        last_day = to_day or int(f"{today:%Y%m%d}")
        first_day = from_day or int(f"{today - timedelta(days=_DAYS - 1):%Y%m%d}")
        wanted = UsageFilter(key_id=key_id, model=model, project_id=project_id)
        parts: list[DayTotal] = []
        if split:
            report = await split_report(console.database, org_id, split, first_day, last_day, wanted)
            found, parts = report.days, report.parts
        else:
            found = await usage_report(console.database, org_id, group, first_day, last_day, wanted)
        return UsageReport(
            data=[_row(one) for one in found],
            parts=[DayPart(part.day, _row(part.total)) for part in parts],
            from_day=first_day,
            to_day=last_day,
            total=_row(_sum(found)),
        )


def _sum(found: list[Total]) -> Total:
    names = (name for name in Total.__struct_fields__ if name != "name")
    return Total("total", **{name: sum(getattr(one, name) for one in found) for name in names})


def _row(total: Total) -> UsageRow:
    return UsageRow(
        name=total.name,
        calls=total.calls,
        errors=total.errors,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cached_tokens=total.cached_tokens,
        cost_yuan=write_yuan(total.cost_nano),
    )
