"""The options that many commands share, and how amounts and limits are read from a command line."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tokengate.core.money import read_yuan, write_yuan

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration file (default: tokengate.toml, if there is one)."),
]
Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The data folder (default: data).")]
Org = Annotated[str, typer.Option("--org", metavar="ORG_ID", help="An org, as `tokengate orgs list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def yuan(text: str) -> int:
    """Read an amount such as 12.34 into nano yuan."""
    try:
        return read_yuan(text.removeprefix("¥"))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def positive_yuan(text: str) -> int:
    """Read an amount above zero."""
    nano = yuan(text)
    if nano <= 0:
        raise typer.BadParameter(f"¥{write_yuan(nano)} is not above zero")
    return nano


def not_empty(text: str) -> str:
    """Refuse a blank name."""
    if not text.strip():
        raise typer.BadParameter("it must not be empty")
    return text.strip()


def day(text: str) -> int:
    """Read a day such as 2026-11-21 into the integer 20261121."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-11-21") from None
    return read.year * 10_000 + read.month * 100 + read.day
