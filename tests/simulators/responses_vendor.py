"""OpenAI's Responses API, simulated beside its chat completions: what is said is the same, how it is said is not.

Stored responses are remembered for as long as the simulator is. A reasoning model seals its thinking when it is asked
to, and refuses what it did not seal. Beside what `openai_vendor` acts upon:

    FAIL rate_limit_exceeded     the response fails with this code
    LATER rate_limit_exceeded    a stream fails with it after its first words
    SEARCH                       the web is searched, if the tool was given
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

from tests.simulators.openai_rules import Json, Rejected, inner, is_reasoning, last_text, listed
from tests.simulators.openai_upstream import Call, Reply
from tests.simulators.responses_rules import as_chat, check, items_of

_FAIL = re.compile(r"FAIL (\w+)")
_LATER = re.compile(r"LATER (\w+)")
THOUGHT = "I thought about it."

Message = Callable[[Json], tuple[Json, str, Json]]  # of a chat: the message, why it ends, and usage
Refuse = Callable[..., Reply]
Write = Callable[[object], Reply]


_COUNTED = {"model", "input", "instructions", "parallel_tool_calls", "personality", "previous_response_id"} | {
    "conversation",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
    "truncation",
}
_COMPACTED = {"model", "image", "input", "instructions", "previous_response_id", "service_tier"} | {
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
}


class ResponsesVendor:
    """Answers below `/responses`. `message` says what the model says to a chat."""

    def __init__(self, message: Message, refuse: Refuse, write: Write) -> None:
        self.asked: list[Json] = []  # the bodies that were accepted
        self.counted: list[Json] = []  # those whose tokens were counted
        self.compacted: list[Json] = []  # those whose conversations were folded
        self._message = message
        self._refuse = refuse
        self._write = write
        self._stored: dict[str, tuple[list[Json], Json]] = {}  # the whole input, and the response
        self._sealed: dict[str, str] = {}  # encrypted content, by the item's id

    def create(self, body: Json, text_of: Callable[[Json], Reply | None]) -> Reply:
        """Answer a request; `text_of` may answer a chat in its stead."""
        try:
            body = self._with_history(body)
            check(body, self._is_sealed)
        except Rejected as refusal:
            return self._refuse(400, str(refusal), refusal.param, refusal.code)
        self.asked.append(body)
        chat = as_chat(body)
        instead = text_of(chat)
        if instead is not None:
            return instead
        text = last_text(chat["messages"])
        response = self._response(body, chat, text)
        if failed := _FAIL.search(text):
            error = {"code": failed[1], "message": f"The simulated vendor says {failed[1]}."}
            response |= {"status": "failed", "error": error, "output": [], "usage": None}
        elif body.get("store") is not False:
            self._stored[response["id"]] = (items_of(body), response)
        if not body.get("stream"):
            return self._write(response)
        return _streamed(response, text)

    def read(self, call: Call, path: str) -> Reply:
        """Answer what is asked about a stored response."""
        id, _, rest = path.removeprefix("/responses/").partition("/")
        if (call.method, id) == ("POST", "input_tokens"):
            return self._count(call.json)
        if (call.method, id) == ("POST", "compact"):
            return self._compact(call.json)
        if id not in self._stored:
            return self._refuse(404, f"Response with id '{id}' not found.")
        items, response = self._stored[id]
        match (call.method, rest):
            case ("GET", ""):
                return self._write(response)
            case ("DELETE", ""):
                del self._stored[id]
                return self._write({"id": id, "object": "response", "deleted": True})
            case ("GET", "input_items"):
                return self._write(_page(items, parse_qs(call.path.partition("?")[2])))
            case ("POST", "cancel"):
                return self._refuse(400, "Cannot cancel a synchronous response.")
            case _:
                return self._refuse(404, f"Invalid URL ({call.method} {call.path})")

    def _count(self, body: Json) -> Reply:
        for name in body.keys() - _COUNTED:
            return self._refuse(400, f"Unknown parameter: '{name}'.", name)
        try:
            body = self._with_history(body)
            check(body, self._is_sealed)
        except Rejected as refusal:
            return self._refuse(400, str(refusal), refusal.param, refusal.code)
        self.counted.append(body)
        _, _, usage = self._message(as_chat(body))
        return self._write({"object": "response.input_tokens", "input_tokens": usage["prompt_tokens"]})

    def _compact(self, body: Json) -> Reply:
        """Fold a conversation: the user's messages stay, and one sealed item stands for the rest."""
        for name in body.keys() - _COMPACTED:
            return self._refuse(400, f"Unknown parameter: '{name}'.", name)
        try:
            body = self._with_history(body)
            check({name: value for name, value in body.items() if name != "image"}, self._is_sealed)
        except Rejected as refusal:
            return self._refuse(400, str(refusal), refusal.param, refusal.code)
        self.compacted.append(body)
        _, _, usage = self._message(as_chat(body))
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:40]
        asked = [item for item in items_of(body) if item.get("role") == "user"]
        folded: Json = {"id": f"cmp_{digest}", "type": "compaction", "encrypted_content": f"gAAAAAC{digest}"}
        self._sealed[folded["id"]] = folded["encrypted_content"]
        return self._write(
            {
                "id": f"resp_{digest}",
                "object": "response.compaction",
                "created_at": 1_764_000_000,
                "output": [*(_listed(item, number) for number, item in enumerate(asked)), folded],
                "usage": _usage(usage),
            }
        )

    def _is_sealed(self, sealed: str, id: str) -> bool:
        """Say whether encrypted content is of the item with an id; a folded conversation may come without one."""
        return self._sealed.get(id) == sealed or (not id and sealed in self._sealed.values())

    def _with_history(self, body: Json) -> Json:
        previous = body.get("previous_response_id")
        if previous is None:
            return body
        if previous not in self._stored:
            words = f"Previous response with id '{previous}' not found."
            raise Rejected(words, "previous_response_id", "previous_response_not_found")
        items, response = self._stored[previous]
        return body | {"input": [*items, *response["output"], *items_of(body)]}

    def _response(self, body: Json, chat: Json, text: str) -> Json:
        message, finish, usage = self._message(chat)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:40]
        reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
        reason = reasons.get(finish)
        status = "incomplete" if reason else "completed"
        return {
            "id": f"resp_{digest}",
            "object": "response",
            "created_at": 1_764_000_000,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "model": body["model"],
            "output": list(self._output(body, message, status, digest, text)),
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "previous_response_id": body.get("previous_response_id"),
            "reasoning": {"effort": None, "summary": None, **inner(body, "reasoning")},
            "service_tier": "default",
            "store": body.get("store") is not False,
            "temperature": body.get("temperature", 1.0),
            "text": {"format": {"type": "text"}, **inner(body, "text")},
            "tool_choice": body.get("tool_choice", "auto"),
            "tools": listed(body, "tools"),
            "top_p": body.get("top_p", 1.0),
            "truncation": "disabled",
            "usage": _usage(usage),
            "user": body.get("user"),
            "metadata": body.get("metadata") or {},
        }

    def _output(self, body: Json, message: Json, status: str, digest: str, text: str) -> Iterator[Json]:
        if is_reasoning(body["model"]) and inner(body, "reasoning").get("effort") != "none":
            item: Json = {"id": f"rs_{digest}", "type": "reasoning", "summary": []}
            if inner(body, "reasoning").get("summary"):
                item["summary"] = [{"type": "summary_text", "text": THOUGHT}]
            if "reasoning.encrypted_content" in listed(body, "include"):
                item["encrypted_content"] = self._sealed[item["id"]] = f"gAAAAAB{digest}"
            yield item
        if "SEARCH" in text and any(tool["type"].startswith("web_search") for tool in listed(body, "tools")):
            action: Json = {"type": "search", "query": "pages", "sources": []}
            yield {"id": f"ws_{digest}", "type": "web_search_call", "status": "completed", "action": action}
        calls = message.get("tool_calls") or ()
        if not calls or message.get("content"):
            yield {
                "id": f"msg_{digest}",
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": [_content(body, message)],
            }
        for number, call in enumerate(calls):
            head = {"call_id": call["id"], "status": "completed"}
            called: Json = call[call["type"]]
            namespace, mark, name = str(called["name"]).partition("__")
            if mark:
                called = called | {"namespace": namespace, "name": name}
            if call["type"] == "custom":
                yield {"id": f"ctc_{digest}{number}", "type": "custom_tool_call", **head, **called}
            else:
                yield {"id": f"fc_{digest}{number}", "type": "function_call", **head, **called}


