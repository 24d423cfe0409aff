"""Custom tools as functions, and back."""

from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.chat import Chat, Custom, Function, Message
from tokengate.core.custom_tools import custom_names, input_of, without_custom
from tokengate.core.parts import Text, ToolCall, ToolResult
from tokengate.core.wire import Losses

_PATCH = Custom("apply_patch", "Edits files.", "lark", "start: /.+/")


def _chat(*tools: Custom | Function, messages: tuple[Message, ...] = ()) -> Chat:
    return Chat(format="responses", model="m", messages=messages, tools=tools)


def test_a_chat_without_custom_tools_stays_the_same_object() -> None:
    chat = _chat(Function("read"), messages=(Message("user", (Text("hi"),)),))

    assert without_custom(chat, Losses("x", {})) is chat


def test_a_custom_tool_becomes_a_function_of_one_text_and_its_grammar_is_dropped_by_name() -> None:
    losses = Losses("x", {"definition": "tools.format"})

    (tool,) = without_custom(_chat(_PATCH), losses).tools

    assert isinstance(tool, Function)
    assert (tool.name, tool.description) == ("apply_patch", "Edits files.")
    assert b'"required":["input"]' in bytes(tool.parameters or b"")
    assert losses.dropped == ["tools.format"]


def test_a_tool_without_a_grammar_loses_nothing() -> None:
    losses = Losses("x", {})

    without_custom(_chat(Custom("note")), losses)

    assert losses.dropped == []


@given(st.text())
def test_the_text_of_a_call_survives_the_way_through_a_function(text: str) -> None:
    call = ToolCall("c1", "apply_patch", text, custom=True)
    chat = _chat(_PATCH, messages=(Message("assistant", (Text("so:"), call)),))

    (message,) = without_custom(chat, Losses("x", {})).messages
    plain = message.parts[1]

    assert isinstance(plain, ToolCall) and not plain.custom
    assert input_of(plain.arguments) == text


def test_a_result_of_a_custom_tool_is_a_result() -> None:
    result = ToolResult("c1", (Text("done"),), custom=True)

    (message,) = without_custom(_chat(messages=(Message("user", (result,)),)), Losses("x", {})).messages

    assert message.parts == (ToolResult("c1", (Text("done"),)),)


def test_arguments_that_a_model_wrote_otherwise_are_the_text_themselves() -> None:
    assert input_of("*** Begin Patch") == "*** Begin Patch"
    assert input_of('{"patch": "x"}') == '{"patch": "x"}'


def test_only_custom_tools_are_named() -> None:
    assert custom_names(_chat(_PATCH, Function("read"))) == {"apply_patch"}
