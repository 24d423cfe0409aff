import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.dashscope.wire import FIXTURES, MINIMAL, SEEDS, asked, fixture
from tokengate.core.chat import BuiltIn, Function, ToolChoice
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Audio, CacheMark, Data, Image, Opaque, Text, Thinking, ToolCall, ToolResult, Url, Video
from tokengate.formats.dashscope.requests import read_chat


def refused(body: dict[str, Any] | bytes, **how: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read_chat(body if isinstance(body, bytes) else json.dumps(body).encode(), **how)
    return caught.value


def messages(*turns: Any) -> dict[str, Any]:
    return {"model": "m", "input": {"messages": list(turns)}}


def test_the_product_pages_question_about_a_film_is_read():
    chat = read_chat((SEEDS / "002-dashscope-request-1.json").read_bytes(), parts=True)

    assert chat.model == "qwen-vl-max-latest"
    system, user = chat.messages
    assert system.parts == (Text("You are a helpful assistant."),)
    film, question = user.parts
    assert isinstance(film, Video) and film.whole
    assert film.frames == (Url("https://cloud.video.taobao.com/vod/S8T54f_w1rkdfLdYjL3S5zKN9CrhkzuhRwOhF313tIQ.mp4"),)
    assert question == Text("这段视频介绍的是什么?")


def test_tools_their_calls_and_results_are_read():
    chat = read_chat(fixture("request-tools.json"), stream=True)

    assert chat.stream
    assert isinstance(chat.tools[0], Function) and chat.tools[0].name == "get_current_weather"
    assert chat.tool_choice == ToolChoice("auto")
    _, _, assistant, user = chat.messages
    assert assistant.parts == (
        Thinking("Two cities, two calls."),
        ToolCall("call_cec4c19d", "get_current_weather", '{"location": "杭州"}'),
        ToolCall("call_dxjdop3d", "get_current_weather", '{"location": "上海"}'),
    )
    assert user.role == "user"
    assert user.parts == (
        ToolResult("call_cec4c19d", (Text("多云 18"),)),
        ToolResult("call_dxjdop3d", (Text("小雨 19"),)),
    )
    assert (chat.output.n, chat.output.top_logprobs, chat.output.stop) == (2, 2, ("停",))
    assert (chat.reasoning.enabled, chat.reasoning.budget) == (True, 500)


def test_media_and_their_hints_are_read():
    chat = read_chat(fixture("request-multimodal.json"), parts=True)

    system, user = chat.messages
    assert system.parts == (Text("You are a helpful assistant.", CacheMark()),)
    picture, data, frames, film, sound, _ = user.parts
    assert picture == Image(Url("https://img.example/dog.jpeg"), min_pixels=3136, max_pixels=1003520)
    assert isinstance(data, Image) and data.source == Data("image/png", "iVBORw0KGgo=")
    assert isinstance(frames, Video) and not frames.whole and len(frames.frames) == 2 and frames.fps == 2
    assert isinstance(film, Video) and film.whole and (film.max_frames, film.total_pixels) == (16, 90316800)
    assert sound == Audio(Url("https://img.example/sound.wav"))
    assert chat.high_resolution_images is True


def test_a_prompt_and_its_history_become_turns():
    chat = read_chat(fixture("request-prompt.json"))

    assert [(turn.role, turn.parts) for turn in chat.messages] == [
        ("user", (Text("你好"),)),
        ("assistant", (Text("你好！"),)),
        ("user", (Text("1+1?"),)),
    ]
    assert bytes(chat.extra["parameters.stop"]) == b"[[37763,367]]"
    assert "parameters.stop" in chat.essential


def test_results_without_ids_belong_to_calls_of_their_function():
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = messages(
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call, call]},
        {"role": "tool", "name": "f", "content": "one"},
        {"role": "tool", "name": "f", "content": "two"},
    )

    _, assistant, results = read_chat(json.dumps(body).encode()).messages

    ids = [part.id for part in assistant.parts if isinstance(part, ToolCall)]
    assert len(set(ids)) == 2
    assert [part.call_id for part in results.parts if isinstance(part, ToolResult)] == ids


def test_what_proves_thinking_comes_back_from_either_place():
    details = [
        {"type": "reasoning.encrypted", "data": "sealed", "format": "anthropic", "index": 0},
        {"type": "reasoning.text", "text": "so", "signature": "sig", "format": "anthropic", "index": 1},
    ]
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "reasoning_content": "so", "reasoning_details": details},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d", "reasoning_content": "hm", "reasoning_signature": "gemini:proof"},
        {"role": "user", "content": "e"},
    ]

    chat = read_chat(json.dumps(messages(*turns)).encode())

    assert chat.messages[1].parts[:2] == (
        Thinking("", "sealed", "anthropic", redacted=True),
        Thinking("so", "sig", "anthropic"),
    )
    assert chat.messages[3].parts[0] == Thinking("hm", "proof", "gemini")


