"""What a wire format can do: the seam between `formats/` and everything that moves bytes.

A format reads and writes; it never waits, knows no other format, no money and no model. One object is the format as
its clients see it; a provider makes another one, with its own vendor's quirks as fields.
"""

from collections.abc import Mapping, Set
from typing import Protocol

from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError, Unsupported
from tokengate.core.parts import Extra
from tokengate.core.reply import Event, Reply
from tokengate.core.splice import Members
from tokengate.core.usage import ReportedUsage


class Extended(Protocol):
    """A request with parameters that have no word in the vocabulary."""

    @property
    def extra(self) -> Extra: ...

    @property
    def essential(self) -> frozenset[str]:
        """Those of them that change what the answer means."""
        ...


class Losses:
    """What of a request the target's format cannot say. Names are the vocabulary's words; `Format.names` has the
    caller's own."""

    __slots__ = ("added", "dropped", "names", "target")

    def __init__(self, target: str, names: Mapping[str, str]) -> None:
        """`target` names the backend for people; `names` are the words of the format that the caller spoke."""
        self.target = target
        self.names = names
        self.dropped: list[str] = []
        self.added: list[str] = []

    def add(self, what: str) -> None:
        """Put in what the target cannot do without; the caller is warned in these words."""
        if what not in self.added:
            self.added.append(what)

    def drop(self, word: str) -> None:
        """Leave out what does not change the answer's meaning; the caller is warned once, by name."""
        name = self.names.get(word, word)
        if name not in self.dropped:
            self.dropped.append(name)

    def refuse(self, word: str, why: str | None = None) -> Unsupported:
        """Return the refusal of what changes the answer's meaning; raise it."""
        name = self.names.get(word, word)
        return Unsupported(self.target, name, f"'{name}' {why}." if why else None)

    def foreign(self, asked: "Extended") -> None:
        """Drop the caller's parameters that have no word in the vocabulary. Raises Unsupported for essential ones."""
        for name in asked.extra:
            if name in asked.essential:
                raise self.refuse(name)
            self.drop(name)


class Heading(Struct, frozen=True):
    """How the gateway heads its own answer in place of the vendor's."""

    id: str  # of the call, without a prefix: the format puts its own before it, such as `chatcmpl-`
    model: str  # as the caller called it
    created_s: int


class Inlined(Struct, frozen=True):
    """A file that was fetched, to be put into a request."""

    media_type: str
    body: bytes


class StreamReader(Protocol):
    """Reads one streamed reply: bytes as they arrive, cut anywhere."""

    usage: ReportedUsage | None  # the last that was reported

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that are whole by now. Raises UpstreamFailed for what is no stream of this format."""
        ...

    def close(self) -> list[Event]:
        """Return the rest. Over its whole life a reader gives one Start first and one Finish or Failure last."""
        ...


class StreamWriter(Protocol):
    """Writes one streamed reply."""

    def write(self, event: Event) -> bytes:
        """Return the event's bytes, which may be none. Finish must come with usage; it ends the stream."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit end of a stream that cannot be whole."""
        ...


class Forwarding(Protocol):
    """What the same-format lane may edit in the bytes of a format; all else stays as it is."""

    def forward_chat(self, members: Members, *, model: str, output_cap: int | None) -> bytes:
        """Return a request's body under the vendor's name of the model; a given output cap replaces the caller's."""
        ...

    def rename_model(self, data: bytes, model: str) -> bytes:
        """Return a whole reply, or the data of a stream's frame, with the model called as the caller called it."""
        ...


class Format(Protocol):
    """One wire format."""

    @property
    def name(self) -> str: ...

    @property
    def names(self) -> Mapping[str, str]:
        """The format's own names of the vocabulary's words, where they differ: word -> name."""
        ...

    @property
    def stream_type(self) -> str:
        """The content type of its streams."""
        ...

    def must_inline(self, kind: str, url: str) -> bool:
        """Say whether its vendor does not fetch what lies at an address, so that it must be put into the request.
        Kinds are image, audio, video and file."""
        ...

    @property
    def begins_once(self) -> bool:
        """Whether its clients take a second beginning of a stream for an error."""
        ...

    @property
    def needs_cap(self) -> bool:
        """Whether a request must name the most output tokens, so that the gateway names the model's own maximum."""
        ...

    def must_stream(self, model: str) -> bool:
        """Say whether its vendor answers for this model only in streams; the gateway then adds them up."""
        ...

    def forwards(self, members: Members, said: Set[str]) -> bool:
        """Say whether a request in this format may go to its vendor byte for byte; otherwise it is converted. `said`
        are the words that its reader noted: roles, types of parts, names of members."""
        ...

    def path(self, model: str, *, stream: bool) -> str:
        """Return the path of a chat request below a vendor's base URL, as the vendor's SDK takes that URL."""
        ...

    def headers(self, *, stream: bool) -> Mapping[str, str]:
        """Return the headers, besides credentials, that a request needs."""
        ...

    def write_chat(self, chat: Chat, losses: Losses) -> bytes:
        """Return the body of a request for `chat.model`. Raises Unsupported."""
        ...

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamFailed when it is not one."""
        ...

    def write_reply(self, reply: Reply, heading: Heading, chat: Chat) -> bytes:
        """Return a whole reply to `chat`; `reply.usage` is always there."""
        ...

    def stream_reader(self) -> StreamReader: ...

    def stream_writer(self, heading: Heading, chat: Chat) -> StreamWriter: ...

    def write_error(self, error: GatewayError, request_id: str) -> bytes:
        """Return the body of an error, in the shape that the vendor's SDK parses."""
        ...
