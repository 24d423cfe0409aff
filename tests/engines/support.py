"""What the engine tests use: the real weights, requests as the gateway sends them, and replies as callers read them."""

import json
import os
from pathlib import Path
from typing import Any

from tokengate.core.http import Exchange, HttpRequest, Timeouts, Transport

DATA = Path(os.environ.get("TOKENGATE_TEST_MODELS", Path(__file__).parents[2] / "data"))
MODEL = "smollm2-135m-instruct"
LIMIT_BYTES = 10_000_000

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time in a zone",
        "parameters": {
            "type": "object",
            "properties": {"zone": {"type": "string", "enum": ["UTC", "CET"]}},
            "required": ["zone"],
            "additionalProperties": False,
        },
    },
}


def request(url: str, timeouts: Any = None, **body: Any) -> HttpRequest:
    return HttpRequest("POST", url, {}, json.dumps({"model": MODEL} | body).encode(), timeouts or Timeouts())


def chat(content: Any = "Name a colour.", **body: Any) -> HttpRequest:
    return request("/chat/completions", **{"messages": [{"role": "user", "content": content}], "max_tokens": 8} | body)


async def whole(engine: Transport, asked: HttpRequest) -> dict[str, Any]:
    exchange = await engine.send(asked)
    assert exchange.status == 200
    assert exchange.headers["Content-Type"] == "application/json"
    return json.loads(await exchange.read(LIMIT_BYTES))


async def streamed(engine: Transport, asked: HttpRequest) -> list[dict[str, Any]]:
    """Return the chunks of a stream that ends as it should."""
    exchange = await engine.send(asked)
    assert exchange.headers["content-type"] == "text/event-stream"
    return events(await exchange.read(LIMIT_BYTES))


def events(data: bytes) -> list[dict[str, Any]]:
    parts = data.decode().split("\n\n")
    assert parts[-2:] == ["data: [DONE]", ""]
    return [json.loads(part.removeprefix("data: ")) for part in parts[:-2]]


def text_of(reply: dict[str, Any], choice: int = 0) -> str:
    return reply["choices"][choice]["message"]["content"]


def deltas(chunks: list[dict[str, Any]], choice: int = 0) -> list[dict[str, Any]]:
    return [part["delta"] for chunk in chunks for part in chunk["choices"] if part["index"] == choice]


def joined(chunks: list[dict[str, Any]], choice: int = 0) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(chunks, choice))


async def read_some(exchange: Exchange, count: int) -> list[bytes]:
    """Return the first pieces of a stream, and leave the rest unread."""
    parts: list[bytes] = []
    async for part in exchange.chunks():
        parts.append(part)
        if len(parts) == count:
            break
    return parts
