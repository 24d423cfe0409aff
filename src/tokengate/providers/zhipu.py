"""Zhipu GLM."""

from tokengate.core.reply import FinishReason
from tokengate.formats.openai.dialect import ENGINE_PARAMETERS, Range
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible

# https://docs.bigmodel.cn/api-reference/模型-api/对话补全, 2026-11
_CHAT = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "n",
            "top_k",
            "min_p",
            "top_a",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "seed",
            "logit_bias",
            "logprobs",
            "json_schema",
            "parallel_tool_calls",
            "effort",  # from GLM-5.2 on
            "user",  # its user_id has 6 to 128 characters
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
    ranges={"temperature": Range(0, 1), "top_p": Range(0.01, 1)},
    max_stops=1,
    stop_tokens=None,
    media=frozenset({"image", "video"}),
    tool_choice=frozenset({"auto"}),
    reasoning="thinking",
    search=None,
    cache_marks=False,
    tool_signatures=False,
    finish_reasons={
        "sensitive": FinishReason.CONTENT_FILTER,
        "network_error": FinishReason.ERROR,
        "model_context_window_exceeded": FinishReason.LENGTH,
    },
)

PROVIDER = OpenAICompatible(
    name="zhipu",
    title="Zhipu",
    base_url="https://open.bigmodel.cn/api/paas/v4",
    key_env="ZHIPU_API_KEY",
    vendors=("zhipu",),
    spoken=(_CHAT,),
    renames={"max_tokens": "max_completion_tokens"},  # which it does not know
    # Numbers as text: 1000 to 1004 refuse the key; 1110 to 1121 are the account's state, among them 1113, arrears;
    # 1308 to 1310 end a plan. They come with status 401 and 429. https://docs.bigmodel.cn/cn/faq/api-code, 2026-11
    auth_codes=frozenset(str(code) for code in range(1000, 1005)),
    quota_codes=frozenset(str(code) for code in (*range(1110, 1122), 1308, 1309, 1310)),
)
