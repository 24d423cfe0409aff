"""Google Gemini, in its own format."""

import re
from collections.abc import Mapping
from typing import Final

from tokengate.core.at_once import AtOnce
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.images import ImageFormats
from tokengate.formats.gemini.embeddings import GEMINI_EMBEDDINGS
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.gemini.images import GeminiImages
from tokengate.providers.compatible import OpenAICompatible
from tokengate.providers.error_body import VendorError, retry_after_s

_RETRY_DELAY: Final = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,4}(?:\.\d{1,9})?)s"')
# Ends of an address that an operator may have given it: the SDK's paths begin with the version.
_VERSION: Final = re.compile(r"/v1(?:beta)?(?:/openai)?$")


class Google(OpenAICompatible, frozen=True, kw_only=True):
    """Speaks generateContent, with the key in a header of its own."""

    def request(
        self,
        path: str,
        body: bytes,
        *,
        credential: str,
        base_url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> HttpRequest:
        """Return a POST, or a GET when there is no body. The address may end with the version or not."""
        own = {"x-goog-api-key": credential} if credential else {}
        base = _VERSION.sub("", base_url.rstrip("/"))
        return super().request(path, body, credential="", base_url=base, headers={**own, **headers}, timeouts=timeouts)

    def kind_of(self, status: int, error: VendorError, wait_s: float | None) -> str:
        """Return whose matter it is. A wrong key is a 400 here, and so is a project that may not do this: without
        billing, or from where the vendor does not serve."""
        if status == 400 and error.message.lower().startswith("api key"):
            return "auth"
        if status == 400 and error.type == "FAILED_PRECONDITION":
            return "status"
        return super().kind_of(status, error, wait_s)

    def wait_s(self, headers: Mapping[str, str], body: bytes) -> float | None:
        """Return how long the vendor asks to wait, which is in a detail of the body: RetryInfo.retryDelay."""
        asked = retry_after_s(headers)
        if asked is not None:
            return asked
        delay = _RETRY_DELAY.search(body)
        return float(delay[1]) if delay else None


_IMAGES: Final[ImageFormats] = {"generation": GeminiImages(task="generation"), "edit": GeminiImages(task="edit")}

PROVIDER = Google(
    name="google",
    title="Google",
    base_url="https://generativelanguage.googleapis.com",
    key_env="GEMINI_API_KEY",
    vendors=("google",),
    spoken=(GEMINI,),
    embedding=GEMINI_EMBEDDINGS,
    drawn=(GEMINI,),
    images=_IMAGES,
    jobs={"image": AtOnce(_IMAGES)},
)
