"""Requests as clients send them."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tests.formats.responses.samples import body_of, chat_of
from tokengate.core.chat import BuiltIn, Custom, Function, JsonFormat, Message, ToolChoice
from tokengate.core.errors import BadRequest
from tokengate.core.parts import (
    Audio,
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from tokengate.formats.responses.read_chat import chat_of as resolved
from tokengate.formats.responses.read_chat import read_chat, read_request


def messages_of(*items: Any) -> tuple[Message, ...]:
    return chat_of(input=list(items)).messages


def refusal_of(**members: Any) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        chat_of(**members)
    return refused.value


def test_a_text_is_a_message_of_the_user() -> None:
    assert chat_of(input="hello").messages == (Message("user", (Text("hello"),)),)


def test_instructions_head_the_conversation() -> None:
    messages = chat_of(instructions="Be brief.", input="hello").messages

    assert messages[0] == Message("system", (Text("Be brief."),))


def test_what_the_codex_client_sends_is_read_whole() -> None:
    chat = read_chat(body_of("codex.request"))

    assert [message.role for message in chat.messages] == [
        "system",
        "developer",
        "user",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    thinking, said, shell = chat.messages[4].parts
    assert thinking == Thinking("**Plan**", "gAAAAABo_one", "responses", summary=True)
    assert isinstance(said, Text) and said.phase == "commentary"
    assert isinstance(shell, Opaque) and shell.kind == "local_shell_call"
    assert chat.messages[6].parts == (
        ToolCall("call_1", "shell", '{"command":["cat","a"]}'),
        ToolCall("call_2", "apply_patch", "*** Begin Patch\n*** End Patch", custom=True),
    )
    assert chat.messages[7].parts == (
        ToolResult("call_1", (Text("hello"),)),
        ToolResult("call_2", (Text("Success"),), custom=True),
    )
    shell_tool, local_shell, web_search, patch = chat.tools
    assert isinstance(shell_tool, Function) and shell_tool.strict is False
    assert isinstance(local_shell, BuiltIn) and not local_shell.web_search
    assert isinstance(web_search, BuiltIn) and web_search.web_search
    assert patch == Custom(
        "apply_patch", "Use the `apply_patch` tool to edit files.", "lark", "start: begin_patch hunk+ end_patch"
    )
    assert chat.tool_choice == ToolChoice("auto")
    assert (chat.reasoning.effort, chat.reasoning.summary, chat.reasoning.signed) == ("medium", "auto", True)
    assert chat.output.verbosity == "medium"
    assert set(chat.extra) == {"prompt_cache_key", "client_metadata"}


def test_content_parts_of_every_kind_are_read() -> None:
    (message,) = messages_of(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "https://a.example/i.png", "detail": "low"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                {"type": "input_image", "file_id": "file_1"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
                {"type": "input_file", "file_url": "https://a.example/b.pdf"},
                {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "wav"}},
                {"type": "computer_screenshot", "file_id": "f"},
            ],
        }
    )

    assert message.parts[:7] == (
        Text("look"),
        Image(Url("https://a.example/i.png"), "low"),
        Image(Data("image/png", "AAAA")),
        Image(FileId("file_1")),
        File(Data("application/pdf", "BBBB"), "a.pdf"),
        File(Url("https://a.example/b.pdf")),
        Audio(Data("audio/wav", "CCCC")),
    )
    assert isinstance(message.parts[7], Opaque)


def test_an_answer_of_the_api_sent_back_is_the_turn_it_was() -> None:
    (turn,) = messages_of(
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA", "status": None},
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "It is", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "no"},
            ],
        },
        {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}"},
    )

    assert turn == Message(
        "assistant",
        (
            Thinking("", "gAAAA", "responses", redacted=True, id="rs_1"),
            Text("It is"),
            Refusal("no"),
            ToolCall("c", "f", "{}"),
        ),
    )


def test_thinking_of_other_vendors_comes_back_as_theirs() -> None:
    (turn,) = messages_of(
        {
            "type": "reasoning",
            "id": "rs_0",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "hm"}],
            "encrypted_content": "anthropic:EqQB",
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "anthropic!:EmwK"},
        {
            "type": "reasoning",
            "id": "rs_2",
            "summary": [{"type": "summary_text", "text": "gist"}],
            "encrypted_content": "responses#rs_vendor:gAAA",
        },
    )

    assert turn.parts == (
        Thinking("hm", "EqQB", "anthropic"),
        Thinking("", "EmwK", "anthropic", redacted=True),
        Thinking("gist", "gAAA", "responses", summary=True, id="rs_vendor"),
    )


def test_the_signature_of_a_call_comes_back_to_it() -> None:
    (turn,) = messages_of(
        {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "call:CiQB"},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
    )

    assert turn.parts == (ToolCall("a", "f", "{}", signature="CiQB"), ToolCall("b", "f", "{}"))


def test_earlier_calls_stand_before_the_input_and_after_the_instructions() -> None:
    body = {"model": "m", "instructions": "new", "input": "and now?", "previous_response_id": "resp_1"}
    history = [Raw(b'{"role":"user","content":"one"}'), Raw(b'{"role":"assistant","content":"two"}')]

    chat = resolved(read_request(json.dumps(body).encode()), history)

    texts = [part.text for message in chat.messages for part in message.parts if isinstance(part, Text)]
    assert texts == ["new", "one", "two", "and now?"]
    assert "previous_response_id" not in chat.extra


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", ("f",))),
        ({"type": "custom", "name": "p"}, ToolChoice("named", ("p",))),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("required", ("f",)),
        ),
        (None, None),
    ],
)
def test_every_choice_of_tools_is_read(given: Any, read: ToolChoice | None) -> None:
    assert chat_of(tool_choice=given).tool_choice == read


@pytest.mark.parametrize(
    "given",
    [
        {"type": "web_search_preview"},
        {"type": "mcp", "server_label": "docs"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
    ],
)
def test_a_choice_of_a_built_in_tool_is_only_for_vendors_of_this_format(given: Any) -> None:
    chat = chat_of(tool_choice=given)

    assert chat.tool_choice is None
    assert "tool_choice" in chat.extra and "tool_choice" in chat.essential


def test_structured_output_is_read() -> None:
    chat = chat_of(text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}})

    assert chat.output.json == JsonFormat(Raw(b'{"type": "object"}'), "a", "", True)
    assert chat_of(text={"format": {"type": "json_object"}}).output.json == JsonFormat()
    assert chat_of(text={"format": {"type": "text"}}).output.json is None


def test_values_that_say_what_is_so_anyway_are_not_carried() -> None:
    chat = chat_of(
        truncation="disabled",
        stream_options={"include_obfuscation": False},
        background=False,
        store=True,
        conversation=None,
        include=["reasoning.encrypted_content"],
        reasoning={"effort": None},
    )

    assert chat.extra == {}


def test_what_has_no_word_is_carried_under_its_path() -> None:
    chat = chat_of(
        truncation="auto",
        include=["web_search_call.action.sources", "message.output_text.logprobs"],
        reasoning={"effort": "high", "mode": "pro"},
        safety_identifier="u1",
    )

    assert set(chat.extra) == {"truncation", "include", "reasoning.mode", "safety_identifier"}
    assert chat.extra["include"] == Raw(b'["web_search_call.action.sources"]')
    assert chat.output.logprobs is True


def test_store_is_true_unless_the_caller_says_no() -> None:
    assert read_request(b'{"model":"m","input":"x"}').stored
    assert read_request(b'{"model":"m","input":"x","store":null}').stored
    assert not read_request(b'{"model":"m","input":"x","store":false}').stored


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"input": None}, "input"),
    ({"input": 7}, "input"),
    ({"input": [7]}, "input[0]"),
    ({"input": [{}]}, "input[0].type"),
    ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
    ({"input": [{"type": "message", "content": "x"}]}, "input[0].role"),
    ({"input": [{"role": "user"}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": {}}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
    ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "input[0].call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": 7}]}, "input[0].output"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ({"input": [{"id": "msg_1"}]}, "input[0]"),
    ({"tools": [{"name": "f"}]}, "tools[0].type"),
    ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ({"tools": [{"type": "function", "name": "f", "parameters": []}]}, "tools[0].parameters"),
    ({"tools": [{"type": "custom", "name": "f", "format": {"type": "yaml"}}]}, "tools[0].format.type"),
    ({"tool_choice": "sometimes"}, "tool_choice"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
    ({"temperature": 2.1}, "temperature"),
    ({"top_p": -0.1}, "top_p"),
    ({"top_logprobs": 21}, "top_logprobs"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"max_tool_calls": "x"}, "max_tool_calls"),
    ({"truncation": "yes"}, "truncation"),
    ({"metadata": {"a": 1}}, "metadata"),
    ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
    ({"Model": "m"}, "Model"),
    ({"model": ""}, "model"),
    ({"background": True, "store": False}, "background"),
    ({"conversation": "conv_1"}, "conversation"),
]


@pytest.mark.parametrize(("members", "param"), REFUSED)
def test_a_refusal_names_the_parameter(members: dict[str, Any], param: str) -> None:
    refused = refusal_of(**members)

    assert (refused.param, refused.status) == (param, 400)


def test_a_member_that_is_there_twice_is_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        read_chat(b'{"model":"m","input":"x","input":"y"}')

    assert refused.value.param == "input"


def test_conversations_are_refused_by_name() -> None:
    assert "'conversation'" in refusal_of(conversation={"id": "conv_1"}).message
