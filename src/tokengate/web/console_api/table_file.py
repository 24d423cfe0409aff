"""Tables as files that a spreadsheet opens: nothing in a cell is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# A cell that begins with one of these would be a formula in a spreadsheet, unless it is a number.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_is_number = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch


def csv_headers(name: str) -> dict[str, str]:
    """Return the headers of a file to download."""
    return {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as lines of a CSV file; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() if value.startswith(_FORMULA) and not _is_number(value):
            return f"'{value}"
        case _:
            return str(value)
