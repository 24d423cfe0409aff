"""Chat operations of formats other than OpenAI's, as the pipeline sees them."""

from collections.abc import Callable

from tokengate.core.chat import Chat
from tokengate.core.splice import read_members
from tokengate.core.wire import Format, Forwarding, Heading
from tokengate.gateway.asked import asked_of, prompt_estimate
from tokengate.gateway.operation import Asked, Operation

_CHAT = frozenset({"chat"})


def chat_operation(
    *,
    name: str,
    path: str,
    format: Format,
    read_chat: Callable[[bytes], Chat],
    forwarding: Forwarding | None = None,
    is_foreign: Callable[[Chat], bool] | None = None,
    put_id: Callable[[bytes, Heading], bytes] | None = None,
    id_header: str = "",
    replies_alike: bool = False,
    drawing_kinds: frozenset[str] = frozenset(),
) -> Operation:
    """Return a chat operation. `path` is what messages call it; without `forwarding`, or for a conversation that
    `is_foreign`, backends of the same format are spoken to through the vocabulary too. It is asked about the chat under
    the backend's name of the model.

    Where the model or the way of streaming is not in the body, a surface makes one operation per request:
    `msgspec.structs.replace(operation, read=chat_reader(read))` costs next to nothing.
    """
    return Operation(
        name=name,
        path=path,
        kinds=_CHAT,
        read=chat_reader(read_chat),
        chat_names=False,
        prompt_estimate=lambda body: prompt_estimate(read_chat(body)),
        speaks=format.name,
        format=format,
        read_chat=read_chat,
        forwarding=forwarding,
        is_foreign=is_foreign,
        put_id=put_id,
        stream_type=format.stream_type,
        id_header=id_header,
        replies_alike=replies_alike,
        drawing_kinds=drawing_kinds,
    )


def chat_reader(read_chat: Callable[[bytes], Chat]) -> Callable[[bytes], Asked]:
    """Return what reads a request so far as routing and money need it, and keeps it in the vocabulary."""

    def read(body: bytes) -> Asked:
        chat = read_chat(body)
        members = read_members(body)
        return asked_of(chat, members)

    return read
