"""Thinking that a model writes into its text: `<think>...</think>` at the beginning, then the answer."""

from msgspec import Struct

_OPEN, _CLOSE = "<think>", "</think>"


class Told(Struct, frozen=True):
    """A piece of text, and whether it was thought or said."""

    thought: bool
    text: str


class ThinkText:
    """Tells thought from said in the pieces of one text, wherever it is cut.

    A text that does not begin with the tag is said as it stands; blank lines around thoughts belong to nobody.
    """

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "start"  # start, opened (line ends before thoughts), thinking, thought (those after), saying
        self._held = ""

    def feed(self, piece: str) -> list[Told]:
        """Return what is certain by now."""
        told: list[Told] = []
        self._held += piece
        while self._held and self._step(told):
            pass
        return told

    def close(self) -> list[Told]:
        """Return what was held back: half a tag is no tag."""
        held, self._held = self._held, ""
        if not held or self._state == "thought":
            return []
        return [Told(self._state == "thinking", held)]

    def _step(self, told: list[Told]) -> bool:
        """Take what can be taken; return whether there may be more."""
        held = self._held
        match self._state:
            case "start":
                opened = held.lstrip()
                if opened.startswith(_OPEN):
                    self._state, self._held = "opened", opened[len(_OPEN) :]
                    return True
                if _OPEN.startswith(opened):
                    return False
                self._state = "saying"
                return True
            case "opened":
                self._held = held.lstrip("\n")
                if self._held:
                    self._state = "thinking"
                return bool(self._held)
            case "thinking":
                end = held.find(_CLOSE)
                if end >= 0:
                    self._add(told, held[:end].rstrip("\n"), thought=True)
                    self._state, self._held = "thought", held[end + len(_CLOSE) :]
                    return True
                keep = _held_back(held)
                self._add(told, held[: len(held) - keep], thought=True)
                self._held = held[len(held) - keep :]
                return False
            case "thought":
                self._held = held.lstrip("\n")
                if self._held:
                    self._state = "saying"
                return bool(self._held)
            case _:
                self._add(told, held, thought=False)
                self._held = ""
                return False

    def _add(self, told: list[Told], text: str, *, thought: bool) -> None:
        if text:
            told.append(Told(thought, text))


def _held_back(text: str) -> int:
    """Return how many characters at the end may belong to the closing tag and the line ends before it."""
    body = text.rstrip("\n")
    for length in range(min(len(_CLOSE) - 1, len(text)), 0, -1):
        if text.endswith(_CLOSE[:length]):
            return len(text) - len(text[: len(text) - length].rstrip("\n"))
    return len(text) - len(body)
