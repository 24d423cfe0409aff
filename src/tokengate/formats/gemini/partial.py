"""Arguments of a function call that arrive piecewise, each piece with the JSON path of its place."""

import re
from itertools import pairwise
from typing import Any

import msgspec

from tokengate.core.errors import UpstreamFailed
from tokengate.formats.gemini.response import PartialArg, present
from tokengate.formats.gemini.shapes import is_list, is_object

_MAX_GAP = 100  # elements of a list that one piece may leave out
_MAX_DEPTH = 64
_MAX_TEXT = 4 * 1024 * 1024  # characters of one call's arguments
_STEP = re.compile(r"""\.?([^.\[\]'"]+)|\[(\d{1,6})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_encode = msgspec.json.Encoder().encode


class Arguments:
    """One call's arguments as they grow."""

    __slots__ = ("_pieces", "_size", "_value")

    def __init__(self) -> None:
        self._value: dict[str, Any] = {}
        self._pieces: dict[str, list[str]] = {}  # strings that are still growing, by path
        self._size = 0

    def add(self, piece: PartialArg) -> None:
        """Take one piece. Raises UpstreamFailed for what has no place in an object."""
        path = piece.json_path or ""
        if piece.string_value is not None:
            pieces = self._pieces.setdefault(path, [])
            pieces.append(piece.string_value)
            self._size += len(piece.string_value) + 1
            if self._size > _MAX_TEXT:
                raise _unreadable()
            if not piece.will_continue:
                self._set(path, "".join(self._pieces.pop(path)))
        elif path in self._pieces and not piece.will_continue:
            self._set(path, "".join(self._pieces.pop(path)))
        elif piece.number_value is not None:
            number = piece.number_value
            self._set(path, int(number) if number.is_integer() and abs(number) < 2**53 else number)
        elif piece.bool_value is not None:
            self._set(path, piece.bool_value)
        elif present(piece.null_value):
            self._set(path, None)

    def text(self) -> str:
        """Return the arguments as JSON text."""
        for path in list(self._pieces):
            self._set(path, "".join(self._pieces.pop(path)))
        return _encode(self._value).decode()

    def _set(self, path: str, value: Any) -> None:
        steps = _steps(path)
        self._size += len(steps)
        holder: Any = self._value
        for step, following in pairwise(steps):
            inner: Any = _at(holder, step)
            if inner is None:
                inner = [] if isinstance(following, int) else {}
                _put(holder, step, inner)
            holder = inner
        _put(holder, steps[-1], value)


def _at(holder: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return holder.get(step) if is_object(holder) else None
    return holder[step] if is_list(holder) and step < len(holder) else None


def _put(holder: Any, step: str | int, value: Any) -> None:
    if isinstance(step, str) and is_object(holder):
        holder[step] = value
    elif isinstance(step, int) and is_list(holder) and step <= len(holder) + _MAX_GAP:
        holder += [None] * (step + 1 - len(holder))
        holder[step] = value
    else:
        raise _unreadable()


def _steps(path: str) -> list[str | int]:
    """Return the steps of a path such as $.flights[0].from. Raises UpstreamFailed."""
    steps: list[str | int] = []
    at = 1 if path.startswith("$") else 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or len(steps) == _MAX_DEPTH:
            raise _unreadable()
        at = step.end()
        if step[2] is not None:
            steps.append(int(step[2]))
        else:
            steps.append(step[1] or re.sub(r"\\(.)", r"\1", step[3] or step[4] or ""))
    if not steps or type(steps[0]) is int:
        raise _unreadable()
    return steps


def _unreadable() -> UpstreamFailed:
    return UpstreamFailed("The upstream's function call cannot be read.", kind="invalid")