def _content(body: Json, message: Json) -> Json:
    if message.get("refusal"):
        return {"type": "refusal", "refusal": message["refusal"]}
    annotations = [{"type": "url_citation", **one["url_citation"]} for one in message.get("annotations") or ()]
    logprobs: list[Json] = []
    if "message.output_text.logprobs" in listed(body, "include") or body.get("top_logprobs"):
        tokens = re.findall(r"\s?\S+|\s", message["content"] or "")
        logprobs = [{"token": one, "logprob": -0.25, "bytes": list(one.encode()), "top_logprobs": []} for one in tokens]
    return {"type": "output_text", "text": message["content"] or "", "annotations": annotations, "logprobs": logprobs}


def _usage(usage: Json) -> Json:
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": usage["prompt_tokens_details"]["cached_tokens"]},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": usage["completion_tokens_details"]["reasoning_tokens"]},
        "total_tokens": usage["total_tokens"],
    }


def _page(items: list[Json], query: dict[str, list[str]]) -> Json:
    listed_items = [_listed(item, number) for number, item in enumerate(items)]
    if query.get("order", ["desc"])[0] == "desc":
        listed_items.reverse()
    ids = [item["id"] for item in listed_items]
    start = ids.index(query["after"][0]) + 1 if "after" in query else 0
    limit = int(query.get("limit", ["20"])[0])
    page = listed_items[start : start + limit]
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return {"object": "list", "data": page, **ends, "has_more": start + limit < len(items)}


