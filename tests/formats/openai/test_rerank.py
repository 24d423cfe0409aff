import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from tokengate.core.errors import BadRequest, Unsupported, UpstreamFailed
from tokengate.core.ranking import Document, Ranked, Ranking, Rerank
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.rerank import DASHSCOPE_RERANK
from tokengate.formats.openai.rerank import OPENAI_RERANK, OpenAIRerank

HEADING = Heading("1", "mine", 1)
BODY: dict[str, Any] = {"model": "m", "query": "what is a cat", "documents": ["a dog", {"text": "a cat", "at": 7}]}
BARE = OpenAIRerank(lacks=frozenset({"return_documents", "instruct", "max_tokens_per_doc", "objects"}))
REPLY = b"""{"id": "1", "model": "theirs", "results": [
 {"index": 1, "relevance_score": 0.9, "document": {"text": "a cat"}},
 {"index": 0, "relevance_score": 0.1, "document": {"text": "a dog"}}], "usage": {"total_tokens": 11}}"""


def read(**more: Any) -> Rerank:
    return OPENAI_RERANK.read(json.dumps({**BODY, **more}).encode())


def write(format: OpenAIRerank, rerank: Rerank) -> tuple[Any, list[str]]:
    losses = Losses("vendor", {})
    return json.loads(format.write(rerank, losses)), losses.dropped


def test_a_request_is_read() -> None:
    rerank = read(top_n=1, return_documents=True, max_tokens_per_doc=64, instruct="Rank.", rank_fields=["text"])

    assert rerank.query == Document("what is a cat")
    assert rerank.documents[0] == Document("a dog")
    assert (rerank.documents[1].text, json.loads(bytes(rerank.documents[1].raw or b""))) == (
        "a cat",
        BODY["documents"][1],
    )
    assert (rerank.top_n, rerank.return_documents, rerank.max_tokens_per_doc) == (1, True, 64)
    assert rerank.instruct == "Rank."
    assert {name: bytes(raw) for name, raw in rerank.extra.items()} == {"rank_fields": b'["text"]'}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"query": ""}, "query"),
    ({"query": 3}, "query"),
    ({"documents": []}, "documents"),
    ({"documents": "a dog"}, "documents"),
    ({"documents": ["a"] * 2049}, "documents"),
    ({"documents": ["a", ""]}, "documents[1]"),
    ({"documents": ["a", {}]}, "documents[1]"),
    ({"documents": ["a", 1]}, "documents[1]"),
    ({"documents": [{"text": 1}]}, "documents[0].text"),
    ({"top_n": 0}, "top_n"),
    ({"max_tokens_per_doc": 0}, "max_tokens_per_doc"),
    ({"return_documents": "yes"}, "return_documents"),
    ({"Top_N": 1}, "Top_N"),
]


@pytest.mark.parametrize(("change", "param"), BAD)
def test_what_cannot_be_read_is_refused_by_name(change: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**change)

    assert caught.value.param == param


@pytest.mark.parametrize("missing", ["model", "query", "documents"])
def test_what_is_missing_is_named(missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}

    with pytest.raises(BadRequest) as caught:
        OPENAI_RERANK.read(json.dumps(body).encode())

    assert (caught.value.param, caught.value.code) == (missing, "missing_required_parameter")


def test_only_what_a_vendor_reads_and_writes_as_callers_do_is_forwarded() -> None:
    plain = read(documents=["a"])

    assert OPENAI_RERANK.forwards(read(return_documents=False)) and BARE.forwards(plain)
    assert not BARE.forwards(read())  # a document that is an object
    for word, value in (("return_documents", True), ("instruct", "Rank."), ("max_tokens_per_doc", 9)):
        assert not BARE.forwards(read(documents=["a"], **{word: value}))
    assert not OpenAIRerank(own_replies=True).forwards(plain)


def test_a_vendor_gets_only_words_that_it_has() -> None:
    asked, dropped = write(BARE, read(top_n=1, return_documents=True, max_tokens_per_doc=64))

    assert asked == {"model": "m", "query": "what is a cat", "documents": ["a dog", "a cat"], "top_n": 1}
    assert dropped == ["max_tokens_per_doc"]
    with pytest.raises(Unsupported) as caught:
        write(BARE, read(instruct="Rank."))
    assert caught.value.param == "instruct"


def test_a_document_without_text_is_refused_where_only_texts_are_ranked() -> None:
    rerank = read(documents=[{"image": "https://pictures.example/1.png"}])

    assert write(OPENAI_RERANK, rerank)[0]["documents"] == [{"image": "https://pictures.example/1.png"}]
    with pytest.raises(Unsupported) as caught:
        write(BARE, rerank)
    assert caught.value.param == "documents[0]"


def test_another_formats_words_are_dropped_by_name() -> None:
    rerank = Rerank(
        format="dashscope", model="m", query=Document("q"), documents=(Document("d"),), extra={"x": Raw(b"1")}
    )

    asked, dropped = write(OPENAI_RERANK, rerank)

    assert asked == {"model": "m", "query": "q", "documents": ["d"], "return_documents": False}
    assert dropped == ["x"]


def test_a_ranking_is_read_best_first_and_no_longer_than_asked_for() -> None:
    ranking = OPENAI_RERANK.read_reply(REPLY, read())

    assert ranking.results == (Ranked(1, 0.9), Ranked(0, 0.1))
    assert ranking.usage is not None and ranking.usage.usage == Usage(input=11)
    assert OPENAI_RERANK.read_reply(REPLY, read(top_n=1)).results == (Ranked(1, 0.9),)


