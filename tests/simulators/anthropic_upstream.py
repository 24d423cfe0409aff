"""Anthropic's API, simulated: strict about requests (`anthropic_rules`), deterministic in its answers.

    with ThreadedUpstream(AnthropicSimulator()) as upstream:
        client = Anthropic(base_url=address(upstream), api_key=KEY)

What the last user's text says is what happens, so that it happens behind a gateway, too:

    get_weather({"city": "Rome"})   that tool is called, if it was given; several such calls are made at once
    search(the weather)             searches, if web search was given, and cites what it found
    REDACTED                        the thinking is sealed
    REFUSE                          the model declines
    ERROR 529                       that status; with `after 2` from the third time on it is an answer
    BREAK overloaded_error          a stream fails after its first words
anything else comes back, after what tools said and how many pictures and documents came.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.simulators.anthropic_rules import Json, Rejected, blocks_of, check, inner, listed, sign, turns_of, version
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream

KEY = "sk-ant-simulated"
MODELS = (
    "claude-opus-4-7",
    "claude-opus-4-6",
    "claude-sonnet-4-5",
    "claude-sonnet-4.5",
    "claude-haiku-4-5",
    "claude-opus-4-8",
)
VERSIONS = ("2023-06-01", "2026-10-21")
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}

_CALLS = re.compile(r"([a-zA-Z0-9_-]+)\((\{.*?\})\)")
_SEARCH = re.compile(r"search\(([^)]*)\)")
_ERROR = re.compile(r"ERROR (\d{3})(?: after (\d+))?")
_BREAK = re.compile(r"BREAK (\w+)")
_PIECE = 7  # characters of a delta


def address(upstream: ThreadedUpstream) -> str:
    """Return the base URL as the SDK takes it."""
    return upstream.url.removesuffix("/v1")


class AnthropicSimulator:
    """A script for `Upstream`. It remembers which prompts are cached, and what it was asked."""

    models = MODELS

    def __init__(self) -> None:
        self.asked: list[Json] = []  # the bodies that were accepted
        self.headers: list[dict[str, str]] = []
        self._cached: set[str] = set()
        self._failures: dict[str, int] = {}

    def __call__(self, call: Call) -> Reply:
        path = call.path.partition("?")[0]
        key = call.headers.get("x-api-key") or call.headers.get("authorization", "").removeprefix("Bearer ")
        if key != KEY:
            return error(401, "invalid x-api-key")
        if call.headers.get("anthropic-version") not in VERSIONS:
            return error(400, "anthropic-version: header is required")
        if call.method == "GET" and path == "/v1/models":
            models = [_model(name) for name in self.models]
            return _json({"data": models, "has_more": False, "first_id": self.models[0], "last_id": self.models[-1]})
        if call.method == "GET" and path.startswith("/v1/models/"):
            name = path.removeprefix("/v1/models/")
            return _json(_model(name)) if name in self.models else error(404, f"model: {name}")
        if call.method != "POST" or path not in ("/v1/messages", "/v1/messages/count_tokens"):
            return error(404, "Not Found")
        return self._message(call, counting=path.endswith("count_tokens"))

    def _message(self, call: Call, *, counting: bool) -> Reply:
        try:
            body: Json = call.json
        except ValueError:
            return error(400, "The request body is not valid JSON")
        try:
            check(body, beta="anthropic-beta" in call.headers, counting=counting)
        except Rejected as refusal:
            return error(400, str(refusal))
        if body["model"] not in self.models:
            return error(404, f"model: {body['model']}")
        self.asked.append(body)
        self.headers.append(call.headers)
        if counting:
            return _json({"input_tokens": _tokens(body)})
        text = _last_text(body["messages"])
        if failure := _ERROR.search(text):
            seen = self._failures[text] = self._failures.get(text, 0) + 1
            if not failure[2] or seen <= int(failure[2]):
                return error(int(failure[1]), f"The simulated vendor answers {failure[1]}.")
        message = Answer(body, text, self._cache(body)).message()
        if not body.get("stream"):
            return _json(message)
        broken = _BREAK.search(text)
        pieces = list(_stream(message))
        if broken:
            failure_event = {"type": "error", "error": {"type": broken[1], "message": "Overloaded"}}
            pieces = [*pieces[:4], _event(failure_event)]
        return Reply(200, {**_HEADERS, "content-type": "text/event-stream; charset=utf-8"}, pieces=pieces)

    def _cache(self, body: Json) -> Json:
        """Return how the prompt's tokens are cached: what lies before the last marker is kept, or was."""
        prompt = [*listed(body, "tools"), *_system(body)]
        prompt += [block for message in body["messages"] for block in blocks_of(message)]
        ends = [place for place, block in enumerate(prompt) if block.get("cache_control")]
        if body.get("cache_control"):
            ends.append(len(prompt) - 1)
        whole = _tokens(body)
        if not ends:
            return {"input_tokens": whole, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        kept = sum(_tokens(block) for block in prompt[: ends[-1] + 1])
        mark = prompt[ends[-1]].get("cache_control") or body["cache_control"]
        digest = hashlib.sha256(json.dumps([body["model"], prompt[: ends[-1] + 1]]).encode()).hexdigest()
        hit = digest in self._cached
        self._cached.add(digest)
        long = 0 if hit or mark.get("ttl") != "1h" else kept
        return {
            "input_tokens": max(1, whole - kept),
            "cache_creation_input_tokens": 0 if hit else kept,
            "cache_read_input_tokens": kept if hit else 0,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0 if hit or long else kept,
                "ephemeral_1h_input_tokens": long,
            },
        }


