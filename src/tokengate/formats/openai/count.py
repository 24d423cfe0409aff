"""What a stream has delivered, as texts to be counted, for streams whose usage never comes; with bounded memory.

Nothing is decoded before the memory is full or somebody asks.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from tokengate.core.sse import data_of, split_frames
from tokengate.formats.openai.shapes import is_list, is_object

Place = tuple[int, str]  # the choice, and which of its texts

_MAX_WAITING_BYTES = 16 * 1024
_LIST_ENTRY_BYTES = 41  # of a bytes object beside its bytes, and its place in the list
_SAME_TEXT = {"reasoning": "reasoning_content"}


class OutputTexts:
    """Finds the texts in the frames that it is given, which must be whole, and hands each on with its place."""

    __slots__ = ("_place", "_run", "_size_bytes", "_waiting", "_write")

    def __init__(self, write: Callable[[Place, str], None]) -> None:
        self._write = write
        self._waiting: list[bytes | tuple[Place, list[bytes]]] = []  # frames, and runs of texts of one place
        self._place: Place = (0, "content")
        self._run: list[bytes] | None = None  # the last that waits, while texts follow each other
        self._size_bytes = 0

    def add(self, frames: bytes) -> None:
        """Take note of frames that were delivered."""
        self._run = None
        self._waiting.append(frames)
        self._size_bytes += len(frames)
        if self._size_bytes > _MAX_WAITING_BYTES:
            self.flush()

    def go_on(self, place: Place) -> None:
        """The texts that come from here on are of this place."""
        self._run = None
        self._place = (place[0], _SAME_TEXT.get(place[1], place[1]))

    def add_text(self, text: bytes) -> None:
        """Take note of a text that was delivered, as JSON writes it between quotes."""
        run = self._run
        if run is None:
            run = self._run = []
            self._waiting.append((self._place, run))
        run.append(text)
        self._size_bytes += len(text) + _LIST_ENTRY_BYTES
        if self._size_bytes > _MAX_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand on all texts so far."""
        for waiting in self._waiting:
            if type(waiting) is tuple:
                place, run = waiting
                self._write(place, _read_text(b"".join(run)))
            else:
                assert type(waiting) is bytes
                for frame in split_frames(waiting):
                    for place, text in _texts_of(data_of(frame)):
                        self._write(place, text)
        self._waiting.clear()
        self._run = None
        self._size_bytes = 0


def _read_text(text: bytes) -> str:
    try:
        return _decode_string(b'"%b"' % text)
    except ValueError:
        return text.decode("utf-8", "replace")  # half of a surrogate pair, for one


class _Function(Struct):
    name: Any = None
    arguments: Any = None


class _ToolCall(Struct):
    index: int | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None


class _Choice(Struct):
    index: int | None = None
    delta: _Delta | None = None
    text: Any = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_string = msgspec.json.Decoder(str).decode


def _texts_of(data: bytes) -> Iterator[tuple[Place, str]]:
    """Yield the texts that a chunk delivers; the two names of reasoning count once."""
    try:
        chunk = _decode(data)
    except (ValueError, RecursionError):
        return
    for choice in chunk.choices or ():
        index = choice.index or 0
        members: list[tuple[str, Any]] = [("text", choice.text)]
        delta = choice.delta
        if delta is not None:
            members += (
                ("content", delta.content),
                ("reasoning_content", delta.reasoning_content or delta.reasoning),
                ("refusal", delta.refusal),
            )
            for call in delta.tool_calls or ():
                members += _function_texts(call.function, call.index or 0)
            members += _function_texts(delta.function_call, 0)
        for name, value in members:
            for text in _texts(value):
                yield (index, name), text


def _function_texts(function: _Function | None, index: int) -> tuple[tuple[str, Any], ...]:
    if function is None:
        return ()
    return (f"name {index}", function.name), (f"arguments {index}", function.arguments)


def _texts(value: Any) -> Iterator[str]:
    """Yield a string, or the texts in a list of content parts."""
    if type(value) is str:
        yield value
    elif is_list(value):
        for part in value:
            if is_object(part):
                yield from _texts(part.get("text"))
