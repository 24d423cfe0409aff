from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from tests.formats.dashscope.wire import FIXTURES, SEEDS, chat, fixture, plain, written
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
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.requests import read_chat
from tokengate.formats.dashscope.writing import write_chat

FUNCTION = Function("f", "does it", Raw(b'{"type":"object"}'))
OTHER = Function("g")


def parameters(one: Chat) -> dict[str, Any]:
    return written(one)[0]["parameters"]


def content(one: Chat, turn: int = -1) -> Any:
    return written(one)[0]["input"]["messages"][turn]["content"]


@pytest.mark.parametrize(
    "path",
    [*sorted(FIXTURES.glob("request-*.json")), SEEDS / "002-dashscope-request-1.json"],
    ids=lambda path: path.name,
)
def test_a_request_that_was_read_is_written_and_read_again_the_same(path: Any):
    parts = "multimodal" in path.name or "dashscope" in path.name
    once = read_chat(path.read_bytes(), parts=parts)

    again = read_chat(write_chat(once, Losses("DashScope", {})), parts=parts)

    assert plain(replace(again, style=once.style)) == plain(once)


def test_answers_are_asked_for_as_messages_and_streams_in_pieces():
    assert parameters(chat()) == {"result_format": "message"}
    assert parameters(chat(stream=True)) == {"result_format": "message", "incremental_output": True}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("qwen-plus", "text"),
        ("qwen3-max", "text"),
        ("qwen3.6-max-preview", "text"),
        ("qwen3-coder-plus", "text"),
        ("qwen2.5-14b-instruct-1m", "text"),
        ("deepseek-v3.2", "text"),
        ("kimi-k2-thinking", "text"),
        ("glm-4.7", "text"),
        ("qwen-vl-max-latest", "multimodal"),
        ("qwen3-vl-8b-instruct", "multimodal"),
        ("Qwen3-VL-8B-Instruct", "multimodal"),
        ("qvq-max", "multimodal"),
        ("qwen3-omni-flash", "multimodal"),
        ("qwen-audio-turbo", "multimodal"),
        ("qwen3.5-plus", "multimodal"),
        ("qwen3.5-flash", "multimodal"),
        ("qwen3.6-plus", "multimodal"),
        ("qwen3.8-max", "multimodal"),
        ("kimi-k2.5", "multimodal"),
        ("qwen-image-edit", "multimodal"),
    ],
)
def test_models_that_see_or_hear_are_served_elsewhere(model: str, path: str):
    assert DASHSCOPE.path(model, stream=True) == f"/services/aigc/{path}-generation/generation"


def test_a_stream_is_asked_for_by_headers():
    assert DASHSCOPE.headers(stream=True) == {"accept": "text/event-stream", "x-dashscope-sse": "enable"}
    assert "x-dashscope-sse" not in DASHSCOPE.headers(stream=False)


def test_text_models_get_strings_and_models_that_see_get_lists():
    assert content(chat(Text("hi"))) == "hi"
    assert content(chat(Text("hi"), model="qwen-vl-max")) == [{"text": "hi"}]
    assert content(chat(Text("a"), Text("b"))) == [{"text": "a"}, {"text": "b"}]
    assert content(chat(Text("a", CacheMark()))) == [{"text": "a", "cache_control": {"type": "ephemeral"}}]


def test_media_are_written_with_their_hints():
    frames = (Url("https://a.example/1.jpg"), Data("image/png", "AAAA"))
    parts: tuple[Part, ...] = (
        Image(Data("image/png", "AAAA"), min_pixels=4, max_pixels=8),
        Audio(Url("https://a.example/a.wav")),
        Video((Url("https://a.example/v.mp4"),), fps=0.5, max_frames=9),
        Video(frames, whole=False, total_pixels=7),
    )

    assert content(chat(*parts, model="qwen-vl-max")) == [
        {"image": "data:image/png;base64,AAAA", "min_pixels": 4, "max_pixels": 8},
        {"audio": "https://a.example/a.wav"},
        {"video": "https://a.example/v.mp4", "fps": 0.5, "max_frames": 9},
        {"video": ["https://a.example/1.jpg", "data:image/png;base64,AAAA"], "total_pixels": 7},
    ]


