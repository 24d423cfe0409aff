"""Rerank in DashScope's own format: documents in the order of how well they answer a query."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import NO_EXTRA
from tokengate.core.ranking import Document, Ranked, Ranking, Rerank, best
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.answers import request_id
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.parameters import MAX_TEXTS, Body, RerankInput, RerankParameters
from tokengate.formats.dashscope.refusal import must_be
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.requests import read_object, read_others, read_value
from tokengate.formats.dashscope.shapes import encode, is_null, is_object
from tokengate.formats.dashscope.usage import read_usage

RERANK_PATH: Final = "/services/rerank/text-rerank/text-rerank"

_EMPTY = Raw(b"{}")


class DashScopeRerank(Struct, frozen=True):
    """Implements `core.ranking.RerankFormat`."""

    @property
    def name(self) -> str:
        return NAME

    def path(self, model: str) -> str:
        return RERANK_PATH

    def read(self, body: bytes) -> Rerank:
        """Read a client's request. Raises BadRequest."""
        wire, members = read_object(body, _decode_body)
        asked, input_members = read_object(wire.input, _decode_input, "input")
        raw = _EMPTY if is_null(wire.parameters) else wire.parameters
        given, parameters = read_object(raw, _decode_parameters, "parameters")
        if not 1 <= len(asked.documents) <= MAX_TEXTS:
            raise must_be("input.documents")
        return Rerank(
            format=NAME,
            model=wire.model,
            query=_document(asked.query, "input.query"),
            documents=tuple(_document(one, f"input.documents[{at}]") for at, one in enumerate(asked.documents)),
            top_n=given.top_n,
            return_documents=given.return_documents,
            instruct=given.instruct,
            extra={
                **read_others(members, _BODY),
                **read_others(input_members, _INPUT, "input."),
                **read_others(parameters, _PARAMETERS, "parameters."),
            },
        )

    def forwards(self, question: Rerank) -> bool:
        return True

    def write(self, question: Rerank, losses: Losses) -> bytes:
        """Return the body of a request."""
        if question.max_tokens_per_doc is not None:
            losses.drop("max_tokens_per_doc")
        if question.format != NAME:
            for name in question.extra:
                losses.drop(name)
            question = replace(question, extra=NO_EXTRA, return_documents=None)
        asked = {"query": _written(question.query), "documents": [_written(one) for one in question.documents]}
        words = ("top_n", "return_documents", "instruct")
        return write_body(question.model, asked, {word: getattr(question, word) for word in words}, question.extra)

    def read_reply(self, body: bytes, question: Rerank) -> Ranking:
        """Read a reply. Raises UpstreamFailed when it is not one, also for an error that came with status 200."""
        try:
            head = _decode_head(body)
            if head.code or is_null(head.output):
                raise UpstreamFailed(error_message(head.message), kind="invalid")
            output = _decode_output(head.output)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
        results = best([Ranked(one.index, one.relevance_score) for one in output.results], question)
        if results is None:
            raise UpstreamFailed("The upstream's ranking is not one of the documents.", kind="invalid")
        return Ranking(results=results, usage=None if is_null(head.usage) else read_usage(bytes(head.usage)))

    def write_reply(self, answer: Ranking, heading: Heading, question: Rerank) -> bytes:
        """Return the reply to `question`, with the caller's own documents where they are wanted."""
        results: list[dict[str, Any]] = []
        for one in answer.results:
            written: dict[str, Any] = {"index": one.index, "relevance_score": one.score}
            if question.return_documents:
                document = question.documents[one.index]
                written["document"] = document.raw or {"text": document.text}
            results.append(written)
        usage = {"total_tokens": answer.usage.usage.input_total if answer.usage else 0}
        return encode({"output": {"results": results}, "usage": usage, "request_id": request_id(heading)})


DASHSCOPE_RERANK: Final = DashScopeRerank()


class _Result(Struct):
    index: int
    relevance_score: float


class _Output(Struct):
    results: list[_Result]


_BODY = frozenset(Body.__struct_fields__)
_INPUT = frozenset(RerankInput.__struct_fields__)
_PARAMETERS = frozenset(RerankParameters.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(RerankInput).decode
_decode_parameters = msgspec.json.Decoder(RerankParameters).decode
_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(_Output).decode


def _document(raw: Raw, param: str) -> Document:
    """Read a text that is not empty, or an object that is not. Raises BadRequest."""
    value = read_value(raw, param)
    if type(value) is str and value:
        return Document(value)
    if not is_object(value) or not value:
        raise must_be(param)
    text = value.get("text")
    return Document(text if type(text) is str else None, Raw(bytes(raw)))


def _written(document: Document) -> Any:
    """Return a document as it was; its text is all that models which see nothing take of it."""
    return document.raw if document.text is None else document.text