def test_a_tool_calls_own_signature_comes_back():
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "sig"}},
    }

    chat = read_chat(json.dumps(messages({"role": "assistant", "content": "", "tool_calls": [call]})).encode())

    assert chat.messages[0].parts == (ToolCall("c", "f", "{}", "sig"),)


def test_what_has_no_word_is_kept_under_its_dotted_name():
    body = {
        "model": "m",
        "debug": {"on": True},
        "input": {"messages": [{"role": "user", "content": "hi", "note": 1}], "plugins": "x"},
        "parameters": {"skill": [{"type": "ppt"}], "tool_stream": True, "top_p": None},
    }

    chat = read_chat(json.dumps(body).encode())

    assert set(chat.extra) == {"debug", "input.plugins", "parameters.skill", "parameters.tool_stream"}
    assert chat.essential == {"parameters.skill"}
    assert set(chat.messages[0].extra) == {"note"}


def test_an_entry_of_another_kind_stays_as_it_is():
    entry = {"type": "doc_url", "doc_url": ["https://a.example/b.docx"], "file_parsing_strategy": "auto"}

    chat = read_chat(json.dumps(messages({"role": "user", "content": [entry]})).encode())

    part = chat.messages[0].parts[0]
    assert isinstance(part, Opaque) and part.kind == "doc_url" and json.loads(bytes(part.raw)) == entry


def test_a_tool_of_another_kind_stays_as_it_is():
    chat = asked(tools=[{"type": "web_search", "count": 3}, {"function": {"name": "f", "mode": "x"}}])

    search, function = chat.tools
    assert isinstance(search, BuiltIn) and search.kind == "web_search" and search.web_search
    assert isinstance(function, Function) and set(function.extra) == {"mode"}


@pytest.mark.parametrize(
    ("model", "parts", "parameters", "style"),
    [
        ("qwen-plus", False, {}, {"text", "whole"}),
        ("qwen2.5-7b-instruct", False, {}, {"text", "whole"}),
        ("qwen-plus", False, {"result_format": "message"}, {"whole"}),
        ("qwen-plus", False, {"incremental_output": True}, {"text"}),
        ("qwen3-max", False, {}, set[str]()),
        ("qwen3-max", False, {"incremental_output": False, "result_format": "text"}, {"text", "whole"}),
        ("qwen/qwen3-vl-8b-instruct", True, {}, {"parts"}),
        ("claude-sonnet-4-6", False, {}, {"whole"}),
        ("qwen-vl-max", True, {"result_format": "text"}, {"parts", "whole"}),
        ("qwen3-max", False, {"max_completion_tokens": 5}, {"max_completion_tokens"}),
    ],
)
def test_who_does_not_say_how_is_answered_as_the_vendor_answers(
    model: str, parts: bool, parameters: dict[str, Any], style: set[str]
):
    chat = read_chat(json.dumps({**MINIMAL, "model": model, "parameters": parameters}).encode(), parts=parts)

    assert chat.style == style


def test_two_caps_are_both_kept():
    chat = asked(max_tokens=10, max_completion_tokens=20)

    assert chat.output.cap == 10
    assert bytes(chat.extra["parameters.max_completion_tokens"]) == b"20"


ACCEPTED: list[tuple[str, Any]] = [
    *[("temperature", value) for value in (0, 1, 1.99)],
    *[("top_p", value) for value in (0.01, 1)],
    *[("top_k", value) for value in (0, 100, 2**31 - 1)],
    *[("presence_penalty", value) for value in (-2, 0, 2)],
    *[("repetition_penalty", value) for value in (0.1, 2.5)],
    *[("seed", value) for value in (0, 2**64 - 1)],
    *[("max_tokens", value) for value in (1, 2**31 - 1)],
    *[("n", value) for value in (1, 4)],
    *[("stop", value) for value in ("x", ["x", "y"], [1, 2], [[1], [2]], [[1, 2]], [])],
    *[
        ("tool_choice", value)
        for value in ("none", "auto", "required", {"type": "function", "function": {"name": "f"}})
    ],
    ("logit_bias", {"9909": -100}),
    ("response_format", {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}}),
    ("response_format", {"type": "text"}),
    ("thinking_budget", 0),
]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_values_within_their_ranges_are_read(name: str, value: Any):
    assert asked(**{name: value}) is not None
    nothing: dict[str, Any] = {name: None}
    assert asked(**nothing) is not None