class Answer:
    """What the model says to one request."""

    def __init__(self, body: Json, text: str, usage: Json) -> None:
        self._body = body
        self._text = text
        self._usage = usage
        self._tools: dict[str, Json] = {tool["name"]: tool for tool in listed(body, "tools")}
        self._choice: Json = body.get("tool_choice") or {"type": "auto"}

    def message(self) -> Json:
        """Return the whole message."""
        content, reason, sequence = self._content()
        thought = sum(_tokens(block) for block in content if "thinking" in block["type"])
        usage = {**self._usage, "output_tokens": max(1, sum(map(_tokens, content))), "service_tier": "standard"}
        if thought:
            usage["output_tokens_details"] = {"thinking_tokens": thought}
        searches = sum(block["type"] == "server_tool_use" for block in content)
        if searches:
            usage["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
        digest = hashlib.sha256(json.dumps(self._body, sort_keys=True).encode()).hexdigest()
        return {
            "id": f"msg_01{digest[:22]}",
            "type": "message",
            "role": "assistant",
            "model": self._body["model"],
            "content": content,
            "stop_reason": reason,
            "stop_sequence": sequence,
            "stop_details": {"type": "refusal", "category": None, "explanation": None} if reason == "refusal" else None,
            "usage": usage,
        }

    def _content(self) -> tuple[list[Json], str, str | None]:
        """Return the blocks, the reason for the end, and the stop sequence that matched."""
        if "REFUSE" in self._text:
            return [], "refusal", None
        content = self._thinking()
        calls = self._calls()
        if calls:
            return [*content, {"type": "text", "text": "Let me look."}, *calls], "tool_use", None
        if inner(self._body, "output_config").get("format"):
            said = json.dumps(_sample(self._body["output_config"]["format"]["schema"]))
        else:
            said = self._said()
        reason, sequence = "end_turn", None
        for stop in listed(self._body, "stop_sequences"):
            if stop in said:
                said, reason, sequence = said[: said.index(stop)], "stop_sequence", stop
        words = said.split(" ")
        if len(words) > self._body["max_tokens"]:
            said, reason, sequence = " ".join(words[: self._body["max_tokens"]]), "max_tokens", None
        return [*content, *self._search(), *([{"type": "text", "text": said}] if said else [])], reason, sequence

    def _thinking(self) -> list[Json]:
        thinking: Json = self._body.get("thinking") or {"type": "disabled"}
        if thinking["type"] == "disabled":
            return []
        if "REDACTED" in self._text:
            return [{"type": "redacted_thinking", "data": sign("redacted")}]
        hidden = thinking.get("display", "omitted" if version(self._body["model"]) >= (4, 7) else "") == "omitted"
        text = "" if hidden else f"I think about: {self._text}"
        return [{"type": "thinking", "thinking": text, "signature": sign(text)}]

    def _calls(self) -> list[Json]:
        if self._choice["type"] == "none" or not self._text:
            return []
        called = [(name, arguments) for name, arguments in _CALLS.findall(self._text) if name in self._tools]
        if not called and self._choice["type"] in ("any", "tool"):
            name = self._choice.get("name") or next(iter(self._tools))
            called = [(name, json.dumps(_sample(self._tools[name]["input_schema"])))]
        if self._choice.get("disable_parallel_tool_use"):
            called = called[:1]
        return [
            {
                "type": "tool_use",
                "id": f"toolu_01{hashlib.sha256(f'{place}{name}{arguments}'.encode()).hexdigest()[:20]}",
                "name": name,
                "input": json.loads(arguments),
                "caller": {"type": "direct"},
            }
            for place, (name, arguments) in enumerate(called)
        ]

    def _search(self) -> list[Json]:
        asked = _SEARCH.search(self._text)
        if not asked or not any(str(tool.get("type", "")).startswith("web_search_") for tool in self._tools.values()):
            return []
        page = {"title": "A page", "url": "https://pages.example/a"}
        found = {"type": "web_search_result", **page, "encrypted_content": "Ev0D", "page_age": None}
        cited = {"type": "web_search_result_location", **page, "cited_text": "as it says", "encrypted_index": "Ep8B"}
        return [
            {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": asked[1]}},
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": [found]},
            {"type": "text", "text": "It is so. ", "citations": [cited]},
        ]

    def _said(self) -> str:
        _, blocks = turns_of(self._body["messages"])[-1]
        said = [f"{_text_of(block.get('content'))}" for block in blocks if block["type"] == "tool_result"]
        words = [f"The tools say: {', '.join(said)}."] if said else []
        for kind in ("image", "document"):
            count = sum(block["type"] == kind for block in blocks)
            words += [f"I see {count} {kind}(s)."] if count else []
        if self._text:
            words.append(f"You said: {self._text}")
        return " ".join(words)


def error(status: int, message: str) -> Reply:
    """Return an error as the vendor writes it."""
    kind = ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    headers = {"retry-after": "0"} if status in (429, 529) else {}
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": _HEADERS["request-id"]}
    return _json(body, status, headers)


_HEADERS = {"request-id": "req_011simulated", "anthropic-organization-id": "00000000-0000-4000-8000-000000000000"}


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(status, {"content-type": "application/json", **_HEADERS, **(headers or {})}, body)


def _stream(message: Json) -> Iterator[bytes]:
    usage = message["usage"]
    head: Json = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    head["usage"] = {name: value for name, value in usage.items() if name not in _LATE} | {"output_tokens": 1}
    yield _event({"type": "message_start", "message": head})
    for index, block in enumerate(message["content"]):
        yield from _block(index, block)
        if index == 0:
            yield _event({"type": "ping"})
    delta = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    counts = {name: value for name, value in usage.items() if name not in ("cache_creation", "service_tier")}
    yield _event({"type": "message_delta", "delta": delta, "usage": counts})
    yield _event({"type": "message_stop"})


_LATE = ("output_tokens_details", "server_tool_use")


def _block(index: int, block: Json) -> Iterator[bytes]:
    deltas: list[Json] = []
    match block["type"]:
        case "text":
            start = {"type": "text", "text": ""}
            deltas = [{"type": "citations_delta", "citation": one} for one in listed(block, "citations")]
            deltas += [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
        case "thinking":
            start = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use" | "server_tool_use":
            start: Json = {**block, "input": {}}
            whole = json.dumps(block["input"]) if block["input"] else ""
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *_pieces(whole)]]
        case _:
            start = block
    yield _event({"type": "content_block_start", "index": index, "content_block": start})
    for delta in deltas:
        yield _event({"type": "content_block_delta", "index": index, "delta": delta})
    yield _event({"type": "content_block_stop", "index": index})


def _event(value: Json) -> bytes:
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return f"event: {value['type']}\ndata: {data}\n\n".encode()


def _pieces(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def _system(body: Json) -> list[Json]:
    if isinstance(body.get("system"), str):
        return [{"type": "text", "text": body["system"]}]
    return listed(body, "system")


def _last_text(messages: list[Json]) -> str:
    """Return what the user said last; while tools answer, what comes after NEXT in their answers."""
    role, blocks = turns_of(messages)[-1]
    if role == "assistant":
        return ""
    results = (_text_of(block.get("content")) for block in blocks if block["type"] == "tool_result")
    if following := "".join(one.partition("NEXT ")[2] for one in results):
        return following
    return " ".join(block["text"] for block in blocks if block["type"] == "text")


def _text_of(content: Any) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return " ".join(block.get("text", f"[{block['type']}]") for block in content)


def _tokens(value: Any) -> int:
    return len(json.dumps(value)) // 4


def _model(name: str) -> Json:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def _sample(schema: Json) -> Any:
    """Return the plainest value that fits a schema."""
    match schema.get("type"):
        case "object":
            return {name: _sample(inner) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [_sample(schema.get("items", {}))]
        case "integer" | "number":
            return 7
        case "boolean":
            return True
        case _:
            return schema.get("enum", ["text"])[0]
