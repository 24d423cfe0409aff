"""OpenAI."""

from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.responses.format import RESPONSES
from tokengate.providers.compatible import OpenAICompatible

# https://platform.openai.com/docs/api-reference/chat/create, 2026-11
_CHAT = OpenAIChat(
    lacks=frozenset(
        {
            "top_k",
            "min_p",
            "top_a",
            "repetition_penalty",
            "translation",
            "high_resolution_images",
            "pixels",
            "image_out",
        }
    ),
    cap_name="max_completion_tokens",
    max_stops=4,
    stop_tokens=None,
    max_id=40,
    developer=True,
    media=frozenset({"image", "audio", "file"}),
    custom_tools=True,
    allowed_tools=True,
    cache_marks=False,
    thoughts=None,
    tool_signatures=False,
)

PROVIDER = OpenAICompatible(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    vendors=("openai",),
    spoken=(_CHAT, RESPONSES),
    # gpt-5 and the reasoning models answer 400 to max_tokens; every chat model takes the newer name.
    # https://platform.openai.com/docs/api-reference/chat/create, 2026-11
    output_cap_name="max_completion_tokens",
    renames={"max_completion_tokens": "max_tokens"},
)
