"""xAI."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="xai",
    title="xAI",
    base_url="https://api.x.ai/v1",
    key_env="XAI_API_KEY",
    vendors=("xai",),
    reasoning_outside=True,  # 2026-11: completion_tokens count the visible answer only. https://docs.x.ai/docs/guides/reasoning
)
