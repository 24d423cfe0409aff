"""Rerank as the pipeline sees it, in any format."""

from typing import Final

from tokengate.catalog.tokens import estimate_tokens, prompt_bound
from tokengate.core.ranking import Document, Rerank, RerankFormat
from tokengate.core.splice import read_members
from tokengate.gateway.operation import Asked, Operation, PutId
from tokengate.gateway.service import served

_TEMPLATE_TOKENS: Final = 128  # around each document; that of Qwen3-Reranker has about 70
# Cohere's search is a query with up to 100 documents, of which one that is long with the query counts as several, of
# 500 tokens each. https://cohere.com/pricing, 2026-11
_DOCUMENTS_PER_SEARCH: Final = 100
_BYTES_PER_CHUNK: Final = 250  # never more chunks than this makes: the query takes part of each


def rerank_operation(*, name: str, path: str, format: RerankFormat, put_id: PutId | None = None) -> Operation:
    """Return the operation of a format. `path` is what messages call it."""

    def read(body: bytes) -> Asked:
        rerank = format.read(body)
        members = read_members(body)
        documents = len(rerank.documents)
        again = (documents - 1) * (_size(rerank.query) + len((rerank.instruct or "").encode()))
        return Asked(
            members=members,
            model=rerank.model,
            prompts=documents,
            prompt_bound=prompt_bound(len(body) + again, messages=documents) + documents * _TEMPLATE_TOKENS,
            searches=_searches(rerank),
        )

    def estimate(body: bytes) -> int:
        rerank = format.read(body)
        query = estimate_tokens(rerank.query.text or "")
        return sum(query + estimate_tokens(one.text or "") for one in rerank.documents)

    return Operation(
        name=name,
        path=path,
        kinds=frozenset({"rerank"}),
        read=read,
        chat_names=False,
        prompt_estimate=estimate,
        speaks=format.name,
        put_id=put_id,
        way=served(format, lambda vendor: vendor.rerank),
    )


def _searches(rerank: Rerank) -> int:
    chunks = sum(_size(one) // _BYTES_PER_CHUNK + 1 for one in rerank.documents)
    return -(-chunks // _DOCUMENTS_PER_SEARCH)


def _size(document: Document) -> int:
    return len(document.raw or (document.text or "").encode())
