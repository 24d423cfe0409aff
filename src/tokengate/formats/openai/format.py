"""OpenAI's chat completions as a wire format of the vocabulary."""

from collections.abc import Mapping, Set

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import Reply
from tokengate.core.splice import Members
from tokengate.core.wire import Heading, Losses
from tokengate.formats.openai.chat_writer import write_chat
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.forwarding import forwards
from tokengate.formats.openai.names import NAMES
from tokengate.formats.openai.reply_reader import read_reply
from tokengate.formats.openai.reply_writer import write_reply
from tokengate.formats.openai.stream_reader import ChatStreamReader
from tokengate.formats.openai.stream_writer import ChatStreamWriter
from tokengate.formats.openai.thoughts import OWN


class OpenAIChat(Dialect, frozen=True, kw_only=True):
    """Implements `Format`. What a vendor does otherwise are fields of `Dialect`."""

    @property
    def name(self) -> str:
        return OWN

    @property
    def names(self) -> Mapping[str, str]:
        return NAMES

    @property
    def stream_type(self) -> str:
        return "text/event-stream; charset=utf-8"

    def path(self, model: str, *, stream: bool) -> str:
        """Return the path of a chat request below a base URL that ends with the version."""
        return "/chat/completions"

    def headers(self, *, stream: bool) -> Mapping[str, str]:
        """Return the headers that a request needs besides those of every request."""
        return {}

    def must_inline(self, kind: str, url: str) -> bool:
        """Say whether the vendor fetches nothing of this kind."""
        return kind in self.inline_media

    @property
    def begins_once(self) -> bool:
        return False

    @property
    def needs_cap(self) -> bool:
        return False

    def must_stream(self, model: str) -> bool:
        """Say whether the vendor answers for this model only in streams."""
        return self.stream_only is not None and self.stream_only(model)

    def forwards(self, members: Members, said: Set[str]) -> bool:
        """Say whether everything in a request means the same to this vendor."""
        return forwards(self, members, said)

    def write_chat(self, chat: Chat, losses: Losses) -> bytes:
        """Return the body of a request for `chat.model`. Raises Unsupported."""
        return write_chat(chat, self, losses)

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamFailed."""
        return read_reply(body, self)

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        """Return a whole reply to `chat`."""
        return write_reply(reply, heading, chat)

    def stream_reader(self) -> ChatStreamReader:
        """Return the reader of one streamed reply."""
        return ChatStreamReader(self)

    def stream_writer(self, heading: Heading, chat: Chat) -> ChatStreamWriter:
        """Return the writer of one streamed reply."""
        return ChatStreamWriter(heading, chat)

    def write_error(self, error: GatewayError, request_id: str) -> bytes:
        """Return the body of an error, from which the SDK makes its exception."""
        told = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        return encode({"error": told})


OPENAI_CHAT = OpenAIChat()  # a server that takes everything, and what clients see
