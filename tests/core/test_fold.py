"""The two ways of saying an answer are one: events, added up, are the reply they were taken from."""

from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.fold import Fold, events_of
from tokengate.core.parts import Audio, Citation, Data, Image, Part, Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import Choice, Failure, FinishReason, Media, Reply, SearchResult, TokenLogprob, TopLogprob
from tokengate.core.usage import ReportedUsage, Usage

_text = st.text(max_size=20)
_word = st.text(min_size=1, max_size=12)
_citations = st.builds(Citation, url=_text, title=_text, quote=_text, start=st.integers(-1, 9), end=st.integers(-1, 9))
_data = st.builds(Data, media_type=st.just("image/png"), base64=st.just("AAAA"))
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(
        Text,
        text=_text,
        citations=st.lists(_citations, max_size=2).map(tuple),
        phase=st.sampled_from(["", "commentary", "final_answer"]),
    ),
    st.builds(Refusal, text=_text),
    st.builds(Thinking, text=_text, summary=st.booleans()),
    st.builds(Thinking, text=_word, signature=_word, format=st.just("anthropic"), id=_text),
    st.builds(Thinking, text=st.just(""), signature=_word, format=st.just("anthropic"), redacted=st.just(True)),
    st.builds(ToolCall, id=_word, name=_word, arguments=_text, signature=_text, custom=st.booleans()),
    st.builds(Image, source=_data),
)
_logprobs = st.builds(
    TokenLogprob,
    token=_word,
    logprob=st.floats(-9, 0),
    top=st.lists(st.builds(TopLogprob, token=_word, logprob=st.floats(-9, 0)), max_size=2).map(tuple),
)


@st.composite
def _replies(draw: st.DrawFn) -> Reply:
    choices = tuple(
        Choice(
            index=index,
            parts=draw(st.lists(_parts, min_size=1, max_size=4).map(tuple)),
            finish=draw(st.sampled_from(FinishReason)),
            native=draw(_text),
            stop_sequence=draw(st.none() | _text),
            logprobs=draw(st.none() | st.lists(_logprobs, min_size=1, max_size=3).map(tuple)),
        )
        for index in range(draw(st.integers(1, 3)))
    )
    return Reply(
        id=draw(_text),
        model=draw(_text),
        created_s=draw(st.integers(0, 2**40)),
        choices=choices,
        usage=ReportedUsage(Usage(input=3, output=4), b"{}"),
        service_tier=draw(st.none() | _text),
        searches=tuple(draw(st.lists(st.builds(SearchResult, url=_text), max_size=2))),
    )


@given(_replies())
def test_the_events_of_a_reply_add_up_to_it(reply: Reply) -> None:
    fold = Fold()

    for event in events_of(reply):
        fold.add(event)

    assert fold.finished
    assert fold.reply() == reply


def test_pieces_of_sound_are_joined() -> None:
    fold = Fold()

    fold.add(Media(0, 0, Audio(Data("audio/wav", "AAAA"), id="audio_1")))
    fold.add(Media(0, 0, Audio(Data("", "BBBB"), transcript="hi")))

    assert fold.reply().choices[0].parts == (Audio(Data("audio/wav", "AAAABBBB"), transcript="hi", id="audio_1"),)


def test_a_failure_is_kept_beside_what_came_before_it() -> None:
    fold = Fold()

    fold.add(Failure("cut", "The stream ended early."))

    assert fold.failure == Failure("cut", "The stream ended early.")
    assert not fold.finished
