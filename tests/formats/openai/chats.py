"""Requests for the tests of OpenAI's format: short ways to read one, and to see what is written for a vendor."""

import json
from typing import Any

from msgspec import Raw

from tokengate.core.chat import Chat
from tokengate.core.wire import Losses
from tokengate.formats.openai.chat_reader import read_chat
from tokengate.formats.openai.format import OPENAI_CHAT, OpenAIChat

HI: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]


def read(**members: Any) -> Chat:
    """Read a request with these members; its message is `hi` unless they say otherwise."""
    return read_chat(json.dumps({"model": "m", "messages": HI, **members}).encode())


def read_parts(*parts: Any) -> Any:
    """Read the parts of one message of the user."""
    return read(messages=[{"role": "user", "content": list(parts)}]).messages[0].parts


def loads(raw: Raw) -> Any:
    """Return the value of a piece of JSON."""
    return json.loads(bytes(raw))


def write(chat: Chat, dialect: OpenAIChat = OPENAI_CHAT) -> dict[str, Any]:
    """Return what is written for a vendor, who must lack nothing of it."""
    body, dropped = write_with_losses(chat, dialect)
    assert dropped == []
    return body


def write_with_losses(chat: Chat, dialect: OpenAIChat) -> tuple[dict[str, Any], list[str]]:
    """Return what is written for a vendor, and what was dropped under the caller's names."""
    losses = Losses("The vendor", OPENAI_CHAT.names)
    return json.loads(dialect.write_chat(chat, losses)), losses.dropped
