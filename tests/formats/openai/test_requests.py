import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import BadRequest
from tokengate.formats.openai.requests import ChatRequest, Media, read_chat, read_completion, read_embedding

SEEDS = Path(__file__).parents[2] / "fixtures" / "seeds"
MINIMAL: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def chat(**parameters: Any) -> ChatRequest:
    return read_chat(json.dumps(MINIMAL | parameters).encode())


def refused_chat(**parameters: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        chat(**parameters)
    return caught.value


@pytest.mark.parametrize("path", sorted(SEEDS.glob("*-request-*.json")), ids=lambda path: path.name)
def test_the_requests_of_the_product_pages_are_read(path: Path):
    if "dashscope" in path.name:
        return
    body = path.read_bytes()

    request = read_chat(body)

    page = json.loads(body)
    assert request.model == page["model"]
    assert request.messages == len(page["messages"])
    assert request.stream == page.get("stream", False)
    assert request.output_cap == page.get("max_tokens")
    assert request.search == page.get("enable_search", False)


def test_dashscopes_own_body_is_refused_by_name():
    with pytest.raises(BadRequest) as caught:
        read_chat((SEEDS / "002-dashscope-request-1.json").read_bytes())

    assert caught.value.param == "input"

    with pytest.raises(BadRequest) as caught:
        chat(input={"messages": []})

    assert caught.value.param == "input"


ACCEPTED: list[tuple[str, Any]] = [
    *[("temperature", value) for value in (0, 0.0, 1, 2, 2.0)],
    *[(name, value) for name in ("top_p", "min_p", "top_a") for value in (0, 0.5, 1)],
    *[("top_k", value) for value in (0, 1, 2**31 - 1)],
    *[(name, value) for name in ("frequency_penalty", "presence_penalty") for value in (-2, -2.0, 0, 2)],
    *[("repetition_penalty", value) for value in (0, 1.5, 2)],
    *[("seed", value) for value in (0, -1, -(2**63), 2**63, 2**64 - 1)],
    *[(name, value) for name in ("max_tokens", "max_completion_tokens") for value in (1, 2**31 - 1)],
    *[("n", value) for value in (1, 128)],
    *[("stop", value) for value in ("x", "", [], ["a", "b", "c", "d", "e"], [1, 2])],
    *[("verbosity", value) for value in ("low", "medium", "high")],
    *[("tool_choice", value) for value in ("auto", "none", "required", {"type": "function"}, ["auto"])],
    *[("structured_outputs", value) for value in (True, False, {"regex": "a"})],
    *[("response_format", value) for value in ({"type": "text"}, {"type": "json_object"}, {"type": "json_schema"})],
    ("logit_bias", {"1": -100, "2": 100.0}),
    ("logit_bias", {}),
    ("logprobs", True),
    ("tools", []),
    ("tools", [{"type": "function", "function": {"name": "f", "parameters": {}}}]),
    ("parallel_tool_calls", False),
    ("enable_search", True),
    ("translation_options", {"source_lang": "Chinese", "target_lang": "English", "terms": []}),
    ("stream_options", {"include_usage": True, "continuous_usage_stats": True}),
    ("reasoning_effort", "xhigh"),
    ("modalities", ["text", "audio"]),
    ("metadata", {"a": "b"}),
    ("service_tier", "flex"),
    ("store", True),
    ("some_vendors_own", {"deep": [1, {"a": None}]}),
]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_a_parameter_is_accepted_up_to_the_ends_of_its_range(name: str, value: Any):
    assert chat(**{name: value}).model == "m"


@pytest.mark.parametrize("name", sorted({name for name, _ in ACCEPTED} | {"stream", "top_logprobs", "user"}))
def test_null_is_the_same_as_absent(name: str):
    with_null, without = chat(**{name: None}), chat()

    fields = [field for field in ChatRequest.__struct_fields__ if field != "members"]
    assert [getattr(with_null, field) for field in fields] == [getattr(without, field) for field in fields]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("temperature", -0.01, "a number from 0 to 2"),
        ("temperature", 2.01, "a number from 0 to 2"),
        ("temperature", "1", "a number from 0 to 2"),
        ("temperature", True, "a number from 0 to 2"),
        ("top_p", 1.01, "a number from 0 to 1"),
        ("min_p", -1, "a number from 0 to 1"),
        ("top_a", 7, "a number from 0 to 1"),
        ("top_k", -1, "an integer from 0"),
        ("top_k", 0.5, "an integer from 0"),
        ("presence_penalty", -2.1, "a number from -2 to 2"),
        ("frequency_penalty", 2.1, "a number from -2 to 2"),
        ("repetition_penalty", 2.1, "a number from 0 to 2"),
        ("seed", 2**64, "an integer from -9223372036854775808 to 18446744073709551615"),
        ("seed", 10**400, "an integer from"),
        ("seed", "7", "an integer from"),
        ("max_tokens", 0, "an integer from 1"),
        ("max_tokens", 10**30, "an integer from 1"),
        ("max_completion_tokens", 0, "an integer from 1"),
        ("n", 0, "an integer from 1 to 128"),
        ("n", 129, "an integer from 1 to 128"),
        ("stop", 5, "a string, or a list of only strings or only token ids"),
        ("stop", ["你好", 123456], "a string, or a list of only strings or only token ids"),
        ("logit_bias", {"1": 101}, "numbers from -100 to 100"),
        ("logit_bias", [], "an object"),
        ("top_logprobs", 21, "an integer from 0 to 20"),
        ("verbosity", "loud", "one of low, medium, high"),
        ("stream", "true", "true or false"),
        ("stream", 1, "true or false"),
        ("enable_search", "yes", "true or false"),
        ("tools", {}, "a list"),
        ("tool_choice", 1, "a string"),
        ("response_format", "json", "an object"),
        ("structured_outputs", "yes", "true or false or an object"),
        ("user", 1, "a string"),
        ("model", "", "a string of 1 to 200 characters"),
        ("model", "x" * 201, "a string of 1 to 200 characters"),
        ("model", None, "a string of 1 to 200 characters"),
        ("messages", [], "a list of at least one message"),
        ("messages", "hi", "a list of at least one message"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_with_its_range(name: str, value: Any, says: str):
    refusal = refused_chat(**{name: value})

    assert refusal.param == name
    assert f"'{name}'" in refusal.message
    assert says in refusal.message


WRONG_MESSAGES: list[tuple[Any, str]] = [
    ([{"role": "user"}], "messages[0].content"),
    ([{"role": "user", "content": None}], "messages[0].content"),
    ([{"role": "assistant"}], "messages[0].content"),
    ([{"role": "tool", "content": None, "tool_call_id": "1"}], "messages[0].content"),
    ([{"role": "user", "content": "a"}, {"role": "robot", "content": "b"}], "messages[1].role"),
    ([{"role": "user", "content": "a"}, {"content": "b"}], "messages[1].role"),
    ([{"role": ["user"], "content": "a"}], "messages[0].role"),
    ([{"role": "user", "content": 5}], "messages[0].content"),
    ([{"role": "user", "content": {}}], "messages[0].content"),
    ([{"role": "user", "content": ["a"]}], "messages[0].content[0]"),
    ([{"role": "user", "content": [{"text": "a"}]}], "messages[0].content[0]"),
    ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": 1}]}], "messages[0].content[1]"),
    ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
    (["hi"], "messages[0]"),
    ([None], "messages[0]"),
]


@pytest.mark.parametrize(("messages", "param"), WRONG_MESSAGES)
def test_a_wrong_message_is_refused_by_its_place(messages: Any, param: str):
    assert refused_chat(messages=messages).param == param


@pytest.mark.parametrize("missing", ["model", "messages"])
def test_a_missing_parameter_is_refused_by_name(missing: str):
    with pytest.raises(BadRequest) as caught:
        read_chat(json.dumps({name: value for name, value in MINIMAL.items() if name != missing}).encode())

    assert caught.value.param == missing
    assert caught.value.code == "missing_required_parameter"


MESSAGES: list[dict[str, Any]] = [
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {}}]},
    {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "assistant", "content": None, "refusal": "no"},
    {"role": "assistant", "content": None, "images": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]},
    {"role": "assistant", "audio": {"id": "a"}},
    {"role": "assistant", "content": "x", "reasoning_content": "y", "prefix": True},
    {"role": "function", "name": "f", "content": None},
    {"role": "developer", "content": "x"},
    {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]},
    {"role": "user", "content": []},
    {"role": "user", "content": [{"type": "a_vendors_own", "x": 1}]},
]


