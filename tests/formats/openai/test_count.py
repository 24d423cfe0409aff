import json

from tokengate.core.sse import write_frame
from tokengate.formats.openai.count import OutputCounter


class Estimate:
    """One token a character; remembers what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


def frame(**delta: object) -> bytes:
    return write_frame(json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode())


def test_nothing_is_decoded_before_somebody_asks():
    estimate = Estimate()
    counter = OutputCounter(estimate)

    for _ in range(100):
        counter.add(frame(content="hello"))

    assert estimate.texts == []
    assert counter.counted() == 500
    assert counter.counted() == 500
    assert len(estimate.texts) == 1


def test_memory_is_bounded_by_counting_when_it_is_full():
    estimate = Estimate()
    counter = OutputCounter(estimate)

    for _ in range(5000):
        counter.add(frame(content="hello"))
        counter.add_text(b"world")

    assert 10 < len(estimate.texts) < 200
    assert counter.counted() == 50_000


def test_every_kind_of_text_counts_once():
    counter = OutputCounter(Estimate())

    counter.add(frame(reasoning="abc", reasoning_content="abc"))
    counter.add(frame(content="de", refusal="f"))
    counter.add(frame(tool_calls=[{"index": 0, "function": {"name": "go", "arguments": '{"a":1}'}}]))
    counter.add(frame(function_call={"arguments": "12"}))
    counter.add(frame(content=[{"type": "text", "text": "xyz"}]))
    counter.add(write_frame(b'{"choices":[{"text":"12345"}]}'))

    assert counter.counted() == 3 + 3 + 2 + 7 + 2 + 3 + 5


def test_what_is_not_a_chunk_counts_nothing():
    counter = OutputCounter(Estimate())

    counter.add(b": keep-alive\n\n" + write_frame(b"not json") + write_frame(b'{"choices":5}') + b"event: ping\r\n\r\n")

    assert counter.counted() == 0


def test_texts_are_counted_without_their_escapes():
    counter = OutputCounter(Estimate())

    counter.add_text("你\\n".encode())
    counter.add_text(b"\\ud83d")
    counter.add_text(b"\\ude00")

    assert counter.counted() == 3


def test_half_a_surrogate_pair_is_counted_somehow():
    counter = OutputCounter(Estimate())

    counter.add_text(b"\\ud83d")

    assert counter.counted() > 0
