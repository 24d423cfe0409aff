"""A vendor that speaks OpenAI's format: what a request carries, and what its refusals mean."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.images import NO_IMAGES, ImageFormats
from tokengate.core.jobs import NO_JOBS, JobFormats
from tokengate.core.ranking import RerankFormat
from tokengate.core.speech import SpeechFormat
from tokengate.core.transcription import TranscriptionFormat
from tokengate.core.vectors import EmbeddingFormat
from tokengate.core.wire import Format
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.openai.vectors import OPENAI_EMBEDDINGS
from tokengate.providers.error_body import VendorError, kept_body, read_error, retry_after_s, word

# The caller's own request is at fault: the same status goes back to them.
_PASSED_ON: Final = frozenset({400, 404, 413, 415, 422})

# Anthropic's status for an overloaded API.
_OVERLOADED: Final = 529

# Codes of errors inside a status 200 or a stream, where the status that belongs to them is not said. Numbers are some
# vendors' codes. https://platform.openai.com/docs/api-reference/responses/object, 2026-11
_STATUS_OF_CODE: Final = {
    **{str(status): status for status in (400, 401, 402, 403, 404, 413, 415, 422, 429, 500, 502, 503, 504)},
    **dict.fromkeys(
        (
            "bio_policy",
            "content_filter",
            "content_policy_violation",
            "context_length_exceeded",
            "cyber_policy",
            "empty_image_file",
            "failed_to_download_image",
            "image_content_policy_violation",
            "image_file_not_found",
            "image_file_too_large",
            "image_parse_error",
            "image_too_large",
            "image_too_small",
            "invalid_base64_image",
            "invalid_encrypted_content",
            "invalid_image",
            "invalid_image_format",
            "invalid_image_mode",
            "invalid_image_url",
            "invalid_prompt",
            "misalignment_policy_violation",
            "moderation_blocked",
            "unsupported_image_media_type",
        ),
        400,
    ),
    "invalid_api_key": 401,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "server_is_overloaded": _OVERLOADED,
    "slow_down": _OVERLOADED,
    "vector_store_timeout": 504,
}

# And of their types, where the code says nothing. https://platform.openai.com/docs/guides/error-codes, 2026-11
_STATUS_OF_TYPE: Final = {
    "authentication_error": 401,
    "insufficient_quota": 429,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": _OVERLOADED,
    "permission_error": 403,
    "rate_limit_error": 429,
    "requests": 429,
    "timeout_error": 504,
    "tokens": 429,
}

# Some vendors' edge refuses requests that do not say who asks.
_USER_AGENT: Final = "tokengate"

_ACT: Final = "The operator of this gateway has to act."


class OpenAICompatible(Struct, frozen=True, kw_only=True):
    """Implements `Provider`. A vendor's file makes one, or a subclass of one where the vendor differs."""

    name: str
    title: str = "The upstream"
    base_url: str = ""
    key_env: str = ""
    vendors: tuple[str, ...] = ()
    spoken: tuple[Format, ...] = (OPENAI_CHAT,)  # the one that says most comes first
    embedding: EmbeddingFormat | None = OPENAI_EMBEDDINGS
    rerank: RerankFormat | None = None
    moderates: bool = False
    images: ImageFormats = NO_IMAGES
    drawn: tuple[Format, ...] = ()  # how its models that make pictures answer chats
    speech: SpeechFormat | None = None
    jobs: JobFormats = NO_JOBS
    transcription: TranscriptionFormat | None = None
    on_abort: Literal["cancel", "drain"] = "cancel"
    usage_on_request: bool = True
    reasoning_outside: bool = False
    twins: bool = False
    output_cap_name: str = "max_tokens"
    renames: Mapping[str, str] = {}
    drops: frozenset[str] = frozenset()
    auth_codes: frozenset[str] = frozenset({"invalid_api_key"})
    quota_codes: frozenset[str] = frozenset({"insufficient_quota", "billing_not_active"})

    @property
    def formats(self) -> Mapping[str, Format]:
        """Return the formats by name."""
        return {one.name: one for one in self.spoken}

    @property
    def drawing(self) -> Mapping[str, Format]:
        """Return the formats of chats with models that make pictures."""
        return {one.name: one for one in self.drawn}

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
        """Return a POST, or a GET when there is no body."""
        sent = {"user-agent": _USER_AGENT}
        if body:
            sent["content-type"] = "application/json"
        if credential:
            sent["authorization"] = f"Bearer {credential}"
        if headers:
            sent.update((name.lower(), value) for name, value in headers.items())
        return HttpRequest("POST" if body else "GET", base_url.rstrip("/") + path, sent, body, timeouts)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, *, credential: str = "") -> UpstreamFailed:
        """Return what an error status means. The vendor's refusal of our own credential or account is not the
        caller's fault, so they get a sentence of ours; everything else is in the vendor's words."""
        error = read_error(body, credential)
        wait_s = self.wait_s(headers, body)
        kind = self.kind_of(status, error, wait_s)
        message = error.message or f"{self.title} answered {status} without an explanation."
        ours, kind_of_error, code = 502, error.type, error.code
        match kind:
            case "auth":
                message = f"{self.title} refused the gateway's own credential; your API key is fine. {_ACT}"
                kind_of_error, code = None, "upstream_auth"
            case "quota":
                message = f"The gateway's own account at {self.title} is used up; your balance is fine. {_ACT}"
                ours, kind_of_error, code = 503, None, "upstream_quota"
            case "limited":
                ours = 429 if status == 429 else 503
                kind_of_error, code = error.type or "rate_limit_error", error.code or "rate_limit_exceeded"
            case "request":
                ours, kind_of_error = status, error.type or "invalid_request_error"
            case _:
                pass
        return UpstreamFailed(
            message,
            kind=kind,
            status=ours,
            upstream_status=status,
            upstream_request_id=word(headers.get("x-request-id") or headers.get("request-id"), credential)
            or error.request_id,
            body=kept_body(body, credential),
            retry_after_s=wait_s,
            type=kind_of_error,
            code=code,
            param=error.param,
        )

    def failure_inside(self, headers: Mapping[str, str], body: bytes, *, credential: str = "") -> UpstreamFailed | None:
        """Return the error object that came with status 200, as if it had come with the status it should have."""
        error = read_error(body, credential)
        if not error.found:
            return None
        return self.failure(self.status_of(error), headers, body, credential=credential)

    def kind_of(self, status: int, error: VendorError, wait_s: float | None) -> str:
        """Return whose matter it is: request (the caller's), auth or quota (the operator's), limited (too much at
        once), or status (the vendor's)."""
        if status == 402 or error.code in self.quota_codes or error.type in self.quota_codes:
            return "quota"
        if status in (401, 403) or error.code in self.auth_codes:
            return "auth"
        if status in (429, _OVERLOADED) or (status == 503 and wait_s is not None):
            return "limited"
        if status == 404 and not error.found:
            return "status"  # not the API's own answer: the address is wrong
        return "request" if status in _PASSED_ON else "status"

    def status_of(self, error: VendorError) -> int:
        """Return the status that an error inside a status 200 should have had."""
        return _STATUS_OF_CODE.get(error.code or "") or _STATUS_OF_TYPE.get(error.type or "", 500)

    def wait_s(self, headers: Mapping[str, str], body: bytes) -> float | None:
        """Return how long the vendor asks to wait."""
        return retry_after_s(headers)
