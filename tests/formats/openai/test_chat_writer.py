"""What vendors of OpenAI's format are asked: all that a caller said, in the vendor's spelling; the rest by name."""

import json
from typing import Any, cast

import pytest
from msgspec import Raw

from tests.formats.openai.chats import read, write, write_with_losses
from tokengate.core.chat import (
    BuiltIn,
    Canvas,
    Chat,
    Custom,
    Function,
    Message,
    Output,
    Reasoning,
    Sampling,
    Search,
    ToolChoice,
)
from tokengate.core.errors import Unsupported
from tokengate.core.parts import (
    Audio,
    Data,
    File,
    FileId,
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
from tokengate.formats.openai.format import OPENAI_CHAT, OpenAIChat
from tokengate.providers.load import provider_of

PIXEL = Data("image/png", "AAAA")


def vendor(name: str) -> OpenAIChat:
    return cast("OpenAIChat", provider_of(name).formats["openai"])


def foreign(*parts: Part, format: str = "anthropic", **fields: Any) -> Chat:
    """A chat of another format's caller."""
    return Chat(format=format, model="m", messages=(Message("user", parts or (Text("hi"),)),), **fields)


def talk(*messages: Message, **fields: Any) -> Chat:
    return Chat(format="anthropic", model="m", messages=messages, **fields)


def written(chat: Chat, dialect: OpenAIChat = OPENAI_CHAT) -> list[dict[str, Any]]:
    return write(chat, dialect)["messages"]


def refused(chat: Chat, dialect: OpenAIChat) -> str | None:
    with pytest.raises(Unsupported) as refusal:
        dialect.write_chat(chat, Losses("The vendor", OPENAI_CHAT.names))
    return refusal.value.param


def test_a_stream_always_asks_for_usage() -> None:
    assert write(foreign(stream=True)) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_ones_own_parameters_go_back_as_they_came() -> None:
    own = {
        "guided_json": {"a": 1},
        "thinking": {"clear_thinking": False},
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
        "audio": {"voice": {"id": "v"}, "format": "wav"},
        "safety_identifier": "s",
    }

    assert own.items() <= write(read(**own)).items()


def test_another_formats_parameters_are_dropped_by_name_unless_they_matter() -> None:
    chat = foreign(extra={"container": Raw(b"1"), "mcp": Raw(b"2")}, essential=frozenset({"mcp"}))

    assert refused(chat, OPENAI_CHAT) == "mcp"
    _, dropped = write_with_losses(foreign(extra={"container": Raw(b"1")}), OPENAI_CHAT)
    assert dropped == ["container"]


# Messages


def test_results_come_first_and_what_else_was_shown_after_them() -> None:
    chat = talk(
        Message("assistant", (ToolCall("c1", "f", "{}"), ToolCall("c2", "g", ""))),
        Message(
            "user",
            (
                Text("Look:"),
                ToolResult("c1", (Text("one"), Text("two"))),
                ToolResult("c2", (Image(PIXEL),), "g"),
            ),
        ),
    )

    assert written(chat) == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
        },
        {"role": "tool", "tool_call_id": "c2", "content": "", "name": "g"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "text", "text": "Look:"},
            ],
        },
    ]


def test_a_failed_result_is_told_without_its_flag() -> None:
    chat = talk(Message("user", (ToolResult("c", (Text("no"),), is_error=True),)))

    body, dropped = write_with_losses(chat, OPENAI_CHAT)

    assert body["messages"] == [{"role": "tool", "tool_call_id": "c", "content": "no"}]
    assert dropped == ["is_error"]


def test_long_ids_fit_and_still_belong_together() -> None:
    id = "toolu_" + "x" * 60
    chat = talk(Message("assistant", (ToolCall(id, "f", "{}"),)), Message("user", (ToolResult(id, (Text("r"),)),)))

    call, result = written(chat, vendor("openai"))

    assert len(call["tool_calls"][0]["id"]) == 40
    assert result["tool_call_id"] == call["tool_calls"][0]["id"]


