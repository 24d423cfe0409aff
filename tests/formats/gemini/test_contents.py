"""Turns: calls and their results, media, thoughts, and what a stream cut up."""

import json
from typing import Any

from tests.formats.gemini.wire import PLAIN, fixture, read
from tokengate.core.chat import BuiltIn, Function, ToolChoice
from tokengate.core.parts import Audio, Data, File, Image, Opaque, Text, Thinking, ToolCall, ToolResult, Url, Video

SIGNATURE = "CiQBcsjafKzN9hXmYw2mZ3uD0o3nq1y5e1v0gYF6r2c="


def turns(*contents: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [message.parts for message in read({"contents": list(contents)}).messages]


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def test_calls_and_results_belong_together_by_id() -> None:
    _, calls, results, *_ = read(fixture("tools.request.json")).messages

    assert calls.parts == (
        ToolCall("fc1", "get_current_temperature", '{\n       "location": "Boston"\n      }', signature=SIGNATURE),
        ToolCall("fc2", "get_current_temperature", '{\n       "location": "Paris"\n      }'),
    )
    first, second = results.parts
    assert first == ToolResult("fc1", (Text("12 °C"),), "get_current_temperature")
    assert isinstance(second, ToolResult) and second.call_id == "fc2"
    assert isinstance(second.content[0], Text)
    assert json.loads(second.content[0].text) == {"temp": 15, "unit": "c"}


def test_a_result_without_an_id_answers_the_oldest_open_call_of_its_name() -> None:
    call = {"functionCall": {"name": "f"}}
    answers = [{"functionResponse": {"name": "f", "response": {"output": str(at)}}} for at in range(2)]

    _, calls, results = turns(user({"text": "go"}), model(call, call), user(*answers))

    assert [call.id for call in calls] == [result.call_id for result in results]
    assert len({call.id for call in calls}) == 2
    assert [result.content for result in results] == [(Text("0"),), (Text("1"),)]


def test_either_alphabet_of_base64_is_read() -> None:
    parts = turns(user({"inlineData": {"mimeType": "image/png", "data": "-_8="}}))[0]

    assert parts == (Image(Data("image/png", "+/8=")),)


def test_an_error_with_a_picture_is_read() -> None:
    result = read(fixture("tools.request.json")).messages[-1].parts[0]

    assert isinstance(result, ToolResult)
    assert result.is_error and result.content[0] == Text("disk full")
    assert isinstance(result.content[1], Image)


def test_the_tools_of_a_request_are_functions_and_built_in_ones() -> None:
    chat = read(fixture("tools.request.json"))

    temperature, note, search, code = chat.tools
    assert isinstance(temperature, Function) and temperature.parameters is not None
    assert json.loads(bytes(temperature.parameters)) == {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city name, e.g. San Francisco"},
            "days": {"type": "array", "items": {"type": "integer"}, "maxItems": 7},
            "unit": {"type": ["string", "null"], "enum": ["c", "f", None]},
        },
        "required": ["location"],
        "propertyOrdering": ["location", "days", "unit"],
    }
    assert isinstance(note, Function) and note.parameters is not None
    assert isinstance(search, BuiltIn) and (search.kind, search.web_search) == ("googleSearch", True)
    assert isinstance(code, BuiltIn) and (code.kind, code.web_search) == ("codeExecution", False)
    assert chat.tool_choice == ToolChoice("auto")
    assert chat.extra.keys() == {"toolConfig.retrievalConfig"}


def test_modes_of_calling_are_read() -> None:
    def choice(**config: Any) -> tuple[ToolChoice | None, bool | None]:
        tools = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
        chat = read({**PLAIN, "tools": tools, "toolConfig": {"functionCallingConfig": config}})
        assert isinstance(chat.tools[0], Function)
        return chat.tool_choice, chat.tools[0].strict

    assert choice(mode="NONE") == (ToolChoice("none"), None)
    assert choice(mode="ANY") == (ToolChoice("required"), None)
    assert choice(mode="ANY", allowedFunctionNames=["f"]) == (ToolChoice("named", ("f",)), None)
    assert choice(mode="ANY", allowedFunctionNames=["f", "g"]) == (ToolChoice("required", ("f", "g")), None)
    assert choice(mode="VALIDATED") == (ToolChoice("auto"), True)
    assert choice(mode="MODE_UNSPECIFIED") == (None, None)


def test_media_are_told_apart_by_their_types() -> None:
    text, picture, sound, film, report, inline = read(fixture("media.request.json")).messages[0].parts

    assert text == Text("Look.")
    assert isinstance(picture, Image) and picture.extra.keys() == {"mediaResolution"}
    assert isinstance(sound, Audio) and sound.source == Data("audio/wav", "UklGRg==")
    assert isinstance(film, Video) and film.frames == (Url("https://www.youtube.com/watch?v=9hE5-98ZeCg"),)
    assert (film.fps, film.start_s, film.end_s) == (5, 40, 80.5)
    assert isinstance(report, File) and report.extra.keys() == {"fileData.mimeType"}
    assert isinstance(inline, File) and inline.name == "a.pdf"


def test_what_a_built_in_tool_did_stays_as_it_was() -> None:
    code, result, text = read(fixture("code.request.json")).messages[1].parts

    assert isinstance(code, Opaque) and (code.format, code.kind) == ("gemini", "executableCode")
    assert isinstance(result, Opaque) and result.kind == "codeExecutionResult"
    assert text == Text("It is 5117.")


def test_neighbours_of_one_role_are_one_turn() -> None:
    asked, answer = turns(user({"text": "a"}), user({"text": "b"}), model({"text": "c"}), model({"text": "d"}))

    assert asked == (Text("a"), Text("b"))
    assert answer == (Text("cd"),)


def test_pieces_of_a_thought_are_joined_up_to_its_signature() -> None:
    _, answer = turns(
        user({"text": "a"}),
        model({"text": "I ", "thought": True}),
        model({"text": "think.", "thought": True}),
        model({"text": "", "thought": True, "thoughtSignature": SIGNATURE}),
        model({"text": "Next.", "thought": True}, {"text": "Done."}),
    )

    assert answer == (Thinking("I think.", SIGNATURE, "gemini"), Thinking("Next."), Text("Done."))


def test_a_picture_that_was_thought_is_no_answer() -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}
    _, answer = turns(user({"text": "a"}), model(part))

    assert isinstance(answer[0], Opaque) and json.loads(bytes(answer[0].raw)) == part
