"""A streamed reply in OpenAI's format on its way from the backend to the caller.

Chunks are forwarded as they come, as the same bytes, but for the model's name, the usage chunk when the caller did
not ask for it, and declared field twins. In the steady state nothing is decoded: a frame is looked into until the
first content was seen, and when it may hold usage, a finish reason, an error or the end.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import GatewayError
from tokengate.core.reply import Failure
from tokengate.core.splice import edit
from tokengate.core.sse import FrameBuffer, data_of, data_spans, split_frames, write_frame
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.openai.count import OutputTexts, Place
from tokengate.formats.openai.rename import ModelRename
from tokengate.formats.openai.replies import NONE, Content, VendorError, add_twins, is_filled, read_error
from tokengate.formats.openai.template import Template
from tokengate.formats.openai.usage import read_usage, write_usage

DONE = b"data: [DONE]\n\n"

_MAX_LESSONS = 8  # how often a stream may change its shape and be learned again: reasoning, then content, then tools
_QUOTE = ord('"')


class StreamLane:
    """One streamed reply. Feed it what the backend sends; it returns what the caller may have now.

    The last bytes are never among it: `[DONE]`, or the backend's own error event, waits for `end()`, so that the
    call can be settled first. Frames without choices that carry usage are dropped unless `include_usage`. Usage in
    a chunk that has choices stays, unless it is there only because the gateway asked (`usage_injected`). Before
    `has_content` is set nothing of an answer was returned, and another backend may still be tried.
    """

    __slots__ = (
        "_buffer",
        "_choices",
        "_closed",
        "_head",
        "_include_usage",
        "_last",
        "_lessons",
        "_model",
        "_quiet",
        "_reasoning_outside",
        "_rename",
        "_template",
        "_texts",
        "_twins",
        "_usage_injected",
        "done",
        "error",
        "finish_reasons",
        "forwarded_bytes",
        "has_content",
        "usage",
    )

    def __init__(
        self,
        *,
        model: str,
        include_usage: bool,
        write: Callable[[Place, str], None],
        usage_injected: bool = False,
        choices: int = 1,
        reasoning_outside: bool = False,
        twins: bool = False,
    ) -> None:
        self.usage: ReportedUsage | None = None  # the last one seen
        self.finish_reasons: dict[int, str] = {}  # by choice
        self.has_content = False
        self.error: VendorError | None = None
        self.done = False
        self.forwarded_bytes = 0
        self._model = model
        self._include_usage = include_usage
        self._usage_injected = usage_injected
        self._choices = choices
        self._reasoning_outside = reasoning_outside
        self._twins = twins
        self._buffer = FrameBuffer()
        self._texts = OutputTexts(write)
        self._rename = ModelRename(model)
        self._head: _Chunk | None = None
        self._quiet = False  # frames without a mark need no look
        self._template: Template | None = None
        self._lessons = _MAX_LESSONS
        self._closed = False
        self._last = b""

    @property
    def finished(self) -> bool:
        """Whether the reply came to its own end: `[DONE]`, or a finish reason for every choice."""
        return self.done or len(self.finish_reasons) >= self._choices

    @property
    def failure(self) -> Failure | None:
        """The backend's own error, which came inside the stream."""
        error = self.error
        return None if error is None else Failure("error", error.message, Raw(b'{"error":' + error.raw + b"}"))

    @property
    def ended(self) -> bool:
        """Whether nothing more will be forwarded: `[DONE]`, or the backend's own error event, was seen."""
        return self._closed

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece of the backend's body and return what may be forwarded now.

        Raises UpstreamFailed when a frame is too large.
        """
        template = self._template
        if template is not None and not self._buffer.rest and (text := template.text_of_one(chunk)) is not None:
            self._texts.add_text(text)
            if template.changes:
                chunk = template.write([text])
            self.forwarded_bytes += len(chunk)
            return chunk
        if self._closed:
            return b""
        frames = self._buffer.feed(chunk)
        return self._look(frames) if frames else b""

    def close(self) -> bytes:
        """Take note that the backend's body has ended, and return what may be forwarded of what was held back.

        A last frame without its empty line is given one; half a frame is dropped.
        """
        rest = self._buffer.take_rest()
        if self._closed or not rest.strip():
            return b""
        data = data_of(rest)
        if not data.startswith(b"[DONE]") and _read_chunk(data) is None:
            return b""
        return self._frame(rest.rstrip(b"\r\n") + b"\n\n")

    def end(self, usage: Usage | None = None) -> bytes:
        """Return the last bytes of the reply: `[DONE]`, or the backend's error event, after which comes none.

        `usage` is shown to a caller that asked for it when the backend sent none.
        """
        last = self._last or DONE
        if usage is not None and self._include_usage and self.usage is None:
            return self._chunk([], usage) + last
        return last

    def count(self) -> None:
        """Add the texts that were forwarded so far to what was written."""
        self._texts.flush()

    def fail(self, error: GatewayError) -> bytes:
        """Return the event that tells the caller that the stream failed; no `[DONE]` comes after it."""
        return error_event(error.message, error.type, error.code, param=error.param)

    def length_end(self, usage: Usage | None = None) -> bytes:
        """Return the end of a stream that is cut because it got too long: finish reason `length`, `[DONE]`."""
        text = self._is_text_completion()
        choices: list[dict[str, Any]] = []
        for index in range(self._choices):
            if index not in self.finish_reasons:
                body: dict[str, Any] = {"text": ""} if text else {"delta": {}}
                choices.append({"index": index, **body, "logprobs": None, "finish_reason": "length"})
        return b"".join(
            (
                self._chunk(choices, None),
                b"" if usage is None or not self._include_usage else self._chunk([], usage),
                DONE,
            )
        )

    def _look(self, frames: bytes) -> bytes:
        """Return what may be forwarded of whole frames, some of which may have to be looked into."""
        pieces: list[bytes] = []
        if self._template is not None:
            texts, end = self._template.leading_texts(frames)
            if texts:
                pieces.append(self._deliver(texts, frames[:end]))
                frames = frames[end:]
        if self._quiet and frames:
            mark = _first_mark(frames)
            quiet_end = len(frames) if mark is None else frames.rfind(b"\n\n", 0, mark) + 2
            if quiet_end > 1:
                pieces.append(self._forward(frames[:quiet_end]))
                frames = frames[quiet_end:]
        was_quiet = self._quiet
        seen_bytes = 0
        for frame in split_frames(frames):
            pieces.append(self._frame(frame))
            seen_bytes += len(frame)
            if self._closed:
                break
            if self._quiet and not was_quiet:
                pieces.append(self._look(frames[seen_bytes:]))
                break
        return b"".join(pieces)

    def _forward(self, frames: bytes) -> bytes:
        """Return whole frames, in none of which there is a mark, under the caller's name of the model."""
        if self._lessons and frames.find(b"\n\n") == len(frames) - 2:
            self._lessons -= 1
            return self._frame(frames)
        self._texts.add(frames)
        if self._rename.needed:
            frames = self._rename.in_frames(frames) or b"".join(map(self._renamed, split_frames(frames)))
        return self._passed(frames)

    def _deliver(self, texts: list[bytes], frames: bytes) -> bytes:
        """Return frames that deliver these texts and nothing else."""
        assert self._template is not None
        self._texts.add_text(b"".join(texts))
        return self._passed(self._template.write(texts) if self._template.changes else frames)

    def _frame(self, frame: bytes) -> bytes:
        """Look into one frame; return what the caller gets of it now."""
        spans = data_spans(frame)
        if not spans:
            return self._passed(frame)
        data = frame[slice(*spans[0])] if len(spans) == 1 else data_of(frame)
        if data.startswith(b"[DONE]"):
            self.done = True
            return self._stop(frame)
        chunk = _read_chunk(data)
        if chunk is None:
            return self._passed(frame)
        if chunk.error is not NONE and is_filled(chunk.error):
            self.error = read_error(bytes(chunk.error))
            return self._stop(frame)
        if self._head is None and is_filled(chunk.id):
            self._head = chunk
        has_usage = chunk.usage is not NONE and is_filled(chunk.usage)
        if has_usage:
            self.usage = read_usage(bytes(chunk.usage), reasoning_outside=self._reasoning_outside) or self.usage
            if not chunk.choices and not self._include_usage:
                return b""
        self._note_choices(chunk)
        self._texts.add(frame)
        if len(spans) != 1:
            return self._passed(frame)
        drop_usage = has_usage and bool(chunk.choices) and self._usage_injected
        out = self._edited(frame, *spans[0], drop_usage=drop_usage)
        self._quiet = self.has_content and not self._twins
        if self._quiet:
            self._learn(chunk, frame, out)
        return self._passed(out)

    def _note_choices(self, chunk: "_Chunk") -> None:
        for choice in chunk.choices or ():
            if choice.finish_reason:
                self.finish_reasons[choice.index or 0] = choice.finish_reason
            if not self.has_content:
                delta = choice.delta
                has_text = choice.text is not NONE and is_filled(choice.text)
                self.has_content = has_text or (delta is not None and not delta.is_empty())

    def _learn(self, chunk: "_Chunk", frame: bytes, out: bytes) -> None:
        """Keep a frame that delivers one text as the template of those to come."""
        if not chunk.choices or len(chunk.choices) != 1:
            return
        choice = chunk.choices[0]
        for name, raw in _texts_in(choice):
            if len(raw) > 2 and memoryview(raw)[0] == _QUOTE:
                with suppress(ValueError):
                    self._template = Template(frame, out, b'"%b":%b' % (name, raw))
                    self._texts.go_on((choice.index or 0, name.decode()))
                return

    def _edited(self, frame: bytes, start: int, end: int, *, drop_usage: bool) -> bytes:
        """Return a frame with the edits that are the lane's to make."""
        if drop_usage or self._twins:
            data = frame[start:end]
            if drop_usage:
                data = _without_usage(data)
            if self._twins:
                data = add_twins(data, "delta")
            frame = frame[:start] + data + frame[end:]
            end = start + len(data)
        return self._rename.in_frame(frame, start, end)

    def _renamed(self, frame: bytes) -> bytes:
        spans = data_spans(frame)
        return self._rename.in_frame(frame, *spans[0]) if len(spans) == 1 else frame

    def _stop(self, last: bytes) -> bytes:
        """Keep a frame for the end; nothing that comes after it matters."""
        self._closed = True
        self._template = None
        self._last = last
        return b""

    def _passed(self, frames: bytes) -> bytes:
        self.forwarded_bytes += len(frames)
        return frames

    def _is_text_completion(self) -> bool:
        return self._head is not None and bytes(self._head.object) == b'"text_completion"'

    def _chunk(self, choices: list[dict[str, Any]], usage: Usage | None) -> bytes:
        """Return a frame of our own that continues the backend's stream."""
        head = self._head
        chunk: dict[str, Any] = {
            "id": head.id if head else "",
            "object": "text_completion" if self._is_text_completion() else "chat.completion.chunk",
            "created": head.created if head else 0,
            "model": self._model,
            "choices": choices,
        }
        if usage is not None:
            chunk["usage"] = write_usage(usage)
        return write_frame(msgspec.json.encode(chunk))


