"""Rerank as Cohere and Jina shape it, which vLLM, SGLang and DashScope's compatible mode offer beside OpenAI's API.

https://docs.cohere.com/reference/rerank and https://jina.ai/reranker, 2026-11. Cohere bills searches, the others
tokens.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.ranking import Document, Ranked, Ranking, Rerank, best
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.openai.parameters import RerankBody
from tokengate.formats.openai.requests import read_rerank
from tokengate.formats.openai.usage import read_usage

_MOST_UNITS: Final = 10**12  # more than this is not a count
_OWN: Final = frozenset(RerankBody.__struct_encode_fields__)

_encode = msgspec.json.Encoder().encode


class OpenAIRerank(Struct, frozen=True, kw_only=True):
    """Implements `core.ranking.RerankFormat`. A vendor's file says where it is, and which words the vendor `lacks`:
    of return_documents, instruct, max_tokens_per_doc, objects (documents that are no bare texts)."""

    at: str = "/rerank"
    lacks: frozenset[str] = frozenset()
    own_replies: bool = False  # what comes back has a shape of its own

    @property
    def name(self) -> str:
        return "openai"

    def path(self, model: str) -> str:
        return self.at

    def read(self, body: bytes) -> Rerank:
        """Read a client's request. Raises BadRequest."""
        wire, members = read_rerank(body)
        return Rerank(
            format=self.name,
            model=wire.model,
            query=Document(wire.query),
            documents=tuple(map(_document, wire.documents)),
            top_n=wire.top_n,
            return_documents=wire.return_documents,
            instruct=wire.instruct,
            max_tokens_per_doc=wire.max_tokens_per_doc,
            extra={name: Raw(members.get(name) or b"null") for name in members if name not in _OWN},
        )

    def forwards(self, question: Rerank) -> bool:
        """Say whether the vendor reads what the caller wrote, and writes what the caller reads."""
        return not self.own_replies and not self.lacks.intersection(_said(question))

    def write(self, question: Rerank, losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported for instructions and documents that the vendor cannot
        read; what it does not return by itself is put into the reply by `write_reply`."""
        if question.instruct is not None and "instruct" in self.lacks:
            raise losses.refuse("instruct")
        asked: dict[str, Any] = {
            "model": question.model,
            "query": self._text(question.query, "query", losses),
            "documents": [
                self._text(document, f"documents[{index}]", losses) for index, document in enumerate(question.documents)
            ],
        }
        for word in ("top_n", "instruct", "max_tokens_per_doc"):
            if (value := getattr(question, word)) is None:
                continue
            if word in self.lacks:
                losses.drop(word)
            else:
                asked[word] = value
        if "return_documents" not in self.lacks:
            asked["return_documents"] = False
        if question.format == self.name:
            return _encode({**question.extra, **asked})
        for name in question.extra:
            losses.drop(name)
        return _encode(asked)

    def read_reply(self, body: bytes, question: Rerank) -> Ranking:
        """Read a reply: an object with results, or SGLang's bare list of them. Raises UpstreamFailed."""
        try:
            if body.lstrip().startswith(b"["):
                reply = _Reply(_decode_list(body))
                usage = _usage_of_list(reply.results)
            else:
                reply = _decode(body)
                usage = _usage_of(reply)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's ranking cannot be read.", kind="invalid") from error
        found = [Ranked(one.index, score) for one in reply.results if (score := one.value) is not None]
        results = best(found, question)
        if results is None or len(found) != len(reply.results):
            raise UpstreamFailed("The upstream's ranking is not one of the documents.", kind="invalid")
        return Ranking(results=results, usage=usage)

    def write_reply(self, answer: Ranking, heading: Heading, question: Rerank) -> bytes:
        """Return the reply to `question`, with the caller's own documents where they are wanted."""
        usage = answer.usage.usage if answer.usage else Usage()
        results: list[dict[str, Any]] = []
        for one in answer.results:
            written: dict[str, Any] = {"index": one.index, "relevance_score": one.score}
            if question.return_documents:
                document = question.documents[one.index]
                written["document"] = document.raw or {"text": document.text}
            results.append(written)
        tokens = usage.input_total
        units = {"search_units": usage.search} if usage.search else {"input_tokens": tokens}
        return _encode(
            {
                "id": f"rerank-{heading.id}",
                "model": heading.model,
                "results": results,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
                "meta": {"billed_units": units},
            }
        )

    def _text(self, document: Document, word: str, losses: Losses) -> Any:
        """Return a document as this vendor takes it. Raises Unsupported when it is no text and has to be one."""
        if document.raw is not None and "objects" not in self.lacks:
            return document.raw
        if document.text is None:
            raise losses.refuse(word, f"is no text, and {losses.target} ranks only texts")
        return document.text


OPENAI_RERANK: Final = OpenAIRerank()


class _Meta(Struct):
    prompt_tokens: int = 0


class _Result(Struct):
    index: int
    relevance_score: float | None = None
    score: float | None = None
    meta_info: _Meta | None = None

    @property
    def value(self) -> float | None:
        return self.score if self.relevance_score is None else self.relevance_score


class _Units(Struct):
    search_units: float | None = None
    input_tokens: float | None = None


class _Billed(Struct):
    billed_units: _Units | None = None
    tokens: _Units | None = None


class _Reply(Struct):
    results: list[_Result]
    usage: Raw = Raw(b"null")
    meta: _Billed | None = None


_decode = msgspec.json.Decoder(_Reply).decode
_decode_list = msgspec.json.Decoder(list[_Result]).decode


def _said(question: Rerank) -> list[str]:
    """Return the words of a request that a vendor may lack."""
    words = [
        word for word in ("instruct", "max_tokens_per_doc", "return_documents") if getattr(question, word) is not None
    ]
    if any(document.raw is not None for document in (question.query, *question.documents)):
        words.append("objects")
    return words


def _document(value: str | dict[str, Any]) -> Document:
    if isinstance(value, str):
        return Document(value)
    text = value.get("text")
    return Document(text if type(text) is str else None, Raw(_encode(value)))


def _usage_of(reply: _Reply) -> ReportedUsage | None:
    """Return what was billed: Cohere's searches, else tokens."""
    billed = reply.meta.billed_units if reply.meta else None
    searches = _count(billed.search_units) if billed else 0
    if searches:
        return ReportedUsage(Usage(search=searches), _encode(reply.meta))
    if (usage := read_usage(bytes(reply.usage))) is not None:
        return usage
    for units in (billed, reply.meta.tokens if reply.meta else None):
        if units is not None and (tokens := _count(units.input_tokens)):
            return ReportedUsage(Usage(input=tokens), _encode(reply.meta))
    return None


def _usage_of_list(results: list[_Result]) -> ReportedUsage | None:
    """Return the sum of what each result took; None unless all say so."""
    tokens = [one.meta_info.prompt_tokens if one.meta_info else 0 for one in results]
    if not tokens or not all(0 < count <= _MOST_UNITS for count in tokens):
        return None
    total = sum(tokens)
    return ReportedUsage(Usage(input=total), _encode({"prompt_tokens": total}))


def _count(value: float | None) -> int:
    return int(value) if value is not None and 0 < value <= _MOST_UNITS else 0
