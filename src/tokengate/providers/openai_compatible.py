"""Any server that speaks OpenAI's format, at an address that the operator names."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(name="openai_compatible")
