"""Google Gemini, through its OpenAI-compatible endpoint."""

import re
from collections.abc import Mapping
from typing import Final

from tokengate.providers.compatible import OpenAICompatible
from tokengate.providers.error_body import VendorError, retry_after_s

_RETRY_DELAY: Final = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,4}(?:\.\d{1,9})?)s"')


class Google(OpenAICompatible, frozen=True, kw_only=True):
    """Says in its own ways that a key is wrong and how long to wait."""

    def kind_of(self, status: int, error: VendorError, wait_s: float | None) -> str:
        """Return whose matter it is; a wrong key is a 400 here."""
        if status == 400 and error.message.lower().startswith("api key"):
            return "auth"
        return super().kind_of(status, error, wait_s)

    def wait_s(self, headers: Mapping[str, str], body: bytes) -> float | None:
        """Return how long the vendor asks to wait, which is in a detail of the body: RetryInfo.retryDelay."""
        asked = retry_after_s(headers)
        if asked is not None:
            return asked
        delay = _RETRY_DELAY.search(body)
        return float(delay[1]) if delay else None


PROVIDER = Google(
    name="google",
    title="Google",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    key_env="GEMINI_API_KEY",
    vendors=("google",),
)
