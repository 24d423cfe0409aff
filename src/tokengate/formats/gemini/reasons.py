"""Why a candidate ended, or a prompt was blocked, in Google's words and in ours."""

from typing import Final

from tokengate.core.reply import FinishReason

BLOCKED: Final = "BLOCKED_PROMPT:"  # before the reason for which a prompt was refused as a whole

_READ: Final = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.PAUSE,
} | dict.fromkeys(
    (
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
    ),
    FinishReason.CONTENT_FILTER,
)
_WRITTEN: Final = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.PAUSE: "STOP",
    FinishReason.ERROR: "OTHER",
}
_FAILED: Final = frozenset(
    {
        "FINISH_REASON_UNSPECIFIED",
        "IMAGE_OTHER",
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "NO_IMAGE",
        "OTHER",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)


def read_reason(word: str, *, called: bool) -> FinishReason:
    """Return why a candidate ended; `called` says whether it calls functions."""
    if word.startswith(BLOCKED):
        return FinishReason.CONTENT_FILTER
    reason = _READ.get(word, FinishReason.ERROR)
    return FinishReason.TOOL_CALLS if called and reason is FinishReason.STOP else reason


def write_reason(reason: FinishReason, native: str) -> str:
    """Return Google's word: the very one that the vendor used, when it is Google's and means the same."""
    if (native in _READ or native in _FAILED) and read_reason(
        native, called=reason is FinishReason.TOOL_CALLS
    ) is reason:
        return native
    return _WRITTEN[reason]


def blocked_reason(native: str) -> str | None:
    """Return why the prompt was blocked; None when it was not."""
    return native.removeprefix(BLOCKED) if native.startswith(BLOCKED) else None
