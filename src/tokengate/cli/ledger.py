"""Proof that the books are right."""

import typer

from tokengate.cli.database import ask
from tokengate.cli.options import AsJson, Config, Data
from tokengate.cli.output import print_json
from tokengate.ledger.verify import verify as recompute

app = typer.Typer(help="The ledger.", no_args_is_help=True)


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction]  # keeps `verify` a command of its own
    """The ledger: every yuan that came in, was spent, or was corrected."""


@app.command()
def verify(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """Recompute every balance, bill and sum from the journal, and compare.

    Works beside a running server. Ends with status 1 when there is a difference.
    """
    report = ask(config, data, recompute)
    if as_json:
        print_json(report)
    else:
        for difference in report.differences:
            print(difference)
        if report.calls_since:
            print(f"Single calls before {report.calls_since} are no longer kept; the journal and the daily sums are.")
        print(f"{len(report.differences) or 'No'} difference{'' if len(report.differences) == 1 else 's'}.")
    if report.differences:
        raise typer.Exit(1)
