"""DashScope's names of the vocabulary's words."""

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "cap": "parameters.max_tokens",
    "json": "parameters.response_format",
    "json_schema": "parameters.response_format",
    "effort": "parameters.reasoning_effort",
    "budget": "parameters.thinking_budget",
    "enabled": "parameters.enable_thinking",
    "reasoning": "parameters.enable_thinking",
    "search": "parameters.enable_search",
    "translation": "parameters.translation_options",
    "high_resolution_images": "parameters.vl_high_resolution_images",
    "stop_tokens": "parameters.stop",
    "built_in": "parameters.tools",
    "custom": "parameters.tools",
    "allowed_tools": "parameters.tool_choice",
    "thinking": "reasoning_content",
    "modalities": "parameters.modalities",
    "frames": "video",
    "partial": "input.messages.partial",
    "cache": "cache_control",
    **{
        name: f"parameters.{name}"
        for name in (
            "temperature",
            "top_p",
            "top_k",
            "presence_penalty",
            "repetition_penalty",
            "seed",
            "logit_bias",
            "n",
            "stop",
            "logprobs",
            "top_logprobs",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "search_options",
        )
    },
}
