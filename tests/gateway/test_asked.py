"""What a chat in the vocabulary asks for, for routing, holds and estimates."""

import json
from base64 import b64encode
from typing import Any

import pytest
from msgspec import Raw

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import document_bound, prompt_bound, sound_bound
from tokengate.core.chat import Chat, Function, Message, Output, Reasoning
from tokengate.core.parts import Audio, Data, File, Image, Part, Text, ToolCall, ToolResult, Url, Video
from tokengate.core.splice import Members
from tokengate.formats.openai.chat_reader import read_chat
from tokengate.gateway.asked import as_counted, asked_of, prompt_estimate
from tokengate.gateway.openai import CHAT_COMPLETIONS

PDF = b64encode(b"%PDF-1.4" + b"/Type /Page " * 3).decode()

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
    one = asked_of(chat(Message("user", (inside,))), BODY)
    nested = asked_of(chat(Message("user", (ToolResult("c", (inside,)),))), BODY)
    frames = asked_of(chat(Message("user", (Video((Url("https://a"), Url("https://b")), whole=False),))), BODY)

    for asked in (one, nested):
        assert (asked.prompt_bound, asked.pictures) == (plain - 4000, 1)
    held = as_counted(frames, Model(id="gpt-4.1", kind="chat", vendor="openai", name="GPT 4.1"))
    assert (held.prompt_bound, held.pictures) == (plain + 2 * (85 + 8 * 170), 0)
    assert (frames.prompt_bound, frames.pictures) == (plain, 2)


def test_every_choice_of_a_model_that_draws_is_a_picture() -> None:
    draws = Model(id="painter", kind="image", vendor="v", name="Painter")

    assert as_counted(asked_of(chat(), BODY), draws).images == 1
    assert as_counted(asked_of(chat(output=Output(n=3)), BODY), draws).images == 3


def test_documents_sound_and_films_are_held_for_what_they_may_come_to() -> None:
    """Their bytes are no text; what they cost comes on top."""
    plain = asked_of(chat(Message("user", (Text("Hi"),))), BODY).prompt_bound
    cases: list[tuple[Part, int]] = [
        (File(Data("application/pdf", PDF)), document_bound(PDF) - len(PDF)),
        (Audio(Data("audio/wav", "y" * 4000)), sound_bound("y" * 4000) - 4000),
        (File(Url("https://a/b.pdf")), document_bound(None)),
        (Audio(Url("https://a/b.mp3")), sound_bound(None)),
        (Video((Url("https://a/b.mp4"),)), prompt_bound(0, films=1) - prompt_bound(0)),
    ]

    for part, more in cases:
        assert asked_of(chat(Message("user", (part,))), BODY).prompt_bound == plain + more
        nested = Message("user", (ToolResult("c", (part,)),))
        assert asked_of(chat(nested), BODY).prompt_bound == plain + more


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + PDF}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "https://a/b.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "y" * 4000, "format": "wav"}},
        {"type": "audio_url", "audio_url": {"url": "https://a/b.mp3"}},
        {"type": "video_url", "video_url": {"url": "https://a/b.mp4"}},
        {"type": "video", "video": ["https://a/1.jpg", "https://a/2.jpg"]},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
    ],
)
def test_a_forwarded_chat_is_held_for_like_a_converted_one(part: dict[str, Any]) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": [part]}]}).encode()

    forwarded = CHAT_COMPLETIONS.read(body)
    converted = asked_of(read_chat(body), Members(body))

    names = 100  # what the faster reader leaves out besides the bytes of media, such as the names of formats
    assert abs(forwarded.prompt_bound - converted.prompt_bound) < names
    assert forwarded.pictures == converted.pictures


def test_a_part_that_cannot_be_read_is_held_for_too() -> None:
    body = (
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"file"},{"type":"input_audio","input_audio":1}]}]}'
    )

    assert CHAT_COMPLETIONS.read(body).prompt_bound > document_bound(None) + sound_bound(None)


def test_texts_calls_and_tools_are_estimated_and_media_are_not() -> None:
    texts = chat(Message("user", (Text("word " * 100),)))
    calls = chat(Message("assistant", (ToolCall("c", "f", "word " * 100),)))
    tools = Chat(format="x", model="m", messages=(), tools=(Function("f", "word " * 100, Raw(b"{}")),))
    media = chat(Message("user", (Image(Data("image/png", "word" * 100)),)))

    assert all(85 < prompt_estimate(one) < 130 for one in (texts, calls, tools))
    assert prompt_estimate(media) == 0
