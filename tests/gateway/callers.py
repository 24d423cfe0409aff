"""What callers of each wire format send, and what they understand of the gateway's answer."""

import json
from typing import Any

from msgspec import Struct

from tokengate.core.sse import data_of, split_frames

MESSAGES = [{"role": "user", "content": "Hi"}]


class Understood(Struct):
    """An answer as a caller's SDK would tell it: `ended` says that it claims to be whole."""

    text: str = ""
    error: str = ""
    ended: bool = False
    tokens: tuple[int, int] | None = None


class Caller(Struct, frozen=True):
    """A caller of one format."""

    name: str
    path: str

    def at(self, model: str, *, stream: bool) -> str:
        """Return the path of a request."""
        return self.path

    def headers(self, *, stream: bool) -> dict[str, str]:
        """Return the headers of a request."""
        return {}

    def body(self, model: str, *, stream: bool) -> dict[str, Any]:
        """Return a request."""
        return {"model": model, "messages": MESSAGES, "stream": stream, "max_tokens": 100}

    def understand(self, body: bytes, *, stream: bool) -> Understood:
        """Read an answer. A stream that is not one, or a frame that is no JSON, fails the test."""
        found = Understood()
        if not stream:
            self._whole(json.loads(body), found)
            return found
        for frame in split_frames(body):
            data = data_of(frame)
            if data == b"[DONE]":
                found.ended = True
            elif data:
                self._event(json.loads(data), found)
        return found

    def _whole(self, said: dict[str, Any], found: Understood) -> None:
        raise NotImplementedError

    def _event(self, said: dict[str, Any], found: Understood) -> None:
        raise NotImplementedError


class ChatCompletions(Caller, frozen=True):
    def body(self, model: str, *, stream: bool) -> dict[str, Any]:
        options = {"stream_options": {"include_usage": True}} if stream else {}
        return {**super().body(model, stream=stream), **options}

    def _whole(self, said: dict[str, Any], found: Understood) -> None:
        if "error" in said:
            found.error = said["error"]["message"]
            return
        choice = said["choices"][0]
        found.text = choice["message"]["content"]
        found.ended = choice["finish_reason"] == "stop"
        found.tokens = _tokens(said.get("usage"), "prompt_tokens", "completion_tokens")

    def _event(self, said: dict[str, Any], found: Understood) -> None:
        if "error" in said:
            found.error = said["error"]["message"]
            return
        for choice in said["choices"]:
            found.text += choice["delta"].get("content") or ""
        found.tokens = _tokens(said.get("usage"), "prompt_tokens", "completion_tokens") or found.tokens


class Messages(Caller, frozen=True):
    def _whole(self, said: dict[str, Any], found: Understood) -> None:
        if said["type"] == "error":
            found.error = said["error"]["message"]
            return
        found.text = "".join(block["text"] for block in said["content"])
        found.ended = said["stop_reason"] == "end_turn"
        found.tokens = _tokens(said.get("usage"), "input_tokens", "output_tokens")

    def _event(self, said: dict[str, Any], found: Understood) -> None:
        match said["type"]:
            case "error":
                found.error = said["error"]["message"]
            case "message_start":
                found.tokens = _tokens(said["message"].get("usage"), "input_tokens", "output_tokens")
            case "content_block_start":
                found.text += said["content_block"]["text"]
            case "content_block_delta":
                found.text += said["delta"]["text"]
            case "message_delta":
                before = found.tokens or (0, 0)
                read, written = _tokens(said.get("usage"), "input_tokens", "output_tokens") or before
                found.tokens = (read or before[0], written)
            case "message_stop":
                found.ended = True
            case _:
                pass


