"""SGLang, on the operator's own machines."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(name="sglang", title="SGLang")