@pytest.mark.parametrize(("name", "role"), [("openai", "developer"), ("deepseek", "system"), ("zhipu", "system")])
def test_developers_are_the_system_where_nobody_knows_them(name: str, role: str) -> None:
    chat = talk(Message("developer", (Text("Be brief."),)))

    assert written(chat, vendor(name)) == [{"role": role, "content": "Be brief."}]


def test_texts_are_one_text_where_lists_are_not_taken() -> None:
    chat = talk(Message("user", (Text("a"), Text("b"))))

    assert written(chat, vendor("deepseek")) == [{"role": "user", "content": "a\n\nb"}]
    assert written(chat)[0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


@pytest.mark.parametrize(
    ("part", "name", "param"),
    [
        (Image(PIXEL), "deepseek", "image_url"),
        (Audio(Data("audio/wav", "AA")), "xai", "input_audio"),
        (Video((Url("https://e/v"),)), "openai", "video_url"),
        (Video((Url("https://e/1"), Url("https://e/2")), whole=False), "vllm", "video"),
        (File(Data("application/pdf", "JV")), "dashscope", "file"),
        (Image(FileId("f")), "openai", "image_url"),
        (Video((Url("https://e/v"),), start_s=1), "dashscope", "video_url"),
        (Opaque("anthropic", "search_result", Raw(b"{}")), "openai", "search_result"),
    ],
)
def test_what_a_vendor_cannot_see_is_refused_by_name(part: Part, name: str, param: str) -> None:
    assert refused(foreign(part), vendor(name)) == param


def test_sound_at_an_address_is_where_the_vendor_looks_for_it() -> None:
    chat = foreign(Audio(Url("https://e/a.wav")))

    assert written(chat, vendor("vllm"))[0]["content"] == [
        {"type": "audio_url", "audio_url": {"url": "https://e/a.wav"}}
    ]
    assert written(chat, vendor("dashscope"))[0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "https://e/a.wav", "format": "wav"}}
    ]


@pytest.mark.parametrize(
    ("url", "name"), [("https://e/a.MP3?x=.ogg", "mp3"), ("https://e.mp3/talk", "wav"), ("oss://b/k.txt", "wav")]
)
def test_the_format_of_sound_at_an_address_is_what_its_name_ends_with(url: str, name: str) -> None:
    (part,) = written(foreign(Audio(Url(url))), vendor("dashscope"))[0]["content"]

    assert part["input_audio"] == {"data": url, "format": name}


def test_a_beginning_is_continued_in_the_vendors_way_or_refused() -> None:
    chat = talk(Message("assistant", (Text("Once"),), partial=True))

    assert written(chat, vendor("dashscope"))[0]["partial"] is True
    body = write(chat, vendor("vllm"))
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert refused(chat, vendor("openai")) == "partial"


def test_a_tool_that_another_vendor_ran_is_left_out_by_name() -> None:
    search = Opaque("anthropic", "server_tool_use", Raw(b"{}"))

    body, dropped = write_with_losses(talk(Message("assistant", (search, Text("So.")))), OPENAI_CHAT)

    assert body["messages"] == [{"role": "assistant", "content": "So."}]
    assert dropped == ["server_tool_use"]


# Thinking

THOUGHT = Message("assistant", (Thinking("hm", "sig", "anthropic"), ToolCall("c", "f", "{}")))
ANSWER = Message("assistant", (Text("yes"),))


def test_deepseek_gets_the_thinking_of_every_turn_back() -> None:
    first, second = written(talk(THOUGHT, ANSWER), vendor("deepseek"))

    assert first["reasoning_content"] == "hm"
    assert second["reasoning_content"] == " "  # an empty one counts as none
    off = written(talk(ANSWER, reasoning=Reasoning(enabled=False)), vendor("deepseek"))
    assert "reasoning_content" not in off[0]


