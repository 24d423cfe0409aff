"""The response object: what a reply says around its output, most of it the request's own settings."""

from typing import Any

from msgspec import Raw, Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.reply import FinishReason
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.responses.types import NAME
from tokengate.formats.responses.usage import write_usage
from tokengate.formats.responses.write_chat import split_instructions, write_settings

Json = dict[str, Any]

_ECHOED = frozenset(
    {
        "max_tool_calls",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "tool_choice",
        "truncation",
    }
)

# What a failed reply's error may be called; clients that know no others would not read the event. Codex knows two that
# the SDK does not. openai-python 3.54, 2026-11.
_ERROR_CODES = frozenset(
    {
        "bio_policy",
        "context_length_exceeded",
        "data_residency_mismatch",
        "empty_image_file",
        "failed_to_download_image",
        "image_content_policy_violation",
        "image_file_not_found",
        "image_file_too_large",
        "image_parse_error",
        "image_too_large",
        "image_too_small",
        "insufficient_quota",
        "invalid_base64_image",
        "invalid_image",
        "invalid_image_format",
        "invalid_image_mode",
        "invalid_image_url",
        "invalid_prompt",
        "misalignment_policy_violation",
        "rate_limit_exceeded",
        "server_error",
        "unsupported_image_media_type",
        "vector_store_timeout",
    }
)


# Tiers of service by the API's names; other vendors have others, of which clients that check would not read the event.
_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})


class Keeping(Struct, frozen=True):
    """What a caller is told about what is kept of the call, and what they were told before it began."""

    store: bool = False
    previous_response_id: str | None = None
    background: bool = False
    told: int = 0  # events of the stream: the first of them was `response.created`


class Envelope:
    """The object without its output and state, made once for a reply."""

    def __init__(self, heading: Heading, chat: Chat, keeping: Keeping) -> None:
        instructions, _ = split_instructions(chat)
        self.service_tier: str | None = None  # the vendor's own, when it says
        self.beside: dict[str, Raw] = {}  # the vendor's members that nobody here knows
        self._members: Json = {
            "id": response_id(heading.id),
            "object": "response",
            "created_at": heading.created_s,
            "status": "in_progress",
            "background": keeping.background,
            "error": None,
            "incomplete_details": None,
            "instructions": instructions,
            "max_output_tokens": None,
            "max_tool_calls": None,
            "model": heading.model,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": keeping.previous_response_id,
            "prompt_cache_key": None,
            "safety_identifier": None,
            "service_tier": "auto",
            "store": keeping.store,
            "temperature": 1.0,
            "tool_choice": "auto",
            "top_logprobs": 0,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": None,
            "user": None,
            "metadata": {},
            # The caller gave these; whether they can be said to a vendor was found out before.
            **write_settings(chat, Losses(NAME, {})),
        }
        for name, value in chat.extra.items():
            if chat.format == NAME and name in _ECHOED:
                self._members[name] = value
        self._members.setdefault("tools", [])
        self._members["text"] = {"format": {"type": "text"}, **self._members.get("text", {})}
        self._members["reasoning"] = {"effort": None, "summary": None, **self._members.get("reasoning", {})}

    def begun(self) -> Json:
        """Return the object before there is any output."""
        return self._with_tier(self._members)

    def ended(self, output: list[Any], finish: FinishReason | None, native: str, usage: Usage | None) -> Json:
        """Return the object of a reply that came to its end."""
        ended: Json = {"status": status_of(finish), "output": output, "usage": write_usage(usage) if usage else None}
        match finish:
            case FinishReason.LENGTH:
                ended["incomplete_details"] = {"reason": "max_output_tokens"}
            case FinishReason.CONTENT_FILTER:
                ended["incomplete_details"] = {"reason": "content_filter"}
            case FinishReason.ERROR:
                ended["error"] = {"code": "server_error", "message": f"The model stopped with an error: {native}."}
            case _:
                pass
        return self._with_tier({**self._members, **ended})

    def failed(self, output: list[Any], error: GatewayError) -> Json:
        """Return the object of a reply that cannot be whole."""
        return self._with_tier({**self._members, "status": "failed", "output": output, "error": error_of(error)})

    def _with_tier(self, members: Json) -> Json:
        members = {**self.beside, **members}
        if self.service_tier is None:
            return members
        return {**members, "service_tier": self.service_tier if self.service_tier in _TIERS else "default"}


def error_of(error: GatewayError) -> Json:
    """Return the `error` of a response that failed."""
    return {
        "code": _code_of(error),
        "message": error.message,
        "param": error.param,
        "type": error.type,
    }


def _code_of(error: GatewayError) -> str:
    if error.code in _ERROR_CODES:
        return error.code
    if error.status in (402, 429):
        return "rate_limit_exceeded" if error.status == 429 else "insufficient_quota"
    return "invalid_prompt" if error.status < 500 else "server_error"


def response_id(call_id: str) -> str:
    """Return the id of the reply to a call."""
    return f"resp_{call_id}"


def status_of(finish: FinishReason | None) -> str:
    """Return the state of a reply, or of the item at which it stopped."""
    match finish:
        case FinishReason.LENGTH | FinishReason.CONTENT_FILTER:
            return "incomplete"
        case FinishReason.ERROR:
            return "failed"
        case FinishReason.STOP | FinishReason.TOOL_CALLS | FinishReason.PAUSE | None:
            return "completed"
