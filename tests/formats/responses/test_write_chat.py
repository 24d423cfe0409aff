"""Requests as vendors get them."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tests.formats.responses.samples import body_of, chat_of, written
from tokengate.core.chat import (
    BuiltIn,
    CacheMark,
    Canvas,
    Chat,
    Custom,
    Function,
    Message,
    Output,
    Reasoning,
    Sampling,
    Search,
    Speech,
    ToolChoice,
)
from tokengate.core.errors import Unsupported
from tokengate.core.parts import (
    Audio,
    Data,
    Image,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.responses.format import RESPONSES, ResponsesFormat
from tokengate.formats.responses.read_chat import read_chat


def foreign(*parts: Part, role: Any = "user", **members: Any) -> Chat:
    """Return a chat that came in another format."""
    messages = (Message(role, parts or (Text("hi"),)),)
    return Chat(format="openai", model="m", messages=messages, **members)


def dropped(chat: Chat) -> list[str]:
    losses = Losses("the backend", {})
    written(chat, losses)
    return losses.dropped


def test_what_the_codex_client_sends_reaches_a_vendor_of_this_format() -> None:
    losses = Losses("the backend", {})

    body = written(read_chat(body_of("codex.request")), losses)

    assert losses.dropped == []
    assert body["instructions"].startswith("You are Codex")
    assert body["store"] is False and body["stream"] is True
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["client_metadata"] == {"x-codex-installation-id": "i1"}
    assert [tool["type"] for tool in body["tools"]] == ["function", "local_shell", "web_search", "custom"]
    assert [item["type"] for item in body["input"]] == [
        "message",
        "message",
        "message",
        "reasoning",
        "message",
        "local_shell_call",
        "local_shell_call_output",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
        "function_call",
        "function_call_output",
    ]
    assert body["input"][4]["phase"] == "commentary"


def test_thinking_is_sent_back_sealed_under_the_id_that_it_was_sealed_for() -> None:
    own = Thinking("gist", "gAAA", "responses", summary=True, id="rs_vendor")
    nameless = Thinking("", "gBBB", "responses", redacted=True)

    items = written(foreign(own, nameless, Text("so"), role="assistant"))["input"]

    assert items[0] == {
        "type": "reasoning",
        "id": "rs_vendor",
        "summary": [{"type": "summary_text", "text": "gist"}],
        "encrypted_content": "gAAA",
    }
    assert "id" not in items[1]  # under a new one the vendor would refuse it


def test_thinking_that_another_vendor_proved_is_left_out_with_a_warning() -> None:
    chat = foreign(Thinking("hm", "EqQB", "anthropic"), Text("so"), role="assistant")

    assert [item["type"] for item in written(chat)["input"]] == ["message"]
    assert dropped(chat) == ["thinking"]


def test_instructions_may_stand_among_the_input() -> None:
    format = ResponsesFormat(instructions=False)
    chat = chat_of(instructions="Be brief.")

    body = json.loads(format.write_chat(chat, Losses("the backend", {})))

    assert "instructions" not in body
    assert body["input"][0] == {"type": "message", "role": "system", "content": "Be brief."}


def test_an_empty_text_beside_a_call_is_no_message() -> None:
    call = ToolCall("c", "f", "{}")
    chat = Chat(format="gemini", model="m", messages=(Message("assistant", (call, Text(""))),))

    assert [item["type"] for item in written(chat)["input"]] == ["function_call"]


@pytest.mark.parametrize(
    ("reasoning", "told"),
    [
        (Reasoning(), None),
        (Reasoning(enabled=False), {"effort": "none"}),
        (Reasoning(enabled=True), {"effort": "medium", "summary": "auto"}),
        (Reasoning(enabled=True, shown=False), {"effort": "medium"}),
        (Reasoning(effort="xhigh"), {"effort": "xhigh"}),
        (Reasoning(shown=True), {"summary": "auto"}),
        (Reasoning(summary="detailed", effort="low"), {"effort": "low", "summary": "detailed"}),
        (Reasoning(budget=1024), {"effort": "low"}),
        (Reasoning(budget=4096), {"effort": "medium"}),
        (Reasoning(budget=16_384), {"effort": "high"}),
        (Reasoning(budget=-1), {"effort": "medium"}),
        (Reasoning(budget=0), {"effort": "none"}),
    ],
)
def test_how_much_to_think_is_told_as_an_effort(reasoning: Reasoning, told: Any) -> None:
    assert written(foreign(reasoning=reasoning)).get("reasoning") == told


def test_sealed_thinking_is_asked_for_only_where_there_is_thinking() -> None:
    sealed = ["reasoning.encrypted_content"]

    assert written(foreign(reasoning=Reasoning(effort="high")))["include"] == sealed
    assert written(foreign(Thinking("", "gA", "responses", redacted=True), role="assistant"))["include"] == sealed
    assert "include" not in written(foreign())  # a model that cannot think would refuse it
    assert "include" not in written(foreign(reasoning=Reasoning(effort="none")))


def test_functions_of_other_formats_are_not_strict_unless_they_say_so() -> None:
    (tool,) = written(foreign(tools=(Function("f"),)))["tools"]

    assert tool == {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }


def test_a_function_of_this_format_stays_as_it_came() -> None:
    (tool,) = written(chat_of(tools=[{"type": "function", "name": "f", "defer_loading": True}]))["tools"]

    assert tool == {"type": "function", "name": "f", "defer_loading": True}


def test_a_named_tool_is_named_as_what_it_is() -> None:
    tools = (Function("f"), Custom("p"))

    assert written(foreign(tools=tools, tool_choice=ToolChoice("named", ("p",))))["tool_choice"] == {
        "type": "custom",
        "name": "p",
    }
    assert written(foreign(tools=tools, tool_choice=ToolChoice("auto", ("f", "p"))))["tool_choice"] == {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "p"}],
    }


def test_a_web_search_of_another_format_is_one_here() -> None:
    bare = BuiltIn("anthropic", "web_search_20250305", Raw(b'{"type":"web_search_20250305","name":"web_search"}'), True)
    choosy = BuiltIn("anthropic", "web_search_20250305", Raw(b'{"type":"w","name":"s","max_uses":3}'), True)

    assert written(foreign(tools=(bare,)))["tools"] == [{"type": "web_search"}]
    assert dropped(foreign(tools=(bare,))) == []
    assert dropped(foreign(tools=(choosy,))) == ["search_options"]
    assert written(foreign(search=Search(enabled=True)))["tools"] == [{"type": "web_search"}]


@pytest.mark.parametrize(
    ("chat", "param"),
    [
        (foreign(output=Output(n=2)), "n"),
        (foreign(output=Output(stop=("x",))), "stop"),
        (foreign(output=Output(stop_tokens=(1,))), "stop_tokens"),
        (foreign(output=Output(modalities=("text", "audio"))), "modalities"),
        (foreign(output=Output(speech=Speech("alloy"))), "speech"),
        (foreign(output=Output(canvas=Canvas("16:9"))), "canvas"),
        (foreign(sampling=Sampling(logit_bias={"1": 5.0})), "logit_bias"),
        (foreign(translation=Raw(b"{}")), "translation"),
        (foreign(Audio(Data("audio/wav", "AA"))), "audio"),
        (foreign(Video((Url("https://a.example/v"),))), "video"),
        (foreign(Image(Data("image/png", "AA")), role="assistant"), "image"),
        (foreign(tools=(BuiltIn("gemini", "code_execution", Raw(b"{}")),)), "tools"),
        (foreign(Opaque("anthropic", "container_upload", Raw(b"{}"))), "messages"),
        (foreign(extra={"prediction": Raw(b"{}")}, essential=frozenset({"prediction"})), "prediction"),
        (Chat(format="x", model="m", messages=(Message("assistant", (Text("a"),), partial=True),)), "partial"),
    ],
)
def test_what_changes_the_answer_and_cannot_be_said_is_refused_by_name(chat: Chat, param: str) -> None:
    with pytest.raises(Unsupported) as refused:
        written(chat)

    assert (refused.value.param, refused.value.code) == (param, "unsupported_parameter")


@pytest.mark.parametrize(
    ("chat", "name"),
    [
        (foreign(sampling=Sampling(top_k=1)), "top_k"),
        (foreign(sampling=Sampling(min_p=0.1)), "min_p"),
        (foreign(sampling=Sampling(seed=1)), "seed"),
        (foreign(sampling=Sampling(frequency_penalty=1.0)), "frequency_penalty"),
        (foreign(cache=CacheMark()), "cache"),
        (foreign(Text("a", cache=CacheMark())), "cache"),
        (foreign(high_resolution_images=True), "high_resolution_images"),
        (foreign(Image(Url("https://a.example/i"), min_pixels=9)), "min_pixels"),
        (foreign(ToolResult("c", (Text("x"),), is_error=True)), "is_error"),
        (foreign(extra={"safe_prompt": Raw(b"true")}), "safe_prompt"),
        (foreign(Text("a", extra={"x": Raw(b"1")})), "x"),
        (foreign(reasoning=Reasoning(budget=5)), "budget"),
        (Chat(format="x", model="m", messages=(Message("user", (Text("a"),), name="bob"),)), "name"),
    ],
)
def test_what_does_not_change_the_answer_is_dropped_by_name(chat: Chat, name: str) -> None:
    assert dropped(chat) == [name]


def test_a_name_of_a_loss_is_the_callers_own() -> None:
    losses = Losses("the backend", {"cache": "cache_control"})

    written(foreign(cache=CacheMark()), losses)

    assert losses.dropped == ["cache_control"]


def test_only_a_first_plain_system_message_becomes_the_instructions() -> None:
    first = Chat(format="x", model="m", messages=(Message("system", (Text("a"),)), Message("user", (Text("b"),))))
    alone = Chat(format="x", model="m", messages=(Message("system", (Text("a"),)),))

    assert written(first)["instructions"] == "a"
    assert [item["role"] for item in written(first)["input"]] == ["user"]
    assert "instructions" not in written(alone)
    assert [item["role"] for item in written(alone)["input"]] == ["system"]


def test_a_call_and_its_result_are_items() -> None:
    chat = Chat(
        format="x",
        model="m",
        messages=(
            Message("assistant", (Text("let me"), ToolCall("c1", "f", "{}"), ToolCall("c2", "p", "x", custom=True))),
            Message("user", (ToolResult("c1", (Text("7"),)), ToolResult("c2", (Text("ok"),), custom=True), Text("?"))),
        ),
    )

    assert written(chat)["input"] == [
        {"type": "message", "role": "assistant", "content": "let me"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "x"},
        {"type": "function_call_output", "call_id": "c1", "output": "7"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
        {"type": "message", "role": "user", "content": "?"},
    ]


def test_every_word_has_the_formats_own_name_or_is_it() -> None:
    assert RESPONSES.names["cap"] == "max_output_tokens"
    assert RESPONSES.path("any", stream=True) == "/responses"
    assert RESPONSES.headers(stream=True) == {}


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_part_that_nobody_knows_stays_in_its_message(role: str) -> None:
    content = [{"type": "x_sticker", "x_face": 3}, {"type": "input_text" if role == "user" else "output_text"}]
    content[1]["text"] = "Hi"

    (item,) = written(chat_of(input=[{"type": "message", "role": role, "content": content}]))["input"]

    assert item == {"type": "message", "role": role, "content": content}


@pytest.mark.parametrize("phase", [None, "commentary", "final_answer"])
def test_messages_of_one_phase_in_a_row_stay_apart(phase: str | None) -> None:
    texts = [[{"type": "output_text", "text": text} for text in said] for said in ("ab", "cd", "e")]
    said = [{"type": "message", "role": "assistant", "content": content} for content in texts]
    said = [{**item, "phase": phase} if phase else item for item in said]
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}

    items = written(chat_of(input=[{"type": "message", "role": "user", "content": "Hi"}, *said[:2], call, said[2]]))

    last = {**said[2], "content": "e"}
    assert items["input"][1:] == [*said[:2], call, last]


def test_messages_in_a_row_are_one_turn_for_other_formats() -> None:
    said = [{"type": "message", "role": "assistant", "content": text} for text in "ab"]

    (message,) = chat_of(input=said).messages

    assert [part.text for part in message.parts if isinstance(part, Text)] == ["a", "b"]
