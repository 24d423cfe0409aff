"""OpenAI."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    vendors=("openai",),
    # gpt-5 and the reasoning models answer 400 to max_tokens; every chat model takes the newer name.
    # https://platform.openai.com/docs/api-reference/chat/create, 2026-11
    output_cap_name="max_completion_tokens",
    renames={"max_completion_tokens": "max_tokens"},
)
