"""Lists of accounts at the command line, read whole; and what orgs and projects, which have a name, are printed as."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Protocol, TypeVar

import typer
from msgspec import Struct

from tokengate.cli.output import print_fields, print_rows, write_time

NewName = Annotated[str, typer.Option("--name", metavar="NAME", help="What it is called from now on.")]


class HasId(Protocol):
    """Something that a list is paged by."""

    @property
    def id(self) -> str: ...


class HasName(HasId, Protocol):
    """Something that was given a name once."""

    @property
    def name(self) -> str: ...
    @property
    def created_ms(self) -> int: ...


I = TypeVar("I", bound=HasId)  # noqa: E741  # an item


class NamedRow(Struct, frozen=True):
    """An org or a project as it is listed."""

    id: str
    name: str
    created: str | None


async def every(page_after: Callable[[str], Awaitable[list[I]]]) -> list[I]:
    """Return a list whole: page by page, each after the last id of the one before."""
    found: list[I] = []
    while page := await page_after(found[-1].id if found else ""):
        found += page
    return found


def print_named(found: Sequence[HasName], as_json: bool, *, empty: str) -> None:
    """Print a list."""
    rows = [NamedRow(one.id, one.name, write_time(one.created_ms)) for one in found]
    print_rows(rows, as_json, empty=empty)


def print_one(one: HasName, as_json: bool) -> None:
    """Print what was made or changed."""
    print_fields({"id": one.id, "name": one.name, "created": write_time(one.created_ms)}, as_json)
