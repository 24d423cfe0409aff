from typing import Any

import pytest

from tests.formats.gemini.wire import FLASH, PLAIN, asking, fixture, read
from tokengate.core.chat import Canvas, Function, JsonFormat, Message, Output, Reasoning, Sampling, Speech
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Data, Image, Text, Thinking
from tokengate.formats.gemini.fields import Fields


def test_model_and_stream_are_those_of_the_path() -> None:
    chat = read({**PLAIN, "model": "models/other"}, stream=True)

    assert (chat.format, chat.model, chat.stream, chat.include_usage) == ("gemini", FLASH, True, True)
    assert "model" not in chat.extra


def test_a_chat_is_read_with_all_its_parameters() -> None:
    chat = read(fixture("chat.request.json"))

    assert chat.messages[0] == Message("system", (Text("You are a cat. Your name is Neko."),))
    assert [message.role for message in chat.messages] == ["system", "user", "assistant", "user"]
    assert chat.sampling == Sampling(
        temperature=1.0, top_p=0.95, top_k=40, frequency_penalty=-0.2, presence_penalty=0.1, seed=42
    )
    assert chat.output == Output(cap=800, n=1, stop=("Title",))
    assert chat.reasoning == Reasoning(effort="low", shown=True)
    assert chat.service_tier == "flex"
    assert chat.extra.keys() == {"safetySettings", "labels"}
    assert not chat.essential


def test_a_signature_on_text_follows_it_as_sealed_thinking() -> None:
    answer = read(fixture("chat.request.json")).messages[2].parts

    assert isinstance(answer[0], Text)
    assert isinstance(answer[1], Thinking)
    assert (answer[1].text, answer[1].format, answer[1].redacted) == ("", "gemini", True)


def test_members_may_be_in_snake_case() -> None:
    chat = read(fixture("snake.request.json"))

    image, text = chat.messages[1].parts
    assert isinstance(image, Image) and isinstance(image.source, Data)
    assert image.source.media_type == "image/png"
    assert text == Text("Caption this image.")
    assert chat.output.cap == 100
    assert chat.reasoning == Reasoning(enabled=False, budget=0)
    assert chat.tool_choice is not None and chat.tool_choice.mode == "named"
    assert isinstance(chat.tools[0], Function) and b"snake_case" in bytes(chat.tools[0].parameters or b"")


def test_whole_numbers_may_be_written_as_floats() -> None:
    assert asking(generationConfig={"topK": 40.0, "maxOutputTokens": 5.0}).sampling.top_k == 40


def test_null_is_absent() -> None:
    chat = asking(systemInstruction=None, tools=None, generationConfig={"temperature": None}, store=None)

    assert chat == read(PLAIN)


def test_unknown_members_are_kept_and_those_that_matter_are_essential() -> None:
    chat = read(fixture("media.request.json"))

    assert chat.extra.keys() == {"cachedContent", "generationConfig.mediaResolution"}
    assert chat.essential == {"cachedContent"}


def test_a_schema_of_googles_is_read_as_json_schema() -> None:
    schema = read(fixture("json.request.json")).output.json

    assert schema is not None and schema.schema is not None
    assert bytes(schema.schema) == (
        b'{"type":"array","items":{"type":"object","properties":{"recipeName":{"type":"string"},'
        b'"minutes":{"anyOf":[{"type":"integer"},{"type":"number"},{"type":"null"}]}},'
        b'"propertyOrdering":["recipeName","minutes"]}}'
    )


def test_json_may_be_asked_for_without_a_schema() -> None:
    assert asking(generationConfig={"responseMimeType": "application/json"}).output.json == JsonFormat()
    assert asking(generationConfig={"responseMimeType": "text/plain"}).output.json is None


def test_an_answer_out_of_a_list_is_essential_to_its_own_format() -> None:
    chat = read(fixture("enum.request.json"))

    assert chat.output.json is None
    assert chat.essential == {"generationConfig.responseMimeType", "generationConfig.responseSchema"}


