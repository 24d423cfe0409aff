"""OpenAI's Responses API as a wire format."""

from collections.abc import Mapping, Set
from typing import Final

import msgspec
from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import Reply
from tokengate.core.splice import Members
from tokengate.core.wire import Heading, Losses
from tokengate.formats.responses.replies import read_reply
from tokengate.formats.responses.response import Keeping
from tokengate.formats.responses.stream_reader import StreamReader
from tokengate.formats.responses.stream_writer import StreamWriter, write_response
from tokengate.formats.responses.types import NAME
from tokengate.formats.responses.write_chat import write_chat

# The format's own names of the vocabulary's words, where the two differ.
_NAMES: Final = {
    "allowed_tools": "tool_choice",
    "audio": "input_audio",
    "budget": "reasoning.effort",
    "built_in": "tools",
    "cache": "prompt_cache_breakpoint",
    "cap": "max_output_tokens",
    "citations": "annotations",
    "custom": "tools",
    "definition": "tools.format",
    "effort": "reasoning.effort",
    "file": "input_file",
    "image": "input_image",
    "json": "text.format",
    "json_schema": "text.format",
    "logprobs": "include",
    "messages": "input",
    "search": "tools.web_search",
    "search_options": "tools.web_search",
    "shown": "reasoning.summary",
    "summary": "reasoning.summary",
    "thinking": "reasoning",
    "tool_result": "function_call_output",
    "verbosity": "text.verbosity",
}


class ResponsesFormat(Struct, frozen=True, kw_only=True):
    """Implements `core.wire.Format`, with a vendor's quirks. `keeping` is what one caller is told about what is kept of
    their call."""

    keeping: Keeping = Keeping()
    instructions: bool = True  # whether the vendor takes them beside the input

    @property
    def name(self) -> str:
        return NAME

    @property
    def names(self) -> Mapping[str, str]:
        return _NAMES

    @property
    def stream_type(self) -> str:
        """The content type of streams."""
        return "text/event-stream; charset=utf-8"

    def must_inline(self, kind: str, url: str) -> bool:
        """Say whether an address must be fetched for the vendor, which fetches by itself."""
        return False

    def forwards(self, members: Members, said: Set[str]) -> bool:
        """Say whether a request may go to its vendor byte for byte, which it always may."""
        return True

    @property
    def begins_once(self) -> bool:
        return True

    @property
    def needs_cap(self) -> bool:
        return False

    def must_stream(self, model: str) -> bool:
        return False

    def path(self, model: str, *, stream: bool) -> str:
        """Return the path of a request below a vendor's base URL."""
        return "/responses"

    def headers(self, *, stream: bool) -> Mapping[str, str]:
        """Return the headers, besides credentials, that a request needs."""
        return {}

    def write_chat(self, chat: Chat, losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported."""
        return write_chat(chat, losses, instructions=self.instructions)

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamFailed when it is not one."""
        return read_reply(body)

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        """Return a whole reply to `chat`."""
        return msgspec.json.encode(write_response(reply, heading, chat, self.keeping))

    def stream_reader(self) -> StreamReader:
        """Return a reader of one streamed reply."""
        return StreamReader()

    def stream_writer(self, heading: Heading, chat: Chat) -> StreamWriter:
        """Return a writer of one streamed reply."""
        return StreamWriter(heading, chat, self.keeping)

    def write_error(self, error: GatewayError, request_id: str) -> bytes:
        """Return the body of an error, in the shape that OpenAI's SDK parses."""
        told = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        return msgspec.json.encode({"error": told})


RESPONSES: Final = ResponsesFormat()
