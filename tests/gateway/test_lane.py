import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.parts import backend, target
from tokengate.core.errors import BadRequest
from tokengate.gateway.lane import Prepared, prepare
from tokengate.gateway.openai import CHAT_COMPLETIONS, COMPLETIONS
from tokengate.gateway.operation import Operation
from tokengate.gateway.route import Target

ODD = (
    '{ "messages" :[{"content":"\\u4f60\\/ \\"好\\"","role":"user","unknown":1.0e0}],\t"model"\n: "m" ,'
    '"x_unknown": {"b":2 , "a":[1e2,-0.0]},"temperature":1.00}\r\n'
).encode()


def lane(
    body: bytes, to: Target | None = None, *, cap: int | None = None, operation: Operation = CHAT_COMPLETIONS
) -> Prepared:
    return prepare(body, operation.read(body), operation, to or target(), cap)


def with_member(name: str, value: str) -> bytes:
    return ODD.rstrip()[:-1] + f',"{name}":{value}'.encode() + b"}\r\n"


def test_a_request_that_needs_no_edit_is_the_same_object():
    assert lane(ODD).body is ODD


def test_only_the_model_s_name_changes():
    assert lane(ODD, target(model='th"eirs')).body == ODD.replace(b'"m"', b'"th\\"eirs"')


def test_a_cap_that_is_lowered_is_added():
    assert json.loads(lane(ODD, cap=7).body) == {**json.loads(ODD), "max_tokens": 7}
    assert lane(ODD, cap=7).body.startswith(ODD.rstrip()[:-1])


def test_a_cap_that_was_null_is_replaced_where_it_stood():
    body = with_member("max_tokens", "null")

    assert lane(body, cap=7).body == with_member("max_tokens", "7")


def test_a_legacy_completion_keeps_the_legacy_name_of_the_cap():
    body = b'{"model":"m","prompt":"x"}'
    openai = target(backend(output_cap_name="max_completion_tokens"))

    assert lane(body, openai, cap=7, operation=COMPLETIONS).body == b'{"model":"m","prompt":"x","max_tokens":7}'
    assert b'"max_completion_tokens":7' in lane(ODD, openai, cap=7).body


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (None, '{"include_usage":true}'),
        ("null", '{"include_usage":true}'),
        ("{}", '{"include_usage":true}'),
        ('{"include_usage":false}', '{"include_usage":true}'),
        ('{"include_usage":null, "other" : 1}', '{"include_usage":true, "other" : 1}'),
        ('{ "other":1 }', '{ "other":1,"include_usage":true }'),
    ],
)
def test_a_stream_is_asked_for_its_usage(options: str | None, sent: str):
    body = with_member("stream", "true")
    if options is not None:
        body = body.rstrip()[:-1] + f',"stream_options":{options}}}\r\n'.encode()

    prepared = lane(body)

    assert prepared.usage_injected
    assert json.loads(prepared.body)["stream_options"] == json.loads(sent)
    assert sent.encode() in prepared.body


def test_a_stream_that_asks_for_its_usage_is_left_as_it_is():
    body = with_member("stream", 'true, "stream_options": { "include_usage":true }')

    assert lane(body) == Prepared(body, usage_injected=False)


def test_a_backend_that_sends_usage_unasked_is_not_asked():
    assert not lane(with_member("stream", "true"), target(backend(usage_on_request=False))).usage_injected


def test_stream_options_that_name_something_twice_are_the_caller_s_mistake():
    body = with_member("stream", 'true,"stream_options":{"include_usage":false,"include_usage":false}')

    with pytest.raises(BadRequest) as refused:
        lane(body)

    assert refused.value.param == "stream_options.include_usage"


RENAMING = backend(renames={"max_completion_tokens": "max_tokens"})


@pytest.mark.parametrize(
    ("given_caps", "sent"),
    [
        ({}, {}),
        ({"max_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_tokens": None, "max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_completion_tokens": None, "max_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_tokens": 9, "max_completion_tokens": 5}, {"max_completion_tokens": 5}),
    ],
)
def test_a_cap_is_sent_under_the_vendor_s_name_and_never_lost(given_caps: dict[str, Any], sent: dict[str, Any]):
    """What the hold was made for must be what the vendor obeys."""
    body = json.dumps({**json.loads(ODD), **given_caps}).encode()

    prepared = json.loads(lane(body, target(RENAMING)).body)

    assert {name: prepared[name] for name in prepared if name.startswith("max_")} == sent


def test_what_the_vendor_refuses_and_nobody_misses_is_dropped():
    body = with_member("reasoning_effort", '"low"')

    assert lane(body, target(backend(drops=frozenset({"reasoning_effort", "absent"})))).body == ODD.rstrip() + b"\r\n"


def test_the_parameters_of_a_model_win_over_the_caller_s():
    to = target(parameters={"enable_search": b"true"})

    assert lane(with_member("enable_search", "false"), to).body == with_member("enable_search", "true")
    assert lane(ODD, to).body == with_member("enable_search", "true")


blanks = st.text(alphabet=" \t\r\n", max_size=2)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
# Names that nobody knows, so that any value will do.
others = st.dictionaries(st.text(min_size=1, max_size=8).map("x_".__add__), values, max_size=5)
MESSAGES = '[{"role":"user","content":"x"}]'
MODEL_MARK = "<model>"


@given(others, st.data())
def test_whatever_a_request_holds_only_the_model_s_name_changes(others: dict[str, Any], data: st.DataObject):
    ascii_only = data.draw(st.booleans())
    members = [(json.dumps(name, ensure_ascii=ascii_only), json.dumps(value)) for name, value in others.items()]
    members = data.draw(st.permutations([*members, ('"messages"', MESSAGES), ('"model"', MODEL_MARK)]))
    written = (
        data.draw(blanks) + name + data.draw(blanks) + ":" + data.draw(blanks) + value + data.draw(blanks)
        for name, value in members
    )
    body = "{" + ",".join(written) + "}"

    sent = lane(body.replace(MODEL_MARK, '"m"').encode(), target(model="theirs")).body

    assert sent == body.replace(MODEL_MARK, '"theirs"').encode()