def error_event(message: str, type: str, code: str | None, *, param: str | None = None) -> bytes:
    """Return the event that tells a caller that its stream failed; no `[DONE]` comes after it."""
    error = {"message": message, "type": type, "param": param, "code": code}
    return write_frame(msgspec.json.encode({"error": error}))


class _Choice(Struct):
    index: int | None = None
    delta: Content | None = None
    finish_reason: str | None = None
    text: Raw = NONE


class _Chunk(Struct):
    id: Raw = NONE
    object: Raw = NONE
    created: Raw = NONE
    choices: list[_Choice] | None = None
    usage: Raw = NONE
    error: Raw = NONE


_decode = msgspec.json.Decoder(_Chunk).decode
# Each begins with a literal, which makes these searches as fast as bytes.find.
_usage_mark = re.compile(rb'"usage"\s*:\s*\{').search
_finish_mark = re.compile(rb'"finish_reason"\s*:\s*"').search


def _first_mark(frames: bytes) -> int | None:
    """Return where the first byte is that may belong to usage, a finish reason, an error or the end."""
    usage = _usage_mark(frames)
    finish = _finish_mark(frames)
    error = frames.find(b'"error"')
    done = frames.find(b"[DONE]")
    if usage is None and finish is None and error < 0 and done < 0:
        return None
    marks = [at for at in (error, done) if at >= 0]
    marks += [found.start() for found in (usage, finish) if found is not None]
    return min(marks)


def _texts_in(choice: _Choice) -> Iterator[tuple[bytes, Raw]]:
    yield b"text", choice.text
    if choice.delta is not None:
        yield b"content", choice.delta.content
        yield b"reasoning_content", choice.delta.reasoning_content
        yield b"reasoning", choice.delta.reasoning


def _read_chunk(data: bytes) -> _Chunk | None:
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        return None


def _without_usage(data: bytes) -> bytes:
    try:
        return edit(data, remove=("usage",))
    except (ValueError, RecursionError):
        return data
