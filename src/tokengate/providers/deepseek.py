"""DeepSeek."""

from tokengate.core.reply import FinishReason
from tokengate.formats.openai.dialect import ENGINE_PARAMETERS
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

# https://api-docs.deepseek.com/api/create-chat-completion, 2026-11
_CHAT = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "n",
            "top_k",
            "min_p",
            "top_a",
            "repetition_penalty",
            "seed",
            "logit_bias",
            "json_schema",
            "parallel_tool_calls",
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
        }
    ),
    max_stops=16,
    stop_tokens=None,
    text_lists=False,
    media=frozenset(),
    reasoning="thinking",
    efforts=frozenset({"low", "medium", "high", "xhigh", "max"}),  # the first two count as high, xhigh as max
    search=None,
    cache_marks=False,
    # While it thinks, every turn of the assistant after a tool call must bring its thinking along, or the call is a
    # 400; an empty one counts as none, a blank does not.
    # https://api-docs.deepseek.com/guides/thinking_mode and
    # https://github.com/NousResearch/hermes-agent/pull/17341, 2026-11
    no_thought=" ",
    tool_signatures=False,
    finish_reasons={"insufficient_system_resource": FinishReason.ERROR},
)

PROVIDER = OpenAICompatible(
    name="deepseek",
    title="DeepSeek",
    base_url="https://api.deepseek.com/v1",
    key_env="DEEPSEEK_API_KEY",
    vendors=("deepseek",),
    spoken=(_CHAT,),
    renames={"max_tokens": "max_completion_tokens"},  # which it does not know
)