def test_a_foreign_proof_stays_here_and_a_vendors_own_goes_back() -> None:
    own = Thinking("mine", "s", "openai", extra={"format": Raw(b'"anthropic-claude-v1"')})

    foreign_one, own_one = written(talk(THOUGHT, Message("assistant", (own, Text("yes")))))

    assert "reasoning_details" not in foreign_one
    assert own_one["reasoning_content"] == "mine"
    assert own_one["reasoning_details"] == [
        {"type": "reasoning.text", "text": "mine", "signature": "s", "format": "anthropic-claude-v1", "index": 0}
    ]


def test_minimax_gets_its_thinking_back_in_details() -> None:
    (message,) = written(talk(THOUGHT), vendor("minimax"))

    assert message["reasoning_details"] == [{"type": "reasoning.text", "text": "hm", "index": 0}]
    assert "reasoning_content" not in message


def test_ollama_has_another_name_for_thinking() -> None:
    (message,) = written(talk(THOUGHT), vendor("ollama"))

    assert message["reasoning"] == "hm"


def test_thinking_can_go_back_in_the_text() -> None:
    (message,) = written(talk(Message("assistant", (Thinking("hm"), Text("yes")))), OpenAIChat(thoughts="think"))

    assert message["content"] == "<think>\nhm\n</think>\n\nyes"


def test_openai_takes_no_thinking_back() -> None:
    body, dropped = write_with_losses(talk(THOUGHT), vendor("openai"))

    assert body["messages"][0].keys() == {"role", "content", "tool_calls"}
    assert dropped == ["reasoning_content"]


# Parameters


@pytest.mark.parametrize(
    ("reasoning", "name", "body", "dropped"),
    [
        (Reasoning(effort="high"), "openai", {"reasoning_effort": "high"}, []),
        (Reasoning(enabled=False), "openai", {"reasoning_effort": "none"}, []),
        (Reasoning(enabled=True), "openai", {"reasoning_effort": "medium"}, []),
        (Reasoning(enabled=True, budget=-1), "openai", {"reasoning_effort": "medium"}, []),
        (Reasoning(enabled=True, budget=2_000), "openai", {"reasoning_effort": "low"}, ["thinking_budget"]),
        (Reasoning(enabled=True, budget=20_000), "openai", {"reasoning_effort": "high"}, ["thinking_budget"]),
        (
            Reasoning(effort="max"),
            "deepseek",
            {"thinking": {"type": "enabled"}, "reasoning_effort": "max"},
            [],
        ),
        (Reasoning(effort="none"), "deepseek", {"thinking": {"type": "disabled"}}, []),
        (Reasoning(effort="low"), "zhipu", {"thinking": {"type": "enabled"}}, ["reasoning_effort"]),
        (Reasoning(enabled=True), "minimax", {"thinking": {"type": "adaptive"}, "reasoning_split": True}, []),
        (Reasoning(enabled=True, budget=9), "dashscope", {"enable_thinking": True, "thinking_budget": 9}, []),
        (Reasoning(budget=0), "dashscope", {"enable_thinking": False}, []),
        (Reasoning(effort="none"), "dashscope", {"enable_thinking": False}, []),
        (
            Reasoning(enabled=False, budget=5),
            "vllm",
            {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}, "thinking_token_budget": 5},
            [],
        ),
        (Reasoning(effort="none"), "sglang",
         {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}, []),
        (Reasoning(summary="auto"), "openai", {}, ["summary"]),
        (Reasoning(shown=False), "dashscope", {}, ["shown"]),
    ],
)  # fmt: skip
def test_reasoning_is_asked_for_in_the_vendors_spelling(
    reasoning: Reasoning, name: str, body: dict[str, Any], dropped: list[str]
) -> None:
    written, lost = write_with_losses(foreign(reasoning=reasoning), vendor(name))

    assert {key: value for key, value in written.items() if key not in ("model", "messages")} == body
    assert lost == dropped


