"""SGLang, on the operator's own machines."""

from tokengate.formats.openai.dialect import VLLM
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.openai.rerank import OpenAIRerank
from tokengate.providers.compatible import OpenAICompatible

# python/sglang/srt/entrypoints/openai/protocol.py, 2026-11
_CHAT = OpenAIChat(
    lacks=VLLM
    | frozenset(
        {
            "top_a",
            "budget",
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
    media=frozenset({"image", "audio", "video"}),
    system_first=True,  # the chat templates of Qwen3.5 and others fail on instructions that come later
    reasoning="template",
    search=None,
    partial="continue_final_message",
    cache_marks=False,
    tool_signatures=False,
)

# The same file: V1RerankReqInput, and a bare list of RerankResponse, whose score is called `score`.
_RERANK = OpenAIRerank(lacks=frozenset({"max_tokens_per_doc", "objects"}), own_replies=True)

PROVIDER = OpenAICompatible(name="sglang", title="SGLang", spoken=(_CHAT,), rerank=_RERANK)
