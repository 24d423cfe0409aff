"""A client's request: what it comes to, and what is refused by which name."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tests.formats.anthropic.examples import CHATS, body
from tokengate.core.chat import OPEN_BUDGET, BuiltIn, Function, JsonFormat, Reasoning, ToolChoice
from tokengate.core.errors import BadRequest
from tokengate.core.parts import (
    CacheMark,
    Citation,
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from tokengate.formats.anthropic.read import read_chat, read_count, write_count


def refusal(**members: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read_chat(body(**members))
    return caught.value


def user(*blocks: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(blocks)}]


# What a request comes to


def test_a_small_request_is_read() -> None:
    chat = read_chat(body())

    assert (chat.format, chat.model, chat.output.cap, chat.stream) == ("anthropic", "m", 100, False)
    assert [(message.role, message.parts, message.partial) for message in chat.messages] == [
        ("user", (Text("hi"),), False)
    ]
    assert chat.include_usage and not chat.extra and not chat.essential


def test_a_tool_loop_is_read() -> None:
    chat = read_chat(CHATS["tool-loop"])

    system, _, assistant, answers = chat.messages
    assert system.role == "system" and [part.cache for part in system.parts if isinstance(part, Text)] == [
        None,
        CacheMark("1h"),
    ]
    assert assistant.parts == (
        Thinking("Weather matters.", "EqQBCgIYAhIM1gbcDa9GJwZA2b3h", "anthropic"),
        Thinking("", "EmwKAhgBEgy3va3pzix", "anthropic", redacted=True),
        Text("Let me look."),
        ToolCall("toolu_1", "get_weather", '{"city": "Paris"}'),
        ToolCall("toolu_2", "get_weather", '{"city": "Rome"}'),
    )
    assert answers.parts == (
        ToolResult("toolu_1", (Text("15 degrees"),)),
        ToolResult(
            "toolu_2",
            (Text("no sensor"), Image(Data("image/png", "iVBORw0KGgo="))),
            is_error=True,
            cache=CacheMark(),
        ),
        Text("Decide now."),
    )
    function, search = chat.tools
    assert isinstance(function, Function) and function.strict and function.cache == CacheMark()
    assert dict(function.extra) == {"defer_loading": Raw(b"false")}
    assert isinstance(search, BuiltIn) and search.web_search and search.kind == "web_search_20250305"
    assert chat.tool_choice == ToolChoice("auto") and chat.parallel_tool_calls is False
    assert chat.reasoning == Reasoning(enabled=True, budget=10000, shown=True)
    assert (chat.user, chat.service_tier, chat.output.stop) == ("user-17", None, ("\n\nHuman:",))
    assert dict(chat.extra) == {"service_tier": Raw(b'"standard_only"')} and not chat.essential
    assert chat.stream


def test_documents_and_pictures_of_every_source_are_read() -> None:
    chat = read_chat(CHATS["documents"])

    pdf, url, text, uploaded, chunks, picture, kept, search, question = chat.messages[0].parts
    assert pdf == File(
        Data("application/pdf", "JVBERi0xLjQK"), title="Report", context="From the archive.", citations=True
    )
    assert url == File(Url("https://example.com/a.pdf"))
    assert text == File(Data("text/plain", "R3JhcyBpc3QgZ3LDvG4uIOiNieaYr+e7v+eahOOAgg=="))
    assert uploaded == File(FileId("file_011"))
    assert isinstance(chunks, Opaque) and chunks.kind == "document"
    assert picture == Image(Url("https://example.com/cat.jpg"))
    assert isinstance(kept, Image) and list(kept.extra) == ["transformations"]
    assert isinstance(search, Opaque) and search.kind == "search_result"
    assert question == Text("What do they say?")
    assert chat.cache == CacheMark()
    assert chat.output.json == JsonFormat(Raw(b'{"type": "object", "properties": {"answer": {"type": "string"}}}'))
    assert chat.reasoning == Reasoning(effort="low")


def test_a_last_message_of_the_assistant_is_to_be_continued() -> None:
    chat = read_chat(CHATS["documents"])

    assert [message.partial for message in chat.messages] == [False, False, False, False, True]
    assert chat.messages[3].role == "system"


def test_what_only_claude_code_says_is_kept_as_it_came() -> None:
    chat = read_chat(CHATS["claude-code"])

    assert chat.reasoning == Reasoning(enabled=True, effort="high", budget=OPEN_BUDGET)
    assert list(chat.extra) == ["context_management"] and not chat.essential
    assert chat.user is not None and json.loads(chat.user)["device_id"] == "d1"
    assert [dict(tool.extra) for tool in chat.tools if isinstance(tool, Function)] == [
        {"eager_input_streaming": Raw(b"true")},
        {},
    ]


def test_a_request_that_only_warms_the_cache_is_one_that_only_this_format_knows() -> None:
    chat = read_chat(body(max_tokens=0))

    assert chat.output.cap == 0 and dict(chat.extra) == {"max_tokens": Raw(b"0")}
    assert chat.essential == {"max_tokens"}


@pytest.mark.parametrize("name", ["container", "mcp_servers", "output_format"])
def test_members_that_change_the_answer_are_essential(name: str) -> None:
    assert read_chat(body(**{name: ["x"], "speed": "fast"})).essential == {name}


def test_a_kind_of_thinking_that_has_no_word_is_kept_whole() -> None:
    chat = read_chat(body(thinking={"type": "between_tools"}))

    assert chat.reasoning == Reasoning() and dict(chat.extra) == {"thinking": Raw(b'{"type": "between_tools"}')}


def test_a_member_with_unknown_parts_is_kept_whole() -> None:
    chat = read_chat(
        body(metadata={"user_id": "u", "x": 1}, output_config={"effort": "max", "task_budget": {"total": 9}})
    )

    assert chat.user == "u" and chat.reasoning.effort == "max"
    assert dict(chat.extra) == {
        "metadata": Raw(b'{"user_id": "u", "x": 1}'),
        "output_config": Raw(b'{"effort": "max", "task_budget": {"total": 9}}'),
    }


def test_null_is_as_good_as_absent() -> None:
    plain = {name: None for name in ("system", "tools", "thinking", "metadata", "temperature", "new_member")}
    nulls = json.dumps({**json.loads(body()), **plain}).encode()

    assert read_chat(nulls) == read_chat(body())


@pytest.mark.parametrize(
    ("given", "choice", "parallel"),
    [
        ({"type": "any"}, ToolChoice("required"), None),
        ({"type": "none"}, ToolChoice("none"), None),
        ({"type": "tool", "name": "f"}, ToolChoice("named", ("f",)), None),
        ({"type": "any", "disable_parallel_tool_use": False}, ToolChoice("required"), True),
    ],
)
def test_tool_choices_are_read(given: dict[str, Any], choice: ToolChoice, parallel: bool | None) -> None:
    chat = read_chat(body(tool_choice=given))

    assert (chat.tool_choice, chat.parallel_tool_calls) == (choice, parallel)


def test_another_vendors_proofs_come_back_unwrapped() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "hm", "signature": "responses#rs_1~:gAAA="},
        {"type": "thinking", "thinking": "so", "signature": ""},
        {"type": "thinking", "thinking": "", "signature": "call:AxQ"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
    ]

    (message,) = read_chat(body(messages=[{"role": "assistant", "content": blocks}])).messages

    assert message.parts == (
        Thinking("hm", "gAAA=", "responses", summary=True, id="rs_1"),
        Thinking("so"),
        ToolCall("t1", "f", "{}", signature="AxQ"),
        ToolCall("t2", "f", "{}"),
    )


def test_a_citation_that_was_only_lent_this_format_keeps_none_of_its_bytes() -> None:
    lent = {
        "type": "web_search_result_location",
        "url": "https://x",
        "title": "X",
        "cited_text": "x",
        "encrypted_index": "",
    }
    message = {"role": "assistant", "content": [{"type": "text", "text": "x", "citations": [lent]}]}

    (part,) = read_chat(body(messages=[message])).messages[0].parts

    assert part == Text("x", citations=(Citation("https://x", "X", "x"),))


def test_a_count_needs_no_output() -> None:
    chat = read_count(body(max_tokens=None, system="be kind", speed="fast"))

    assert [message.role for message in chat.messages] == ["system", "user"]
    assert chat.output.cap is None and list(chat.extra) == ["speed"]
    assert write_count(14) == b'{"input_tokens":14}'


# What is refused


_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"max_tokens": None}, "max_tokens"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_tokens": "9"}, "max_tokens"),
    ({"messages": []}, "messages"),
    ({"messages": ["hi"]}, "messages.0"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    ({"messages": [{"role": "user"}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
    ({"messages": user("x")}, "messages.0.content.0"),
    ({"messages": user({"text": "x"})}, "messages.0.content.0.type"),
    ({"messages": user({"type": "text"})}, "messages.0.content.0.text"),
    ({"messages": user({"type": "text", "text": "a"}, {"type": "image"})}, "messages.0.content.1.source"),
    (
        {"messages": user({"type": "image", "source": {"type": "base64", "data": "x"}})},
        "messages.0.content.0.source.media_type",
    ),
    (
        {"messages": user({"type": "text", "text": "a", "cache_control": {"type": "x"}})},
        "messages.0.content.0.cache_control.type",
    ),
    ({"messages": user({"type": "tool_use", "id": "t", "name": "f", "input": "{}"})}, "messages.0.content.0.input"),
    ({"messages": user({"type": "tool_result", "tool_use_id": ""})}, "messages.0.content.0.tool_use_id"),
    (
        {"messages": user({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_result"}]})},
        "messages.0.content.0.content.0",
    ),
    ({"messages": [{"role": "system", "content": [{"type": "image"}]}]}, "messages.0.content.0"),
    ({"system": [{"type": "document"}]}, "system.0"),
    ({"system": {"type": "text"}}, "system"),
    ({"temperature": 1.5}, "temperature"),
    ({"top_p": -0.1}, "top_p"),
    ({"top_k": 0.5}, "top_k"),
    ({"stop_sequences": "x"}, "stop_sequences"),
    ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
    ({"tools": [{"name": "f", "input_schema": []}]}, "tools.0.input_schema"),
    ({"tools": [{"type": 7}]}, "tools.0.type"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"tool_choice": "auto"}, "tool_choice"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": 100}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "adaptive", "budget_tokens": 2000}}, "thinking.type"),
    ({"thinking": {"type": "adaptive", "display": "full"}}, "thinking.display"),
    ({"output_config": {"format": {"type": "json_object"}}}, "output_config.format.type"),
    ({"output_config": {"format": {"type": "json_schema", "schema": 1}}}, "output_config.format.schema"),
    ({"metadata": {"user_id": 7}}, "metadata.user_id"),
    ({"Model": "x"}, "Model"),
]


@pytest.mark.parametrize(("members", "param"), _REFUSED)
def test_what_cannot_be_read_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    error = refusal(**members)

    assert error.status == 400 and error.param == param and f"'{param}'" in error.message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"model": "m"', "not valid JSON"),
        (b'{"model": "\xff"}', "not valid UTF-8"),
        (b'{"model": "m", "model": "m"}', "more than once"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
        (body(messages=user({"type": "text", "text": "?"})).replace(b'"?"', b'"\\ud800"'), "surrogate"),
    ],
)
def test_a_body_that_is_no_request_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_chat(data)


def test_results_inside_results_are_refused_before_they_are_looked_into() -> None:
    inner: Any = "x"
    for _ in range(80):
        inner = [{"type": "tool_result", "tool_use_id": "t", "content": inner}]

    assert refusal(messages=user(*inner)).param == "messages.0.content.0.content.0"


@given(
    st.sampled_from(sorted(CHATS)),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 4)), min_size=1, max_size=4),
)
def test_a_damaged_request_is_read_or_refused(name: str, changes: list[tuple[int, bytes, int]]) -> None:
    data = CHATS[name]
    for place, new, removed in changes:
        at = place % len(data)
        data = data[:at] + new + data[at + removed :]

    try:
        chat = read_chat(data)
    except BadRequest:
        return
    assert chat.messages


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: dict[Any, Any] = {}
    if isinstance(value, dict | list):
        inner = dict(enumerate(value) if isinstance(value, list) else value)  # pyright: ignore[reportUnknownArgumentType]  # JSON
    return ([at] if at else []) + [path for step in inner for path in _paths(inner[step], (*at, step))]


@given(st.sampled_from(sorted(CHATS)), st.integers(0, 10_000), _json)
def test_any_value_in_any_place_is_read_or_refused(name: str, place: int, value: Any) -> None:
    request = msgspec.json.decode(CHATS[name])
    paths = _paths(request)
    path = paths[place % len(paths)]
    holder = request
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value

    try:
        chat = read_chat(msgspec.json.encode(request))
    except BadRequest:
        return
    assert chat.model
