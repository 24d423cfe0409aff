"""Alibaba DashScope (Bailian), in its compatible mode."""

from tokengate.formats.dashscope.models import must_stream
from tokengate.formats.openai.dialect import Range
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

# https://help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions, 2026-11
_CHAT = OpenAIChat(
    lacks=frozenset(
        {
            "min_p",
            "top_a",
            "frequency_penalty",
            "logit_bias",
            "user",
            "service_tier",
            "metadata",
            "verbosity",
            "image_out",
        }
    ),
    ranges={"temperature": Range(0, 2, open_high=True), "top_p": Range(0, 1, open_low=True)},
    stop_tokens="stop",
    media=frozenset({"image", "audio", "video", "frames"}),
    audio_urls="input_audio",
    reasoning="enable_thinking",
    search="enable_search",
    partial="partial",
    tool_signatures=False,
    stream_only=must_stream,
)

PROVIDER = OpenAICompatible(
    name="dashscope",
    title="DashScope",
    base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
    key_env="DASHSCOPE_API_KEY",
    vendors=("qwen",),
    spoken=(_CHAT,),
    renames={"max_tokens": "max_completion_tokens"},  # which it does not know
    # Not insufficient_quota: here it is status 429 for too many tokens a minute, and over within a minute.
    # https://help.aliyun.com/en/model-studio/rate-limiting-best-practices, 2026-11
    quota_codes=frozenset({"Arrearage", "AllocationQuota.FreeTierOnly"}),
)
