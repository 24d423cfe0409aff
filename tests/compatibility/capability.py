"""What a capability is: how each format of callers says it, what must arrive at the vendor, and what must come back."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Raw, Struct, json

from tests.compatibility.clients import Ask
from tokengate.core.chat import Chat, Message
from tokengate.core.parts import Part, Text, ToolResult
from tokengate.core.reply import Choice, Reply

if TYPE_CHECKING:
    from tests.compatibility.vendors import Vendor

# Keys of `asks`.
OPENAI, RESPONSES, ANTHROPIC, GEMINI, DASHSCOPE = "openai", "responses", "anthropic", "gemini", "dashscope"

# A picture of one pixel, and pretended sound and document.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
PDF = "JVBERi0xLjQKJSVFT0YK"
# Where the test's own server has such files; `encoded` puts its address there.
IMAGE_URL, VIDEO_URL, PDF_URL = "$IMAGE", "$VIDEO", "$PDF"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


class Capability(Struct, frozen=True, kw_only=True):
    """One row of the matrix. A format that is not in `asks` has no words for it.

    `text` is what the user says, which makes a simulated vendor do something; `model` which of its models is asked;
    `results` makes a second round, with what the called functions gave back.
    """

    id: str
    title: tuple[str, str]  # in English and in Chinese
    group: str
    asks: Mapping[str, Ask]
    text: "Callable[[Vendor], str]" = lambda vendor: "Hello"
    model: str = "text"
    arrives: Callable[[Chat], bool] = lambda chat: True
    returns: Callable[[Reply], bool] = lambda reply: True
    results: Callable[[str], str] | None = None  # of a call's arguments
    slice: bool = False  # belongs to the quick part of the matrix


def says(reply: Reply, words: str) -> bool:
    """Say whether the text of the first choice has these words."""
    return words in text_of(reply)


def text_of(reply: Reply) -> str:
    """Return the text of the first choice."""
    return "".join(part.text for part in first(reply).parts if isinstance(part, Text))


def first(reply: Reply) -> Choice:
    return reply.choices[0]


def parts_of(chat: Chat, role: str = "user") -> Iterator[Part]:
    """Yield every part of the turns of a role, and what is in tool results."""
    for message in chat.messages:
        if message.role == role:
            for part in message.parts:
                yield part
                if isinstance(part, ToolResult):
                    yield from part.content


def user_texts(chat: Chat) -> list[str]:
    return [part.text for part in parts_of(chat) if isinstance(part, Text)]


def instructions(chat: Chat) -> str:
    """Return what the system, or the developer, says."""
    told = [message for message in chat.messages if message.role in ("system", "developer")]
    return "\n".join(part.text for message in told for part in message.parts if isinstance(part, Text))


def messages_of(chat: Chat, role: str) -> list[Message]:
    return [message for message in chat.messages if message.role == role]


def decoded(text: Raw | str | None) -> Any:
    """Return what a piece of JSON says; an empty object when there is none."""
    return {} if text is None else json.decode(text)
