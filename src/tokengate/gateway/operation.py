"""What the pipeline must know of one public operation: how its bytes are read, and which format its callers speak.

Operations differ only in this; admission, money and failover are the same for all.
"""

from collections.abc import Awaitable, Callable, Set
from typing import TYPE_CHECKING

from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.images import Draw, ImageFormat
from tokengate.core.speech import Aloud
from tokengate.core.splice import Members
from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Format, Forwarding, Heading
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.media import Fetch
from tokengate.gateway.route import Target

if TYPE_CHECKING:
    from tokengate.gateway.call import Call
    from tokengate.gateway.count import Used

PutId = Callable[[bytes, Heading], bytes]
Way = Callable[["Call", bytes, Fetch], Awaitable[Adapter]]  # raises Unsupported, BadRequest
# By the request's body, what the vendor reported, and about how many tokens were written.
Uses = Callable[["Call", bytes, ReportedUsage | None, int], "Used"]


class Asked(Struct, frozen=True, kw_only=True):
    """What a request asks for, as far as routing and money care."""

    members: Members  # the body, ready to be edited
    model: str
    stream: bool = False
    include_usage: bool = False
    output_cap: int | None = None  # per choice, in tokens
    prompts: int  # texts that are read on their own, each with the model's whole context
    choices: int = 1  # in the reply
    generated: int = 1  # outputs that are written and paid for: more than `choices` with best_of
    prompt_bound: int  # safe upper bound, in tokens, of all but pictures
    pictures: int = 0  # in the prompt, frames of videos too; their bound is the model's
    thinking: bool | None = None
    searches: int = 0  # at most, where a vendor counts searches: Cohere does for rerank
    characters: int = 0  # of a text to be spoken, where a vendor counts them; some count Han characters twice
    han: int = 0
    seconds: int = 0  # of a recording to be heard, at most
    said: Set[str] = frozenset()  # of a chat in OpenAI's format: what `ChatRequest` notes of its messages
    images: int = 0  # pictures to be made; `output_cap` is then a bound of one picture's tokens
    size: str | None = None  # of the pictures, and their quality: what a price may ask about
    quality: str | None = None
    draw: Draw | None = None  # the request for pictures in the vocabulary
    aloud: Aloud | None = None  # likewise, for speech: its replies are sound, of the type that the vendor says
    chat: Chat | None = None  # the request in the vocabulary, when it was read that far already
    to_chat: Callable[[], Chat] | None = None  # else what reads on from there; raises BadRequest
    earlier_bytes: int = 0  # of the conversation that is not in the body but stored here


class Operation(Struct, frozen=True, eq=False):
    """One operation, such as chat completions."""

    name: str
    path: str  # at the backend, below its base URL
    kinds: frozenset[str]  # the kinds of model that it serves
    read: Callable[[bytes], Asked]
    chat_names: bool  # a provider's own names for chat parameters hold here too
    prompt_estimate: Callable[[bytes], int]  # tokens, of a request that is no chat
    speaks: str = "openai"  # the name of the wire format
    drawing_kinds: frozenset[str] = frozenset()  # served too, but only by backends that draw in chats
    format: Format | None = None  # of a chat: what writes the answers of backends that speak another format
    read_chat: Callable[[bytes], Chat] | None = None  # reads the request into the vocabulary
    forwarding: Forwarding | None = None  # edits of the same-format lane; OpenAI's has its own (lane.py)
    replies_alike: bool = False  # replies of its backends are the caller's as they come, however it was asked
    is_foreign: Callable[[Chat], bool] | None = None  # whether only conversion can leave out what other vendors said
    put_id: PutId | None = None  # puts the call's id into forwarded replies that carry one
    portable: Callable[[Chat], Chat] | None = None  # the chat as formats that lack this one's own can say it
    images: ImageFormat | None = None  # of pictures: what reads the requests and writes the answers
    way: Callable[[Target], Way | None] | None = None  # of what is no chat: how a backend is asked; None when it is not
    instead: str | None = None  # the path at which every chat model can be asked for the like of it
    uses: Uses | None = None  # what a call of it comes to, where tokens of texts do not tell
    stream_type: str = "text/event-stream; charset=utf-8"
    id_header: str = ""  # where the format's SDKs look for a call's id, beside our own header
