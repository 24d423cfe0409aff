"""How many tokens a stream has delivered, counted with bounded memory, for streams whose usage never comes.

Nothing is decoded before the memory is full or somebody asks.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from tokengate.core.sse import data_of, split_frames
from tokengate.formats.openai.shapes import is_list, is_object

_MAX_UNCOUNTED_BYTES = 16 * 1024
_LIST_ENTRY_BYTES = 41  # of a bytes object beside its bytes, and its place in the list


class OutputCounter:
    """Estimates the output tokens in the frames that it is given, which must be whole, or in their texts."""

    __slots__ = ("_estimate", "_frames", "_size_bytes", "_texts", "_tokens")

    def __init__(self, estimate: Callable[[str], int]) -> None:
        self._estimate = estimate
        self._frames: list[bytes] = []
        self._texts: list[bytes] = []
        self._size_bytes = 0
        self._tokens = 0

    def add(self, frames: bytes) -> None:
        """Take note of frames that were delivered."""
        self._frames.append(frames)
        self._size_bytes += len(frames)
        if self._size_bytes > _MAX_UNCOUNTED_BYTES:
            self._count()

    def add_text(self, text: bytes) -> None:
        """Take note of a text that was delivered, as JSON writes it between quotes."""
        self._texts.append(text)
        self._size_bytes += len(text) + _LIST_ENTRY_BYTES
        if self._size_bytes > _MAX_UNCOUNTED_BYTES:
            self._count()

    def counted(self) -> int:
        """Return the tokens in all frames so far."""
        if self._size_bytes:
            self._count()
        return self._tokens

    def _count(self) -> None:
        texts: list[str] = []
        for frames in self._frames:
            for frame in split_frames(frames):
                _collect(data_of(frame), texts)
        if texts:
            self._tokens += self._estimate("".join(texts))
        if self._texts:
            self._tokens += self._estimate(_read_text(b"".join(self._texts)))
        self._frames.clear()
        self._texts.clear()
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
    function: _Function | None = None


class _Delta(Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    text: Any = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_string = msgspec.json.Decoder(str).decode


def _collect(data: bytes, texts: list[str]) -> None:
    """Append the texts that a chunk delivers; the two names of reasoning count once."""
    try:
        chunk = _decode(data)
    except (ValueError, RecursionError):
        return
    for choice in chunk.choices or ():
        _collect_text(choice.text, texts)
        delta = choice.delta
        if delta is None:
            continue
        _collect_text(delta.content, texts)
        _collect_text(delta.reasoning_content or delta.reasoning, texts)
        _collect_text(delta.refusal, texts)
        for call in delta.tool_calls or ():
            _collect_function(call.function, texts)
        _collect_function(delta.function_call, texts)


def _collect_function(function: _Function | None, texts: list[str]) -> None:
    if function is not None:
        _collect_text(function.name, texts)
        _collect_text(function.arguments, texts)


def _collect_text(value: Any, texts: list[str]) -> None:
    """Append a string, or the texts in a list of content parts."""
    if type(value) is str:
        texts.append(value)
    elif is_list(value):
        for part in value:
            if is_object(part):
                _collect_text(part.get("text"), texts)
