"""A vLLM-Omni server whose model draws, simulated: its image routes, and its chats, which are answered with pictures.

    with ThreadedUpstream(OmniPainter()) as upstream:
        client = OpenAI(base_url=upstream.url, api_key=KEY)

Like the server, it takes what it knows from a chat and says nothing of the rest: the texts of the user's messages are
the prompt, the `data:image` pictures in them are drawn on, parameters are read from `extra_body` if there is one, else
from the body. A model of one stage answers whole, also when a stream was asked for; TWO_STAGES streams. TALKER, of one
stage, answers in words where `modalities` has text.

vllm_omni/entrypoints/openai/serving_chat.py and api_server.py of 0.22, seen 2026-11.
"""

import base64
import binascii
import hashlib
import json
from typing import Any

from tests.simulators.image_upstream import KEY, ImageSimulator, png
from tests.simulators.openai_upstream import DONE, Call, Reply

EDITOR, TWO_STAGES, TALKER = "Qwen/Qwen-Image-Edit", "zai-org/GLM-Image", "ByteDance-Seed/BAGEL-7B-MoT"
DEFAULT_SIDE = 1024

Json = dict[str, Any]


class OmniPainter(ImageSimulator):
    """A script for `Upstream` that remembers what it was asked; `understood` are the prompt and the pictures that it
    made of each chat."""

    def __init__(self) -> None:
        super().__init__("vllm")
        self.understood: list[tuple[str, list[bytes]]] = []

    def __call__(self, call: Call) -> Reply:
        if (call.method, call.path.partition("?")[0]) != ("POST", "/v1/chat/completions"):
            return super().__call__(call)
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(401, _JSON, b'{"error":"Unauthorized"}')
        self.asked.append(call.json)
        return self._chat(call.json)

    def _chat(self, body: Json) -> Reply:
        prompt, pictures = _prompt(body["messages"])
        self.understood.append((prompt, pictures))
        if prompt.startswith("fail "):
            return _error(int(prompt.split()[1]), "Image generation failed: out of memory")
        if body["model"] == EDITOR and len(pictures) != 1:
            if len(pictures) > 1:
                return _error(400, "Multiple input images are not supported by the current diffusion model.")
            return _error(500, "Image generation failed: this model needs an input image")
        options = body.get("extra_body") or body
        if body["model"] == TALKER and "text" in (options.get("modalities") or ()):
            return _whole(body, {"role": "assistant", "content": f"You said: {prompt}"}, len(prompt.split()))
        drawn = b"".join([prompt.encode(), *pictures])
        content: str | list[Json] = "Image generation completed but no images were produced."
        if prompt != "nothing":
            count = options.get("num_outputs_per_prompt", 1)
            content = [_part(*_size(options), f"{hashlib.sha256(drawn).hexdigest()}{at}") for at in range(count)]
        if body["model"] == TWO_STAGES and body.get("stream"):
            return _stream(body, content)
        return _whole(body, {"role": "assistant", "content": content}, len(prompt.split()))


_JSON = {"content-type": "application/json"}
_HEAD = {"id": "chatcmpl-9f86d081884c7d65", "created": 1_764_000_000}


def _prompt(messages: list[Json]) -> tuple[str, list[bytes]]:
    texts: list[str] = []
    pictures: list[bytes] = []
    for message in messages:
        if message["role"] != "user":
            continue
        content: str | list[Json] = message["content"]
        parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            if part["type"] == "text":
                texts.append(part["text"])
            elif part["type"] == "image_url" and part["image_url"]["url"].startswith("data:image"):
                try:
                    pictures.append(base64.b64decode(part["image_url"]["url"].split(",", 1)[1], validate=True))
                except binascii.Error:
                    continue
    return " ".join(texts).strip(), pictures


def _size(options: Json) -> tuple[int, int]:
    width, height = options.get("width"), options.get("height")
    if "size" in options and (width is None or height is None):
        width, height = map(int, options["size"].split("x"))
    return width or DEFAULT_SIDE, height or DEFAULT_SIDE


def _part(width: int, height: int, text: str) -> Json:
    url = f"data:image/png;base64,{base64.b64encode(png(width, height, text)).decode()}"
    measured = {"stage_durations": {"diffuse": 3.1}, "peak_memory_mb": 61_204.0}
    return {"type": "image_url", "image_url": {"url": url}, **measured}


def _whole(body: Json, message: Json, words: int) -> Reply:
    rest: Json = {"refusal": None, "annotations": None, "audio": None, "function_call": None, "tool_calls": []}
    choice: Json = {
        "index": 0,
        "message": {**message, **rest, "reasoning": None},
        "logprobs": None,
        "finish_reason": "stop",
        "stop_reason": None,
        "token_ids": None,
    }
    usage = {"prompt_tokens": words, "total_tokens": words + 1, "completion_tokens": 1, "prompt_tokens_details": None}
    reply: Json = {
        **_HEAD,
        "object": "chat.completion",
        "model": body["model"],
        "choices": [choice],
        "service_tier": None,
        "system_fingerprint": None,
        "usage": usage,
        "prompt_logprobs": None,
        "prompt_token_ids": None,
        "kv_transfer_params": None,
        "metrics": None,
    }
    return Reply(200, _JSON, json.dumps(reply).encode())


def _stream(body: Json, content: str | list[Json]) -> Reply:
    head = {**_HEAD, "object": "chat.completion.chunk", "model": body["model"]}
    delta = {"role": "assistant", "content": content}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    chunks: list[Json] = [{**head, "choices": [choice], "modality": "image", "metrics": None}]
    options: Json = body.get("stream_options") or {}
    if options.get("include_usage"):
        usage = {"prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0}
        chunks.append({**head, "choices": [], "usage": usage})
    pieces = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Reply(200, {"content-type": "text/event-stream; charset=utf-8"}, pieces=[*pieces, DONE])


def _error(status: int, message: str) -> Reply:
    error = {"message": message, "type": "BadRequestError", "param": None, "code": status}
    return Reply(status, _JSON, json.dumps({"error": error}).encode())
