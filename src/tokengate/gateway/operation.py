"""What the pipeline must know of one public operation: how its bytes are read, and which format its callers speak.

Operations differ only in this; admission, money and failover are the same for all.
"""

from collections.abc import Callable

from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.splice import Members
from tokengate.core.vectors import EmbeddingFormat
from tokengate.core.wire import Format, Forwarding


class Asked(Struct, frozen=True):
    """What a request asks for, as far as routing and money care."""

    members: Members  # the body, ready to be edited
    model: str
    stream: bool
    include_usage: bool
    output_cap: int | None  # per choice, in tokens
    prompts: int  # texts that are read on their own, each with the model's whole context
    choices: int  # in the reply
    generated: int  # outputs that are written and paid for: more than `choices` with best_of
    prompt_bound: int  # safe upper bound, in tokens
    thinking: bool | None = None
    chat: Chat | None = None  # the request in the vocabulary, when it was read that far already


class Operation(Struct, frozen=True, eq=False):
    """One operation, such as chat completions."""

    name: str
    path: str  # at the backend, below its base URL
    kinds: frozenset[str]  # the kinds of model that it serves
    read: Callable[[bytes], Asked]
    chat_names: bool  # a provider's own names for chat parameters hold here too
    prompt_estimate: Callable[[bytes], int]  # tokens, of a request that is no chat
    speaks: str = "openai"  # the name of the wire format
    format: Format | None = None  # of a chat: what writes the answers of backends that speak another format
    read_chat: Callable[[bytes], Chat] | None = None  # reads the request into the vocabulary
    forwarding: Forwarding | None = None  # edits of the same-format lane; OpenAI's has its own (lane.py)
    is_foreign: Callable[[Chat], bool] | None = None  # whether only conversion can leave out what other vendors said
    embedding: EmbeddingFormat | None = None  # of embeddings: reads and writes for backends of other formats
    stream_type: str = "text/event-stream; charset=utf-8"
    id_header: str = ""  # where the format's SDKs look for a call's id, beside our own header
