"""vLLM, on the operator's own machines."""

from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

# vllm/entrypoints/openai/chat_completion/protocol.py, 2026-11. It accepts what it does not know, and leaves it out.
_CHAT = OpenAIChat(
    lacks=frozenset(
        {
            "top_a",
            "service_tier",
            "metadata",
            "verbosity",
            "image_out",
            "translation",
            "high_resolution_images",
            "pixels",
        }
    ),
    media=frozenset({"image", "audio", "video"}),
    reasoning="template",
    search=None,
    partial="continue_final_message",
    cache_marks=False,
    tool_signatures=False,
)

PROVIDER = OpenAICompatible(name="vllm", title="vLLM", spoken=(_CHAT,))
