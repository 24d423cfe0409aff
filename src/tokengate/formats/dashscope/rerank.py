"""Rerank: documents in the order of how well they answer a query. Requests and replies, read and written."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.usage import ReportedUsage
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.parameters import MAX_TEXTS, Body, RerankInput, RerankParameters
from tokengate.formats.dashscope.refusal import must_be
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.requests import read_object, read_others, read_value
from tokengate.formats.dashscope.shapes import NULL, encode, is_null, is_object
from tokengate.formats.dashscope.usage import read_usage, write_usage

RERANK_PATH = "/services/rerank/text-rerank/text-rerank"

_EMPTY = Raw(b"{}")


class RerankRequest(Struct, frozen=True, kw_only=True):
    """A query and documents, each as JSON: a text, or an object for models that see."""

    model: str
    query: Raw
    documents: tuple[Raw, ...]
    top_n: int | None = None
    return_documents: bool | None = None
    instruct: str | None = None
    extra: Extra = NO_EXTRA


class Ranked(Struct, frozen=True):
    """A document's place in the request, and how well it answers. `document` is it, when that was asked for."""

    index: int
    score: float
    document: Raw | None = None


class RerankReply(Struct, frozen=True):
    results: tuple[Ranked, ...]
    usage: ReportedUsage | None = None
    id: str = ""


def read_rerank(body: bytes) -> RerankRequest:
    """Read a request. Raises BadRequest."""
    wire, members = read_object(body, _decode_body)
    asked, input_members = read_object(wire.input, _decode_input, "input")
    raw = _EMPTY if is_null(wire.parameters) else wire.parameters
    given, parameters = read_object(raw, _decode_parameters, "parameters")
    if not _is_document(asked.query, "input.query"):
        raise must_be("input.query")
    if not 1 <= len(asked.documents) <= MAX_TEXTS:
        raise must_be("input.documents")
    for index, document in enumerate(asked.documents):
        if not _is_document(document, param := f"input.documents[{index}]"):
            raise must_be(param)
    return RerankRequest(
        model=wire.model,
        query=Raw(bytes(asked.query)),
        documents=tuple(Raw(bytes(document)) for document in asked.documents),
        top_n=given.top_n,
        return_documents=given.return_documents,
        instruct=given.instruct,
        extra={
            **read_others(members, _BODY),
            **read_others(input_members, _INPUT, "input."),
            **read_others(parameters, _PARAMETERS, "parameters."),
        },
    )


def write_rerank(request: RerankRequest) -> bytes:
    """Return the body of a request."""
    parameters = {
        "top_n": request.top_n,
        "return_documents": request.return_documents,
        "instruct": request.instruct,
    }
    return write_body(
        request.model, {"query": request.query, "documents": request.documents}, parameters, request.extra
    )


def read_rerank_reply(body: bytes) -> RerankReply:
    """Read a reply. Raises UpstreamFailed when it is not one, also for an error that came with status 200."""
    try:
        head = _decode_head(body)
        if head.code or is_null(head.output):
            raise UpstreamFailed(error_message(head.message), kind="invalid")
        output = _decode_output(head.output)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
    return RerankReply(
        tuple(
            Ranked(
                found.index,
                found.relevance_score,
                None if is_null(found.document) else Raw(bytes(found.document)),
            )
            for found in output.results
        ),
        None if is_null(head.usage) else read_usage(bytes(head.usage)),
        head.request_id or "",
    )


def write_rerank_reply(reply: RerankReply, request_id: str) -> bytes:
    """Return a reply."""
    results: list[dict[str, Any]] = []
    for found in reply.results:
        written: dict[str, Any] = {"index": found.index, "relevance_score": found.score}
        if found.document is not None:
            written["document"] = found.document
        results.append(written)
    total = write_usage(reply.usage.usage)["total_tokens"] if reply.usage else 0
    return encode({"output": {"results": results}, "usage": {"total_tokens": total}, "request_id": request_id})


class _Result(Struct):
    index: int
    relevance_score: float
    document: Raw = NULL


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


def _is_document(raw: Raw, param: str) -> bool:
    """Say whether JSON is a text that is not empty, or an object that is not. Raises BadRequest for unsound JSON."""
    value = read_value(raw, param)
    return bool(value) and (type(value) is str or is_object(value))
