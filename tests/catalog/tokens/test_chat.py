"""Prompts have the tokens that the product pages and the vendors print, and are counted only when all of it was."""

from base64 import b64encode
from struct import pack

import pytest
from msgspec import Raw, structs

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import Counted, count_chat, count_texts, estimate_tokens
from tokengate.catalog.tokens.chat import MAX_CHARACTERS
from tokengate.core.chat import Chat, Function, JsonFormat, Message, Output, Reasoning, Search
from tokengate.core.parts import (
    Audio,
    Data,
    File,
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
from tokengate.core.usage import UsageSource

COUNTED, ESTIMATED = UsageSource.COUNTED, UsageSource.ESTIMATED


def picture(width: int, height: int) -> Data:
    head = b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + b"IHDR" + pack(">II", width, height) + b"\x08\x02\x00\x00\x00"
    return Data("image/png", b64encode(head).decode())


def model(name: str, vendor: str = "qwen") -> Model:
    return Model(id=name, kind="chat", vendor=vendor, name=name)


def said(*parts: Part | str, system: str = "", reasoning: Reasoning | None = None) -> Chat:
    turn = Message("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))
    first = (Message("system", (Text(system),)),) if system else ()
    return Chat(format="openai", model="m", messages=(*first, turn), reasoning=reasoning or Reasoning())


def test_the_first_example_of_the_qwen_page_has_20_tokens() -> None:
    chat = said("你好", system="You are a helpful assistant.")

    assert count_chat(chat, model("qwen2.5-14b-instruct")) == Counted(20, COUNTED)


def test_the_fifth_example_of_the_qwen_page_has_1466_tokens() -> None:
    frames = Video((picture(3840, 2160),) * 4, whole=False)

    assert count_chat(said(frames, "描述这个视频的具体过程"), model("qwen-vl-max-latest")) == Counted(1466, COUNTED)


def test_the_text_of_the_fourth_example_of_the_qwen_page_has_25_tokens() -> None:
    chat = said("这段视频介绍的是什么?", system="You are a helpful assistant.")

    assert count_chat(chat, model("qwen-vl-max-latest")) == Counted(25, COUNTED)


def test_the_greeting_of_the_thinking_page_has_11_tokens() -> None:
    # Its model has a larger vocabulary than the published one, so the same number is only an estimate.
    assert count_chat(said("你好"), model("qwen3.6-max-preview")) == Counted(11, ESTIMATED)
    assert count_chat(said("你好"), model("qwen3-30b-a3b-thinking-2507")) == Counted(11, COUNTED)


def test_a_page_scan_has_the_tokens_of_its_grid_and_the_marks() -> None:
    text = count_chat(said("读"), model("Qwen3-VL-8B-Instruct", "internal")).tokens
    scan = count_chat(said(Image(picture(800, 1131)), "读"), model("Qwen3-VL-8B-Instruct", "internal"))

    assert scan == Counted(text + 25 * 35 + 2, COUNTED)


def test_thinking_that_is_off_is_an_empty_block_in_the_prompt() -> None:
    off = count_chat(said("你好", reasoning=Reasoning(enabled=False)), model("qwen3-32b"))

    assert off.tokens == 9 + 4
    assert count_chat(said("你好"), model("qwen3-30b-a3b-instruct-2507")).tokens == 9


def test_the_published_example_of_openai() -> None:
    # https://github.com/openai/openai-cookbook, "How to count tokens with tiktoken": what the API replied.
    system = "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."
    turns = [
        ("example_user", "New synergies will help drive top-line growth."),
        ("example_assistant", "Things working well together will increase revenue."),
        (
            "example_user",
            "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        ),
        ("example_assistant", "Let's talk later when we're less busy about how to do better."),
    ]
    last = "This late pivot means we don't have time to boil the ocean for the client deliverable."
    messages = (
        Message("system", (Text(system),)),
        *(Message("system", (Text(text),), name=name) for name, text in turns),
        Message("user", (Text(last),)),
    )
    chat = Chat(format="openai", model="m", messages=messages)

    assert count_chat(chat, model("gpt-4o", "openai")) == Counted(124, COUNTED)
    assert count_chat(chat, model("gpt-4", "openai")) == Counted(129, COUNTED)


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("deepseek-v3.2-exp", 5),  # begin, User, text, Assistant, the mark of thinking
        ("mistral-nemo", 4),  # begin, INST, text, /INST
        ("llama-3-8b-instruct", 11),  # begin, 4 marks, text and end, 4 marks
    ],
)
def test_templates_of_other_vendors(name: str, tokens: int) -> None:
    assert count_chat(said("Hi"), model(name, "internal")) == Counted(tokens, COUNTED)


def test_longer_chats_have_more_marks() -> None:
    turns = (Message("user", (Text("Hi"),)), Message("assistant", (Text("Hi"),)), Message("user", (Text("Hi"),)))
    chat = Chat(format="openai", model="m", messages=turns)

    for name, tokens in (("deepseek-v3.1", 1 + 2 + 4 + 2 + 2), ("mistral-nemo", 1 + 3 + 2 + 3), ("gpt-5", 3 * 5 + 3)):
        assert count_chat(chat, model(name, "x")) == Counted(tokens, COUNTED), name


@pytest.mark.parametrize(
    "part",
    [
        Image(Url("https://example.com/a.png")),
        Image(Data("image/png", "AAAA")),
        Image(picture(3000, 10)),
        Video((Url("https://example.com/a.mp4"),)),
        Audio(Data("audio/wav", "AAAA")),
        File(Data("application/pdf", "AAAA")),
        File(Data("text/plain", b64encode(b"some words").decode())),
        Thinking("so"),
        ToolCall("c", "f", "{}"),
        ToolResult("c", (Text("ok"),)),
        Opaque("x", "y", Raw(b"{}")),
    ],
)
def test_one_part_that_is_not_known_makes_an_estimate(part: Part) -> None:
    plain = count_chat(said("Hi"), model("qwen2.5-vl-72b-instruct"))
    found = count_chat(said("Hi", part), model("qwen2.5-vl-72b-instruct"))

    assert plain.source is COUNTED
    assert found.source is ESTIMATED and found.tokens > plain.tokens


def test_a_picture_elsewhere_counts_as_a_typical_one() -> None:
    elsewhere = count_chat(said(Image(Url("https://example.com/a.png"))), model("gpt-4o", "openai"))
    inside = count_chat(said(Image(picture(1024, 1024))), model("gpt-4o", "openai"))

    assert elsewhere == Counted(inside.tokens, ESTIMATED)
    assert inside == Counted(3 + 1 + 3 + 765, COUNTED)


def test_bounds_of_the_caller_hold_for_a_picture() -> None:
    plain = said(Image(picture(1920, 1080)))
    small = said(Image(picture(1920, 1080), max_pixels=256 * 784))
    high = structs.replace(plain, high_resolution_images=True)

    counts = [count_chat(chat, model("qwen2.5-vl-72b-instruct")).tokens for chat in (small, plain, high)]

    assert counts[0] <= 256 + 30 and counts[1] - counts[0] > 900 and counts[2] - counts[1] == 2691 - 1222


@pytest.mark.parametrize(
    "changed",
    [
        {"tools": (Function("f", "word " * 100, Raw(b'{"type":"object"}')),)},
        {"output": Output(json=JsonFormat(schema=Raw(b'{"type":"object","required":["a"]}')))},
        {"search": Search(enabled=True)},
    ],
)
def test_what_the_vendor_writes_in_its_own_way_makes_an_estimate(changed: dict[str, object]) -> None:
    plain = count_chat(said("Hi"), model("qwen-plus"))
    found = count_chat(structs.replace(said("Hi"), **changed), model("qwen-plus"))

    assert plain.source is COUNTED and found.source is ESTIMATED
    assert found.tokens >= plain.tokens + (100 if "tools" in changed else 0)


def test_models_without_a_public_tokenizer_are_estimated() -> None:
    text = "模型支持图像与视频输入" * 10
    found = count_chat(said(text), model("claude-opus-4-7", "anthropic"))

    assert found.source is ESTIMATED
    assert estimate_tokens(text) < found.tokens < estimate_tokens(text) + 12
    assert count_texts([text], model("glm-4.7", "zhipu")) == Counted(estimate_tokens(text), ESTIMATED)


def test_a_text_by_itself_has_no_marks() -> None:
    assert count_texts(["你好"], model("qwen-plus")) == Counted(1, COUNTED)
    assert count_texts([""], model("qwen-plus")) == Counted(0, COUNTED)


def test_a_prompt_that_is_too_long_to_be_counted_is_estimated() -> None:
    text = "word " * (MAX_CHARACTERS // 5 + 1)

    assert count_texts([text], model("qwen-plus")) == Counted(estimate_tokens(text), ESTIMATED)
