"""How results are printed: a table for a person, JSON for a program, amounts always in yuan."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 240  # columns when nobody is looking: nothing is cut off


def console() -> Console:
    """Return a console on standard output as it is now."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=False)


def print_rows(rows: Sequence[Struct], as_json: bool, *, yuan: Sequence[str] = (), empty: str) -> None:
    """Print a list. The fields named in `yuan` are decimal strings in yuan; `empty` is said when there is no row."""
    if as_json:
        print_json(rows)
        return
    out = console()
    if not rows:
        out.print(empty, markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    fields = rows[0].__struct_fields__
    for name in fields:
        number = name in yuan or all(isinstance(getattr(row, name), int | None) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(getattr(row, name), name in yuan) for name in fields))
    out.print(table)


def print_fields(fields: Mapping[str, object], as_json: bool, *, yuan: Sequence[str] = ()) -> None:
    """Print one thing, a line per field."""
    if as_json:
        print_json(fields)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields.items():
        table.add_row(name.replace("_", " "), _cell(value, name in yuan))
    console().print(table)


def print_json(value: object) -> None:
    """Print indented JSON that a program can read."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def write_time(ms: int | None) -> str | None:
    """Return a time as `2026-11-21 08:00:00Z`; None stays None."""
    return None if ms is None else f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


def _cell(value: object, yuan: bool) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return f"¥{text}" if yuan else text.replace("[", r"\[")
