import pytest

from tests.formats.dashscope.wire import fixture
from tokengate.core.splice import Members
from tokengate.formats.dashscope.format import DASHSCOPE

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
