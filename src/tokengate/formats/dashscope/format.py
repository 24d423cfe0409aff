"""DashScope's wire format as everything that moves bytes sees it."""

from collections.abc import Mapping, Set

from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import Reply
from tokengate.core.splice import Members
from tokengate.core.wire import Heading, Losses, StreamReader, StreamWriter
from tokengate.formats.dashscope.answers import write_reply
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.errors import write_error
from tokengate.formats.dashscope.forwarding import forward_chat, rename_model
from tokengate.formats.dashscope.models import MULTIMODAL_PATH, TEXT_PATH, is_multimodal, must_stream
from tokengate.formats.dashscope.names import NAMES
from tokengate.formats.dashscope.replies import read_reply
from tokengate.formats.dashscope.stream_read import DashScopeStreamReader
from tokengate.formats.dashscope.stream_write import DashScopeStreamWriter
from tokengate.formats.dashscope.writing import write_chat

STREAM_TYPE = "text/event-stream;charset=UTF-8"

_WHOLE: Mapping[str, str] = {"accept": "application/json"}
_STREAM: Mapping[str, str] = {"accept": "text/event-stream", "x-dashscope-sse": "enable"}


class DashScopeFormat(Struct, frozen=True, kw_only=True):
    """Implements `Format` and `Forwarding`. `max_choices` is the most that `n` may be."""

    max_choices: int = 4

    @property
    def name(self) -> str:
        return NAME

    @property
    def names(self) -> Mapping[str, str]:
        return NAMES

    @property
    def stream_type(self) -> str:
        return STREAM_TYPE

    def must_inline(self, kind: str, url: str) -> bool:
        """Say whether an address must be fetched for the vendor, which fetches by itself."""
        return False

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
        """Say whether the vendor answers for a model only in streams."""
        return must_stream(model)

    def path(self, model: str, *, stream: bool) -> str:
        """Return the service's path: the vendor serves models that see or hear elsewhere than the others."""
        return MULTIMODAL_PATH if is_multimodal(model) else TEXT_PATH

    def headers(self, *, stream: bool) -> Mapping[str, str]:
        """Return the headers that ask for a stream, or for none."""
        return _STREAM if stream else _WHOLE

    def write_chat(self, chat: Chat, losses: Losses) -> bytes:
        """Return the body of a request for `chat.model`. Raises Unsupported."""
        return write_chat(chat, losses, max_choices=self.max_choices)

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamFailed when it is not one."""
        return read_reply(body)

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        """Return a whole reply in the way that the chat asks for."""
        return write_reply(reply, heading, chat)

    def stream_reader(self) -> StreamReader:
        """Return a reader of a stream whose events carry pieces, as `write_chat` asks for."""
        return DashScopeStreamReader()

    def stream_writer(self, heading: Heading, chat: Chat) -> StreamWriter:
        """Return a writer of the stream that the chat asks for."""
        return DashScopeStreamWriter(heading, chat)

    def write_error(self, error: GatewayError, request_id: str) -> bytes:
        """Return the body of an error."""
        return write_error(error, request_id)

    def forward_chat(self, members: Members, *, model: str, output_cap: int | None) -> bytes:
        """Return a request's body under the vendor's name of the model."""
        return forward_chat(members, model=model, output_cap=output_cap)

    def rename_model(self, data: bytes, model: str) -> bytes:
        """Return a reply, or an event's data, with the model called as the caller called it."""
        return rename_model(data, model)


DASHSCOPE = DashScopeFormat()