def test_pictures_and_speech_may_be_asked_for() -> None:
    drawn, spoken = read(fixture("image.request.json")), read(fixture("speech.request.json"))

    assert drawn.output.modalities == ("text", "image")
    assert drawn.output.canvas == Canvas("16:9", "2K")
    assert not drawn.essential
    assert spoken.output.modalities == ("audio",)
    assert spoken.output.speech == Speech("Kore", "pcm16", "en-US")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"contents": []}, "contents"),
    ({"contents": "Hi"}, "contents"),
    ({"contents": [{"role": "system", "parts": [{"text": "a"}]}]}, "contents[0].role"),
    ({"contents": [{"role": "user", "parts": []}]}, "contents[0].parts"),
    ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"),
    ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
    ({"contents": [{"parts": [{"text": "a", "inlineData": {}}]}]}, "contents[0].parts[0]"),
    (
        {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png"}}]}]},
        "contents[0].parts[0].inlineData.data",
    ),
    ({"contents": [{"parts": [{"inline_data": {"data": "AAAA"}}]}]}, "contents[0].parts[0].inlineData.mimeType"),
    ({"contents": [{"parts": [{"fileData": {}}]}]}, "contents[0].parts[0].fileData.fileUri"),
    ({"contents": [{"parts": [{"functionCall": {"name": "f"}}]}]}, "contents[0].parts[0].functionCall"),
    (
        {"contents": [{"role": "model", "parts": [{"functionCall": {"name": "f", "args": []}}]}]},
        "contents[0].parts[0].functionCall.args",
    ),
    (
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]},
        "contents[0].parts[0].functionResponse",
    ),
    (
        {
            "contents": [
                {
                    "parts": [
                        {
                            "fileData": {"fileUri": "gs://b/a.mp4"},
                            "videoMetadata": {"startOffset": "soon"},
                        }
                    ]
                }
            ]
        },
        "contents[0].parts[0].videoMetadata.startOffset",
    ),
    ({"systemInstruction": "Be brief."}, "systemInstruction"),
    ({"systemInstruction": {"parts": [{"inlineData": {}}]}}, "systemInstruction.parts[0].text"),
    ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
    (
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {}, "parametersJsonSchema": {}}]}]},
        "tools[0].functionDeclarations[0].parametersJsonSchema",
    ),
    (
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"properties": {"a": 1}}}]}]},
        "tools[0].functionDeclarations[0].parameters.properties.a",
    ),
    (
        {"toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}}},
        "toolConfig.functionCallingConfig.mode",
    ),
    ({"generationConfig": {"temperature": 2.1}}, "generationConfig.temperature"),
    ({"generationConfig": {"temperature": "1"}}, "generationConfig.temperature"),
    ({"generationConfig": {"topP": -0.1}}, "generationConfig.topP"),
    ({"generationConfig": {"topK": 1.5}}, "generationConfig.topK"),
    ({"generationConfig": {"candidateCount": 9}}, "generationConfig.candidateCount"),
    ({"generationConfig": {"maxOutputTokens": 0}}, "generationConfig.maxOutputTokens"),
    ({"generationConfig": {"seed": 2**31}}, "generationConfig.seed"),
    ({"generationConfig": {"stopSequences": ["a"] * 6}}, "generationConfig.stopSequences"),
    ({"generationConfig": {"stopSequences": [1]}}, "generationConfig.stopSequences"),
    ({"generationConfig": {"responseModalities": ["SMELL"]}}, "generationConfig.responseModalities"),
    ({"generationConfig": {"responseSchema": {"type": "STRING"}}}, "generationConfig.responseMimeType"),
    (
        {
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseSchema": {},
                "responseJsonSchema": {},
            }
        },
        "generationConfig.responseJsonSchema",
    ),
    (
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}},
        "generationConfig.thinkingConfig.thinkingLevel",
    ),
    (
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": -2}}},
        "generationConfig.thinkingConfig.thinkingBudget",
    ),
    (
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "DEEP"}}},
        "generationConfig.thinkingConfig.thinkingLevel",
    ),
]


@pytest.mark.parametrize(("members", "param"), WRONG)
def test_what_is_wrong_is_named_by_its_path(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asking(**members)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"a"', b'{"contents"', b"\xff", b'{"contents":' + b"[" * 10**5 + b"]" * 10**5 + b"}"],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read(body)


def test_a_schema_may_not_be_nested_without_end() -> None:
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(80):
        schema = {"type": "ARRAY", "items": schema}

    with pytest.raises(BadRequest):
        asking(generationConfig={"responseMimeType": "application/json", "responseSchema": schema})


def test_fields_tell_their_path() -> None:
    inner = Fields(b'{"outer_one": {"inner": 1}}', "top").object("outerOne")

    assert inner is not None and inner.path == "top.outerOne" and inner.at("inner") == "top.outerOne.inner"
