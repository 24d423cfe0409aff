"""What the pipeline must know of one public operation: how its bytes are read, before and after the backend.

Operations differ only in these functions; admission, money and failover are the same for all.
"""

from collections.abc import Callable

from msgspec import Struct

from tokengate.core.splice import Members


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


class Operation(Struct, frozen=True, eq=False):
    """One operation, such as chat completions."""

    name: str
    path: str  # at the backend, below its base URL
    kinds: frozenset[str]  # the kinds of model that it serves
    read: Callable[[bytes], Asked]
    chat_names: bool  # a provider's own names for chat parameters hold here too
    prompt_estimate: Callable[[bytes], int]  # tokens, for backends that never say
