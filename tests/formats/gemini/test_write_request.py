"""What other formats ask, said to Google."""

import json
from typing import Any, cast

import pytest
from msgspec import Raw

from tests.formats.gemini.wire import FLASH, OLD, assistant, chat, fixture, read, user, write
from tokengate.core.chat import (
    BuiltIn,
    Canvas,
    Custom,
    Function,
    JsonFormat,
    Message,
    Output,
    Sampling,
    Search,
    Speech,
    ToolChoice,
)
from tokengate.core.errors import Unsupported
from tokengate.core.parts import (
    Audio,
    CacheMark,
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
    Video,
)
from tokengate.formats.gemini.format import GeminiFormat

SKIP = "skip_thought_signature_validator"
PNG = Data("image/png", "AAAA")


def test_instructions_go_first_wherever_they_were() -> None:
    request, _ = write(
        chat(Message("system", (Text("A"),)), user(Text("Hi")), Message("developer", (Text("B"),)), user(Text("there")))
    )

    assert request["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert request["contents"] == [{"role": "user", "parts": [{"text": "Hi"}, {"text": "there"}]}]


def test_instructions_alone_are_what_the_user_says() -> None:
    request, _ = write(chat(Message("system", (Text("Say hi."),))))

    assert request == {"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}


def test_a_tool_loop_names_its_functions_and_wraps_plain_text() -> None:
    request, dropped = write(
        chat(
            user(Text("go")),
            assistant(ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "g", "")),
            Message("user", (ToolResult("a", (Text("sunny"),)),)),
            Message("user", (ToolResult("b", (Text('{"t": 3}'),)), Text("and?"))),
            model=OLD,
        )
    )

    assert request["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "f", "args": {"x": 1}, "id": "a"}},
                {"functionCall": {"name": "g", "args": {}, "id": "b"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"result": "sunny"}, "id": "a"}},
                {"functionResponse": {"name": "g", "response": {"t": 3}, "id": "b"}},
                {"text": "and?"},
            ],
        },
    ]
    assert dropped == []


def test_text_that_looks_like_a_wrapped_answer_is_wrapped_again() -> None:
    text = '{"result": "no wrapper"}'
    asked = chat(
        user(Text("go")),
        assistant(ToolCall("a", "f", "{}")),
        user(ToolResult("a", (Text(text),), "f")),
        format="gemini",
    )

    back = read(write(asked)[0]).messages[2].parts[0]

    assert isinstance(back, ToolResult) and back.content == (Text(text),)


def test_a_failed_function_answers_with_an_error() -> None:
    request, _ = write(
        chat(user(Text("go")), assistant(ToolCall("a", "f", "{}")), user(ToolResult("a", (Text("no"),), is_error=True)))
    )

    assert request["contents"][2]["parts"][0]["functionResponse"]["response"] == {"error": "no"}


def test_arguments_that_are_no_object_are_kept_in_one() -> None:
    request, _ = write(chat(user(Text("go")), assistant(ToolCall("a", "f", "oops")), model=OLD))

    assert request["contents"][1]["parts"] == [{"functionCall": {"name": "f", "args": {"input": "oops"}, "id": "a"}}]


def test_a_result_without_a_call_is_refused() -> None:
    with pytest.raises(Unsupported):
        write(chat(user(ToolResult("a", (Text("x"),)))))


def test_vertex_gets_no_ids_of_calls() -> None:
    request, _ = write(
        chat(user(Text("go")), assistant(ToolCall("a", "f", "{}")), model=OLD), GeminiFormat(call_ids=False)
    )

    assert request["contents"][1]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]


# Signatures


