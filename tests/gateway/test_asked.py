"""What a chat in the vocabulary asks for, for routing, holds and estimates."""

from msgspec import Raw

from tokengate.core.chat import Chat, Function, Message, Output, Reasoning
from tokengate.core.parts import Data, Image, Text, ToolCall, ToolResult, Url, Video
from tokengate.core.splice import Members
from tokengate.gateway.asked import asked_of, prompt_estimate

BODY = Members(b'{"model":"m","messages":[' + b"x".join([b'"' + b"y" * 4000 + b'"']) + b"]}")


def chat(*messages: Message, output: Output | None = None, reasoning: Reasoning | None = None) -> Chat:
    return Chat(
        format="anthropic",
        model="m",
        messages=messages,
        output=output or Output(),
        reasoning=reasoning or Reasoning(),
        stream=True,
    )


def test_caps_choices_and_thinking_are_what_was_asked() -> None:
    asked = asked_of(chat(output=Output(cap=7, n=3), reasoning=Reasoning(enabled=True)), BODY)

    assert (asked.model, asked.stream, asked.output_cap, asked.choices, asked.generated) == ("m", True, 7, 3, 3)
    assert asked.thinking is True
    assert asked_of(chat(reasoning=Reasoning(budget=0)), BODY).thinking is False
    assert asked_of(chat(), BODY).thinking is None


def test_pictures_and_frames_count_and_their_bytes_are_no_text() -> None:
    plain = asked_of(chat(Message("user", (Text("Hi"),))), BODY).prompt_bound
    inside = Image(Data("image/png", "y" * 4000))
    one = asked_of(chat(Message("user", (inside,))), BODY).prompt_bound
    nested = asked_of(chat(Message("user", (ToolResult("c", (inside,)),))), BODY).prompt_bound
    frames = asked_of(chat(Message("user", (Video((Url("https://a"), Url("https://b")), whole=False),))), BODY)

    assert one == nested == plain - 4000 + 24_600
    assert frames.prompt_bound == plain + 2 * 24_600


def test_texts_calls_and_tools_are_estimated_and_media_are_not() -> None:
    texts = chat(Message("user", (Text("word " * 100),)))
    calls = chat(Message("assistant", (ToolCall("c", "f", "word " * 100),)))
    tools = Chat(format="x", model="m", messages=(), tools=(Function("f", "word " * 100, Raw(b"{}")),))
    media = chat(Message("user", (Image(Data("image/png", "word" * 100)),)))

    assert all(85 < prompt_estimate(one) < 130 for one in (texts, calls, tools))
    assert prompt_estimate(media) == 0