@pytest.mark.parametrize("message", MESSAGES)
def test_every_kind_of_message_is_read(message: dict[str, Any]):
    assert chat(messages=[message]).messages == 1


BROKEN = [
    b"",
    b" ",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b'{"model":"m","messages":[{"role":"user","content":"hi"}]',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}]}x',
    b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}',
    b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
    b'{"model":"m","messages":[{"role":"user","content":"\\udc00x"}]}',
    b'{"model":"m","messages":[{"role":"user","content":"hi","x":"\xe4\xb8"}]}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"other":"\xff"}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"other":"\\udc00"}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"a":"\xff"}]}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":NaN}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":Infinity}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":1e400}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":1e400}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"other":1e400}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"model":"m","messages":' + b"[" * 100_000,
    b'{"model":"m","messages":[{"role":"user","content":' + b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000 + b"}]}",
    b'{"model":"m","model":"expensive","messages":[{"role":"user","content":"hi"}]}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"mod\\u0065l":"expensive"}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"Model":"expensive"}',
    b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_to\xe2\x84\xaaens":5}',
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_body_is_a_bad_request(body: bytes):
    with pytest.raises(BadRequest) as caught:
        read_chat(body)

    assert caught.value.status == 400
    assert caught.value.message


def test_a_member_named_twice_is_refused_by_name():
    with pytest.raises(BadRequest) as caught:
        read_chat(b'{"model":"m","messages":[],"model":"x"}')

    assert caught.value.param == "model"


