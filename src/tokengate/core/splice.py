"""Byte-exact edits of a JSON object's top-level members.

One decode finds every member's bytes; an edit copies everything else unchanged. An object that names a member
twice is refused, because two readers could take different ones.
"""

import re
from collections.abc import Collection, Iterator, KeysView, Mapping

import msgspec
from msgspec import Raw

from tokengate.core.errors import BadRequest

_EMPTY: Mapping[str, bytes] = {}
_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_key = msgspec.json.Decoder(str).decode
_member_head = re.compile(rb'[ \t\r\n]*[{,][ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*').match
_object_end = re.compile(rb"[ \t\r\n]*(?:\{[ \t\r\n]*)?\}[ \t\r\n]*").fullmatch

# Where a member lies: its key's opening quote, its value's first byte, and one past its value.
Span = tuple[int, int, int]


class DuplicateMember(ValueError):
    """The object names `member` more than once."""

    def __init__(self, member: str) -> None:
        super().__init__(f"The member {member!r} appears more than once.")
        self.member = member


class Members:
    """The top-level members of one JSON object, and where they lie in its bytes.

    Building it costs one scan of the bytes and a constant per member. Raises msgspec.DecodeError or
    UnicodeDecodeError (both are ValueErrors) or RecursionError when the bytes are not a JSON object, and
    DuplicateMember. Values are checked for syntax; the UTF-8 inside them is not.
    """

    __slots__ = ("_gap", "_raws", "_spans", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._raws = raws = _decode(body)
        self._spans: dict[str, Span] | None = None
        # An object without white space, escaped keys and duplicates is exactly as long as its parts, and any of
        # these makes it longer. Longer by a blank after each comma and colon is how Python writes JSON: then writing
        # it again tells. Anything else takes the walk.
        size = 1
        for name, raw in raws.items():
            size += len(name) + len(raw) + 4
        self._gap = gap = 0 if size == len(body) else 1
        if gap and not (len(body) == size + 2 * len(raws) - 1 and _write_spaced(raws) == body):
            self._spans = _walk(body, raws)

    def __contains__(self, name: str) -> bool:
        return name in self._raws

    def __iter__(self) -> Iterator[str]:
        return iter(self._raws)

    def names(self) -> KeysView[str]:
        """Return the members' names in the order of the bytes."""
        return self._raws.keys()

    def get(self, name: str) -> bytes | None:
        """Return the JSON of a member's value; None when there is no such member."""
        raw = self._raws.get(name)
        return None if raw is None else bytes(raw)

    def span(self, name: str) -> Span:
        """Return where a member lies. Raises KeyError when there is no such member."""
        return self._all_spans()[name]

    def replace(self, name: str, value: bytes) -> bytes:
        """Return the object with another value of one member. Raises KeyError when there is no such member."""
        _, value_at, end = self.span(name)
        return b"".join((self.body[:value_at], value, self.body[end:]))

    def edit(
        self,
        *,
        replace: Mapping[str, bytes] = _EMPTY,
        remove: Collection[str] = (),
        add: Mapping[str, bytes] = _EMPTY,
    ) -> bytes:
        """Return the object with these changes and every other byte as it was.

        `replace` and `remove` name members that exist, `add` members that do not (they go to the end); the values
        are JSON. Raises KeyError when `replace` or `remove` names a missing member.
        """
        if not replace and not remove and not add:
            return self.body
        raws = self._raws
        for name in (*replace, *remove):
            if name not in raws:
                raise KeyError(name)
        assert not any(name in raws for name in add), "add names a member that exists"
        body = self.body
        pieces: list[bytes] = []
        done = before = kept = 0
        for name, (key_at, value_at, end) in self._all_spans().items():
            if name in remove:
                if kept:
                    pieces.append(body[done:before])
                elif not pieces:
                    pieces.append(body[:key_at])
                done = end
            else:
                if not kept and pieces:
                    done = key_at  # every member before this one went, and their commas with them
                kept += 1
                if name in replace:
                    pieces += (body[done:value_at], replace[name])
                    done = end
            before = end
        if add:
            before = before or body.index(b"{") + 1
            pieces.append(body[done:before])
            done = before
            for name, value in add.items():
                pieces += (b"," if kept else b"", msgspec.json.encode(name), b":", value)
                kept += 1
        pieces.append(body[done:])
        return b"".join(pieces)

    def _all_spans(self) -> dict[str, Span]:
        if self._spans is None:
            spans: dict[str, Span] = {}
            gap = self._gap
            at = 1
            for name, raw in self._raws.items():
                value_at = at + len(name) + 3 + gap
                end = value_at + len(raw)
                spans[name] = (at, value_at, end)
                at = end + 1 + gap
            self._spans = spans
        return self._spans


def edit(
    body: bytes,
    *,
    replace: Mapping[str, bytes] = _EMPTY,
    remove: Collection[str] = (),
    add: Mapping[str, bytes] = _EMPTY,
) -> bytes:
    """Return a JSON object with these changes and every other byte as it was; see `Members.edit`.

    edit(b'{"model": "a", "n": 1}', replace={"model": b'"b"'})    ->    b'{"model": "b", "n": 1}'
    """
    return Members(body).edit(replace=replace, remove=remove, add=add)


def member(body: bytes, name: str) -> bytes | None:
    """Return the JSON of one top-level member's value; None when there is no such member."""
    return Members(body).get(name)


def _write_spaced(raws: dict[str, Raw]) -> bytes:
    pieces: list[bytes | Raw] = []
    for name, raw in raws.items():
        pieces += (b', "', name.encode(), b'": ', raw)
    pieces[0] = b'{"'
    pieces.append(b"}")
    return b"".join(pieces)


def _walk(body: bytes, raws: dict[str, Raw]) -> dict[str, Span]:
    """Find each member from the lengths of the values.

    A decoded object holds the last value of a name that appears twice. Every value is compared with the bytes it
    should be at, so a walk that reaches the object's end has read it as JSON reads it, and no name was twice.
    """
    spans: dict[str, Span] = {}
    at = 0
    before = ""
    for name, raw in raws.items():
        head = _member_head(body, at)
        if head is None:
            raise DuplicateMember(before)  # its last value was 1 where its first is 12
        key = head[1]
        value_at = head.end()
        if key[1:-1] != name.encode() and (found := _decode_key(key)) != name:
            raise DuplicateMember(found)
        if not body.startswith(raw, value_at):
            raise DuplicateMember(name)
        at = value_at + len(raw)
        spans[name] = (head.start(1), value_at, at)
        before = name
    if not _object_end(body, at):
        head = _member_head(body, at)
        raise DuplicateMember(_decode_key(head[1]) if head else before)
    return spans


def read_members(body: bytes) -> Members:
    """Return the members of a request's body. Raises BadRequest."""
    try:
        return Members(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request body cannot be read: {error}.") from None
