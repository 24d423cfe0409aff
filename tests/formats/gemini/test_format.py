"""The format as one object, and the edits of the lane."""

import json

import pytest

from tests.formats.gemini.wire import FLASH, OLD, assistant, chat, fixture, user
from tokengate.core.parts import Text, Thinking, ToolCall
from tokengate.core.splice import Members
from tokengate.core.wire import Format, Forwarding
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.gemini.forward import is_foreign


def test_it_is_a_format_that_can_be_forwarded() -> None:
    format: Format = GEMINI
    forwarding: Forwarding = GEMINI

    assert format.name == "gemini"
    assert format.must_inline("image", "https://e/a.png") and not format.must_stream("gemini-3-flash-preview")
    assert forwarding.forward_chat(Members(b'{"contents":[]}'), model="m", output_cap=None) == b'{"contents":[]}'


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-3-flash", False, "/v1beta/models/gemini-3-flash:generateContent"),
        ("gemini-3-flash", True, "/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", False, "/v1beta/tunedModels/mine:generateContent"),
        ("odd name?x#y:z", False, "/v1beta/models/odd%20name%3Fx%23y%3Az:generateContent"),
    ],
)
def test_the_model_is_in_the_path(model: str, stream: bool, path: str) -> None:
    assert GEMINI.path(model, stream=stream) == path


@pytest.mark.parametrize(
    ("body", "edited"),
    [
        (b'{"contents": []}', {"contents": [], "generationConfig": {"maxOutputTokens": 9}}),
        (b'{"generationConfig": {"topK": 1}}', {"generationConfig": {"topK": 1, "maxOutputTokens": 9}}),
        (b'{"generationConfig": {"maxOutputTokens": 99}}', {"generationConfig": {"maxOutputTokens": 9}}),
        (b'{"generation_config": {"max_output_tokens": 99}}', {"generation_config": {"max_output_tokens": 9}}),
        (b'{"generationConfig": null}', {"generationConfig": {"maxOutputTokens": 9}}),
    ],
)
def test_the_lane_lowers_the_output_cap_under_either_spelling(body: bytes, edited: object) -> None:
    assert json.loads(GEMINI.forward_chat(Members(body), model="m", output_cap=9)) == edited


def test_the_lane_renames_the_model_and_nothing_else() -> None:
    body = fixture("text.reply.json")

    renamed = GEMINI.rename_model(body, "mine")

    assert renamed == body.replace(b'"modelVersion": "gemini-3-flash-preview"', b'"modelVersion": "mine"')
    assert GEMINI.rename_model(b"{}", "mine") == b"{}"
    assert GEMINI.rename_model(b"no json", "mine") == b"no json"


def test_a_conversation_that_another_vendor_had_a_part_in_is_foreign() -> None:
    question, call = user(Text("go")), ToolCall("1", "f", "{}")

    assert not is_foreign(chat(question, assistant(Thinking("Hm."), Thinking("", "c2ln", "gemini", redacted=True))))
    assert not is_foreign(chat(question, assistant(ToolCall("1", "f", "{}", signature="c2ln"), call)))
    assert not is_foreign(chat(question, assistant(call), model=OLD))
    assert is_foreign(chat(question, assistant(call), model=FLASH))
    assert is_foreign(chat(question, assistant(Thinking("Hm.", "proof", "anthropic")), model=OLD))


def test_google_fetches_some_addresses_itself() -> None:
    kept = ["gs://bucket/a", "https://youtu.be/a", "https://generativelanguage.googleapis.com/v1beta/files/a"]

    assert not any(GEMINI.must_inline("video", url) for url in kept)
    assert GEMINI.must_inline("image", "https://example.com/a.png")
    assert GEMINI.must_inline("image", "https://youtube.com.example.com/a.png")
