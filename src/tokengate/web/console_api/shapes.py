"""What many controllers share: pages of a list, and the parameters that ask for one."""

from typing import Annotated, Generic, Protocol, TypeVar

from litestar.params import QueryParameter
from msgspec import Meta, Struct

from tokengate.core.errors import BadRequest

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


Yuan = Annotated[
    str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?$", description="An amount in yuan, as a decimal string.")
]
FutureMs = Annotated[int, Meta(ge=0, le=253_402_300_799_999, description="Milliseconds since the epoch, UTC.")]


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """What something is called."""

    name: str


class Page(Struct, Generic[T], frozen=True):
    """A part of a list; `next` is the `after` of the page behind it, null at the end."""

    data: list[T]
    next: str | None


def page_of(found: list[I], limit: int) -> Page[I]:
    """Return a page of what was asked for with one more than `limit`."""
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def require_future(at_ms: int | None, now_ms: int) -> None:
    """Raise BadRequest for the end of something that would be over already."""
    if at_ms is not None and at_ms <= now_ms:
        raise BadRequest("It would have expired already.", param="expires_ms", code="expired_already")
