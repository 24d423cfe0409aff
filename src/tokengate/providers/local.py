"""The engines in this process: they speak OpenAI's format, and always end a stream with usage."""

from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

_CHAT = OpenAIChat(
    media=frozenset(), reasoning="enable_thinking", search=None, cache_marks=False, tool_signatures=False
)

PROVIDER = OpenAICompatible(name="local", title="The local model", spoken=(_CHAT,), usage_on_request=False)
