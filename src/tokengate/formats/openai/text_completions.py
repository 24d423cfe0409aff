"""Text completions between their two ways: a whole one as a stream's one chunk, and a stream's chunks as a whole one.

Both are the same object, `text_completion`; the vocabulary has no words for them.
https://platform.openai.com/docs/api-reference/completions/object, 2026-11.
"""

from typing import Any

import msgspec

from tokengate.core.errors import UpstreamFailed
from tokengate.core.sse import FrameBuffer, data_of, split_frames, write_frame
from tokengate.formats.openai.pieces import integer_in, objects, text_in
from tokengate.formats.openai.shapes import is_object
from tokengate.formats.openai.stream import DONE

_MAX_FRAME_BYTES = 16 * 1024 * 1024


def in_one_chunk(body: bytes) -> bytes:
    """Return the stream that says what a whole reply says. Line ends in JSON are space between its words."""
    return write_frame(body.replace(b"\r", b" ").replace(b"\n", b" ")) + DONE


def joined_chunks(stream: bytes) -> bytes:
    """Return the whole reply that says what a stream says. Raises UpstreamFailed when it is none, or was cut."""
    whole: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    buffer = FrameBuffer(_MAX_FRAME_BYTES)
    for frame in (*split_frames(buffer.feed(stream)), buffer.take_rest()):
        data = data_of(frame)
        if not data or data.startswith(b"[DONE]"):
            continue
        chunk = _read(data)
        if "error" in chunk:
            return data
        for choice in objects(chunk.pop("choices", None)):
            known = choices.setdefault(integer_in(choice, "index"), {"text": ""})
            text = known["text"] + text_in(choice, "text")
            known.update({name: value for name, value in choice.items() if value is not None} | {"text": text})
        whole.update({name: value for name, value in chunk.items() if value is not None})
    if not choices or any("finish_reason" not in choice for choice in choices.values()):
        raise UpstreamFailed("The upstream's stream ended before the reply was whole.", kind="cut")
    return _encode({**whole, "choices": [{"logprobs": None, **choices[index]} for index in sorted(choices)]})


def _read(data: bytes) -> dict[str, Any]:
    try:
        chunk: Any = _decode(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's stream cannot be read.", kind="invalid") from error
    if not is_object(chunk):
        raise UpstreamFailed("The upstream's stream is not one of text completions.", kind="invalid")
    return chunk


_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
