"""Finds the line on which a key of a TOML text is written, so that a message can name it.

It looks only at table headers and at the beginnings of lines; the text has been parsed before.
"""

import re
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_WORD = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_PART = re.compile(_WORD)
_KEY = re.compile(rf"^\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")


def line_of(text: str, where: KeyPath) -> int:
    """Return the line, from 1, on which a key path such as `("upstream", 0, "weight")` is written.

    A path inside an inline table or a list is found at the line of the key that holds it.
    """
    found, depth = 1, 0
    for path, line in _written(text):
        if len(path) > depth and path == where[: len(path)]:
            found, depth = line, len(path)
    return found


def _written(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Yield each table header and each key with its line."""
    table: KeyPath = ()
    last: dict[KeyPath, int] = {}  # the index of the newest element of each array of tables
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _resolve(_parts(header[2]), last)
            if header[1] == "[[":
                last[table] = last.get(table, -1) + 1
                table = (*table, last[table])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key[1])), number


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _resolve(parts: tuple[str, ...], last: dict[KeyPath, int]) -> KeyPath:
    """Put the newest element's index after each leading part that names an array of tables."""
    path: KeyPath = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in last:
            path = (*path, last[path])
    return (*path, parts[-1])
