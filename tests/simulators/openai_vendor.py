"""OpenAI's chat completions, simulated: strict about requests (`openai_rules`), deterministic in its answers. Its
Responses API (`responses_vendor`) says the same.

    with ThreadedUpstream(OpenAISimulator()) as upstream:
        client = OpenAI(base_url=upstream.url, api_key=KEY)

What the last user's text says is what happens, so that it happens behind a gateway, too:

    get_weather({"city": "Rome"})   that tool is called, if it was given; several such calls are made at once
    get_weather(3), get_weather()   the same with its first parameter, or without any
    the weather in Rome, CA?        get_weather is called, if it was given, with its first parameter
    code_exec<print(1)>             that custom tool is called with this text
    REFUSE                          the model declines in words
    FILTER                          the answer is withheld
    ERROR 429                       that status; with `after 2` from the third time on it is an answer
    BREAK                           a stream fails after its first words
    HALF                            a stream is cut
anything else comes back, after what tools said and how many pictures, sounds and documents came.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.simulators.openai_moderation import moderate
from tests.simulators.openai_rules import Json, Rejected, check, inner, is_reasoning, last_text, listed, plain
from tests.simulators.openai_speech import speak
from tests.simulators.openai_transcription import hear, read_hearing
from tests.simulators.openai_upstream import DONE, Call, Reply
from tests.simulators.responses_vendor import ResponsesVendor

KEY = "sk-simulated"
MODELS = ("gpt-5.4", "gpt-5-mini", "gpt-4.1", "gpt-4o-audio-preview", "gpt-4o-search-preview")
ERRORS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    409: ("invalid_request_error", None),
    422: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("service_unavailable", "overloaded"),
}

_CALLS = re.compile(r"([a-zA-Z0-9_-]+)\((\{.*?\})\)")
_SIMPLE = re.compile(r"([a-zA-Z0-9_-]+)\((-?\d*)\)")
_WEATHER = re.compile(r"the weather in ([^?!]+)")
_QUOTED = re.compile(r"'([^']+)'")
_CUSTOM = re.compile(r"([a-zA-Z0-9_-]+)<([^>]*)>")
_ERROR = re.compile(r"ERROR (\d{3})(?: after (\d+))?")
_TOKEN = re.compile(r"\s?\S+|\s")
_KINDS = {"image_url": "image", "input_audio": "sound", "file": "document"}
_THINKING_TOKENS = 11


class OpenAISimulator:
    """A script for `Upstream`. It remembers what it was asked."""

    key = KEY
    models = MODELS
    paths = (
        "/chat/completions",
        "/responses",
        "/moderations",
        "/audio/speech",
        "/audio/transcriptions",
        "/audio/translations",
    )

    def __init__(self) -> None:
        self.asked: list[Json] = []  # the bodies that were accepted
        self.headers: list[dict[str, str]] = []
        self.responses = ResponsesVendor(self._message, error, write_json)
        self._failures: dict[str, int] = {}

    def __call__(self, call: Call) -> Reply:
        path = call.path.partition("?")[0].removeprefix("/v1")
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return error(401, "Incorrect API key provided: sk-***. You can find your API key at the vendor's site.")
        if call.method == "GET" and path == "/models":
            models = [{"id": name, "object": "model", "created": 1, "owned_by": "openai"} for name in self.models]
            return write_json({"object": "list", "data": models})
        if path.startswith("/responses/") and "/responses" in self.paths:
            return self.responses.read(call, path)
        if call.method != "POST" or path not in self.paths:
            return error(404, f"Invalid URL ({call.method} {call.path})")
        if path in ("/audio/transcriptions", "/audio/translations"):
            return self._hearing(call, path)
        try:
            body: Json = {name: value for name, value in call.json.items() if value is not None}
        except ValueError:
            return error(400, "We could not parse the JSON body of your request.")
        if path == "/responses":
            return self.responses.create(body, self._refusal)
        if path == "/moderations":
            return self._moderation(body)
        if path == "/audio/speech":
            return self._speech(body)
        return self._chat(call, body)

    def check(self, body: Json) -> None:
        """Raise Rejected for what the vendor refuses."""
        check(body)
        if body.get("web_search_options") is not None and "search" not in body["model"]:  # Responses has a tool instead
            words = f"Web search options not supported with this model: {body['model']}."
            raise Rejected(words, "web_search_options", "unsupported_parameter")

    def answer(self, body: Json, text: str) -> "Answer":
        """Return what is said to a request."""
        return Answer(body, text)

    def _refusal(self, body: Json) -> Reply | None:
        """Return the error that a chat is answered with, if it is."""
        if body["model"] not in self.models:
            return error(404, f"The model `{body['model']}` does not exist or you do not have access to it.")
        text = last_text(body["messages"])
        if asked := _ERROR.search(text):
            seen = self._failures[text] = self._failures.get(text, 0) + 1
            if not asked[2] or seen <= int(asked[2]):
                return error(int(asked[1]), f"The simulated vendor answers {asked[1]}.")
        return None

    def _message(self, body: Json) -> tuple[Json, str, Json]:
        answer = self.answer(body, last_text(body["messages"]))
        return *answer.message(), answer.usage()

    def _moderation(self, body: Json) -> Reply:
        self.asked.append(body)
        try:
            return write_json(moderate(body))
        except Rejected as refusal:
            return error(400, str(refusal), refusal.param, refusal.code)

    def _speech(self, body: Json) -> Reply:
        self.asked.append(body)
        try:
            return speak(body)
        except Rejected as refusal:
            return error(400, str(refusal), refusal.param, refusal.code)

    def _hearing(self, call: Call, path: str) -> Reply:
        try:
            asked = read_hearing(call, path)
            self.asked.append(asked)
            return hear(asked)
        except Rejected as refusal:
            return error(400, str(refusal), refusal.param, refusal.code)

    def _chat(self, call: Call, body: Json) -> Reply:
        try:
            self.check(body)
        except Rejected as refusal:
            return error(400, str(refusal), refusal.param, refusal.code)
        if body["model"] in self.models:
            self.asked.append(body)
            self.headers.append(call.headers)
        if refusal := self._refusal(body):
            return refusal
        text = last_text(body["messages"])
        answer = self.answer(body, text)
        if not body.get("stream"):
            return write_json(answer.whole())
        pieces = list(answer.stream())
        headers = {**_HEADERS, "content-type": "text/event-stream; charset=utf-8"}
        if "BREAK" in text:
            broken = {
                "error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}
            }
            return Reply(200, headers, pieces=[*pieces[:3], _frame(broken)])
        if "HALF" in text:
            return Reply(200, headers, pieces=pieces[:3], ending="cut")
        return Reply(200, headers, pieces=pieces)


class Answer:
    """What the model says to one request. A vendor of this format that differs makes a subclass."""

    def __init__(self, body: Json, text: str) -> None:
        self.body = body
        self.text = text
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self.id = f"chatcmpl-{digest[:24]}"

    def whole(self) -> Json:
        """Return the whole reply."""
        choices = [self._choice(index) for index in range(self.body.get("n") or 1)]
        return {**self.head("chat.completion"), "choices": choices, "usage": self.usage()}

    def stream(self) -> Iterator[bytes]:
        """Yield the stream's frames; choices take turns."""
        head = self.head("chat.completion.chunk")
        asked = bool(inner(self.body, "stream_options").get("include_usage"))
        beside = {"usage": None} if asked else {}
        choices = [list(self._deltas(index)) for index in range(self.body.get("n") or 1)]
        for turn in range(max(map(len, choices))):
            for deltas in choices:
                if turn < len(deltas):
                    yield _frame({**head, "choices": [deltas[turn]], **beside})
        if asked:
            yield _frame({**head, "choices": [], "usage": self.usage()})
        yield DONE

    def head(self, kind: str) -> Json:
        """Return the members that every reply and every chunk has."""
        tier = self.body.get("service_tier")
        return {
            "id": self.id,
            "object": kind,
            "created": 1_764_000_000,
            "model": self.body["model"],
            "service_tier": "default" if tier in (None, "auto") else tier,
            "system_fingerprint": "fp_simulated",
        }

    def usage(self) -> Json:
        """Return what it came to."""
        message, _ = self.message()
        prompt = max(1, len(json.dumps(self.body["messages"])) // 4)
        thought = self.thinking_tokens()
        said = sum(len(tokens_of(str(message.get(name) or ""))) for name in ("content", "refusal"))
        said += sum(len(json.dumps(call)) // 4 for call in message.get("tool_calls") or ())
        audio = len(message["audio"]["transcript"]) if message.get("audio") else 0
        output = (max(1, said) + audio) * (self.body.get("n") or 1) + thought
        return {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": prompt // 2, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": thought,
                "audio_tokens": audio,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def thinking_tokens(self) -> int:
        """Return how many tokens were thought, which this vendor does not show."""
        thinks = is_reasoning(self.body["model"]) and self.body.get("reasoning_effort") != "none"
        return _THINKING_TOKENS if thinks else 0

    def message(self) -> tuple[Json, str]:
        """Return the message, and why it ends."""
        message: Json = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
        if "REFUSE" in self.text:
            return {**message, "refusal": "I'm sorry, I cannot help with that."}, "stop"
        if "FILTER" in self.text:
            return {**message, "content": ""}, "content_filter"
        if function := self._function():
            return {**message, "function_call": function}, "function_call"
        if calls := self._calls():
            # A forced call ends with stop: so does the vendor's.
            return {**message, "tool_calls": calls}, "stop" if isinstance(self._forced(), str) else "tool_calls"
        if "audio" in (self.body.get("modalities") or ()):
            return {**message, "audio": self._audio()}, "stop"
        said, reason = self._cut(self._said())
        if self.body.get("web_search_options") is not None:
            message["annotations"] = [_CITED]
        return {**message, "content": said}, reason

    def deltas(self, message: Json) -> Iterator[Json]:
        """Yield the message in pieces."""
        yield {"role": "assistant", "content": "" if message["content"] is not None else None, "refusal": None}
        if function := message.get("function_call"):
            yield {"function_call": {"name": function["name"], "arguments": ""}}
            yield from ({"function_call": {"arguments": piece}} for piece in pieces_of(function["arguments"]))
        for index, call in enumerate(message.get("tool_calls") or ()):
            kind, text = ("function", "arguments") if call["type"] == "function" else ("custom", "input")
            yield {"tool_calls": [{"index": index, **call, kind: {**call[kind], text: ""}}]}
            for piece in pieces_of(call[kind][text]):
                yield {"tool_calls": [{"index": index, kind: {text: piece}}]}
        if audio := message.get("audio"):
            yield {"audio": {"id": audio["id"], "transcript": audio["transcript"]}}
            for at in range(0, len(audio["data"]), 8):
                yield {"audio": {"data": audio["data"][at : at + 8]}}
            yield {"audio": {"expires_at": audio["expires_at"]}}
        yield from ({"content": token} for token in tokens_of(message["content"] or ""))
        if message.get("annotations"):
            yield {"annotations": message["annotations"]}
        if message["refusal"]:
            yield from ({"refusal": token} for token in tokens_of(message["refusal"]))

    def _choice(self, index: int) -> Json:
        message, reason = self.message()
        logprobs = None
        if self.body.get("logprobs"):
            logprobs = {"content": [self._logprob(one) for one in tokens_of(message["content"] or "")], "refusal": None}
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": reason}

    def _deltas(self, index: int) -> Iterator[Json]:
        message, reason = self.message()
        for delta in self.deltas(message):
            logprobs = None
            if self.body.get("logprobs") and delta.get("content"):
                logprobs = {"content": [self._logprob(delta["content"])], "refusal": None}
            yield {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": reason}

    def _logprob(self, token: str) -> Json:
        one = {"token": token, "logprob": -0.25, "bytes": list(token.encode())}
        others = [{"token": f"or{number}", "logprob": -2.0 - number, "bytes": [111, 114]} for number in range(20)]
        return {**one, "top_logprobs": [one, *others][: self.body.get("top_logprobs") or 0]}

    def _said(self) -> str:
        form = inner(self.body, "response_format")
        if form.get("type") == "json_schema":
            return json.dumps(self.sample(form["json_schema"].get("schema") or {"type": "object"}), ensure_ascii=False)
        if form.get("type") == "json_object":
            members = dict.fromkeys(_QUOTED.findall(self.text), "text")
            return json.dumps(members or {"said": self.text}, ensure_ascii=False)
        after = [message for message in self.body["messages"] if message["role"] != "system"]
        results: list[str] = []
        for message in reversed(after):
            if message["role"] not in ("tool", "function"):
                break
            results.insert(0, plain(message["content"]))
        words = [f"The tools say: {', '.join(results)}."] if results else []
        for kind, name in _KINDS.items():
            content = listed(after[-1], "content") if after and after[-1]["role"] == "user" else []
            count = sum(part["type"] == kind for part in content if not isinstance(part, str))
            words += [f"I see {count} {name}(s)."] if count else []
        if self.text:
            words.append(f"You said: {self.text}")
        return " ".join(words) or "Hello."

    def _cut(self, said: str) -> tuple[str, str]:
        stops = self.body.get("stop")
        for stop in [stops] if isinstance(stops, str) else listed(self.body, "stop"):
            said = said.partition(stop)[0] if isinstance(stop, str) else said  # engines take tokens, too
        cap = self.body.get("max_completion_tokens") or self.body.get("max_tokens")
        words = tokens_of(said)
        left = None if cap is None else cap - self.thinking_tokens()
        if left is not None and len(words) > left:
            return "".join(words[: max(0, left)]), "length"
        return said, "stop"

    def _forced(self) -> str | bool | list[str]:
        """Return the tool that must be called by name, whether any must be, or the only ones that may be."""
        choice = self.body.get("tool_choice") or "auto"
        if choice == "required":
            return True
        if isinstance(choice, str):
            return False
        kind = choice["type"]
        if kind == "allowed_tools":
            return [tool[tool["type"]]["name"] for tool in choice["allowed_tools"]["tools"]]
        return choice[kind]["name"]

    def _calls(self) -> list[Json]:
        tools: dict[str, Json] = {tool[tool["type"]]["name"]: tool for tool in self.body.get("tools") or ()}
        forced = self._forced()
        if not self.text or not tools or self.body.get("tool_choice") == "none":
            return []
        if isinstance(forced, list):
            tools = {name: tool for name, tool in tools.items() if name in forced}
        called = [(name, text) for name, text in _CALLS.findall(self.text) if name in tools]
        called += [
            (name, _with_first(tools[name], int(value)) if value else "{}")
            for name, value in _SIMPLE.findall(self.text)
            if name in tools
        ]
        called += [(name, text) for name, text in _CUSTOM.findall(self.text) if name in tools]
        if (place := _WEATHER.search(self.text)) and not called and "get_weather" in tools:
            called = [("get_weather", _with_first(tools["get_weather"], place[1]))]
        if not called and forced and not isinstance(forced, list):
            name = forced if isinstance(forced, str) else next(iter(tools))
            given = inner(tools[name], tools[name]["type"])
            value = self.sample(given.get("parameters") or {"type": "object"})
            called = [(name, json.dumps(value, ensure_ascii=False))]
        if self.body.get("parallel_tool_calls") is False:
            called = called[:1]
        return [self._call(name, text, tools[name]["type"], place) for place, (name, text) in enumerate(called)]

    def sample(self, schema: Json) -> Any:
        """Return the plainest value that fits a schema; its texts are what the user quoted."""
        quoted = _QUOTED.search(self.text)
        return _sample(schema, quoted[1] if quoted else "text")

    def _call(self, name: str, text: str, kind: str, place: int) -> Json:
        id = f"call_{hashlib.sha256(f'{self.id}{place}'.encode()).hexdigest()[:24]}"
        return {"id": id, "type": kind, kind: {"name": name, "arguments" if kind == "function" else "input": text}}

    def _function(self) -> Json | None:
        functions = {function["name"] for function in self.body.get("functions") or ()}
        called = next(((name, text) for name, text in _CALLS.findall(self.text) if name in functions), None)
        return {"name": called[0], "arguments": called[1]} if called else None

    def _audio(self) -> Json:
        said, _ = self._cut(self._said())
        data = base64.b64encode(b"RIFF" + said.encode()).decode()
        return {"id": f"audio_{self.id[-12:]}", "data": data, "expires_at": 1_764_003_600, "transcript": said}


def error(status: int, message: str, param: str | None = None, code: str | None = None) -> Reply:
    """Return an error as the vendor writes it."""
    kind, usual = ERRORS.get(status, ("server_error", None))
    headers = {"retry-after": "0"} if status in (429, 503) else {}
    body = {"error": {"message": message, "type": kind, "param": param, "code": code or usual}}
    return write_json(body, status, headers)


def write_json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """Return a reply with this body."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(status, {"content-type": "application/json", **_HEADERS, **(headers or {})}, body)


def tokens_of(text: str) -> list[str]:
    """Return a text's tokens: its words with the blanks before them."""
    return _TOKEN.findall(text)


def pieces_of(text: str) -> list[str]:
    """Return a text in pieces of seven characters."""
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def _with_first(tool: Json, value: Any) -> str:
    """Return arguments that name only the first parameter."""
    properties = inner(inner(tool["function"], "parameters"), "properties")
    return json.dumps({next(iter(properties), "input"): value}, ensure_ascii=False)


def _sample(schema: Json, text: str) -> Any:
    match schema.get("type"):
        case "object":
            return {name: _sample(one, text) for name, one in schema.get("properties", {}).items()}
        case "array":
            return [_sample(schema.get("items", {}), text)]
        case "integer" | "number":
            return 7
        case "boolean":
            return True
        case _:
            return schema.get("enum", [text])[0]


_HEADERS = {"x-request-id": "req_simulated", "openai-processing-ms": "5", "openai-version": "2020-10-01"}
_CITED: Json = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 3, "title": "A page", "url": "https://pages.example/a"},
}


def _frame(value: Json) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"