def test_a_tool_loop_is_written():
    turns = (
        Message("developer", (Text("Be short."),)),
        Message("user", (Text("go"),), name="ann"),
        Message("assistant", (Thinking("so", "sig", "anthropic"), Text("I look."), ToolCall("c1", "f", "{}", "s"))),
        Message("user", (ToolResult("c1", (Text("1"),), name="f"), Text("and?"))),
        Message("assistant", (Refusal("No."),)),
    )

    body, dropped = written(replace(chat(), messages=turns, tools=(FUNCTION,)))

    assert dropped == []
    assert body["input"]["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "go", "name": "ann"},
        {
            "role": "assistant",
            "content": "I look.",
            "reasoning_content": "so",
            "tool_calls": [{"id": "c1", "type": "function", "index": 0, "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "1", "tool_call_id": "c1", "name": "f"},
        {"role": "user", "content": "and?"},
        {"role": "assistant", "content": "No."},
    ]
    assert body["parameters"]["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "does it", "parameters": {"type": "object"}}}
    ]


@pytest.mark.parametrize(
    ("choice", "names", "expected"),
    [
        (ToolChoice("auto"), ["f", "g"], "auto"),
        (ToolChoice("none"), ["f", "g"], "none"),
        (ToolChoice("named", ("g",)), ["f", "g"], {"type": "function", "function": {"name": "g"}}),
        (ToolChoice("auto", ("g",)), ["g"], "auto"),
        (ToolChoice("required", ("g",)), ["g"], {"type": "function", "function": {"name": "g"}}),
    ],
)
def test_a_tool_choice_is_written_with_the_tools_that_it_leaves(choice: ToolChoice, names: list[str], expected: Any):
    asked = parameters(chat(tools=(FUNCTION, OTHER), tool_choice=choice))

    assert [tool["function"]["name"] for tool in asked["tools"]] == names
    assert asked["tool_choice"] == expected


def test_one_required_tool_is_a_named_one():
    asked = parameters(chat(tools=(FUNCTION,), tool_choice=ToolChoice("required")))

    assert asked["tool_choice"] == {"type": "function", "function": {"name": "f"}}


def test_a_custom_tool_is_a_function_with_one_parameter():
    (tool,) = parameters(chat(tools=(Custom("code", "Runs code."),)))["tools"]

    assert list(tool["function"]["parameters"]["properties"]) == ["input"]


def test_another_formats_web_search_is_the_search_parameter():
    plain_tool = BuiltIn("openai", "web_search", Raw(b'{"type":"web_search"}'), web_search=True)
    narrow = BuiltIn("anthropic", "web_search_20250305", Raw(b'{"type":"x","name":"y","max_uses":3}'), web_search=True)

    assert parameters(chat(tools=(plain_tool,))) == {"result_format": "message", "enable_search": True}
    assert written(chat(tools=(narrow,)))[1] == ["search_options"]


def test_search_options_go_only_where_they_are_understood():
    ours = Search(enabled=True, options=Raw(b'{"forced_search":true}'))
    theirs = Search(enabled=True, options=Raw(b'{"search_context_size":"low"}'))

    assert parameters(chat(search=ours))["search_options"] == {"forced_search": True}
    assert "search_options" not in parameters(chat(search=theirs))
    assert written(chat(search=theirs))[1] == ["search_options"]


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        (Reasoning(enabled=False), {"enable_thinking": False}),
        (Reasoning(budget=100), {"thinking_budget": 100}),
        (Reasoning(enabled=True, budget=-1), {"enable_thinking": True}),
        (Reasoning(effort="high"), {"enable_thinking": True, "reasoning_effort": "high"}),
        (Reasoning(effort="none"), {"enable_thinking": False}),
    ],
)
def test_thinking_is_asked_for(reasoning: Reasoning, expected: dict[str, Any]):
    assert parameters(chat(reasoning=reasoning)) == {"result_format": "message", **expected}


def test_the_rest_of_what_can_be_said_is_written():
    asked = parameters(
        chat(
            sampling=Sampling(
                temperature=0.5,
                top_p=0.9,
                top_k=5,
                presence_penalty=1,
                repetition_penalty=1.1,
                seed=3,
                logit_bias={"1": 5},
            ),
            output=Output(
                cap=9,
                n=2,
                stop=("a",),
                logprobs=True,
                top_logprobs=1,
                modalities=("text",),
                json=JsonFormat(Raw(b"{}"), "answer", "how", strict=True),
            ),
            translation=Raw(b'{"target_lang":"English"}'),
            high_resolution_images=True,
            tools=(FUNCTION,),
            parallel_tool_calls=False,
        )
    )

    assert asked.pop("tools")
    assert asked == {
        "result_format": "message",
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "presence_penalty": 1,
        "repetition_penalty": 1.1,
        "seed": 3,
        "logit_bias": {"1": 5},
        "max_tokens": 9,
        "n": 2,
        "stop": ["a"],
        "logprobs": True,
        "top_logprobs": 1,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {}, "description": "how", "strict": True},
        },
        "translation_options": {"target_lang": "English"},
        "vl_high_resolution_images": True,
        "parallel_tool_calls": False,
    }
    assert parameters(chat(output=Output(stop_tokens=(1, 2))))["stop"] == [1, 2]
    assert parameters(chat(output=Output(json=JsonFormat())))["response_format"] == {"type": "json_object"}


