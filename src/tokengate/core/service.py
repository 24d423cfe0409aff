"""Operations of one question and one answer, neither of them a chat and neither streamed: the seam of their formats.

What is asked and answered is each operation's own (`vectors.py`, `ranking.py`); how bytes move is the same for all.
"""

from typing import Protocol, TypeVar

from msgspec import Struct

from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Heading, Losses


class Form(Struct, frozen=True):
    """A body that is not JSON, such as a form with files, and what it is."""

    body: bytes
    content_type: str


class Question(Struct, frozen=True, kw_only=True):
    """What every request says: the format in which it came, and the model, as the one who is asked knows it."""

    format: str
    model: str


class Answer(Struct, frozen=True, kw_only=True):
    """What every reply may say. `usage` is None when the backend never said."""

    usage: ReportedUsage | None = None


Asks = TypeVar("Asks", bound=Question)
Tells = TypeVar("Tells", bound=Answer)


class Service(Protocol[Asks, Tells]):
    """How one wire format asks and answers."""

    @property
    def name(self) -> str: ...

    def path(self, model: str) -> str:
        """Return the path below a vendor's base URL."""
        ...

    def read(self, body: bytes) -> Asks:
        """Read a client's request. Raises BadRequest."""
        ...

    def forwards(self, question: Asks) -> bool:
        """Say whether a request of this format can go to the vendor as the caller wrote it, and the vendor's reply to
        the caller as it came, but for the model's name."""
        ...

    def write(self, question: Asks, losses: Losses) -> bytes | Form:
        """Return the body of a request, JSON unless it is a form. Raises Unsupported."""
        ...

    def read_reply(self, body: bytes, question: Asks) -> Tells:
        """Read the reply to a request. Raises UpstreamFailed."""
        ...

    def write_reply(self, answer: Tells, heading: Heading, question: Asks) -> bytes:
        """Return the reply; `answer.usage` is always there."""
        ...
