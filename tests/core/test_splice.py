import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.splice import DuplicateMember, Members, edit, member

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_names = st.sampled_from(["model", "n", "stream", "", 'quo"te', "back\\slash", "中文", "tab\t", "😀"]) | st.text(
    max_size=6
)
_blank = st.text(" \t\r\n", max_size=2)
_styles = st.sampled_from([("", ""), (" ", " ")])


@st.composite
def written_objects(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    """An object and one of the many ways to write it."""
    value = draw(st.dictionaries(_names, _json, max_size=6))
    if draw(st.booleans()):
        after_comma, after_colon = draw(_styles)
        text = json.dumps(value, ensure_ascii=draw(st.booleans()), separators=("," + after_comma, ":" + after_colon))
        return text.encode(), value
    members: list[str] = []
    for name, held in value.items():
        key = json.dumps(name, ensure_ascii=draw(st.booleans()))
        members.append(f"{draw(_blank)}{key}{draw(_blank)}:{draw(_blank)}{json.dumps(held)}{draw(_blank)}")
    return f"{draw(_blank)}{{{','.join(members) or draw(_blank)}}}{draw(_blank)}".encode(), value


@given(written_objects(), st.data())
@settings(max_examples=150, deadline=None)
def test_an_edit_is_what_the_same_edit_of_the_decoded_object_is(
    written: tuple[bytes, dict[str, Any]], data: st.DataObject
):
    body, value = written
    names = list(value)
    replaced = data.draw(st.dictionaries(st.sampled_from(names), _json, max_size=3)) if names else {}
    removed = data.draw(st.sets(st.sampled_from(names))) if names else set[str]()
    added = data.draw(st.dictionaries(_names.filter(lambda name: name not in value), _json, max_size=2))

    edited = edit(
        body,
        replace={name: json.dumps(new).encode() for name, new in replaced.items()},
        remove=removed,
        add={name: json.dumps(new).encode() for name, new in added.items()},
    )

    expected = {name: replaced.get(name, held) for name, held in value.items() if name not in removed} | added
    assert json.loads(edited) == expected
    assert list(json.loads(edited)) == list(expected)


@given(written_objects(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_replacement_changes_no_other_byte(written: tuple[bytes, dict[str, Any]], data: st.DataObject):
    body, value = written
    if not value:
        return
    name = data.draw(st.sampled_from(list(value)))
    _, start, end = Members(body).span(name)

    edited = edit(body, replace={name: b'"\xe6\x96\xb0"'})

    assert json.loads(body[start:end]) == value[name]
    assert edited == body[:start] + b'"\xe6\x96\xb0"' + body[end:]


@given(written_objects(), _names, _json, st.data())
@settings(max_examples=80, deadline=None)
def test_a_member_that_is_there_twice_is_refused(
    written: tuple[bytes, dict[str, Any]], name: str, second: Any, data: st.DataObject
):
    body, value = written
    if name not in value:
        return
    closing = body.rindex(b"}")
    twice = body[:closing] + b"," + json.dumps(name).encode() + b":" + json.dumps(second).encode() + body[closing:]

    with pytest.raises(DuplicateMember) as caught:
        Members(twice)

    assert caught.value.member == name


@pytest.mark.parametrize(
    "body",
    [
        b'{"n":12,"b":1,"n":1}',
        b'{"a":1,"a":1}',
        b'{"a":{},"b":1,"a":[1]}',
        b'{"a":1,"\\u0061":1}',
        b'{"a": 1, "a": 1}',
        b'{"a":{"q":1  ,"b":2},"b":3,"a":1}',
    ],
)
def test_duplicates_are_refused_however_they_are_written(body: bytes):
    with pytest.raises(DuplicateMember):
        Members(body)


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        (["a"], b'{ "b" : 2 , "c" : 3 }'),
        (["b"], b'{ "a" : 1 , "c" : 3 }'),
        (["c"], b'{ "a" : 1 , "b" : 2 }'),
        (["a", "b"], b'{ "c" : 3 }'),
        (["b", "c"], b'{ "a" : 1 }'),
        (["a", "c"], b'{ "b" : 2 }'),
        (["a", "b", "c"], b"{  }"),
    ],
)
def test_a_removed_member_takes_one_comma_with_it(removed: list[str], left: bytes):
    assert edit(b'{ "a" : 1 , "b" : 2 , "c" : 3 }', remove=removed) == left


def test_a_missing_member_cannot_be_replaced_or_removed():
    with pytest.raises(KeyError):
        edit(b'{"a":1}', replace={"b": b"1"})
    with pytest.raises(KeyError):
        edit(b'{"a":1}', remove=["b"])


def test_without_a_change_the_same_object_comes_back():
    body = b'{"a": 1}'

    assert edit(body) is body


def test_a_member_is_read_as_its_bytes():
    assert member(b'{"a": [1,  2], "b": 1.0}', "a") == b"[1,  2]"
    assert member(b'{"a": 1}', "b") is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"a":1', b'{"a":1}}', b'{"a":01}', b"\xff", b'{"\xff":1}'])
def test_what_is_not_an_object_is_a_value_error(body: bytes):
    with pytest.raises(ValueError):
        Members(body)


@pytest.mark.parametrize(
    "body", [b'{"a":1,"model":"x","z":[2]}', b'{"a": 1, "model": "x"}', b' {"model" :\n"x" , "a":1} ']
)
def test_one_member_is_replaced_as_an_edit_replaces_it(body: bytes):
    members = Members(body)

    assert members.replace("model", b'"longer"') == body.replace(b'"x"', b'"longer"')
    assert members.replace("model", b'"longer"') == members.edit(replace={"model": b'"longer"'})
    with pytest.raises(KeyError):
        members.replace("missing", b"1")
