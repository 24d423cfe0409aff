"""What many controllers share: pages of a list, and the parameters that ask for one."""

from typing import Annotated, Generic, Protocol, TypeVar

from litestar.params import QueryParameter
from msgspec import Struct

MAX_PAGE = 200


class HasId(Protocol):
    """Something that a list is paged by."""

    @property
    def id(self) -> str: ...


T = TypeVar("T")
I = TypeVar("I", bound=HasId)  # noqa: E741  # an item

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")]
After = Annotated[str, QueryParameter(max_length=64, description="The `next` of the page before.")]
Search = Annotated[str, QueryParameter(max_length=100, description="A part of the name.")]


class Page(Struct, Generic[T], frozen=True):
    """A part of a list; `next` is the `after` of the page behind it, null at the end."""

    data: list[T]
    next: str | None


def page_of(found: list[I], limit: int) -> Page[I]:
    """Return a page of what was asked for with one more than `limit`."""
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)
