"""Simulated makers of pictures in OpenAI's shape: OpenAI's own images, and a vLLM-Omni server.

    with ThreadedUpstream(ImageSimulator("openai")) as upstream:
        client = OpenAI(base_url=upstream.url, api_key=KEY)

They answer with real PNGs of the size that was asked for, whose colour the prompt decides. A prompt may ask for more:
`fail 429` is that status, `break` ends a stream with an error after its first event, `nothing` makes no picture.
"""

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Literal, NamedTuple

from tests.simulators.openai_upstream import Call, Reply

KEY = "sk-simulated"
Vendor = Literal["openai", "vllm", "addresses"]

TEXT_TOKENS, TOKENS_IN, TOKENS_OUT, PARTIAL_TOKENS = 7, 300, 1056, 100

_OPENAI = {"model", "prompt", "n", "size", "quality", "background", "output_format", "output_compression"} | {
    "moderation",
    "stream",
    "partial_images",
    "user",
    "safety_identifier",
    "input_fidelity",
}
_VLLM = {"model", "prompt", "n", "size", "response_format", "user", "negative_prompt", "num_inference_steps"} | {
    "guidance_scale",
    "seed",
    "output_format",
    "output_compression",
}


def png(width: int, height: int, text: str = "") -> bytes:
    """Return a PNG of one colour, which the text decides; with an alpha channel, as masks have."""
    colour = hashlib.sha256(text.encode()).digest()[:3] + b"\xff"
    rows = (b"\0" + colour * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")


class File(NamedTuple):
    """A file of a form."""

    name: str
    media_type: str
    data: bytes


class ImageSimulator:
    """A script for `Upstream` that remembers what it was asked. `addresses` gives pictures at addresses of its own."""

    def __init__(self, vendor: Vendor = "openai") -> None:
        self.vendor: Vendor = vendor
        self.asked: list[dict[str, Any]] = []
        self.files: list[list[File]] = []
        self.pictures: dict[str, bytes] = {}
        self.base_url = ""  # of its own addresses
        self.other_way = False  # answers whole when asked for a stream, and in events when not

    def __call__(self, call: Call) -> Reply:
        path = call.path.partition("?")[0]
        if call.method == "GET" and path in self.pictures:
            return Reply(200, {"content-type": "image/png"}, self.pictures[path])
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "Incorrect API key provided.")
        task = path.removeprefix("/v1/images/")
        if task == "generations":
            fields, files = _typed(call.json), list[File]()
        elif task in ("edits", "variations") and (task == "edits" or self.vendor == "addresses"):
            if not call.headers.get("content-type", "").startswith("multipart/form-data"):
                return _error(400, "Unsupported content type.")
            fields, files = read_form(call)
            if not any(file.name in ("image", "image[]") for file in files):
                return _error(400, "Missing required parameter: 'image'.", "image")
        else:
            return _error(404, f"Invalid URL ({call.method} {call.path})")
        return self._draw(task, fields, files)

    def _draw(self, task: str, fields: dict[str, Any], files: list[File]) -> Reply:
        allowed = _OPENAI if self.vendor == "openai" else _VLLM
        for name in fields:
            if name not in allowed:
                return _error(400, f"Unknown parameter: '{name}'.", name)
        if self.vendor == "vllm" and fields.get("response_format", "b64_json") != "b64_json":
            return _error(400, "Only 'b64_json' response format is supported.", "response_format")
        self.asked.append(fields)
        self.files.append(files)
        prompt = str(fields.get("prompt", ""))
        if prompt.startswith("fail "):
            return _error(int(prompt.split()[1]), "Slow down.")
        given = str(fields.get("size", "1024x1024"))
        size = "1024x1024" if given == "auto" else given
        width, height = map(int, size.split("x"))
        count = 0 if prompt == "nothing" else int(fields.get("n", 1))
        pictures = [png(width, height, f"{prompt}{at}") for at in range(count)]
        looks = {
            "size": size,
            "quality": fields.get("quality", "medium"),
            "background": fields.get("background", "opaque"),
            "output_format": "png",
        }
        if (str(fields.get("stream", "")).lower() == "true") is not self.other_way:
            return self._stream(task, prompt, pictures, looks, int(fields.get("partial_images", 0)), bool(files))
        reply: dict[str, Any] = {"created": 1_750_000_000, "data": [self._given(fields, one) for one in pictures]}
        if self.vendor == "openai":
            reply |= {**looks, "usage": usage_of(count, len(files), 0)}
        return Reply(200, {"content-type": "application/json"}, json.dumps(reply).encode())

    def _given(self, fields: Mapping[str, Any], picture: bytes) -> dict[str, str]:
        if self.vendor != "addresses" or fields.get("response_format") == "b64_json":
            return {"b64_json": base64.b64encode(picture).decode()}
        path = f"/pictures/{len(self.pictures)}.png"
        self.pictures[path] = picture
        return {"url": self.base_url + path, "revised_prompt": f"{fields.get('prompt', '')}, in oil"}

    def _stream(
        self, task: str, prompt: str, pictures: list[bytes], looks: dict[str, Any], partials: int, edit: bool
    ) -> Reply:
        kind = "image_edit" if task == "edits" else "image_generation"
        events: list[dict[str, Any]] = []
        for picture in pictures:
            data = {"b64_json": base64.b64encode(picture).decode(), "created_at": 1_750_000_000, **looks}
            for at in range(partials):
                events.append({"type": f"{kind}.partial_image", "partial_image_index": at, **data})
            events.append({"type": f"{kind}.completed", **data, "usage": usage_of(1, int(edit), partials)})
        if prompt == "break":
            broken = {"type": "error", "error": {"message": "The server had an error", "type": "server_error"}}
            events = [*events[:1], broken]
        pieces = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events]
        return Reply(200, {"content-type": "text/event-stream"}, pieces=pieces)


def usage_of(pictures: int, given: int, partials: int) -> dict[str, Any]:
    """Return OpenAI's usage of so many pictures made, and given."""
    image, written = TOKENS_IN * given, (TOKENS_OUT + PARTIAL_TOKENS * partials) * pictures
    return {
        "input_tokens": TEXT_TOKENS + image,
        "input_tokens_details": {"text_tokens": TEXT_TOKENS, "image_tokens": image},
        "output_tokens": written,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": written},
        "total_tokens": TEXT_TOKENS + image + written,
    }


def read_form(call: Call) -> tuple[dict[str, Any], list[File]]:
    """Return the fields and the files of a form."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + call.body)
    fields: dict[str, Any] = {}
    files: list[File] = []
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename() is None:
            fields[name] = data.decode()
        else:
            files.append(File(name, part.get_content_type(), data))
    return fields, files


def _typed(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _error(status: int, message: str, param: str | None = None) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return Reply(status, {"content-type": "application/json"}, json.dumps({"error": error}).encode())
