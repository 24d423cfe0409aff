"""Reads the few facts that the gateway needs from the head of a GGUF file, without loading the model.

Format: github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

import mmap
import struct
from pathlib import Path

from msgspec import Struct

_MAGIC = b"GGUF"
_MAX_FACTS = 100_000  # a head with more is not believed
_STRING, _ARRAY = 8, 9
_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class BadGguf(Exception):
    """The file is not a GGUF model that can be read."""


class GgufFacts(Struct, frozen=True):
    """What a model says about itself."""

    architecture: str
    name: str
    context: int | None  # tokens that it was trained for
    chat_template: str

    @property
    def knows_tools(self) -> bool:
        """Whether the chat template shows tools to the model."""
        return "tools" in self.chat_template


def read_facts(path: Path) -> GgufFacts:
    """Read the head of a file. Raises BadGguf, or OSError when the file cannot be opened."""
    with path.open("rb") as file:
        try:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise BadGguf(f"{path} is empty.") from None
        with view:
            try:
                facts = _Reader(view).facts()
            except (struct.error, IndexError, UnicodeDecodeError, KeyError, OverflowError):
                raise BadGguf(f"{path} is not a readable GGUF file; it may be incomplete.") from None
    architecture = str(facts.get("general.architecture", ""))
    context = facts.get(f"{architecture}.context_length")
    return GgufFacts(
        architecture=architecture,
        name=str(facts.get("general.name", path.stem)),
        context=context if isinstance(context, int) and context > 0 else None,
        chat_template=str(facts.get("tokenizer.chat_template", "")),
    )


class _Reader:
    def __init__(self, view: mmap.mmap) -> None:
        self._view = view
        self._at = 0

    def facts(self) -> dict[str, str | int | float | bool]:
        if self._view[:4] != _MAGIC:
            raise KeyError("magic")
        self._at = 4
        version, _tensors, count = self._unpack("<IQQ")
        if version not in (2, 3) or count > _MAX_FACTS:
            raise KeyError("version")
        found: dict[str, str | int | float | bool] = {}
        for _ in range(count):
            key = self._string()
            (kind,) = self._unpack("<I")
            if kind == _ARRAY:
                self._skip_array()
            elif kind == _STRING:
                found[key] = self._string()
            else:
                (found[key],) = self._unpack("<" + _FORMATS[kind])
        return found

    def _unpack(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._view, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _string(self) -> str:
        (length,) = self._unpack("<Q")
        end = self._at + length
        if end > len(self._view):
            raise IndexError("string")
        text = self._view[self._at : end].decode()
        self._at = end
        return text

    def _skip_array(self) -> None:
        kind, count = self._unpack("<IQ")
        if kind == _STRING:
            for _ in range(count):
                (length,) = self._unpack("<Q")
                self._at += length
        else:
            self._at += count * struct.calcsize("<" + _FORMATS[kind])