def test_several_calls_at_once_are_asked_for_unless_the_caller_knows_the_rule_here():
    assert parameters(chat(tools=(FUNCTION,)))["parallel_tool_calls"] is True
    assert "parallel_tool_calls" not in parameters(chat(tools=(FUNCTION,), format="dashscope"))
    assert "parallel_tool_calls" not in parameters(chat())


def test_a_cap_goes_back_under_the_name_it_came_with():
    one = read_chat(b'{"model":"m","input":{"prompt":"a"},"parameters":{"max_completion_tokens":7}}')

    assert parameters(one) == {"result_format": "message", "max_completion_tokens": 7}


DROPPED: list[tuple[Chat, str]] = [
    (chat(sampling=Sampling(seed=-1)), "seed"),
    (chat(sampling=Sampling(min_p=0.1)), "min_p"),
    (chat(sampling=Sampling(top_a=0.1)), "top_a"),
    (chat(sampling=Sampling(frequency_penalty=1)), "frequency_penalty"),
    (chat(output=Output(verbosity="low")), "verbosity"),
    (chat(reasoning=Reasoning(shown=False)), "shown"),
    (chat(cache=CacheMark()), "cache"),
    (chat(user="ann"), "user"),
    (chat(service_tier="flex"), "service_tier"),
    (chat(metadata=Raw(b"{}")), "metadata"),
    (chat(extra={"store": Raw(b"true")}), "store"),
    (chat(Text("a", CacheMark("1h"))), "ttl"),
    (chat(Text("a", citations=(Citation("https://a.example"),))), "citations"),
    (chat(Text("a", extra={"x": Raw(b"1")})), "x"),
    (chat(Image(Url("u"), detail="high"), model="qwen-vl-max"), "detail"),
    (chat(ToolResult("c", (Text("x"),), is_error=True)), "is_error"),
    (chat(Thinking("", "sealed", "anthropic", redacted=True), Text("a")), "thinking"),
    (chat(tools=(Custom("code", definition="x"),)), "definition"),
]


@pytest.mark.parametrize(("one", "word"), DROPPED, ids=[word for _, word in DROPPED])
def test_what_changes_nothing_is_dropped_by_name(one: Chat, word: str):
    assert written(one)[1] == [word]


