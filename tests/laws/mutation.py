"""Damage: strategies that cut bytes anywhere, and that change them the way a bad client or a bad network would."""

import json
from itertools import pairwise
from typing import Any, cast

from hypothesis import strategies as st

_ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**70,
    1.5,
    "",
    "x",
    "\ud83d",
    [],
    {},
    [None],
    [{}],
    [[]],
    {"": {}},
    "data:,",
]
# What Python's own JSON could not write: marks that stand for these bytes in a body.
_SPELLED = {
    "@deep list@": b"[" * 20_000 + b"]" * 20_000,
    "@deep object@": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "@unended@": b"[" * 20_000,
    "@huge integer@": b"9" * 5_000,
    "@huge number@": b"1e999",
    "@tiny number@": b"-1e-999",
    "@long text@": b'"' + b"a" * 200_000 + b'"',
    "@half a pair@": b'"\\udc00\\ud800"',
    "@no number@": b"NaN",
}


@st.composite
def cuts(draw: st.DrawFn, body: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    at = sorted(draw(st.lists(st.integers(0, len(body)), max_size=8)))
    ends = [0, *at, len(body)]
    return [body[start:end] for start, end in pairwise(ends)]


@st.composite
def mutated(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """One of the bodies with some of its values replaced, its members dropped, or its bytes broken."""
    body = draw(st.sampled_from(bodies))
    if draw(st.booleans()):
        return _broken(draw, body)
    lines = body.split(b"\n")
    places = [index for index, line in enumerate(lines) if line.startswith(b"data:")]
    if not places:
        return _changed(draw, body)
    at = draw(st.sampled_from(places))
    lines[at] = b"data: " + _changed(draw, lines[at][5:])
    return b"\n".join(lines)


def _broken(draw: st.DrawFn, body: bytes) -> bytes:
    start = draw(st.integers(0, len(body)))
    end = min(len(body), start + draw(st.integers(0, 40)))
    return body[:start] + draw(st.binary(max_size=8)) + body[end:]


def _changed(draw: st.DrawFn, body: bytes) -> bytes:
    """JSON with a few of its values replaced or removed; anything else as it is."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for _ in range(draw(st.integers(1, 3))):
        value = _change(draw, value)
    text = json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for mark, spelled in _SPELLED.items():
        text = text.replace(b'"%b"' % mark.encode(), spelled)
    return text


def _change(draw: st.DrawFn, value: Any) -> Any:
    """Walk down a few members and change what is there."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(_ODD) | st.sampled_from(sorted(_SPELLED)))
    if isinstance(value, list):
        items = list(cast("list[Any]", value))
        at = draw(st.integers(0, len(items) - 1))
        match draw(st.sampled_from(["in", "in", "in", "drop", "twice"])):
            case "drop":
                del items[at]
            case "twice":
                items.append(items[at])
            case _:
                items[at] = _change(draw, items[at])
        return items
    members = dict(cast("dict[str, Any]", value))
    name = draw(st.sampled_from(sorted(members)))
    match draw(st.sampled_from(["in", "in", "in", "drop", "add"])):
        case "drop":
            del members[name]
        case "add":
            members[draw(st.sampled_from(["type", "id", "extra", name.upper()]))] = draw(st.sampled_from(_ODD))
        case _:
            members[name] = _change(draw, members[name])
    return members