REFUSED: list[tuple[str, Any, str]] = [
    *[("temperature", value, "temperature") for value in (-0.1, 2, "1", True)],
    *[("top_p", value, "top_p") for value in (0, 1.1)],
    *[("top_k", value, "top_k") for value in (-1, 1.5, "x")],
    *[("presence_penalty", value, "presence_penalty") for value in (-2.1, 2.1)],
    *[("repetition_penalty", value, "repetition_penalty") for value in (0, -1)],
    *[("seed", value, "seed") for value in (-1, 2**64, 1.5)],
    *[("max_tokens", value, "max_tokens") for value in (0, -1, 2**31, "5")],
    *[("n", value, "n") for value in (0, 5)],
    *[("top_logprobs", value, "top_logprobs") for value in (-1, 6, 1)],
    *[("stop", value, "stop") for value in (["a", 1], 5, [1.5])],
    *[("incremental_output", value, "incremental_output") for value in (1, "true")],
    *[("result_format", value, "result_format") for value in ("html", 1)],
    *[("tool_choice", value, "tool_choice") for value in ("any", {"function": 1}, 5)],
    *[("tools", value, "tools") for value in ("f", [1], [{"type": "function"}], [{"type": 1}], [{"function": 1}])],
    ("tools", [{"function": {"name": "f", "parameters": "none"}}], "tools[0].function.parameters"),
    ("response_format", {"type": "xml"}, "response_format.type"),
    ("response_format", {"type": "json_schema"}, "response_format.json_schema.schema"),
    ("response_format", {"type": "json_schema", "json_schema": {"schema": 1}}, "response_format.json_schema.schema"),
    ("search_options", [], "search_options"),
    ("translation_options", "zh", "translation_options"),
    ("logit_bias", {"a": 101}, "logit_bias"),
    ("enable_thinking", "yes", "enable_thinking"),
    ("Temperature", 1, "Temperature"),
]


@pytest.mark.parametrize(("name", "value", "param"), REFUSED)
def test_values_outside_their_ranges_are_refused_by_name(name: str, value: Any, param: str):
    error = refused({**MINIMAL, "parameters": {name: value}})

    assert (error.param or "").startswith(f"parameters.{param}")
    assert error.status == 400


BAD_BODIES: list[tuple[Any, str | None]] = [
    (b"", None),
    (b"[]", None),
    (b'{"model": "m"}', "input"),
    (b'{"input": {"prompt": "a"}}', "model"),
    (b'{"model": "", "input": {"prompt": "a"}}', "model"),
    (b'{"model": "m", "input": 1}', "input"),
    (b'{"model": "m", "input": {}}', "input.messages"),
    (b'{"model": "m", "input": {"prompt": ""}}', "input.prompt"),
    (b'{"model": "m", "input": {"messages": []}}', "input.messages"),
    (b'{"model": "m", "input": {"messages": [], "prompt": "a"}}', "input.prompt"),
    (b'{"model": "m", "input": {"prompt": "a"}, "parameters": []}', "parameters"),
    (b'{"model": "m", "model": "n", "input": {"prompt": "a"}}', "model"),
    (b'{"model": "m", "input": {"prompt": "a"}, "parameters": {"n": 1, "n": 2}}', "parameters.n"),
    (b'{"model": "m", "input": {"prompt": "a"}, "x": "\\ud800"}', None),
    (b'{"model": "m", "input": {"prompt": "\xff"}}', "input"),
    (b'{"model": "m", "input": ' + b'{"a":' * 10_000, None),
    (messages(1), "input.messages[0]"),
    (messages({"role": "robot", "content": "a"}), "input.messages[0].role"),
    (messages({"content": "a"}), "input.messages[0].role"),
    (messages({"role": "user"}), "input.messages[0].content"),
    (messages({"role": "assistant"}), "input.messages[0].content"),
    (messages({"role": "tool", "tool_call_id": "a"}), "input.messages[0].content"),
    (messages({"role": "user", "content": 1}), "input.messages[0].content"),
    (messages({"role": "user", "content": ["a"]}), "input.messages[0].content[0]"),
    (messages({"role": "user", "content": [{}]}), "input.messages[0].content[0]"),
    (messages({"role": "user", "content": [{"text": 1}]}), "input.messages[0].content[0].text"),
    (messages({"role": "user", "content": [{"text": "a", "image": "b"}]}), "input.messages[0].content[0]"),
    (messages({"role": "user", "content": [{"video": []}]}), "input.messages[0].content[0]"),
    (messages({"role": "user", "content": [{"video": "v", "fps": 0}]}), "input.messages[0].content[0].fps"),
    (messages({"role": "assistant", "tool_calls": [{}]}), "input.messages[0].tool_calls[0].function"),
    (
        messages({"role": "assistant", "content": "a", "reasoning_details": [{"text": "no type"}]}),
        "input.messages[0].reasoning_details.type",
    ),
]


@pytest.mark.parametrize(("body", "param"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_bodies_that_cannot_be_read_are_refused_by_name(body: Any, param: str | None):
    assert refused(body).param == param


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("request-*.json")), ids=lambda path: path.name)
@settings(max_examples=50)
@given(data=st.data())
def test_a_mutated_request_is_read_or_refused(path: Path, data: st.DataObject):
    body = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:end] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"]", b"1e999", b"-1"])
        )

    try:
        read_chat(bytes(body), parts=data.draw(st.booleans()))
    except BadRequest as error:
        assert error.message