def test_both_caps_hold_the_larger_and_obey_the_newer():
    request = chat(max_tokens=500, max_completion_tokens=20)

    assert (request.output_cap, request.output_bound) == (20, 500)


def test_top_logprobs_need_logprobs():
    assert refused_chat(top_logprobs=3).param == "top_logprobs"
    assert refused_chat(top_logprobs=3, logprobs=False).param == "top_logprobs"
    assert chat(top_logprobs=3, logprobs=True).logprobs
    assert not chat(top_logprobs=0).logprobs


@pytest.mark.parametrize(
    ("parameters", "thinking"),
    [
        ({}, None),
        ({"enable_thinking": True}, True),
        ({"enable_thinking": False}, False),
        ({"thinking": {"type": "enabled"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({"chat_template_kwargs": {}}, None),
    ],
)
def test_thinking_is_read_from_each_vendors_parameter(parameters: dict[str, Any], thinking: bool | None):
    assert chat(**parameters).thinking is thinking


def test_media_are_counted_apart_from_text():
    url = "data:image/png;base64," + "A" * 1000
    parts = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "image_url", "image_url": "http://x/y.png"},
        {"type": "video", "video": ["a", "b", "c", "d"], "fps": 2},
        {"type": "video_url", "video_url": {"url": "v"}},
        {"type": "input_audio", "input_audio": {"data": "xyz", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f"}},
    ]

    media = chat(messages=[{"role": "user", "content": parts}] * 2).media

    expected_characters = 2 * (len(url) + len("low") + len("http://x/y.png") + 4 + 1 + 6 + 1)
    expected_characters += 2 * sum(len(part["type"]) for part in parts[1:] if type(part["type"]) is str)
    assert media == Media(
        images=4, films=2, frames=8, characters=expected_characters, sounds=("xyz",) * 2, documents=(None,) * 2
    )


def test_a_completion_counts_what_it_generates():
    body = {"model": "m", "prompt": ["a", "b"], "n": 2, "best_of": 3, "max_tokens": 5, "logprobs": 1, "stream": True}

    request = read_completion(json.dumps(body).encode())

    assert (request.prompts, request.n, request.choices) == (2, 2, 6)
    assert request.stream and request.logprobs and request.output_cap == 5


@pytest.mark.parametrize(
    ("prompt", "prompts", "tokens"),
    [("", 1, 0), ("a", 1, 0), ([1, 2, 3], 1, 3), ([[1], [2, 3]], 2, 3), (["", "b"], 2, 0)],
)
def test_a_prompt_has_four_forms(prompt: Any, prompts: int, tokens: int):
    request = read_completion(json.dumps({"model": "m", "prompt": prompt}).encode())

    assert (request.prompts, request.prompt_tokens) == (prompts, tokens)


@pytest.mark.parametrize("given", [None, 5, [], ["a", 1], [[]], [1, [2]], {}, [True], [["a"]], [[1, "a"]], "", [""]])
def test_a_wrong_input_is_refused(given: Any):
    with pytest.raises(BadRequest) as caught:
        read_embedding(json.dumps({"model": "m", "input": given}).encode())

    assert caught.value.param == "input"


def test_an_embedding_request_is_read():
    body = {"model": "m", "input": ["a", "b"], "dimensions": 64, "encoding_format": "base64", "user": "u"}

    request = read_embedding(json.dumps(body).encode())

    assert (request.inputs, request.input_tokens, request.dimensions, request.base64) == (2, 0, 64, True)
    assert read_embedding(b'{"model":"m","input":[[1,2],[3]]}').input_tokens == 3


@pytest.mark.parametrize(
    ("extra", "param"),
    [
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"input": ["a"] * 2049}, "input"),
    ],
)
def test_a_wrong_embedding_parameter_is_refused(extra: dict[str, Any], param: str):
    with pytest.raises(BadRequest) as caught:
        read_embedding(json.dumps({"model": "m", "input": "a"} | extra).encode())

    assert caught.value.param == param


_bodies = st.sampled_from([path.read_bytes() for path in sorted(SEEDS.glob("*-request-*.json"))])


@given(_bodies, st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_damaged_body_is_read_or_refused(body: bytes, damages: list[tuple[int, bytes]]):
    for place, damage in damages:
        at = place % len(body)
        body = body[:at] + damage + body[at + len(damage) :]

    for read in (read_chat, read_completion, read_embedding):
        try:
            read(body)
        except BadRequest as refusal:
            assert refusal.status == 400


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "role", "content"]), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*MINIMAL, *sorted({name for name, _ in ACCEPTED}), "input"]), _values, max_size=3)
)
@settings(max_examples=200, deadline=None)
def test_any_value_of_any_parameter_is_read_or_refused_by_name(parameters: dict[str, Any]):
    try:
        chat(**parameters)
    except BadRequest as refusal:
        if refusal.param is not None:
            assert refusal.param.split("[")[0].split(".")[0] in MINIMAL | parameters
