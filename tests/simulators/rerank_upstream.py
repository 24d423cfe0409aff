"""Simulated servers that rank documents beside OpenAI's API: vLLM, SGLang, DashScope's compatible mode, Jina, Cohere.

    with ThreadedUpstream(RerankSimulator("vllm")) as upstream:
        ...                     # a caller, or a gateway, calls upstream.url with KEY

Each takes only what its vendor documents, and answers as the vendor does: a document's score is the share of the
query's words that it has.
"""

import json
from typing import Any, Literal

from tests.simulators.openai_upstream import Call, Reply

KEY = "sk-rerank-simulated"

Vendor = Literal["vllm", "sglang", "dashscope", "jina", "cohere"]

_PATHS: dict[Vendor, str] = {
    "vllm": "/v1/rerank",
    "sglang": "/v1/rerank",
    "dashscope": "/compatible-api/v1/reranks",
    "jina": "/v1/rerank",
    "cohere": "/v1/rerank",
}
_OPTIONAL: dict[Vendor, set[str]] = {
    "vllm": {"top_n", "truncate_prompt_tokens", "priority"},
    "sglang": {"top_n", "return_documents", "instruct"},
    "dashscope": {"top_n", "instruct"},
    "jina": {"top_n", "return_documents"},
    "cohere": {"top_n", "return_documents", "max_tokens_per_doc", "rank_fields", "priority"},
}


def words(text: str) -> list[str]:
    return text.lower().split()


class RerankSimulator:
    """A script for an `Upstream`."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor: Vendor = vendor

    def __call__(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "Invalid token")
        if call.method != "POST" or call.path != _PATHS[self.vendor]:
            return _json(404, {"detail": "Not Found"})
        body = call.json
        needed = {"model", "query", "documents"}
        if needed - body.keys() or body.keys() - needed - _OPTIONAL[self.vendor]:
            return _error(400, f"unexpected or missing: {sorted(body)}")
        texts = [self._text(document) for document in body["documents"]]
        if any(text is None for text in texts) or type(body["query"]) is not str:
            return _error(400, "documents must be texts")
        if body["query"] == "fail 429":
            return _error(429, "Slow down.")
        return _json(200, self._ranked(body, [text or "" for text in texts]))

    def _text(self, document: Any) -> str | None:
        if isinstance(document, str):
            return document
        return document.get("text") if self.vendor in ("jina", "cohere") else None

    def _ranked(self, body: Any, texts: list[str]) -> Any:
        query = words(body["query"])
        scores = [(len(set(query) & set(words(text))) / len(set(query)), index) for index, text in enumerate(texts)]
        best = sorted(scores, key=lambda one: (-one[0], one[1]))[: body.get("top_n") or None]
        tokens = sum(len(query) + len(words(text)) for text in texts)
        if self.vendor == "sglang":
            return [
                {
                    "score": score,
                    "index": index,
                    "meta_info": {"prompt_tokens": len(query) + len(words(texts[index]))},
                    **({"document": texts[index]} if body.get("return_documents", True) else {}),
                }
                for score, index in best
            ]
        results: list[dict[str, Any]] = []
        for score, index in best:
            results.append({"index": index, "relevance_score": score})
            if self.vendor == "vllm" or (self.vendor != "dashscope" and body.get("return_documents")):
                results[-1]["document"] = {"text": texts[index]}
        if self.vendor == "cohere":
            meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": -(-len(texts) // 100)}}
            return {"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "results": results, "meta": meta}
        usage = {"total_tokens": tokens}
        return {"id": f"{self.vendor}-1", "model": body["model"], "usage": usage, "results": results}


def _error(status: int, message: str) -> Reply:
    return _json(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})


def _json(status: int, value: Any) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps(value, ensure_ascii=False).encode())
