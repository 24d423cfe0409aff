import pytest
from msgspec import structs

from tests.formats.dashscope.wire import HEADING, asked, fixture
from tokengate.core.chat import Message
from tokengate.core.parts import Part, Text, Thinking, ToolCall
from tokengate.core.splice import Members
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.forwarding import is_foreign, put_id

BODY = b'{ "model":"ours", "input": {"prompt": "a"}%b }'


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b"", b',"parameters":{"max_tokens":5}'),
        (b', "parameters": null', b', "parameters": {"max_tokens":5}'),
        (b', "parameters": {}', b', "parameters": {"max_tokens":5}'),
        (b', "parameters": {"n": 1}', b', "parameters": {"n": 1,"max_tokens":5}'),
        (b', "parameters": {"max_tokens": 9, "n": 1}', b', "parameters": {"max_tokens": 5, "n": 1}'),
        (
            b', "parameters": {"max_tokens": 9, "max_completion_tokens": 8}',
            b', "parameters": {"max_tokens": 5, "max_completion_tokens": 5}',
        ),
    ],
)
def test_only_the_models_name_and_the_cap_change(parameters: bytes, expected: bytes):
    body = BODY % parameters

    renamed = DASHSCOPE.forward_chat(Members(body), model="theirs", output_cap=None)
    capped = DASHSCOPE.forward_chat(Members(body), model="theirs", output_cap=5)

    assert renamed == body.replace(b"ours", b"theirs")
    assert capped == BODY.replace(b"ours", b"theirs") % expected


def test_a_reply_that_names_its_model_is_renamed():
    assert DASHSCOPE.rename_model(b'{"model": "theirs", "output": {}}', "ours") == b'{"model": "ours", "output": {}}'


@pytest.mark.parametrize("data", [fixture("message.json"), b'{"output": {"model": "x"}}', b'{"model": ', b"[DONE]"])
def test_what_does_not_name_its_model_stays_as_it_is(data: bytes):
    assert DASHSCOPE.rename_model(data, "ours") == data


@pytest.mark.parametrize(
    ("model", "only"),
    [
        ("qwq-plus", True),
        ("qvq-max-latest", True),
        ("qwen3-omni-flash", True),
        ("qwen3-235b-a22b", True),
        ("qwen3-30b-a3b-thinking-2507", True),
        ("qwen3-vl-8b-instruct", False),
        ("qwen3-max", False),
        ("qwen-plus", False),
        ("qwen2.5-72b-instruct", False),
    ],
)
def test_some_models_only_stream(model: str, only: bool):
    assert DASHSCOPE.must_stream(model) is only


def test_the_calls_id_is_ours():
    assert put_id(b'{"request_id": "theirs", "output": {}}', HEADING) == b'{"request_id": "req_our-id", "output": {}}'
    assert put_id(b'{"output": {}}', HEADING) == b'{"output": {},"request_id":"req_our-id"}'
    assert put_id(b"[DONE]", HEADING) == b"[DONE]"


def test_what_the_vendor_would_not_understand_is_foreign():
    pieces = asked(stream=True, incremental_output=True)

    assert not is_foreign(asked()) and not is_foreign(pieces)
    assert is_foreign(asked(stream=True)) and is_foreign(asked(stream=True, incremental_output=False))
    assert is_foreign(structs.replace(asked(), model="qwen-vl-max")) and is_foreign(asked(parts=True))


@pytest.mark.parametrize(
    ("part", "foreign"),
    [
        (Text("b"), False),
        (Thinking("hm"), False),
        (Thinking("hm", "proof", "anthropic"), True),
        (Thinking("hm", summary=True), True),
        (ToolCall("1", "f", "{}"), False),
        (ToolCall("1", "f", "{}", "c2ln"), True),
    ],
)
def test_what_another_vendor_proves_is_foreign(part: Part, foreign: bool):
    assert is_foreign(structs.replace(asked(), messages=(Message("assistant", (part,)),))) is foreign
