import json

from tokengate.core.sse import write_frame
from tokengate.formats.openai.count import OutputTexts


class Written:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.times = 0
        self.texts: dict[tuple[int, str], str] = {}

    def __call__(self, place: tuple[int, str], text: str) -> None:
        self.times += 1
        self.texts[place] = self.texts.get(place, "") + text


def frame(**delta: object) -> bytes:
    return write_frame(json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode())


def test_nothing_is_decoded_before_somebody_asks():
    written = Written()
    texts = OutputTexts(written)

    for _ in range(100):
        texts.add(frame(content="hello"))

    assert written.times == 0
    texts.flush()
    texts.flush()
    assert written.texts == {(0, "content"): "hello" * 100}


def test_memory_is_bounded_by_handing_on_when_it_is_full():
    written = Written()
    texts = OutputTexts(written)

    for _ in range(5000):
        texts.add_text(b"world")

    assert 10 < written.times < 200
    texts.flush()
    assert written.texts == {(0, "content"): "world" * 5000}


def test_every_kind_of_text_has_its_place_and_comes_once():
    written = Written()
    texts = OutputTexts(written)

    texts.add(frame(reasoning="abc", reasoning_content="abc"))
    texts.add(frame(content="de", refusal="f"))
    texts.add(frame(tool_calls=[{"index": 1, "function": {"name": "go", "arguments": '{"a":1}'}}]))
    texts.add(frame(function_call={"arguments": "12"}))
    texts.add(frame(content=[{"type": "text", "text": "xyz"}]))
    texts.add(write_frame(b'{"choices":[{"index":1,"text":"12345"}]}'))
    texts.flush()

    assert written.texts == {
        (0, "reasoning_content"): "abc",
        (0, "content"): "dexyz",
        (0, "refusal"): "f",
        (0, "name 1"): "go",
        (0, "arguments 1"): '{"a":1}',
        (0, "arguments 0"): "12",
        (1, "text"): "12345",
    }


def test_texts_stay_in_order_among_frames():
    written = Written()
    texts = OutputTexts(written)

    texts.go_on((0, "reasoning"))
    texts.add_text(b"a")
    texts.add(frame(reasoning_content="b"))
    texts.add_text(b"c")
    texts.go_on((0, "content"))
    texts.add_text(b"d")
    texts.flush()

    assert written.texts == {(0, "reasoning_content"): "abc", (0, "content"): "d"}


def test_what_is_not_a_chunk_has_no_texts():
    written = Written()
    texts = OutputTexts(written)

    texts.add(b": keep-alive\n\n" + write_frame(b"not json") + write_frame(b'{"choices":5}') + b"event: ping\r\n\r\n")
    texts.flush()

    assert written.texts == {}


def test_texts_are_handed_on_without_their_escapes():
    written = Written()
    texts = OutputTexts(written)

    texts.add_text("你\\n".encode())
    texts.add_text(b"\\ud83d")
    texts.add_text(b"\\ude00")
    texts.flush()

    assert written.texts == {(0, "content"): "你\n😀"}


def test_half_a_surrogate_pair_is_some_text():
    written = Written()
    texts = OutputTexts(written)

    texts.add_text(b"\\ud83d")
    texts.flush()

    assert written.texts[0, "content"]
