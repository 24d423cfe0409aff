"""xAI."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="xai",
    title="xAI",
    base_url="https://api.x.ai/v1",
    key_env="XAI_API_KEY",
    vendors=("xai",),
)
