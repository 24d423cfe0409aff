"""Markdown as the text that its reader sees, for search: what is found on a page, and what is shown of it."""

import re

_FENCE = re.compile(r"^ *(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*\|[ \t|:-]+\|[ \t]*$\n?", re.MULTILINE)  # below the head of a table
_ROW = re.compile(r"^[ \t]*\|(.*)\|[ \t]*$", re.MULTILINE)
_CELL_END = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)
_MARKS = re.compile(r"\*\*|`")


def plain(markdown: str) -> str:
    """Return the text without marks: links and pictures as their words, cells apart, code as it is.

    `## The [key](x.md)` becomes `The key`.
    """
    text = _RULE.sub("", _FENCE.sub("", markdown))
    text = _ROW.sub(lambda row: " · ".join(filter(None, map(str.strip, _CELL_END.split(row[1])))), text)
    return _MARKS.sub("", _HEADING.sub("", _LINK.sub(r"\1", text)))