def _listed(item: Json, number: int) -> Json:
    kind = item.get("type") or "message"
    content = item.get("content")
    told = {"content": [{"type": "input_text", "text": content}]} if isinstance(content, str) else {}
    head = "msg" if kind == "message" else kind[:3]
    return {"id": f"{head}_{number}", "status": "completed", **item, "type": kind, **told}


def _streamed(response: Json, text: str) -> Reply:
    events = list(_events(response))
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    said = next((at for at, event in enumerate(events) if event["type"].endswith(".delta")), 2) + 2
    if broken := _LATER.search(text):
        error = {"code": broken[1], "message": f"The simulated vendor says {broken[1]}."}
        failed = {"type": "response.failed", "response": response | {"status": "failed", "error": error}}
        return Reply(200, headers, pieces=_frames([*events[:said], failed]))
    if "BREAK" in text:
        error = {"type": "error", "code": "server_error", "message": "The server had an error", "param": None}
        return Reply(200, headers, pieces=_frames([*events[:said], error]))
    if "HALF" in text:
        return Reply(200, headers, pieces=_frames(events[:said]), ending="cut")
    return Reply(200, headers, pieces=_frames(events))


def _events(response: Json) -> Iterator[Json]:
    empty: Json = {"output": [], "usage": None, "error": None, "incomplete_details": None}
    begun = response | {"status": "in_progress", **empty}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        at = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "message":
                yield _added(index, item | {"status": "in_progress", "content": []})
                yield from _content_events(item["content"][0], at | {"content_index": 0})
            case "reasoning":
                yield _added(index, item | {"summary": []})
                for number, part in enumerate(item["summary"]):
                    place = at | {"summary_index": number}
                    empty = part | {"text": ""}
                    yield {"type": "response.reasoning_summary_part.added", **place, "part": empty}
                    yield {"type": "response.reasoning_summary_text.delta", **place, "delta": part["text"]}
                    yield {"type": "response.reasoning_summary_text.done", **place, "text": part["text"]}
                    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}
            case "function_call":
                yield _added(index, item | {"status": "in_progress", "arguments": ""})
                for piece in _pieces(item["arguments"]):
                    yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
                done = {"name": item["name"], "arguments": item["arguments"]}
                yield {"type": "response.function_call_arguments.done", **at, **done}
            case "custom_tool_call":
                yield _added(index, item | {"status": "in_progress", "input": ""})
                for piece in _pieces(item["input"]):
                    yield {"type": "response.custom_tool_call_input.delta", **at, "delta": piece}
                yield {"type": "response.custom_tool_call_input.done", **at, "input": item["input"]}
            case _:
                yield _added(index, item | {"status": "in_progress"})
                yield {"type": f"response.{item['type']}.in_progress", **at}
                yield {"type": f"response.{item['type']}.completed", **at}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{response['status']}", "response": response}


def _content_events(part: Json, at: Json) -> Iterator[Json]:
    if part["type"] == "refusal":
        yield {"type": "response.content_part.added", **at, "part": part | {"refusal": ""}}
        for piece in _pieces(part["refusal"]):
            yield {"type": "response.refusal.delta", **at, "delta": piece}
        yield {"type": "response.refusal.done", **at, "refusal": part["refusal"]}
    else:
        empty: Json = part | {"text": "", "annotations": [], "logprobs": []}
        yield {"type": "response.content_part.added", **at, "part": empty}
        for number, piece in enumerate(re.findall(r"\s?\S+|\s", part["text"])):
            likely = part["logprobs"][number : number + 1]
            yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": likely}
        for number, one in enumerate(part["annotations"]):
            place = at | {"annotation_index": number}
            yield {"type": "response.output_text.annotation.added", **place, "annotation": one}
        yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": part["logprobs"]}
    yield {"type": "response.content_part.done", **at, "part": part}


def _added(index: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _pieces(text: str) -> list[str]:
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def _frames(events: list[Json]) -> list[bytes]:
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return [f"event: {one['type']}\ndata: {json.dumps(one, ensure_ascii=False)}\n\n".encode() for one in numbered]
