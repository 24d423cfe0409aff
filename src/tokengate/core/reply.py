"""An answer in words of no vendor, whole or as events; the two say the same.

A reader of a stream gives events, a reader of a whole reply a `Reply`; `core/fold.py` turns one into the other.
"""

from enum import StrEnum
from typing import Final, Literal

from msgspec import Raw, Struct

from tokengate.core.parts import NO_EXTRA, Audio, Citation, Extra, Image, Opaque, Part
from tokengate.core.usage import ReportedUsage

REPLY: Final = -1  # the place of what is said beside all choices


class FinishReason(StrEnum):
    """Why a model stopped."""

    STOP = "stop"  # it was done, or a stop sequence matched
    LENGTH = "length"  # the output cap or the context was reached
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"  # the vendor withheld the answer, or the model refused
    PAUSE = "pause"  # a long built-in tool's turn, to be continued by sending it back
    ERROR = "error"  # the vendor gave up


class TopLogprob(Struct, frozen=True):
    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TokenLogprob(Struct, frozen=True):
    """One token of the answer, and the likeliest in its place. `refusal` tokens belong to a refusal."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top: tuple[TopLogprob, ...] = ()
    refusal: bool = False


class Choice(Struct, frozen=True, kw_only=True):
    """One answer. `native` is the vendor's own word for the reason; `stop_sequence` the one that matched."""

    index: int = 0
    parts: tuple[Part, ...] = ()
    finish: FinishReason | None = None
    native: str = ""
    stop_sequence: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    extra: Extra = NO_EXTRA


class SearchResult(Struct, frozen=True):
    """A page that the vendor's web search found."""

    url: str
    title: str = ""
    site: str = ""
    icon: str = ""
    index: int = 0


class Reply(Struct, frozen=True, kw_only=True):
    """A whole answer. `id`, `model` and `created_s` are the vendor's; empty or 0 when it does not say."""

    id: str = ""
    model: str = ""
    created_s: int = 0
    choices: tuple[Choice, ...] = ()
    usage: ReportedUsage | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    searches: tuple[SearchResult, ...] = ()
    format: str = ""  # whose `extra` this is
    extra: Extra = NO_EXTRA


class Start(Struct, frozen=True, kw_only=True, tag="start"):
    """The stream's first event."""

    id: str = ""
    model: str = ""
    created_s: int = 0
    service_tier: str | None = None
    system_fingerprint: str | None = None


class TextDelta(Struct, frozen=True, tag="text"):
    """A piece of text. The first of its block has the part's `phase` and `apart`."""

    choice: int
    block: int
    text: str
    phase: str = ""
    apart: bool = False


class RefusalDelta(Struct, frozen=True, tag="refusal"):
    choice: int
    block: int
    text: str


class ThinkingDelta(Struct, frozen=True, tag="thinking"):
    """A piece of thinking; `summary` as in the part."""

    choice: int
    block: int
    text: str
    summary: bool = False


class ThinkingSignature(Struct, frozen=True, tag="thinking_signature"):
    """The proof of the thinking in this block, or, `redacted`, the sealed whole of it."""

    choice: int
    block: int
    signature: str
    format: str
    redacted: bool = False
    id: str = ""


class ToolStart(Struct, frozen=True, tag="tool_start"):
    """A tool call begins; its arguments follow."""

    choice: int
    block: int
    id: str
    name: str
    signature: str = ""
    custom: bool = False


class ToolDelta(Struct, frozen=True, tag="tool"):
    choice: int
    block: int
    arguments: str


class ServerTool(Struct, frozen=True, tag="server_tool"):
    """A block that only its own format understands, whole."""

    choice: int
    block: int
    part: Opaque


class Step(Struct, frozen=True, tag="step"):
    """An event that only its own format understands, and that adds nothing to the whole reply: what a vendor's own tool
    is doing before its block is whole, or what nobody knows yet. `kind` is the event's type, `raw` all of it. What is
    said of no block has REPLY there."""

    choice: int
    block: int
    format: str
    kind: str
    raw: Raw


class CitationAdded(Struct, frozen=True, tag="citation"):
    """A source of the text in this block."""

    choice: int
    block: int
    citation: Citation


class LogprobsAdded(Struct, frozen=True, tag="logprobs"):
    choice: int
    block: int
    logprobs: tuple[TokenLogprob, ...]


class Media(Struct, frozen=True, tag="media"):
    """A picture, whole, or a piece of sound, whose sources are joined in order."""

    choice: int
    block: int
    part: Image | Audio


class BlockEnd(Struct, frozen=True, tag="block_end"):
    """Nothing more will be said in this block."""

    choice: int
    block: int


class Beside(Struct, frozen=True, tag="beside"):
    """Members without a word here, which only writers of their own format pass on: of a choice, as in its `extra`, or
    (`choice` is REPLY) of the whole reply. With a `block` they are of that text, refusal, thinking or tool call, and
    those that it begins with come before its start. Later ones of a name replace earlier ones."""

    choice: int
    format: str
    members: Extra
    block: int = REPLY


class Stop(Struct, frozen=True, tag="stop"):
    """A choice is whole."""

    choice: int
    finish: FinishReason
    native: str = ""
    stop_sequence: str | None = None


class Finish(Struct, frozen=True, tag="finish"):
    """The stream is whole: its last event."""

    usage: ReportedUsage | None = None
    searches: tuple[SearchResult, ...] = ()


class Failure(Struct, frozen=True, tag="failure"):
    """The vendor's own error inside the stream, or (`kind` cut) the stream's end before it was whole: its last
    event. `raw` is the vendor's error as a JSON value, for its provider to read."""

    kind: Literal["error", "cut"]
    message: str
    raw: Raw | None = None


Event = (
    Start
    | TextDelta
    | RefusalDelta
    | ThinkingDelta
    | ThinkingSignature
    | ToolStart
    | ToolDelta
    | ServerTool
    | Step
    | CitationAdded
    | LogprobsAdded
    | Media
    | BlockEnd
    | Beside
    | Stop
    | Finish
    | Failure
)
