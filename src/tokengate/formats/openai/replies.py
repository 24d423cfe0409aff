"""Whole replies in OpenAI's format: what the gateway must know of them, and the edits it makes.

The bytes stay the vendor's but for the model's name and declared field twins.
"""

import re
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.splice import Members
from tokengate.core.usage import ReportedUsage
from tokengate.formats.openai.shapes import is_object
from tokengate.formats.openai.usage import read_usage

NONE = Raw(b"null")
TWINS = ("reasoning_content", "reasoning")  # one text under two names


class VendorError(Struct, frozen=True):
    """An error object that a vendor put into a reply or a stream, as it sent it."""

    message: str
    type: str | None
    code: str | None
    param: str | None
    raw: bytes


class Content(Struct):
    """The members of a message, or of a stream's delta, that a caller would call an answer."""

    content: Raw = NONE
    tool_calls: Raw = NONE
    reasoning_content: Raw = NONE
    reasoning: Raw = NONE
    reasoning_details: Raw = NONE
    refusal: Raw = NONE
    function_call: Raw = NONE
    audio: Raw = NONE
    images: Raw = NONE

    def is_empty(self) -> bool:
        """Say whether no member holds anything."""
        if is_filled(self.content):
            return False
        for raw in (
            self.tool_calls,
            self.reasoning_content,
            self.reasoning,
            self.reasoning_details,
            self.refusal,
            self.function_call,
            self.audio,
            self.images,
        ):
            if raw is not NONE and is_filled(raw):
                return False
        return True


class Reply(Struct, frozen=True):
    """What the gateway must know of a whole reply."""

    body: bytes
    model: str | None
    usage: ReportedUsage | None
    has_content: bool
    finish_reasons: tuple[str, ...]
    error: VendorError | None


def read_reply(body: bytes, *, reasoning_outside: bool = False) -> Reply:
    """Read the reply of a chat completion, a completion, an embedding or a moderation request.

    Raises UpstreamFailed when it is not a JSON object. An error object inside a successful reply is in `error`.
    """
    try:
        wire = _decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
    reasons: list[str] = []
    has_content = False
    for choice in wire.choices or ():
        if choice.finish_reason:
            reasons.append(choice.finish_reason)
        if (choice.message is not None and not choice.message.is_empty()) or is_filled(choice.text):
            has_content = True
    has_content = has_content or is_filled(wire.data) or is_filled(wire.results)
    return Reply(
        body,
        wire.model if type(wire.model) is str else None,
        read_usage(bytes(wire.usage), reasoning_outside=reasoning_outside) if is_filled(wire.usage) else None,
        has_content,
        tuple(reasons),
        read_error(bytes(wire.error)) if is_filled(wire.error) else None,
    )


def rename_model(body: bytes, ours: str) -> bytes:
    """Return a reply with its model called as the caller called it; every other byte is the vendor's."""
    name = msgspec.json.encode(ours)
    at = body.find(_MODEL)
    # The only one of its name, and before it nothing is opened but the object itself, not even in a text.
    if body.count(b"{", 0, at) == 1 and body.find(b"[", 0, at) < 0 and body.find(_MODEL, at + 1) < 0:
        member = _named_model(body, at)
        if member is not None:
            start, end = member.span(1)
            return b"".join((body[:start], name, body[end:]))
    members = _members(body)
    if "model" not in members:
        return members.body
    return members.replace("model", name)


def add_twins(body: bytes, holder: str) -> bytes:
    """Return a reply with `reasoning` and `reasoning_content` both present wherever one of them holds text.

    `holder` is where a choice keeps them: "message" in a whole reply, "delta" in a stream's chunk. A null twin is
    filled; every other byte is the vendor's. What is not shaped like a reply comes back as it was.
    """
    try:
        members = Members(body)
        choices = members.get("choices")
        if choices is None:
            return body
        pieces: list[bytes] = []
        at = 0
        for raw in _decode_list(choices):
            choice = bytes(raw)
            start = choices.index(choice, at)
            pieces += (choices[at:start], _twinned_choice(choice, holder))
            at = start + len(choice)
        pieces.append(choices[at:])
        return members.edit(replace={"choices": b"".join(pieces)})
    except (ValueError, RecursionError):
        return body


def read_error(raw: bytes) -> VendorError:
    """Read the value of an `error` member, which may be an object, a string, or anything."""
    try:
        value: Any = _decode_anything(raw)
    except (ValueError, RecursionError):
        value = None
    if type(value) is str:
        return VendorError(value, None, None, None, raw)
    fields = value if is_object(value) else {}
    # vLLM's code is an integer.
    texts = {name: None if fields.get(name) is None else str(fields[name]) for name in _ERROR_NAMES}
    return VendorError(
        texts["message"] or "The upstream sent an error.", texts["type"], texts["code"], texts["param"], raw
    )


def is_filled(raw: Raw) -> bool:
    """Say whether a JSON value is more than null, false, or an empty string, list or object."""
    return raw is not NONE and (len(raw) > 5 or bytes(raw) not in _EMPTY_VALUES)


class _Choice(Struct):
    finish_reason: str | None = None
    message: Content | None = None
    text: Raw = NONE


class _Reply(Struct):
    model: Any = None
    choices: list[_Choice] | None = None
    data: Raw = NONE  # of embeddings
    results: Raw = NONE  # of moderation
    usage: Raw = NONE
    error: Raw = NONE


_decode = msgspec.json.Decoder(_Reply).decode
_MODEL = b'"model"'
_named_model = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*("[^"\\]*")').match
_decode_anything = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_EMPTY_VALUES = frozenset({b"null", b'""', b"[]", b"{}", b"false"})
_ERROR_NAMES = ("message", "type", "code", "param")


def _members(body: bytes) -> Members:
    try:
        return Members(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error


def _twinned_choice(choice: bytes, holder: str) -> bytes:
    members = Members(choice)
    held = members.get(holder)
    if held is None or not held.startswith(b"{"):
        return choice
    inner = Members(held)
    for name, twin in (TWINS, TWINS[::-1]):
        text = inner.get(name)
        if text is None or not text.startswith(b'"') or text == b'""':
            continue
        if twin not in inner:
            return members.edit(replace={holder: inner.edit(add={twin: text})})
        if inner.get(twin) == b"null":
            return members.edit(replace={holder: inner.edit(replace={twin: text})})
    return choice
