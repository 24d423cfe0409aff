"""Gemini's wire format as one object. The plain one is what Google speaks and what its clients expect."""

from collections.abc import Mapping, Set
from typing import Final

from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import Reply
from tokengate.core.splice import Members
from tokengate.core.wire import Heading, Losses
from tokengate.formats.gemini import requests
from tokengate.formats.gemini.errors import write_error
from tokengate.formats.gemini.forward import forward_chat, rename_model
from tokengate.formats.gemini.media import keeps
from tokengate.formats.gemini.path import action
from tokengate.formats.gemini.read_reply import read_reply
from tokengate.formats.gemini.read_stream import ReplyReader
from tokengate.formats.gemini.signatures import NAME
from tokengate.formats.gemini.thinking import SERIES, Series
from tokengate.formats.gemini.write_reply import ReplyStream, write_reply
from tokengate.formats.gemini.write_request import Target, encode, write_request

_NAMES: Final[Mapping[str, str]] = {
    "budget": "generationConfig.thinkingConfig.thinkingBudget",
    "built_in": "tools",
    "canvas": "generationConfig.imageConfig",
    "cap": "generationConfig.maxOutputTokens",
    "effort": "generationConfig.thinkingConfig.thinkingLevel",
    "frequency_penalty": "generationConfig.frequencyPenalty",
    "json": "generationConfig.responseMimeType",
    "json_schema": "generationConfig.responseJsonSchema",
    "logprobs": "generationConfig.responseLogprobs",
    "messages": "contents",
    "modalities": "generationConfig.responseModalities",
    "n": "generationConfig.candidateCount",
    "presence_penalty": "generationConfig.presencePenalty",
    "reasoning": "generationConfig.thinkingConfig",
    "search": "tools",
    "seed": "generationConfig.seed",
    "service_tier": "serviceTier",
    "shown": "generationConfig.thinkingConfig.includeThoughts",
    "speech": "generationConfig.speechConfig",
    "stop": "generationConfig.stopSequences",
    "system": "systemInstruction",
    "temperature": "generationConfig.temperature",
    "tool_choice": "toolConfig.functionCallingConfig",
    "top_k": "generationConfig.topK",
    "top_logprobs": "generationConfig.logprobs",
    "top_p": "generationConfig.topP",
}


class GeminiFormat(Struct, frozen=True, kw_only=True):
    """Implements `core.wire.Format`.

    `inline_media` says that pictures by address must be fetched before a request is written, but for what Google
    fetches itself (`keeps`). `call_ids` is off for Vertex AI, which knows no ids of calls. Streams are server-sent
    events; `array.py` makes one JSON array of them.
    """

    inline_media: bool = True
    call_ids: bool = True
    series: tuple[Series, ...] = SERIES

    @property
    def name(self) -> str:
        return NAME

    @property
    def names(self) -> Mapping[str, str]:
        return _NAMES

    @property
    def stream_type(self) -> str:
        return "text/event-stream; charset=utf-8"

    def forwards(self, members: Members, said: Set[str]) -> bool:
        """Say whether a request may go to its vendor byte for byte, which it always may."""
        return True

    @property
    def begins_once(self) -> bool:
        return False

    @property
    def needs_cap(self) -> bool:
        return False

    def must_stream(self, model: str) -> bool:
        return False

    def path(self, model: str, *, stream: bool) -> str:
        """Return the path of a chat request below a vendor's base URL."""
        return action(model, "streamGenerateContent?alt=sse" if stream else "generateContent")

    def headers(self, *, stream: bool) -> Mapping[str, str]:
        return {}

    def forward_chat(self, members: Members, *, model: str, output_cap: int | None) -> bytes:
        """Return a request's body, whose model is in the path, with this output cap when one is given."""
        return forward_chat(members, model=model, output_cap=output_cap)

    def rename_model(self, data: bytes, model: str) -> bytes:
        """Return a reply, or an event's data, with the model called as the caller called it."""
        return rename_model(data, model)

    def must_inline(self, kind: str, url: str) -> bool:
        """Say whether an address must be fetched for Google, which fetches only from its own storage and YouTube."""
        return self.inline_media and not keeps(url)

    def read_chat(self, body: bytes, *, model: str, stream: bool) -> Chat:
        """Read a client's request. Raises BadRequest."""
        return requests.read_chat(body, model=model, stream=stream)

    def write_chat(self, chat: Chat, losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported."""
        return encode(write_request(chat, losses, Target(series=self.series, call_ids=self.call_ids)))

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamFailed."""
        return read_reply(body)

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        """Return a whole reply to `chat`."""
        return write_reply(reply, heading, chat)

    def stream_reader(self) -> ReplyReader:
        return ReplyReader()

    def stream_writer(self, heading: Heading, chat: Chat) -> ReplyStream:
        return ReplyStream(heading, chat)

    def write_error(self, error: GatewayError, request_id: str) -> bytes:
        """Return the body of an error."""
        return write_error(error, request_id)


GEMINI: Final = GeminiFormat()