class Responses(Caller, frozen=True):
    def body(self, model: str, *, stream: bool) -> dict[str, Any]:
        return {"model": model, "input": "Hi", "stream": stream, "max_output_tokens": 100, "store": False}

    def _whole(self, said: dict[str, Any], found: Understood) -> None:
        if said.get("error"):
            found.error = said["error"]["message"]
            return
        messages = [item for item in said["output"] if item["type"] == "message"]
        found.text = "".join(part["text"] for item in messages for part in item["content"])
        found.ended = said["status"] == "completed"
        found.tokens = _tokens(said.get("usage"), "input_tokens", "output_tokens")

    def _event(self, said: dict[str, Any], found: Understood) -> None:
        match said["type"]:
            case "error":
                found.error = said["message"]
            case "response.failed":
                found.error = said["response"]["error"]["message"]
            case "response.output_text.delta":
                found.text += said["delta"]
            case "response.completed":
                found.ended = True
                found.tokens = _tokens(said["response"].get("usage"), "input_tokens", "output_tokens")
            case _:
                pass


class GenerateContent(Caller, frozen=True):
    """`path` is the action for streams. Without `alt=sse` they come as one JSON array."""

    def at(self, model: str, *, stream: bool) -> str:
        return f"/v1beta/models/{model}:{self.path if stream else 'generateContent'}"

    def body(self, model: str, *, stream: bool) -> dict[str, Any]:
        return {"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 100}}

    def understand(self, body: bytes, *, stream: bool) -> Understood:
        if not body.startswith(b"["):
            return super().understand(body, stream=stream)
        found = Understood()
        for element in json.loads(body):
            self._event(element, found)
        return found

    def _whole(self, said: dict[str, Any], found: Understood) -> None:
        self._event(said, found)

    def _event(self, said: dict[str, Any], found: Understood) -> None:
        if "error" in said:
            found.error = said["error"]["message"]
            found.ended = False
            return
        candidate: dict[str, Any] = said["candidates"][0] if said.get("candidates") else {}
        parts: list[dict[str, Any]] = candidate.get("content", {}).get("parts", [])
        found.text += "".join(part["text"] for part in parts)
        found.ended = found.ended or candidate.get("finishReason") == "STOP"
        found.tokens = _tokens(said.get("usageMetadata"), "promptTokenCount", "candidatesTokenCount") or found.tokens


class Generation(Caller, frozen=True):
    """DashScope's. `pieces` says what its events carry: what is new, or all that was said so far."""

    pieces: bool = True

    def headers(self, *, stream: bool) -> dict[str, str]:
        return {"x-dashscope-sse": "enable"} if stream else {}

    def body(self, model: str, *, stream: bool) -> dict[str, Any]:
        parameters = {"result_format": "message", "max_tokens": 100, "incremental_output": self.pieces}
        return {"model": model, "input": {"messages": MESSAGES}, "parameters": parameters}

    def _whole(self, said: dict[str, Any], found: Understood) -> None:
        self._event(said, found)

    def _event(self, said: dict[str, Any], found: Understood) -> None:
        if "code" in said:
            found.error = said["message"]
            found.ended = False
            return
        for choice in said["output"]["choices"]:
            found.text = (found.text if self.pieces else "") + choice["message"]["content"]
            found.ended = choice["finish_reason"] == "stop"
        found.tokens = _tokens(said.get("usage"), "input_tokens", "output_tokens") or found.tokens


def _tokens(usage: dict[str, Any] | None, read: str, written: str) -> tuple[int, int] | None:
    return (usage.get(read) or 0, usage.get(written) or 0) if usage else None


_SERVICES = "/api/v1/services/aigc"
CALLERS = (
    ChatCompletions(name="openai", path="/v1/chat/completions"),
    Responses(name="responses", path="/v1/responses"),
    Messages(name="anthropic", path="/v1/messages"),
    GenerateContent(name="gemini", path="streamGenerateContent?alt=sse"),
    GenerateContent(name="gemini-array", path="streamGenerateContent"),
    Generation(name="dashscope", path=f"{_SERVICES}/text-generation/generation"),
    Generation(name="dashscope-whole", path=f"{_SERVICES}/text-generation/generation", pieces=False),
)