@pytest.mark.parametrize(
    ("sampling", "name", "body", "dropped"),
    [
        (Sampling(temperature=2), "dashscope", {}, ["temperature"]),  # its range ends before 2
        (Sampling(temperature=1.5), "zhipu", {}, ["temperature"]),
        (Sampling(temperature=1), "zhipu", {"temperature": 1}, []),
        (Sampling(temperature=1.5, top_p=0.5), "minimax", {"top_p": 0.5}, ["temperature"]),
        (Sampling(top_k=5, seed=1), "openai", {"seed": 1}, ["top_k"]),
        (Sampling(frequency_penalty=1, presence_penalty=1), "dashscope", {"presence_penalty": 1},
         ["frequency_penalty"]),
    ],
)  # fmt: skip
def test_sampling_that_a_vendor_lacks_is_dropped_by_name(
    sampling: Sampling, name: str, body: dict[str, Any], dropped: list[str]
) -> None:
    written, lost = write_with_losses(foreign(sampling=sampling), vendor(name))

    assert {key: value for key, value in written.items() if key in Sampling.__struct_fields__} == body
    assert lost == dropped


@pytest.mark.parametrize(
    ("fields", "name", "param"),
    [
        ({"sampling": Sampling(temperature=0)}, "minimax", "temperature"),  # the caller wants no chance in it
        ({"sampling": Sampling(top_p=0)}, "zhipu", "top_p"),
        ({"sampling": Sampling(logit_bias={"1": 1})}, "deepseek", "logit_bias"),
        ({"output": Output(n=2)}, "minimax", "n"),
        ({"output": Output(stop=("a", "b"))}, "zhipu", "stop"),
        ({"output": Output(stop=("a",), stop_tokens=(1,))}, "dashscope", "stop"),
        ({"output": Output(stop_tokens=(1,))}, "openai", "stop"),
        ({"output": Output(logprobs=True)}, "zhipu", "logprobs"),
        ({"output": Output(modalities=("text", "image"))}, "openai", "modalities"),
        ({"output": Output(modalities=("audio",))}, "deepseek", "modalities"),
        ({"output": Output(canvas=Canvas("16:9"))}, "deepseek", "image_config"),
        ({"search": Search(enabled=True)}, "xai", "web_search_options"),
        ({"translation": Raw(b"{}")}, "openai", "translation_options"),
        ({"tools": (Function("f"),), "tool_choice": ToolChoice("required")}, "zhipu", "tool_choice"),
        ({"tools": (BuiltIn("anthropic", "bash_20250124", Raw(b"{}")),)}, "openai", "tools"),
    ],
)
def test_what_changes_the_answer_is_refused_by_name(fields: dict[str, Any], name: str, param: str) -> None:
    assert refused(foreign(**fields), vendor(name)) == param


def test_one_answer_is_what_everybody_gives() -> None:
    assert "n" not in write(foreign(output=Output(n=1)), vendor("minimax"))
    assert write(foreign(output=Output(n=1)), vendor("openai"))["n"] == 1


def test_without_tools_none_can_be_called() -> None:
    chat = foreign(tools=(Function("f"),), tool_choice=ToolChoice("none"))

    assert "tools" not in write(chat, vendor("zhipu"))
    assert write(chat, vendor("openai"))["tool_choice"] == "none"


def test_the_output_cap_has_the_vendors_name() -> None:
    assert write(foreign(output=Output(cap=5)), vendor("openai"))["max_completion_tokens"] == 5
    assert write(foreign(output=Output(cap=5)), vendor("deepseek"))["max_tokens"] == 5


def test_several_calls_at_once_are_asked_for_where_they_are_not_the_rule() -> None:
    asked = foreign(tools=(Function("f"),))
    theirs = foreign(tools=(Function("f"),), format="openai")

    assert write(asked, vendor("dashscope"))["parallel_tool_calls"] is True
    assert "parallel_tool_calls" not in write(theirs, vendor("dashscope"))
    assert "parallel_tool_calls" not in write(asked)


