"""What an org used and what it cost, by day, model or key: what the charts are drawn from."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from tokengate.core.money import write_yuan
from tokengate.usage.report import By, usage_report
from tokengate.web.console_api.access import may
from tokengate.web.console_api.calls import Exactly
from tokengate.web.console_api.given import OrgId, Services

Day = Annotated[int | None, QueryParameter(ge=19700101, le=99991231, description="A day (UTC) such as 20261121.")]
Grouped = Annotated[By, QueryParameter(name="by", description="What to sum by.")]

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


class UsageReport(Struct, frozen=True):
    """By day every day is there, the earliest first; by model or key the dearest comes first."""

    data: list[UsageRow]
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
        from_day: Day = None,
        to_day: Day = None,
        key_id: Exactly = None,
        model: Exactly = None,
        project_id: Exactly = None,
    ) -> UsageReport:
        """Without days, the last thirty. Sums outlive the calls themselves."""
        today = datetime.fromtimestamp(console.clock.now_s(), UTC)
        last_day = to_day or int(f"{today:%Y%m%d}")
        first_day = from_day or int(f"{today - timedelta(days=_DAYS - 1):%Y%m%d}")
        found = await usage_report(
            console.database, org_id, group, first_day, last_day, key_id=key_id, model=model, project_id=project_id
        )
        total = UsageRow(
            name="total",
            calls=sum(one.calls for one in found),
            errors=sum(one.errors for one in found),
            input_tokens=sum(one.input_tokens for one in found),
            output_tokens=sum(one.output_tokens for one in found),
            cached_tokens=sum(one.cached_tokens for one in found),
            cost_yuan=write_yuan(sum(one.cost_nano for one in found)),
        )
        rows = [
            UsageRow(
                name=one.name,
                calls=one.calls,
                errors=one.errors,
                input_tokens=one.input_tokens,
                output_tokens=one.output_tokens,
                cached_tokens=one.cached_tokens,
                cost_yuan=write_yuan(one.cost_nano),
            )
            for one in found
        ]
        return UsageReport(rows, first_day, last_day, total)
