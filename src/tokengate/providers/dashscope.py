"""Alibaba DashScope (Bailian), in its compatible mode."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="dashscope",
    title="DashScope",
    base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
    key_env="DASHSCOPE_API_KEY",
    vendors=("qwen",),
    # Not insufficient_quota: here it is status 429 for too many tokens a minute, and over within a minute.
    # https://help.aliyun.com/en/model-studio/rate-limiting-best-practices, 2026-11
    quota_codes=frozenset({"Arrearage", "AllocationQuota.FreeTierOnly"}),
)
