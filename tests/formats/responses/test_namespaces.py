"""Tools in namespaces, beside the others where a format has none."""

import json
from typing import Any

from tests.formats.responses.samples import HEADING, chat_of
from tokengate.core.chat import BuiltIn, Custom, Function
from tokengate.core.parts import ToolCall
from tokengate.core.reply import Choice, Reply
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.responses.namespaces import Place, joined, places_of, without_namespaces

FIND = {"type": "function", "name": "find", "description": "Finds.", "parameters": {"type": "object"}}
NOTE = {"type": "custom", "name": "note"}
CRM = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [FIND, NOTE]}
USAGE = ReportedUsage(Usage(input=1, output=1), b"")


def answer(*calls: ToolCall, **members: Any) -> list[dict[str, Any]]:
    """Return the output items that a caller with this request gets."""
    reply = Reply(choices=(Choice(parts=calls),), usage=USAGE)
    return json.loads(RESPONSES.write_reply(reply, HEADING, chat_of(**members)))["output"]


def test_its_tools_stand_beside_the_others() -> None:
    plain = {"type": "function", "name": "plain"}

    tools = without_namespaces(chat_of(tools=[plain, CRM])).tools

    assert [type(tool) for tool in tools] == [Function, Function, Custom]
    assert [tool.name for tool in tools if not isinstance(tool, BuiltIn)] == ["plain", "crm__find", "crm__note"]


def test_a_chat_without_any_stays_as_it_is() -> None:
    chat = chat_of(tools=[FIND])

    assert without_namespaces(chat) is chat


def test_calls_in_the_history_have_the_joined_name() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "find", "namespace": "crm", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}

    chat = without_namespaces(chat_of(input=[{"role": "user", "content": "a"}, call, output]))

    assert chat.messages[1].parts == (ToolCall("c", "crm__find", "{}"),)


def test_a_call_by_the_joined_name_is_taken_apart() -> None:
    function, custom = answer(
        ToolCall("a", "crm__find", '{"x":1}'), ToolCall("b", "crm__note", '{"input":"hi"}'), tools=[CRM]
    )

    assert (function["type"], function["namespace"], function["name"]) == ("function_call", "crm", "find")
    assert (custom["type"], custom["namespace"], custom["name"]) == ("custom_tool_call", "crm", "note")
    assert (function["arguments"], custom["input"]) == ('{"x":1}', "hi")


def test_a_function_of_such_a_name_is_a_function() -> None:
    (call,) = answer(ToolCall("a", "crm__find", "{}"), tools=[FIND | {"name": "crm__find"}])

    assert call["name"] == "crm__find" and "namespace" not in call


def test_a_namespace_with_a_vendors_own_tool_stays_whole() -> None:
    chat = chat_of(tools=[CRM | {"tools": [FIND, {"type": "code_interpreter"}]}, CRM | {"tools": 7}])

    assert without_namespaces(chat).tools == chat.tools
    assert places_of(chat) == {}


def test_a_long_name_is_shortened_and_still_its_own() -> None:
    names = {joined(Place("n" * 40, f"{'t' * 40}{number}")) for number in range(10)}

    assert len(names) == 10 and max(map(len, names)) == 64