def test_custom_tools_are_functions_where_there_are_no_others() -> None:
    custom = Custom("code", "Runs code.", "lark", "start: /.+/")
    call = ToolCall("c", "code", "print(1)", custom=True)
    chat = talk(
        Message("assistant", (call,)), Message("user", (ToolResult("c", (Text("1"),), custom=True),)), tools=(custom,)
    )

    body, dropped = write_with_losses(chat, vendor("vllm"))

    assert body["tools"][0]["function"]["name"] == "code"
    assert json.loads(body["messages"][0]["tool_calls"][0]["function"]["arguments"]) == {"input": "print(1)"}
    assert dropped == ["tools[].custom.format"]
    assert write(chat, vendor("openai"))["tools"] == [
        {
            "type": "custom",
            "custom": {
                "name": "code",
                "description": "Runs code.",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}},
            },
        }
    ]


def test_another_formats_search_becomes_the_vendors() -> None:
    chat = foreign(tools=(BuiltIn("anthropic", "web_search_20250305", Raw(b"{}"), web_search=True), Function("f")))

    qwen = write(chat, vendor("dashscope"))

    assert qwen["enable_search"] is True
    assert [tool["function"]["name"] for tool in qwen["tools"]] == ["f"]
    assert write(chat, vendor("openai"))["web_search_options"] == {}


def test_search_options_go_only_where_they_are_understood() -> None:
    qwen = read(enable_search=True, search_options={"forced_search": True})

    assert write(qwen, vendor("dashscope"))["search_options"] == {"forced_search": True}
    body, dropped = write_with_losses(qwen, vendor("openai"))
    assert (body["web_search_options"], dropped) == ({}, ["search_options"])


def test_a_caller_of_another_format_is_refused_in_the_words_of_that_format() -> None:
    names = {
        format.name: format.names["json_schema"]
        for provider in ("openai", "anthropic", "google", "dashscope_native")
        for format in provider_of(provider).formats.values()
    }

    assert names == {
        "openai": "response_format",
        "responses": "text.format",
        "anthropic": "output_config.format",
        "gemini": "generationConfig.responseJsonSchema",
        "dashscope": "parameters.response_format",
    }


def test_tools_that_must_not_be_called_are_left_out_where_a_choice_cannot_say_so() -> None:
    tools = (Function("f"), Function("g"))
    chat = foreign(tools=tools, tool_choice=ToolChoice("required", ("g",)))

    narrowed = write(chat, vendor("vllm"))
    told = write(chat, vendor("openai"))

    assert [tool["function"]["name"] for tool in narrowed["tools"]] == ["g"]
    assert narrowed["tool_choice"] == "required"
    assert len(told["tools"]) == 2 and told["tool_choice"]["type"] == "allowed_tools"


def test_an_engines_parameters_go_to_engines_alone() -> None:
    chat = read(min_tokens=2, structured_outputs={"regex": "a"})

    assert write(chat, vendor("vllm"))["structured_outputs"] == {"regex": "a"}
    assert refused(chat, vendor("deepseek")) == "structured_outputs"
    body, dropped = write_with_losses(read(min_tokens=2), vendor("deepseek"))
    assert "min_tokens" not in body and dropped == ["min_tokens"]


def test_an_effort_turns_thinking_on_where_it_has_a_switch() -> None:
    body = write(read(reasoning_effort="low"), vendor("dashscope"))

    assert (body["enable_thinking"], body["reasoning_effort"]) == (True, "low")


def test_a_bias_is_a_whole_number_where_it_can_be() -> None:
    body = write(foreign(sampling=Sampling(logit_bias={"1": 5.0, "2": 0.5})))

    assert json.dumps(body["logit_bias"]) == '{"1": 5, "2": 0.5}'


def test_options_of_a_search_in_the_vendors_own_words_come_from_callers_of_its_other_format_too() -> None:
    search = Search(enabled=True, options=Raw(b'{"forced_search":true}'))

    body = write(foreign(format="dashscope", search=search), vendor("dashscope"))

    assert body["search_options"] == {"forced_search": True}
