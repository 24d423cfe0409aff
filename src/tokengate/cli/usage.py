"""What was used and what it cost, summed by model, key or day."""

from typing import Annotated, Literal

import typer
from msgspec import Struct

from tokengate.accounts.store import DEFAULT_ORG
from tokengate.cli.database import ask
from tokengate.cli.options import AsJson, Config, Data, Org, day
from tokengate.cli.output import print_rows
from tokengate.core.money import write_yuan
from tokengate.storage.engine import Database
from tokengate.usage import store
from tokengate.usage.store import Total


class UsageRow(Struct, frozen=True):
    """One line of the sums."""

    name: str
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: str
    overrun: str


def usage(
    by: Annotated[Literal["model", "key", "day"], typer.Option(help="What to sum by.")] = "model",
    first: Annotated[
        int | None, typer.Option("--from", metavar="YYYY-MM-DD", parser=day, help="The first day, UTC.")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", metavar="YYYY-MM-DD", parser=day, help="The last day, UTC.")
    ] = None,
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show calls, tokens and cost. Overrun is what the house bore above what a wallet could pay.

    [dim]tokengate usage --by day --from 2026-11-01[/dim]
    """

    async def question(database: Database) -> list[Total]:
        async with database.read() as read:
            return await store.totals(read, org, by, store.UsageFilter(first, last))

    rows = [_row(total) for total in ask(config, data, question)]
    print_rows(rows, as_json, yuan=("cost", "overrun"), empty="No call has been made yet.")


def _row(total: Total) -> UsageRow:
    return UsageRow(
        name=total.name,
        calls=total.calls,
        errors=total.errors,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cached_tokens=total.cached_tokens,
        cost=write_yuan(total.cost_nano),
        overrun=write_yuan(total.overrun_nano),
    )
