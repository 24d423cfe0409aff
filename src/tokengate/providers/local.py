"""The engines in this process: they speak OpenAI's format, and always end a stream with usage."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(name="local", title="The local model", usage_on_request=False)