REFUSED: list[tuple[Chat, str]] = [
    (chat(output=Output(n=5)), "n"),
    (chat(output=Output(top_logprobs=6)), "top_logprobs"),
    (chat(output=Output(modalities=("text", "audio"), speech=Speech("Cherry"))), "modalities"),
    (chat(output=Output(canvas=Canvas("16:9"))), "canvas"),
    (chat(output=Output(stop=("a",), stop_tokens=(1,))), "stop_tokens"),
    (chat(sampling=Sampling(temperature=2)), "temperature"),
    (chat(sampling=Sampling(top_p=0)), "top_p"),
    (chat(tools=(FUNCTION, OTHER), tool_choice=ToolChoice("required")), "tool_choice"),
    (chat(tools=(BuiltIn("openai", "code_interpreter", Raw(b"{}")),)), "built_in"),
    (chat(File(Url("https://a.example/a.pdf"))), "file"),
    (chat(Image(FileId("file-1"))), "image"),
    (chat(Video((Url("v"),), start_s=1)), "clip"),
    (chat(Opaque("anthropic", "container_upload", Raw(b"{}"))), "container_upload"),
    (chat(ToolResult("c", (File(Url("u")),))), "tool_result"),
    (chat(extra={"prediction": Raw(b"{}")}, essential=frozenset({"prediction"})), "prediction"),
    (replace(chat(), messages=(Message("assistant", (Image(Url("u")),)),)), "image"),
]


@pytest.mark.parametrize(("one", "word"), REFUSED, ids=[word for _, word in REFUSED])
def test_what_changes_the_meaning_is_refused_by_name(one: Chat, word: str):
    with pytest.raises(Unsupported) as caught:
        written(one)

    assert caught.value.param == word


def test_what_only_another_format_understands_is_left_out_of_what_the_model_said():
    said = Message("assistant", (Text("a"), Opaque("anthropic", "server_tool_use", Raw(b"{}"))))

    body, dropped = written(replace(chat(), messages=(said,)))

    assert body["input"]["messages"] == [{"role": "assistant", "content": "a"}]
    assert dropped == ["server_tool_use"]


def test_our_own_search_options_and_unknown_members_go_back_where_they_were():
    body, dropped = written(read_chat(fixture("request-search.json")))

    assert body["parameters"]["search_options"]["forced_search"] is True
    assert dropped == []


def test_a_picture_that_a_tool_gave_back_is_shown_by_the_user():
    asked = replace(
        chat(),
        messages=(
            Message("user", (Text("?"),)),
            Message("assistant", (ToolCall("c", "look", "{}"),)),
            Message("user", (ToolResult("c", (Text("sunny"), Image(Url("https://e.example/a.png")))),)),
        ),
        model="qwen-vl-max",
    )

    body, dropped = written(asked)

    assert dropped == []
    assert body["input"]["messages"][2:] == [
        {"role": "tool", "content": [{"text": "sunny"}], "tool_call_id": "c"},
        {"role": "user", "content": [{"image": "https://e.example/a.png"}]},
    ]


def test_a_budget_of_nothing_turns_thinking_off():
    body, dropped = written(chat(reasoning=Reasoning(budget=0)))

    assert body["parameters"]["enable_thinking"] is False and "thinking_budget" not in body["parameters"]
    assert dropped == []


def test_members_of_functions_that_only_another_vendor_knows_are_left_out_by_name():
    strict = replace(FUNCTION, strict=True, extra={"defer_loading": Raw(b"true")})

    body, dropped = written(chat(tools=(strict,)))
    own_body, own_dropped = written(replace(chat(tools=(strict,)), format="dashscope"))

    (function,) = body["parameters"]["tools"]
    assert "strict" not in function["function"] and "defer_loading" not in function["function"]
    assert dropped == ["tools.strict", "tools.defer_loading"]
    (own,) = own_body["parameters"]["tools"]
    assert (own["function"]["strict"], own["function"]["defer_loading"], own_dropped) == (True, True, [])
