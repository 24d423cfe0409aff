"""Ollama, on the operator's own machines."""

from tokengate.formats.openai.dialect import ENGINE_PARAMETERS
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

# https://docs.ollama.com/api/openai-compatibility, 2026-11. It leaves out what it does not know without a word.
_CHAT = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "n",
            "top_k",
            "min_p",
            "top_a",
            "repetition_penalty",
            "logit_bias",
            "parallel_tool_calls",
            "strict",
            "user",
            "service_tier",
            "metadata",
            "verbosity",
            "modalities",
            "audio_out",
            "image_out",
            "canvas",
            "translation",
            "high_resolution_images",
            "pixels",
        }
    ),
    stop_tokens=None,
    media=frozenset({"image"}),
    inline_media=frozenset({"image"}),  # the address of a picture must be a data URL
    tool_choice=frozenset({"auto"}),
    search=None,
    cache_marks=False,
    thoughts="reasoning",
    tool_signatures=False,
)

PROVIDER = OpenAICompatible(
    name="ollama",
    title="Ollama",
    spoken=(_CHAT,),
    twins=True,  # it says `reasoning`, and most clients look for `reasoning_content`
    renames={"max_tokens": "max_completion_tokens"},  # which it does not know
)