@pytest.mark.parametrize(("model", "signature"), [(FLASH, SKIP), (OLD, None)])
def test_only_models_that_verify_get_a_dummy_on_the_first_call_of_another(model: str, signature: str | None) -> None:
    request, _ = write(
        chat(user(Text("go")), assistant(ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")), model=model)
    )

    first, second = request["contents"][1]["parts"]
    assert first.get("thoughtSignature") == signature
    assert "thoughtSignature" not in second


def test_a_calls_own_signature_goes_back_with_it() -> None:
    request, _ = write(chat(user(Text("go")), assistant(ToolCall("a", "f", "{}", signature="c2ln"))))

    assert request["contents"][1]["parts"][0]["thoughtSignature"] == "c2ln"


def test_sealed_thinking_before_a_call_is_its_signature() -> None:
    seal = Thinking("", "c2ln", "gemini", redacted=True)
    request, _ = write(chat(user(Text("go")), assistant(seal, ToolCall("a", "f", "{}"))))
    after_text, _ = write(chat(user(Text("go")), assistant(Text("Hm."), seal, ToolCall("a", "f", "{}"))))

    assert request["contents"][1]["parts"][0]["thoughtSignature"] == "c2ln"
    text, call = after_text["contents"][1]["parts"]
    assert text == {"text": "Hm."} and call["thoughtSignature"] == "c2ln"


def test_sealed_thinking_returns_to_its_text() -> None:
    seal = Thinking("", "c2ln", "gemini", redacted=True)
    sealed = {"text": "Hello", "thoughtSignature": "c2ln"}

    for parts in ((Text("Hello"), seal), (seal, Text("Hello"))):
        request, _ = write(chat(user(Text("a")), assistant(*parts), user(Text("b"))))
        assert request["contents"][1]["parts"] == [sealed]


def test_thinking_of_other_vendors_stays_out_with_a_warning() -> None:
    request, dropped = write(
        chat(
            user(Text("a")),
            assistant(
                Thinking("Mine.", "c2ln", "gemini"),
                Thinking("Theirs.", "xyz", "anthropic"),
                Thinking("Any."),
                Text("b"),
            ),
        )
    )

    assert request["contents"][1]["parts"] == [
        {"text": "Mine.", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "Any.", "thought": True},
        {"text": "b"},
    ]
    assert dropped == ["thinking"]


# Parts


def test_media_are_written_by_what_they_are() -> None:
    request, dropped = write(
        chat(
            user(
                Image(PNG, detail="auto"),
                Image(Url("gs://bucket/a.jpg")),
                Audio(Data("audio/wav", "AAAA")),
                Video((Url("https://youtu.be/x"),), fps=2.0, start_s=1.5, end_s=10.0),
                Video((PNG, PNG), whole=False),
                File(Data("application/pdf", "AAAA"), name="a.pdf"),
            )
        )
    )

    assert request["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"fileData": {"fileUri": "gs://bucket/a.jpg", "mimeType": "image/jpeg"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        {
            "fileData": {"fileUri": "https://youtu.be/x", "mimeType": "video/mp4"},
            "videoMetadata": {"startOffset": "1.5s", "endOffset": "10s", "fps": 2.0},
        },
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "AAAA", "displayName": "a.pdf"}},
    ]
    assert dropped == []


def test_what_media_cannot_say_is_dropped_by_name() -> None:
    _, dropped = write(
        chat(
            user(
                Image(PNG, detail="high", min_pixels=1, max_pixels=2, cache=CacheMark()),
                File(PNG, title="t", context="c", citations=True),
                Video((PNG,), whole=False, fps=1.0),
            )
        )
    )

    assert dropped == ["cache", "detail", "min_pixels", "max_pixels", "title", "context", "citations", "fps"]


def test_another_vendors_file_is_refused() -> None:
    with pytest.raises(Unsupported) as caught:
        write(chat(user(File(FileId("file-1")))))

    assert caught.value.param == "file"


@pytest.mark.parametrize(("model", "inside"), [(FLASH, True), (OLD, False)])
def test_pictures_in_results_stand_inside_or_beside_them(model: str, inside: bool) -> None:
    request, _ = write(
        chat(user(Text("go")), assistant(ToolCall("a", "f", "{}")), user(ToolResult("a", (Image(PNG),))), model=model)
    )

    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    parts = request["contents"][2]["parts"]
    assert (parts[0]["functionResponse"].get("parts") == [picture]) is inside
    assert (parts[1:] == [picture]) is not inside


def test_blocks_of_another_vendors_tools_are_dropped() -> None:
    request, dropped = write(
        chat(user(Text("a")), assistant(Opaque("anthropic", "server_tool_use", Raw(b"{}")), Refusal("No.")))
    )

    assert request["contents"][1]["parts"] == [{"text": "No."}]
    assert dropped == ["messages.server_tool_use"]


def test_empty_text_beside_a_call_is_left_out() -> None:
    request, _ = write(chat(user(Text("a")), assistant(Text(""), ToolCall("a", "f", "{}")), model=OLD))

    assert [list(part) for part in request["contents"][1]["parts"]] == [["functionCall"]]


def test_a_text_to_go_on_with_is_refused() -> None:
    with pytest.raises(Unsupported):
        write(chat(user(Text("a")), Message("assistant", (Text("Once"),), partial=True)))


# Tools


