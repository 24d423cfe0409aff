"""Chats with vLLM-Omni's models that draw: what their server would make of them, and what comes back."""

import base64
import json
from typing import Any, cast

import pytest

from tests.formats.openai.chats import read, write, write_with_losses
from tests.simulators.image_upstream import png
from tokengate.core.chat import Canvas, Chat, Message, Output
from tokengate.core.errors import Unsupported
from tokengate.core.fold import Fold
from tokengate.core.parts import Data, Image, Text
from tokengate.core.splice import read_members
from tokengate.core.usage import Usage
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.load import provider_of

DRAWING = cast("OpenAIChat", provider_of("vllm").drawing["openai"])
SMALL = base64.b64encode(png(64, 32)).decode()
URL = f"data:image/png;base64,{SMALL}"
USAGE = {"prompt_tokens": 3, "total_tokens": 4, "completion_tokens": 1, "prompt_tokens_details": None}


def picture(url: str = URL) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def drawn(url: str) -> dict[str, Any]:
    """A part of the content, with what the server tells beside it."""
    return {**picture(url), "stage_durations": {"diffuse": 3.1}, "peak_memory_mb": 61_204.0}


def whole(*parts: dict[str, Any], **members: Any) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": parts, "refusal": None, "audio": None, "tool_calls": []}
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": "stop",
        "stop_reason": None,
    }
    return json.dumps({"id": "chatcmpl-1", "model": "m", "created": 5, "choices": [choice], **members}).encode()


def said(*content: Any) -> list[dict[str, Any]]:
    """Return the messages of the user that these are the contents of."""
    return [{"role": "user", "content": one} for one in content]


@pytest.mark.parametrize("asked", [None, ["image"], ["text", "image"]])
def test_a_picture_is_asked_for_alone_since_models_of_one_stage_talk_when_asked_for_text_too(
    asked: list[str] | None,
) -> None:
    assert write(read(modalities=asked), DRAWING)["modalities"] == ["image"]


def test_words_alone_may_be_asked_for() -> None:
    assert write(read(modalities=["text"]), DRAWING)["modalities"] == ["text"]


def test_the_models_own_parameters_stand_at_the_top_whether_they_were_wrapped_or_not() -> None:
    own = {"width": 512, "height": 768, "num_inference_steps": 20, "guidance_scale": 4.0, "negative_prompt": "rain"}

    flat = write(read(seed=7, **own), DRAWING)
    wrapped = write(read(extra_body={"seed": 7, **own}), DRAWING)

    assert flat == wrapped == {"model": "m", "messages": said("hi"), "modalities": ["image"], "seed": 7, **own}


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("", "1K", (1024, 1024)),
        ("", "2K", (2048, 2048)),
        ("16:9", "", (1360, 768)),
        ("9:16", "1K", (768, 1360)),
        ("4:3", "2K", (2368, 1776)),
        ("1:1", "4K", (4096, 4096)),
    ],
)
def test_a_ratio_and_a_size_are_width_and_height(ratio: str, resolution: str, size: tuple[int, int]) -> None:
    chat = Chat(
        format="gemini",
        model="m",
        messages=(Message("user", (Text("hi"),)),),
        output=Output(canvas=Canvas(ratio, resolution)),
    )

    written = write(chat, DRAWING)

    assert (written["width"], written["height"]) == size and "image_config" not in written
    assert size[0] % 16 == size[1] % 16 == 0


@pytest.mark.parametrize("canvas", [{"aspect_ratio": "wide"}, {"aspect_ratio": "0:1"}, {"aspect_ratio": "9:1"}])
def test_what_is_no_ratio_is_refused_by_name(canvas: dict[str, str]) -> None:
    assert refused(image_config=canvas) == refused(image_config={"image_size": "8K"}) == "image_config"


