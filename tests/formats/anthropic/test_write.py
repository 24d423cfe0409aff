"""A request for a vendor: what this format's callers said goes back as it came, what others say is put in its order."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tests.formats.anthropic.examples import CHATS, HI, body, foreign, written
from tokengate.core.chat import (
    BuiltIn,
    Canvas,
    Chat,
    Custom,
    Function,
    JsonFormat,
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
    CacheMark,
    Citation,
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.anthropic.abilities import PLAIN, Abilities
from tokengate.formats.anthropic.read import read_chat
from tokengate.formats.anthropic.write import write_chat

SCHEMA = Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}')


def refusal(chat: Chat, abilities: Abilities = PLAIN) -> str | None:
    with pytest.raises(Unsupported) as caught:
        write_chat(chat, Losses("the backend", {"n": "candidateCount"}), abilities)
    return caught.value.param


# Callers of this format


@pytest.mark.parametrize("name", CHATS)
def test_a_request_of_this_format_goes_back_as_it_came(name: str) -> None:
    asked = json.loads(CHATS[name])
    for message in asked["messages"]:
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]

    request, dropped = written(read_chat(CHATS[name]))

    assert request == asked and dropped == []


def test_nothing_of_this_formats_own_is_judged_by_what_the_model_can() -> None:
    abilities = Abilities(sampling=False, budget=False, adaptive=True, efforts=("low",))
    chat = read_chat(body(temperature=0.2, top_p=0.5, thinking={"type": "enabled", "budget_tokens": 2000}))

    request, dropped = written(chat, abilities)

    assert (request["temperature"], request["top_p"], request["thinking"]["budget_tokens"]) == (0.2, 0.5, 2000)
    assert dropped == []


def test_another_vendors_thinking_is_left_out_and_what_is_empty_then() -> None:
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "gemini:AA"}]},
        {"role": "user", "content": "b"},
    ]

    request, dropped = written(read_chat(body(messages=messages)))

    assert [message["role"] for message in request["messages"]] == ["user", "user"]
    assert dropped == ["thinking"]


def test_thinking_is_left_out_when_the_open_tool_loop_has_none_that_is_signed() -> None:
    request = json.loads(CHATS["tool-loop"])
    for block in request["messages"][1]["content"][:1]:
        block["signature"] = "gemini:AA"
    del request["messages"][1]["content"][1]

    sent, dropped = written(read_chat(json.dumps(request).encode()))

    assert "thinking" not in sent and sorted(dropped) == ["reasoning", "thinking"]


def test_adaptive_thinking_needs_no_thinking_in_the_open_tool_loop() -> None:
    request = json.loads(CHATS["tool-loop"]) | {"thinking": {"type": "adaptive"}}
    del request["messages"][1]["content"][:2]

    sent, dropped = written(read_chat(json.dumps(request).encode()))

    assert sent["thinking"] == {"type": "adaptive"} and dropped == []


# The order of this format


def test_instructions_go_to_system_and_neighbours_into_one_turn() -> None:
    chat = foreign(
        Message("system", (Text("be kind"),)),
        Message("developer", (Text("be brief"),)),
        Message("user", (Text("a"),)),
        Message("user", (Text("b"),)),
        Message("assistant", (Text("c"),)),
        Message("system", (Text("now in French"),)),
        Message("user", (Text("d"),)),
    )

    request, dropped = written(chat)

    assert [block["text"] for block in request["system"]] == ["be kind", "be brief", "now in French"]
    assert [(message["role"], [block["text"] for block in message["content"]]) for message in request["messages"]] == [
        ("user", ["a", "b"]),
        ("assistant", ["c"]),
        ("user", ["d"]),
    ]
    assert dropped == []


def test_instructions_stay_in_their_place_where_the_model_takes_them() -> None:
    chat = foreign(
        Message("user", (Text("a"),)),
        Message("system", (Text("in place"),)),
        Message("assistant", (Text("b"),)),
        Message("system", (Text("after the assistant"),)),
        Message("user", (Text("c"),)),
    )

    request, _ = written(chat, Abilities(system_turns=True))

    assert [message["role"] for message in request["messages"]] == ["user", "system", "assistant", "user"]
    assert request["system"] == [{"type": "text", "text": "after the assistant"}]


def test_the_user_comes_first() -> None:
    request, _ = written(foreign(Message("assistant", (Text("Welcome!"),)), *HI))

    assert [message["role"] for message in request["messages"]] == ["user", "assistant", "user"]
    assert request["messages"][0]["content"] == [{"type": "text", "text": "..."}]


def test_all_results_stand_in_one_turn_before_what_the_user_says() -> None:
    calls = (Text(""), ToolCall("call_1", "f", '{"a":1}'), ToolCall("call_2", "g", ""))
    chat = foreign(
        *HI,
        Message("assistant", calls),
        Message("user", (ToolResult("call_1", (Text("one"),)),)),
        Message("user", (Text("and?"),)),
        Message("user", (ToolResult("call_2", (), is_error=True),)),
        tools=(Function("f"), Function("g")),
    )

    request, _ = written(chat)

    assert request["messages"][1]["content"] == [
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
    ]
    assert request["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "call_1", "content": "one"},
        {"type": "tool_result", "tool_use_id": "call_2", "is_error": True},
        {"type": "text", "text": "and?"},
    ]


def test_ids_of_calls_get_letters_that_the_vendor_allows_and_stay_apart() -> None:
    ids = ("functions.f:0", "functions_f_0", "functions.f;0", "")
    chat = foreign(
        *HI,
        Message("assistant", tuple(ToolCall(one, "f", "{}") for one in ids)),
        Message("user", tuple(ToolResult(one, (Text(one),)) for one in ids)),
    )

    request, _ = written(chat)
    called = [block["id"] for block in request["messages"][1]["content"]]

    assert called == [block["tool_use_id"] for block in request["messages"][2]["content"]]
    assert len(set(called)) == 4 and called[1] == "functions_f_0"
    assert all(name.replace("_", "").replace("-", "").isalnum() for name in called)


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("", {}),
        (" \n", {}),
        ('{"a": [1]}', {"a": [1]}),
        ('{"a": ', {"INVALID_JSON": '{"a": '}),
        ("[1]", {"INVALID_JSON": "[1]"}),
        ("7", {"INVALID_JSON": "7"}),
    ],
)
def test_arguments_are_an_object(arguments: str, sent: dict[str, Any]) -> None:
    request, _ = written(foreign(*HI, Message("assistant", (ToolCall("t", "f", arguments),))))

    assert request["messages"][1]["content"][0]["input"] == sent


def test_a_text_that_says_nothing_is_left_out() -> None:
    request, _ = written(foreign(Message("user", (Text(" "), Text("a"))), Message("assistant", (Text(""),)), *HI))

    assert request["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "hi"}]}
    ]


# Media


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            Image(Url("data:image/png;base64,iVBORw0KGgo=")),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        ),
        (
            Image(Data("image/jpg", "AAAA")),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}},
        ),
        (Image(Url("https://x/a.png")), {"type": "image", "source": {"type": "url", "url": "https://x/a.png"}}),
        (
            File(Url("data:application/pdf;base64,JVBERi0xLjQK"), name="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"},
                "title": "a.pdf",
            },
        ),
        (
            File(Data("text/markdown", "IyBIaQ==")),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "# Hi"}},
        ),
        (Refusal("I won't."), {"type": "text", "text": "I won't."}),
    ],
)
def test_media_are_written(part: Part, block: dict[str, Any]) -> None:
    request, dropped = written(foreign(Message("user", (part,))))

    assert request["messages"][0]["content"] == [block] and dropped == []


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (Audio(Data("audio/wav", "AAAA")), "audio"),
        (Video((Url("https://x/a.mp4"),)), "video"),
        (Image(Data("image/bmp", "AAAA")), "image"),
        (Image(Url("oss://bucket/a.png")), "image"),
        (Image(FileId("file-1")), "image"),
        (File(Data("application/zip", "AAAA")), "file"),
        (File(Data("text/plain", "/w==")), "file"),
        (Opaque("gemini", "executableCode", Raw(b"{}")), "executableCode"),
    ],
)
def test_media_that_the_vendor_cannot_see_are_refused(part: Part, param: str) -> None:
    assert refusal(foreign(Message("user", (part,)))) == param


def test_how_close_to_look_is_dropped_by_name() -> None:
    picture = Image(Url("https://x/a.png"), detail="low", max_pixels=1000)

    assert written(foreign(Message("user", (picture,))))[1] == ["detail", "max_pixels"]


# Parameters


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"output": Output(n=2)}, "candidateCount"),
        ({"output": Output(logprobs=True)}, "logprobs"),
        ({"output": Output(top_logprobs=3)}, "top_logprobs"),
        ({"output": Output(stop_tokens=(1,))}, "stop_tokens"),
        ({"output": Output(modalities=("text", "audio"))}, "modalities"),
        ({"output": Output(canvas=Canvas("16:9"))}, "canvas"),
        ({"sampling": Sampling(logit_bias={"1": 5})}, "logit_bias"),
        ({"translation": Raw(b"{}")}, "translation"),
        ({"extra": {"plugins": Raw(b"[]")}, "essential": frozenset({"plugins"})}, "plugins"),
        ({"tools": (BuiltIn("openai", "file_search", Raw(b"{}")),)}, "tools"),
    ],
)
def test_what_changes_the_answer_is_refused_in_the_callers_words(members: dict[str, Any], param: str) -> None:
    assert refusal(foreign(**members)) == param


def test_what_does_not_change_the_answers_meaning_is_dropped_by_name() -> None:
    chat = foreign(
        Message("user", (Text("hi", extra={"x": Raw(b"1")}),), name="ann", extra={"y": Raw(b"1")}),
        Message("assistant", (Text("yes", citations=(Citation("https://x"),)), Thinking("hm"))),
        tools=(Function("f", extra={"z": Raw(b"1")}),),
        sampling=Sampling(
            temperature=1.5, min_p=0.1, top_a=0.1, seed=0, frequency_penalty=1, presence_penalty=1, repetition_penalty=2
        ),
        output=Output(verbosity="low", speech=Speech("v"), stop=("END", "\n")),
        metadata=Raw(b"{}"),
        high_resolution_images=True,
        service_tier="flex",
        extra={"store": Raw(b"true")},
    )

    request, dropped = written(chat)

    assert sorted(dropped) == sorted(
        [
            "x",
            "name",
            "y",
            "citations",
            "thinking",
            "z",
            "temperature",
            "min_p",
            "top_a",
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "verbosity",
            "speech",
            "stop",
            "metadata",
            "high_resolution_images",
            "service_tier",
            "store",
        ]
    )
    assert request["stop_sequences"] == ["END"]
    assert sorted(request) == ["max_tokens", "messages", "model", "stop_sequences", "tools"]


def test_what_asks_for_nothing_is_not_dropped() -> None:
    chat = foreign(
        sampling=Sampling(frequency_penalty=0, presence_penalty=0.0, repetition_penalty=1.0, min_p=0, top_a=0),
        output=Output(n=1, logprobs=False, modalities=("text",)),
        reasoning=Reasoning(),
    )

    assert written(chat) == (
        {"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        [],
    )


def test_the_output_has_a_cap_always() -> None:
    assert written(foreign(), Abilities(cap=8192))[0]["max_tokens"] == 8192
    assert written(foreign(output=Output(cap=5)))[0]["max_tokens"] == 5


def test_words_that_both_formats_have_are_written() -> None:
    chat = foreign(
        stream=True, user="u-1", cache=CacheMark("1h"), service_tier="auto", sampling=Sampling(temperature=0.5, top_k=9)
    )

    request, dropped = written(chat)

    assert (request["stream"], request["metadata"], request["service_tier"]) == (True, {"user_id": "u-1"}, "auto")
    assert request["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert (request["temperature"], request["top_k"], dropped) == (0.5, 9, [])


def test_sampling_follows_the_model() -> None:
    both = foreign(sampling=Sampling(temperature=0.5, top_p=0.9))

    request, dropped = written(both, Abilities(temperature_and_top_p=False))
    assert (request["temperature"], "top_p" in request, dropped) == (0.5, False, ["top_p"])
    request, dropped = written(both, Abilities(sampling=False))
    assert "temperature" not in request and dropped == ["temperature", "top_p"]


def test_an_answer_that_must_be_json_has_a_schema_or_is_asked_for_in_words() -> None:
    request, dropped = written(foreign(output=Output(json=JsonFormat(SCHEMA, "answer", strict=True))))
    assert request["output_config"] == {"format": {"type": "json_schema", "schema": json.loads(bytes(SCHEMA))}}
    assert dropped == []

    request, dropped = written(foreign(output=Output(json=JsonFormat())))
    assert request["system"] == [{"type": "text", "text": "Answer with one JSON object and nothing else."}]
    assert dropped == ["json"]

    assert refusal(foreign(output=Output(json=JsonFormat(SCHEMA))), Abilities(json_schema=False)) == "json"


# Tools


def test_functions_are_tools_whose_parameters_are_an_object() -> None:
    tools = (
        Function("f", "does it", SCHEMA, strict=True, cache=CacheMark()),
        Function("g"),
        Function("h", parameters=Raw(b'{"properties":{}}')),
        Custom("patch", "edits"),
    )

    request, _ = written(foreign(tools=tools))
    first, second, third, custom = request["tools"]

    assert first == {
        "name": "f",
        "description": "does it",
        "input_schema": json.loads(bytes(SCHEMA)),
        "strict": True,
        "cache_control": {"type": "ephemeral"},
    }
    assert second == {"name": "g", "input_schema": {"type": "object", "properties": {}}}
    assert third["input_schema"] == {"type": "object", "properties": {}}
    assert custom["input_schema"]["required"] == ["input"]


def test_arguments_are_held_to_their_schema_where_the_model_can() -> None:
    loose = foreign(tools=(Function("f", strict=False),))
    strict = foreign(tools=(Function("f", strict=True),))

    assert "strict" not in written(loose)[0]["tools"][0]
    request, dropped = written(strict, Abilities(json_schema=False))
    assert "strict" not in request["tools"][0] and dropped == ["strict"]


def test_a_search_is_asked_for_by_its_tool() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}

    assert written(foreign(search=Search(enabled=True, options=Raw(b"{}"))))[0]["tools"] == [search]
    assert written(foreign(tools=(BuiltIn("responses", "web_search", Raw(b"{}"), web_search=True),)))[0]["tools"] == [
        search
    ]


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("named", ("f",)), None, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choices_are_written(choice: ToolChoice | None, parallel: bool | None, sent: Any) -> None:
    chat = foreign(tools=(Function("f"),), tool_choice=choice, parallel_tool_calls=parallel)

    request, _ = written(chat)

    assert request.get("tool_choice") == sent


def test_a_choice_among_some_tools_sends_only_those() -> None:
    chat = foreign(tools=(Function("f"), Function("g")), tool_choice=ToolChoice("required", ("g",)))

    request, _ = written(chat)

    assert [tool["name"] for tool in request["tools"]] == ["g"] and request["tool_choice"] == {"type": "any"}


def test_no_tools_need_no_choice() -> None:
    assert "tool_choice" not in written(foreign(tool_choice=ToolChoice("none"), parallel_tool_calls=False))[0]


def test_the_last_four_cache_markers_are_kept() -> None:
    marked = tuple(Text(f"{n}", cache=CacheMark()) for n in range(3))
    result = ToolResult("t", (Text("x", cache=CacheMark()),), cache=CacheMark())
    chat = foreign(
        Message("system", marked), *HI, Message("user", (result,)), tools=(Function("f", cache=CacheMark()),)
    )

    request, dropped = written(chat)

    assert dropped == ["cache"]
    assert "cache_control" not in request["tools"][0]
    assert ["cache_control" in block for block in request["system"]] == [False, True, True]
    assert json.dumps(request).count("cache_control") == 4