def test_functions_keep_their_json_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}}
    request, _ = write(chat(tools=(Function("f", "F.", Raw(json.dumps(schema).encode())), Function("g"))))

    assert request["tools"] == [
        {"functionDeclarations": [{"name": "f", "description": "F.", "parametersJsonSchema": schema}, {"name": "g"}]}
    ]


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", ("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice("required", ("f", "g")), {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        (ToolChoice("auto", ("f",)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
    ],
)
def test_choices_are_modes(choice: ToolChoice, config: dict[str, Any]) -> None:
    request, _ = write(chat(tools=(Function("f"), Function("g")), tool_choice=choice))

    assert request["toolConfig"] == {"functionCallingConfig": config}


def test_strict_functions_are_validated() -> None:
    all_strict, nothing = write(chat(tools=(Function("f", strict=True),)))
    _, mixed = write(chat(tools=(Function("f", strict=True), Function("g"))))

    assert all_strict["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert (nothing, mixed) == ([], ["strict"])


def test_the_web_is_searched_with_google() -> None:
    foreign = BuiltIn("anthropic", "web_search_20250305", Raw(b"{}"), web_search=True)
    by_tool, _ = write(chat(tools=(foreign,)))
    by_parameter, dropped = write(chat(search=Search(enabled=True, options=Raw(b"{}"))))

    assert by_tool["tools"] == by_parameter["tools"] == [{"googleSearch": {}}]
    assert dropped == ["search_options"]


def test_another_vendors_tool_is_refused() -> None:
    with pytest.raises(Unsupported) as caught:
        write(chat(tools=(BuiltIn("openai", "code_interpreter", Raw(b"{}")),)))

    assert "code_interpreter" in caught.value.message


def test_a_custom_tool_is_a_function_of_one_text() -> None:
    request, _ = write(chat(tools=(Custom("shell"),)))

    function = request["tools"][0]["functionDeclarations"][0]
    assert function["name"] == "shell" and list(function["parametersJsonSchema"]["properties"]) == ["input"]


# Parameters


def test_parameters_have_their_own_names() -> None:
    request, dropped = write(
        chat(
            sampling=Sampling(temperature=0.5, top_p=0.9, top_k=3, frequency_penalty=0.1, presence_penalty=0.2, seed=4),
            output=Output(
                cap=9,
                n=2,
                stop=("x",),
                logprobs=True,
                top_logprobs=3,
                modalities=("text", "image"),
                canvas=Canvas("16:9"),
            ),
            service_tier="default",
        )
    )

    assert request["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 3,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
        "seed": 4,
        "maxOutputTokens": 9,
        "candidateCount": 2,
        "stopSequences": ["x"],
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "16:9"},
    }
    assert request["serviceTier"] == "standard"
    assert dropped == []


def test_json_is_asked_for_with_its_schema() -> None:
    request, _ = write(chat(output=Output(json=JsonFormat(Raw(b'{"type":"object"}'), name="x", strict=True))))

    assert request["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }


def test_what_google_has_no_word_for_is_dropped_by_name() -> None:
    _, dropped = write(
        chat(
            sampling=Sampling(min_p=0.1, top_a=0.1, repetition_penalty=1.1, temperature=2.5, seed=2**40),
            output=Output(verbosity="low"),
            parallel_tool_calls=False,
            user="u",
            metadata=Raw(b"{}"),
            service_tier="scale",
            high_resolution_images=True,
            cache=CacheMark(),
            extra={"top_secret": Raw(b"1")},
        )
    )

    assert dropped == [
        "min_p",
        "top_a",
        "repetition_penalty",
        "temperature",
        "seed",
        "verbosity",
        "service_tier",
        "parallel_tool_calls",
        "user",
        "metadata",
        "high_resolution_images",
        "cache",
        "top_secret",
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"sampling": Sampling(logit_bias={"1": 2.0})}, "logit_bias"),
        ({"output": Output(stop_tokens=(1,))}, "stop_tokens"),
        ({"output": Output(stop=("a", "b", "c", "d", "e", "f"))}, "stop"),
        ({"output": Output(n=9)}, "n"),
        ({"output": Output(modalities=("smell",))}, "modalities"),
        ({"output": Output(speech=Speech("alloy", "mp3"))}, "speech"),
        ({"translation": Raw(b"{}")}, "translation"),
        ({"extra": {"must": Raw(b"1")}, "essential": frozenset({"must"})}, "must"),
    ],
)
def test_what_changes_the_answer_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unsupported) as caught:
        write(chat(**fields))

    assert caught.value.param == param


@pytest.mark.parametrize("name", ["chat", "tools", "media", "enum", "image", "speech", "code", "text"])
def test_a_request_of_its_own_is_written_back_without_loss(name: str) -> None:
    asked = read(fixture(f"{name}.request.json"))

    request, dropped = write(asked)

    assert dropped == []
    assert _plain(read(request)) == _plain(asked)


def _plain(asked: Any) -> Any:
    """Compare JSON inside by what it says, not by its blanks."""
    return json.loads(json.dumps(asked, default=_members, sort_keys=True))


def _members(value: Any) -> Any:
    if isinstance(value, Raw):
        return json.loads(bytes(value))
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[str]", value))
    named = {name: getattr(value, name) for name in value.__struct_fields__}
    for name in ("arguments", "text"):
        if str(named.get(name, "")).startswith("{"):
            named[name] = json.loads(named[name])
    return named


def test_what_was_said_of_an_address_does_not_go_with_what_was_fetched_from_it() -> None:
    picture = Image(Data("image/png", "AAAA"), extra={"fileData.mimeType": Raw(b'"image/png"')})

    body, dropped = write(chat(user(picture), format="gemini"))

    assert body["contents"][0]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
    assert dropped == []


def test_what_only_another_vendor_takes_is_refused_where_it_is_part_of_the_question() -> None:
    with pytest.raises(Unsupported, match="search_result"):
        write(chat(user(Text("a"), Opaque("anthropic", "search_result", Raw(b"{}")))))
