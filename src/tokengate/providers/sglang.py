"""SGLang, on the operator's own machines."""

from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

# python/sglang/srt/entrypoints/openai/protocol.py, 2026-11
_CHAT = OpenAIChat(
    lacks=frozenset(
        {
            "top_a",
            "budget",
            "service_tier",
            "metadata",
            "verbosity",
            "modalities",
            "audio_out",
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

PROVIDER = OpenAICompatible(name="sglang", title="SGLang", spoken=(_CHAT,))
