"""Anthropic, through its OpenAI-compatible endpoint."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="anthropic",
    title="Anthropic",
    base_url="https://api.anthropic.com/v1",
    key_env="ANTHROPIC_API_KEY",
    vendors=("anthropic",),
    quota_codes=frozenset({"billing_error"}),
)
