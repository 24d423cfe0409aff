"""A server of OpenAI's shape, simulated, one of whose models draws in chats, as OpenRouter has them: `modalities` asks
for pictures, which stand in the message's `images`, whole and streamed, and come back with the next turn.

https://openrouter.ai/docs/guides/overview/multimodal/image-generation, seen 2026-11.
"""

import base64
from collections.abc import Iterator

from tests.simulators.gemini_upstream import SIZES, TIMES
from tests.simulators.image_upstream import png
from tests.simulators.openai_rules import Json, Rejected
from tests.simulators.openai_vendor import Answer, OpenAISimulator

PAINTER = "painter"
SAID = "Here it is."

_DATA = "data:image/png;base64,"


class PaintingSimulator(OpenAISimulator):
    """A script for `Upstream`. It remembers what it was asked."""

    models = (*OpenAISimulator.models, PAINTER)

    def check(self, body: Json) -> None:
        """Raise Rejected for what the vendor refuses."""
        if "image" in (body.get("modalities") or ()) and body["model"] != PAINTER:
            raise Rejected("No endpoints found that support the requested output modalities: image.", "modalities")
        for message in body["messages"]:
            pictures: list[Json] = message.get("images", [])
            if pictures and message["role"] != "assistant":
                raise Rejected("Only what the assistant drew is in 'images'.", "messages")
            if any(one["type"] != "image_url" or not one["image_url"]["url"].startswith(_DATA) for one in pictures):
                raise Rejected("What the assistant drew is given as data.", "messages")
        asked = body.get("image_config", {})
        if not asked.keys() <= {"aspect_ratio", "image_size"}:
            raise Rejected("Only 'aspect_ratio' and 'image_size' are known.", "image_config")
        if asked.get("aspect_ratio", "1:1") not in SIZES or asked.get("image_size", "1K") not in TIMES:
            raise Rejected("Invalid option: expected one of the ratios and sizes.", "image_config")
        told = [{name: one[name] for name in one if name != "images"} for one in body["messages"]]
        rest = {name: value for name, value in body.items() if name != "image_config"}
        super().check({**rest, "messages": told})

    def answer(self, body: Json, text: str) -> Answer:
        """Return what is said to a request."""
        return _Painting(body, text)


class _Painting(Answer):
    """What is said, and a picture, if it was asked for."""

    def message(self) -> tuple[Json, str]:
        """Return the message, and why it ends."""
        message, reason = super().message()
        if "image" in (self.body.get("modalities") or ()):
            url = _DATA + base64.b64encode(self._drawn()).decode()
            message = {**message, "content": SAID, "images": [{"type": "image_url", "image_url": {"url": url}}]}
        return message, reason

    def _drawn(self) -> bytes:
        asked = self.body.get("image_config", {})
        (width, height), times = SIZES[asked.get("aspect_ratio", "1:1")], TIMES[asked.get("image_size", "1K")]
        return png(width * times // 16, height * times // 16, self.text)  # smaller, of the same shape

    def deltas(self, message: Json) -> Iterator[Json]:
        """Yield the message in pieces; a picture comes whole."""
        yield from super().deltas(message)
        if "images" in message:
            yield {"images": message["images"]}