def test_what_only_other_models_have_of_the_size_is_left_out_by_name() -> None:
    written, dropped = write_with_losses(read(image_config={"aspect_ratio": "1:1", "strength": 0.5}), DRAWING)

    assert (written["width"], dropped) == (1024, ["image_config"]) and "image_config" not in written


def test_instructions_become_a_part_of_the_prompt_which_is_all_that_the_server_reads() -> None:
    messages = [{"role": "system", "content": "In oil."}, {"role": "user", "content": "a cat"}]

    assert write(read(messages=messages), DRAWING)["messages"] == said("In oil.", "a cat")


def test_the_last_picture_and_what_was_said_since_are_what_is_drawn_on() -> None:
    first, second = ({"role": "assistant", "content": "Here.", "images": [picture(url)]} for url in (URL + "AA", URL))
    messages = [
        {"role": "system", "content": "In oil."},
        {"role": "user", "content": "a cat"},
        first,
        {"role": "user", "content": "blue"},
        second,
        {"role": "user", "content": "with a hat"},
    ]

    written = write(read(messages=messages), DRAWING)["messages"]

    assert written == [*said("In oil."), {"role": "user", "content": [picture()]}, *said("with a hat")]


def test_pictures_at_addresses_must_be_put_into_the_request() -> None:
    assert DRAWING.must_inline("image", "https://example.com/cat.png")


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"n": 2}, "n"),
        ({"num_outputs_per_prompt": 4}, "num_outputs_per_prompt"),
        ({"extra_body": {"num_outputs_per_prompt": 4}}, "num_outputs_per_prompt"),
        ({"lora": {"name": "a", "path": "/etc"}}, "lora"),
        ({"extra_body": {"extra_args": {"video_path": "/etc/passwd"}}}, "extra_args"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["image", "audio"], "audio": {"voice": "a", "format": "wav"}}, "modalities"),
        ({"messages": said([{"type": "video_url", "video_url": {"url": "https://a/b.mp4"}}])}, "video_url"),
    ],
)
def test_what_the_server_would_leave_out_or_leaves_to_its_operator_is_refused_by_name(
    members: dict[str, Any], param: str
) -> None:
    assert refused(**members) == param


def test_no_chat_is_forwarded_since_its_answer_has_another_shape() -> None:
    assert not DRAWING.forwards(read_members(b'{"model":"m","messages":[]}'), frozenset())


def test_a_picture_in_the_content_is_read() -> None:
    reply = DRAWING.read_reply(whole(drawn(URL), usage=USAGE))

    assert reply.choices[0].parts == (Image(Data("image/png", SMALL)),)
    assert reply.usage is not None and reply.usage.usage == Usage(input=3, output=1)


def test_words_instead_of_a_picture_are_no_picture() -> None:
    sorry = {"type": "text", "text": "Image generation completed but no images were produced."}

    assert DRAWING.read_reply(whole(sorry, usage=USAGE)).choices[0].parts == (Text(sorry["text"]),)


@pytest.mark.parametrize("cut", [7, 64, 100_000])
def test_a_stream_adds_up_to_the_whole_reply(cut: int) -> None:
    head = {"id": "chatcmpl-1", "model": "m", "created": 5}
    delta = {"role": "assistant", "content": [drawn(URL)]}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [choice], "modality": "image"},
        {**head, "choices": [], "usage": USAGE},
    ]
    stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + b"data: [DONE]\n\n"
    reader, fold = DRAWING.stream_reader(), Fold()

    for at in range(0, len(stream), cut):
        for event in reader.feed(stream[at : at + cut]):
            fold.add(event)
    for event in reader.close():
        fold.add(event)

    expected = DRAWING.read_reply(whole(drawn(URL), usage=USAGE))
    assert fold.failure is None
    assert fold.reply().choices[0].parts == expected.choices[0].parts
    assert reader.usage == expected.usage


def refused(**members: Any) -> str | None:
    with pytest.raises(Unsupported) as refusal:
        write_with_losses(read(**members), DRAWING)
    return refusal.value.param
