"""One JSON object of a request, taken apart member by member, with each member's type checked.

Null is the same as absent. What nobody took is what the vocabulary has no word for: `rest`.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.parts import Extra
from tokengate.formats.openai.refusal import missing, must_be
from tokengate.formats.openai.shapes import is_list, is_object

encode = msgspec.json.Encoder().encode


class Fields:
    """The members of `value`, which the caller wrote at `param`. Every method raises BadRequest for a wrong type."""

    __slots__ = ("_left", "param")

    def __init__(self, value: Any, param: str) -> None:
        if not is_object(value):
            raise must_be(param, "an object")
        self.param = param
        self._left = {name: item for name, item in value.items() if item is not None}

    def path(self, name: str) -> str:
        """Return where a member is, as an error names it."""
        return f"{self.param}.{name}" if self.param else name

    def any(self, name: str) -> Any:
        """Take a member of any type; None when there is none."""
        return self._left.pop(name, None)

    def text(self, name: str) -> str | None:
        """Take a string."""
        value = self.any(name)
        if value is not None and type(value) is not str:
            raise must_be(self.path(name), "a string")
        return value

    def needed_text(self, name: str) -> str:
        """Take a string that must be there."""
        value = self.text(name)
        if value is None:
            raise missing(self.path(name))
        return value

    def flag(self, name: str) -> bool | None:
        """Take true or false."""
        value = self.any(name)
        if value is not None and type(value) is not bool:
            raise must_be(self.path(name), "true or false")
        return value

    def integer(self, name: str) -> int | None:
        """Take an integer."""
        value = self.any(name)
        if value is not None and type(value) is not int:
            raise must_be(self.path(name), "an integer")
        return value

    def number(self, name: str) -> float | None:
        """Take a number."""
        value = self.any(name)
        if value is not None and type(value) not in (int, float):
            raise must_be(self.path(name), "a number")
        return value

    def items(self, name: str) -> list[Any] | None:
        """Take a list."""
        value = self.any(name)
        if value is not None and not is_list(value):
            raise must_be(self.path(name), "a list")
        return value

    def inner(self, name: str) -> "Fields | None":
        """Take an object."""
        value = self.any(name)
        return None if value is None else Fields(value, self.path(name))

    def needed_inner(self, name: str) -> "Fields":
        """Take an object that must be there."""
        value = self.inner(name)
        if value is None:
            raise missing(self.path(name))
        return value

    def raw(self, name: str) -> Raw | None:
        """Take an object as JSON."""
        value = self.any(name)
        if value is None:
            return None
        if not is_object(value):
            raise must_be(self.path(name), "an object")
        return Raw(encode(value))

    def keep(self, name: str, inner: "Fields") -> None:
        """Put back what is left of an object that was taken."""
        if inner._left:
            self._left[name] = inner._left

    def put(self, name: str, taken: dict[str, Any], inner: "Fields") -> None:
        """Put an object back whole: what was taken out of it, and what is left."""
        self._left[name] = taken | inner._left

    def rest(self) -> Extra:
        """Return the members that nobody took, as JSON."""
        return {name: Raw(encode(value)) for name, value in self._left.items()}
