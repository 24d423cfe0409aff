"""DeepSeek."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="deepseek",
    title="DeepSeek",
    base_url="https://api.deepseek.com/v1",
    key_env="DEEPSEEK_API_KEY",
    vendors=("deepseek",),
)
