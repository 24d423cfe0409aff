"""What the gateway asks of a vendor's adapter. It never waits, reads no clock, and sends nothing."""

from collections.abc import Mapping
from typing import Literal, Protocol

from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.images import ImageFormats
from tokengate.core.jobs import JobFormats
from tokengate.core.ranking import RerankFormat
from tokengate.core.speech import SpeechFormat
from tokengate.core.transcription import TranscriptionFormat
from tokengate.core.vectors import EmbeddingFormat
from tokengate.core.wire import Format


class Provider(Protocol):
    """A vendor. `vendors` are the catalogue's names for whose models it serves."""

    @property
    def name(self) -> str: ...

    @property
    def base_url(self) -> str:
        """Where the vendor's API is; empty when only the operator knows."""
        ...

    @property
    def key_env(self) -> str:
        """The environment variable that turns the vendor on; empty for none."""
        ...

    @property
    def vendors(self) -> tuple[str, ...]: ...

    @property
    def formats(self) -> Mapping[str, Format]:
        """Wire formats that its endpoints speak, with its quirks, by name; the one that says most comes first."""
        ...

    @property
    def embedding(self) -> EmbeddingFormat | None:
        """How it is asked for embeddings; None when it has none."""
        ...

    @property
    def rerank(self) -> RerankFormat | None:
        """How it is asked to rank documents; None when it does not."""
        ...

    @property
    def moderates(self) -> bool:
        """Whether it has OpenAI's moderation."""
        ...

    @property
    def images(self) -> ImageFormats:
        """How it is asked for pictures, for each task that it takes."""
        ...

    @property
    def drawing(self) -> Mapping[str, Format]:
        """Wire formats in which its models that make pictures answer chats, as `formats`; empty when they do not."""
        ...

    @property
    def speech(self) -> SpeechFormat | None:
        """How it is asked to read a text aloud; None when it does not."""
        ...

    @property
    def jobs(self) -> JobFormats:
        """How it is asked for what takes long, for each kind of job that it takes."""
        ...

    @property
    def transcription(self) -> TranscriptionFormat | None:
        """How it is asked to write down what was said; None when it does not."""
        ...

    @property
    def on_abort(self) -> Literal["cancel", "drain"]:
        """What to do with its reply when the caller leaves."""
        ...

    @property
    def usage_on_request(self) -> bool:
        """Whether a stream ends with usage only when `stream_options.include_usage` asks for it."""
        ...

    @property
    def reasoning_outside(self) -> bool:
        """Whether its `completion_tokens` leave out the reasoning tokens."""
        ...

    @property
    def twins(self) -> bool:
        """Whether replies should carry reasoning under both of its names, `reasoning` and `reasoning_content`."""
        ...

    @property
    def output_cap_name(self) -> str:
        """Its name for the largest number of output tokens."""
        ...

    @property
    def renames(self) -> Mapping[str, str]:
        """Request parameters with another name there: theirs to the caller's."""
        ...

    @property
    def drops(self) -> frozenset[str]:
        """Request parameters that it refuses and that change nothing for the caller."""
        ...

    def request(
        self,
        path: str,
        body: bytes,
        *,
        credential: str,
        base_url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> HttpRequest:
        """Return the request for an endpoint path such as `/chat/completions`; `headers` are the operator's."""
        ...

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, *, credential: str = "") -> UpstreamFailed:
        """Return what a reply with an error status means to the caller, and to the breaker by its `kind`:
        request, auth, quota, limited, or status."""
        ...

    def failure_inside(self, headers: Mapping[str, str], body: bytes, *, credential: str = "") -> UpstreamFailed | None:
        """Return the error that came with status 200; None when the body is no error. Worth asking only about a
        body, or an event of a stream, in which the format's reader found nothing."""
        ...
