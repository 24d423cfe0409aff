"""Whole replies, read and written."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tests.formats.gemini.wire import HEADING, chat, fixture
from tokengate.core.chat import Reasoning
from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Audio, Citation, Data, Image, Opaque, Part, Refusal, Text, Thinking, ToolCall, Url
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.gemini.reasons import read_reason

SHOWN = chat(reasoning=Reasoning(shown=True))
USAGE = ReportedUsage(Usage(input=3, cache_read=1, output=4, reasoning=5), b"{}")


def read(name: str) -> Reply:
    return GEMINI.read_reply(fixture(f"{name}.reply.json"))


def write(*parts: Part, asked: Any = SHOWN, **choice: Any) -> dict[str, Any]:
    finish = choice.pop("finish", FinishReason.STOP)
    searches = choice.pop("searches", ())
    reply = Reply(choices=(Choice(parts=parts, finish=finish, **choice),), usage=USAGE, searches=searches)
    return json.loads(GEMINI.write_reply(reply, HEADING, asked))


def said(*parts: Part, asked: Any = SHOWN) -> list[dict[str, Any]]:
    return write(*parts, asked=asked)["candidates"][0]["content"]["parts"]


def test_a_reply_is_read_with_its_heading_and_usage() -> None:
    reply = read("text")

    assert (reply.id, reply.model, reply.format) == ("kF8gaZ3wL5Wq1MkPv7iJ-As", "gemini-3-flash-preview", "gemini")
    choice = reply.choices[0]
    assert choice.parts == (Text("AI learns patterns — 数据 🙂 and predicts."),)
    assert (choice.finish, choice.native) == (FinishReason.STOP, "STOP")
    assert reply.usage is not None and reply.usage.usage == Usage(input=8, output=9)


def test_thoughts_come_with_the_seal_of_the_answer() -> None:
    thought, text, seal = read("thinking").choices[0].parts

    assert thought == Thinking("**Weighing it**\n\nThe user wants brevity.")
    assert text == Text("Short answer.")
    assert isinstance(seal, Thinking) and seal.redacted and seal.format == "gemini"


def test_calls_get_ids_and_keep_their_signature() -> None:
    choice = read("tools").choices[0]

    _, first, second = choice.parts
    assert isinstance(first, ToolCall) and isinstance(second, ToolCall)
    assert (first.id, first.arguments) == ("x8rfyz1q", '{"location":"Boston","days":[1,2]}')
    assert first.signature and not second.signature
    assert (second.id, second.arguments) == ("call_kF8gaZ3wL5Wq1MkPv7iJ-As_1", "{}")
    assert choice.finish is FinishReason.TOOL_CALLS


def test_calls_without_any_id_differ() -> None:
    def ids(argument: int) -> set[str]:
        parts = [{"functionCall": {"name": "f", "args": {"a": argument}}}, {"functionCall": {"name": "f"}}]
        body = json.dumps({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}).encode()
        return {part.id for part in GEMINI.read_reply(body).choices[0].parts if isinstance(part, ToolCall)}

    assert len(ids(1) | ids(2)) == 4 - 1  # the two empty calls look the same
    assert ids(1) == ids(1)


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    reply = read("blocked")

    assert reply.choices[0].finish is FinishReason.CONTENT_FILTER
    assert reply.choices[0].parts == ()
    assert reply.usage is not None and reply.usage.usage == Usage(input=7)


def test_an_unsafe_answer_is_a_filtered_one() -> None:
    assert (read("safety").choices[0].finish, read("safety").choices[0].native) == (
        FinishReason.CONTENT_FILTER,
        "SAFETY",
    )


def test_what_an_answer_is_grounded_on_is_cited() -> None:
    reply = read("grounded")

    assert [page.title for page in reply.searches] == ["aljazeera.com", "uefa.com"]
    text = reply.choices[0].parts[0]
    assert isinstance(text, Text)
    assert [(one.title, one.start, one.end) for one in text.citations] == [
        ("aljazeera.com", 0, 30),
        ("uefa.com", 0, 30),
        ("uefa.com", 31, 47),
    ]
    assert reply.usage is not None and reply.usage.usage.search == 2
    assert reply.usage.usage.input == 110


def test_places_in_text_beyond_ascii_are_not_guessed() -> None:
    text = "Größe"
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
        "groundingSupports": [{"segment": {"endIndex": 7, "text": text}, "groundingChunkIndices": [0]}],
    }
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP", "groundingMetadata": grounding}
    part = GEMINI.read_reply(json.dumps({"candidates": [candidate]}).encode()).choices[0].parts[0]

    assert isinstance(part, Text) and part.citations == (Citation("https://a", "A", text),)


def test_pictures_sound_and_code_are_kept() -> None:
    text, picture, seal = read("image").choices[0].parts
    sound = read("audio").choices[0].parts[0]
    code = read("code").choices[0].parts[0]

    assert isinstance(picture, Image) and isinstance(picture.source, Data)
    assert isinstance(seal, Thinking) and isinstance(text, Text)
    assert isinstance(sound, Audio) and isinstance(sound.source, Data)
    assert sound.source.media_type == "audio/L16;codec=pcm;rate=24000"
    assert isinstance(code, Opaque) and code.kind == "executableCode"


def test_candidates_have_their_own_reasons_and_probabilities() -> None:
    first, second = read("choices").choices

    assert (first.index, second.index) == (0, 1)
    assert second.finish is FinishReason.LENGTH
    assert first.logprobs is not None
    assert [(one.token, len(one.top)) for one in first.logprobs] == [("Yes", 2), (" sir", 2)]


@pytest.mark.parametrize(
    ("word", "called", "reason"),
    [
        ("STOP", True, FinishReason.TOOL_CALLS),
        ("MAX_TOKENS", True, FinishReason.LENGTH),
        ("RECITATION", False, FinishReason.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", False, FinishReason.ERROR),
        ("SOMETHING_NEW", False, FinishReason.ERROR),
        ("CONTINUATION", False, FinishReason.PAUSE),
    ],
)
def test_reasons_are_read(word: str, called: bool, reason: FinishReason) -> None:
    assert read_reason(word, called=called) is reason


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b'{"candidates": 1}', b"{" * 100_000])
def test_what_is_no_reply_fails(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        GEMINI.read_reply(body)


def test_an_error_instead_of_a_reply_fails_in_its_words() -> None:
    with pytest.raises(UpstreamFailed, match=r"Quota exceeded\."):
        GEMINI.read_reply(b'{"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}}')


def test_a_reply_is_written_under_our_heading() -> None:
    reply = write(Text("Hello"))

    assert reply == {
        "candidates": [
            {"content": {"parts": [{"text": "Hello"}], "role": "model"}, "index": 0, "finishReason": "STOP"}
        ],
        "usageMetadata": {
            "promptTokenCount": 4,
            "candidatesTokenCount": 4,
            "cachedContentTokenCount": 1,
            "thoughtsTokenCount": 5,
            "totalTokenCount": 13,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        },
        "modelVersion": "my-model",
        "responseId": "reply-1",
    }


def test_thoughts_are_shown_only_to_who_asked() -> None:
    assert said(Thinking("Hm."), Text("a")) == [{"text": "Hm.", "thought": True}, {"text": "a"}]
    assert said(Thinking("Hm."), Text("a"), asked=chat()) == [{"text": "a"}]


def test_a_thought_with_a_proof_is_told_in_any_case() -> None:
    thought = Thinking("Hm.", "proof", "anthropic")

    assert said(thought, asked=chat()) == said(thought)
    assert said(thought)[0]["text"] == "Hm." and said(thought)[0]["thoughtSignature"]


def test_a_seal_returns_to_its_part() -> None:
    seal = Thinking("", "c2ln", "gemini", redacted=True)

    assert said(Text("a"), seal) == [{"text": "a", "thoughtSignature": "c2ln"}]
    assert said(Image(Data("image/png", "AAAA")), seal)[0]["thoughtSignature"] == "c2ln"


def test_calls_are_written_as_objects() -> None:
    parts = said(ToolCall("1", "f", '{"a": 1}', signature="c2ln"), ToolCall("2", "g", ""), ToolCall("3", "h", "oops"))

    assert parts == [
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "2", "name": "g", "args": {}}},
        {"functionCall": {"id": "3", "name": "h", "args": {"input": "oops"}}},
    ]


def test_pictures_and_refusals_are_parts() -> None:
    assert said(Refusal("No."), Image(Url("https://a/b.png")), Opaque("gemini", "executableCode", Raw(b"{}"))) == [
        {"text": "No."},
        {"fileData": {"fileUri": "https://a/b.png", "mimeType": "image/png"}},
        {"executableCode": {}},
    ]
    assert said(Opaque("openai", "web_search_call", Raw(b"{}")), Text("a")) == [{"text": "a"}]


def test_sources_are_written_as_grounding() -> None:
    text = Text("Spain won.", citations=(Citation("https://a", "A", "Spain", 0, 5), Citation("https://b", "B")))
    reply = write(text, searches=(SearchResult("https://c", "C", "c.com"),))

    assert reply["candidates"][0]["groundingMetadata"] == {
        "groundingChunks": [
            {"web": {"uri": "https://c", "title": "C", "domain": "c.com"}},
            {"web": {"uri": "https://a", "title": "A"}},
            {"web": {"uri": "https://b", "title": "B"}},
        ],
        "groundingSupports": [
            {"segment": {"startIndex": 0, "endIndex": 5, "text": "Spain"}, "groundingChunkIndices": [1]}
        ],
    }


@pytest.mark.parametrize(
    ("finish", "native", "word"),
    [
        (FinishReason.TOOL_CALLS, "tool_calls", "STOP"),
        (FinishReason.LENGTH, "length", "MAX_TOKENS"),
        (FinishReason.CONTENT_FILTER, "refusal", "SAFETY"),
        (FinishReason.CONTENT_FILTER, "RECITATION", "RECITATION"),
        (FinishReason.ERROR, "MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"),
        (FinishReason.ERROR, "network_error", "OTHER"),
        (FinishReason.PAUSE, "pause_turn", "STOP"),
    ],
)
def test_reasons_are_written(finish: FinishReason, native: str, word: str) -> None:
    assert write(finish=finish, native=native)["candidates"][0]["finishReason"] == word


def test_a_blocked_prompt_is_written_as_one() -> None:
    blocked = read("blocked")
    reply = json.loads(GEMINI.write_reply(blocked, HEADING, SHOWN))

    assert reply["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in reply


def test_what_was_spoken_has_the_type_that_was_asked_for() -> None:
    assert said(Audio(Data("", "AAAA"))) == [
        {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAAA"}}
    ]
