import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.formats.openai.template import Template

TEXTS = st.lists(st.text(alphabet='ab 字{}[],:\\/\n"', max_size=6), max_size=6)


def frame(text: str, *, model: str = "theirs", end: str = "\n\n", finish: str = "null") -> bytes:
    return (
        f'data: {{"id":"c-1","model":"{model}","choices":[{{"delta":{{"content":{json.dumps(text)}}},'
        f'"finish_reason":{finish}}}],"usage":null}}{end}'
    ).encode()


def template(end: str = "\n\n") -> Template:
    return Template(frame("first", end=end), frame("first", model="ours", end=end), b'"content":"first"')


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
@given(texts=TEXTS)
def test_frames_that_differ_only_in_their_text_are_taken_apart_and_written_again(end: str, texts: list[str]) -> None:
    kind = template(end)
    frames = b"".join(frame(text, end=end) for text in texts)

    found, seen_bytes = kind.leading_texts(frames)

    if found:
        assert seen_bytes == len(frames)
        assert [json.loads(b'"%b"' % text) for text in found] == texts
        assert kind.write(found) == b"".join(frame(text, model="ours", end=end) for text in texts)
    else:
        assert not texts or any('"' in text for text in texts)


def test_only_the_frames_at_the_beginning_count() -> None:
    alike, other = frame("a") + frame("b"), frame("", finish='"stop"') + b"data: [DONE]\n\n"

    assert template().leading_texts(alike + other) == ([b"a", b"b"], len(alike))
    assert template().leading_texts(other + alike) == ([], 0)
    assert template().leading_texts(alike + b"event: x\n" + frame("c")) == ([b"a", b"b"], len(alike))
    assert template().leading_texts(alike + other + alike) == ([], 0)


@pytest.mark.parametrize("between", [b": comment\n\n", b"\n\n", b'data: {"usage":{"total_tokens":9}}\n\n'])
def test_what_hides_between_two_frames_is_not_passed_over(between: bytes) -> None:
    frames = frame("a") + between + frame("b")

    assert template().leading_texts(frames) == ([], 0)