def test_sglangs_bare_list_is_read() -> None:
    body = b'[{"score": 0.1, "index": 0, "meta_info": {"prompt_tokens": 6}},' + (
        b'{"score": 0.9, "document": "a cat", "index": 1, "meta_info": {"prompt_tokens": 5}}]'
    )

    ranking = OPENAI_RERANK.read_reply(body, read())

    assert ranking.results == (Ranked(1, 0.9), Ranked(0, 0.1))
    assert ranking.usage is not None and ranking.usage.usage == Usage(input=11)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (b'"meta": {"billed_units": {"search_units": 2}, "tokens": {"input_tokens": 50}}', Usage(search=2)),
        (b'"meta": {"tokens": {"input_tokens": 50}}', Usage(input=50)),
        (b'"meta": {"billed_units": {"input_tokens": 50.0}}', Usage(input=50)),
        (b'"usage": {"prompt_tokens": 50, "total_tokens": 50}', Usage(input=50)),
        (b'"meta": {"billed_units": {"search_units": -1}}', None),
        (b'"usage": null', None),
    ],
)
def test_searches_are_billed_where_they_are_counted_and_tokens_elsewhere(told: bytes, usage: Usage | None) -> None:
    body = b'{"results": [{"index": 0, "relevance_score": 1}], %b}' % told

    found = OPENAI_RERANK.read_reply(body, read()).usage

    assert (found.usage if found else None) == usage


@pytest.mark.parametrize(
    "results",
    [
        b"[]",
        b'[{"index": 2, "relevance_score": 1}]',
        b'[{"index": -1, "relevance_score": 1}]',
        b'[{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]',
        b'[{"index": 0}]',
        b'[{"relevance_score": 1}]',
        b"{}",
        b"null",
    ],
)
def test_what_is_no_ranking_of_the_documents_is_the_upstreams_failure(results: bytes) -> None:
    for body in (b'{"results": %b}' % results, results):
        with pytest.raises(UpstreamFailed):
            OPENAI_RERANK.read_reply(body, read())


def test_documents_come_back_as_the_caller_wrote_them() -> None:
    ranking = Ranking(results=(Ranked(1, 0.9), Ranked(0, 0.1)), usage=ReportedUsage(Usage(input=11), b""))

    reply = json.loads(OPENAI_RERANK.write_reply(ranking, HEADING, read(return_documents=True)))
    without = json.loads(OPENAI_RERANK.write_reply(ranking, HEADING, read()))

    assert [one["document"] for one in reply["results"]] == [BODY["documents"][1], {"text": "a dog"}]
    assert without == {
        "id": "rerank-1",
        "model": "mine",
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
        "meta": {"billed_units": {"input_tokens": 11}},
    }


texts = st.text(min_size=1, max_size=20)
objects = st.dictionaries(st.sampled_from(["text", "title"]), texts, min_size=1)
requests = st.fixed_dictionaries(
    {"model": st.just("m"), "query": texts, "documents": st.lists(texts | objects, min_size=1, max_size=5)},
    optional={
        "top_n": st.integers(1, 9),
        "return_documents": st.booleans(),
        "instruct": texts,
    },
)


@given(requests)
def test_a_request_keeps_its_words_through_either_format(body: dict[str, Any]) -> None:
    rerank = OPENAI_RERANK.read(json.dumps(body).encode())

    again = OPENAI_RERANK.read(OPENAI_RERANK.write(rerank, Losses("vendor", {})))
    across = DASHSCOPE_RERANK.read(DASHSCOPE_RERANK.write(rerank, Losses("vendor", {})))

    assert (again.query, again.documents, again.top_n) == (rerank.query, rerank.documents, rerank.top_n)
    assert (across.query, across.top_n, across.instruct) == (rerank.query, rerank.top_n, rerank.instruct)
    assert [one.text for one in across.documents] == [one.text for one in rerank.documents]


@given(requests, st.data())
def test_a_ranking_keeps_its_order_and_scores_through_either_format(body: dict[str, Any], data: st.DataObject) -> None:
    rerank = OPENAI_RERANK.read(json.dumps(body).encode())
    places = data.draw(st.permutations(range(len(rerank.documents))))
    given_ = [Ranked(place, data.draw(st.floats(0, 1))) for place in places]
    usage = ReportedUsage(Usage(input=data.draw(st.integers(1, 9999))), b"")
    results = tuple(sorted(given_, key=lambda one: (-one.score, one.index))[: rerank.top_n])
    ranking = Ranking(results=results, usage=usage)

    for format in (OPENAI_RERANK, DASHSCOPE_RERANK):
        read_again = format.read_reply(format.write_reply(ranking, HEADING, rerank), rerank)

        assert read_again.results == results
        assert read_again.usage is not None and read_again.usage.usage == usage.usage


@settings(max_examples=100)
@given(data=st.data())
def test_what_is_mutated_is_read_or_refused(data: st.DataObject) -> None:
    request = json.dumps({**BODY, "top_n": 2, "instruct": "Rank."}).encode()
    for original, is_reply in ((request, False), (REPLY, True)):
        body = bytearray(original)
        for _ in range(data.draw(st.integers(1, 4))):
            start = data.draw(st.integers(0, len(body) - 1))
            end = min(len(body), start + data.draw(st.integers(0, 12)))
            body[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"]", b"-7"]))

        with suppress(UpstreamFailed if is_reply else BadRequest):
            assert OPENAI_RERANK.read_reply(bytes(body), read()) if is_reply else OPENAI_RERANK.read(bytes(body))
