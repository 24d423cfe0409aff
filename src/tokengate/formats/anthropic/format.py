"""Anthropic's Messages as one object: the format as its clients see it, or, with fields of its own, a vendor's."""

from collections.abc import Callable, Mapping, Set

from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import Reply
from tokengate.core.splice import Members
from tokengate.core.wire import Heading, Losses
from tokengate.formats.anthropic.abilities import PLAIN, Abilities
from tokengate.formats.anthropic.errors import write_error
from tokengate.formats.anthropic.replies import read_reply, write_reply
from tokengate.formats.anthropic.stream_read import StreamReader
from tokengate.formats.anthropic.stream_write import StreamWriter
from tokengate.formats.anthropic.types import NAME
from tokengate.formats.anthropic.write import write_chat

VERSION = "2023-06-01"

_HEADERS: Mapping[str, str] = {"anthropic-version": VERSION}
_NAMES: Mapping[str, str] = {
    "cap": "max_tokens",
    "stop": "stop_sequences",
    "json": "output_config.format",
    "json_schema": "output_config.format",
    "built_in": "tools",
    "stop_tokens": "stop_sequences",
    "search": "tools",
    "reasoning": "thinking",
    "enabled": "thinking",
    "budget": "thinking.budget_tokens",
    "shown": "thinking.display",
    "effort": "output_config.effort",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "user": "metadata.user_id",
    "cache": "cache_control",
    "file": "document",
}


def _plain(model: str) -> Abilities:
    return PLAIN


class AnthropicFormat(Struct, frozen=True, kw_only=True):
    """Implements `core.wire.Format`. `abilities` says what a vendor's model takes."""

    abilities: Callable[[str], Abilities] = _plain

    @property
    def name(self) -> str:
        return NAME

    @property
    def names(self) -> Mapping[str, str]:
        return _NAMES

    @property
    def stream_type(self) -> str:
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
        return True

    def must_stream(self, model: str) -> bool:
        return False

    def path(self, model: str, *, stream: bool) -> str:
        return "/v1/messages"

    def headers(self, *, stream: bool) -> Mapping[str, str]:
        return _HEADERS

    def write_chat(self, chat: Chat, losses: Losses) -> bytes:
        return write_chat(chat, losses, self.abilities(chat.model))

    def read_reply(self, body: bytes) -> Reply:
        return read_reply(body)

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        return write_reply(reply, heading)

    def stream_reader(self) -> StreamReader:
        return StreamReader()

    def stream_writer(self, heading: Heading, chat: Chat) -> StreamWriter:
        return StreamWriter(heading)

    def write_error(self, error: GatewayError, request_id: str) -> bytes:
        return write_error(error, request_id)


ANTHROPIC = AnthropicFormat()
