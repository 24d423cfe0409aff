"""Why a model stopped: OpenAI's words, and those that vendors of its format have beside them."""

from collections.abc import Mapping

from tokengate.core.reply import FinishReason

# None: it has not stopped yet.
_READ: Mapping[str, FinishReason | None] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,  # vLLM, OpenRouter
    "abort": FinishReason.ERROR,  # vLLM, SGLang
    "eos": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "null": None,  # DashScope, while it is still writing
    "": None,
}

_WRITTEN: Mapping[FinishReason, str] = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.PAUSE: "stop",  # `native_finish_reason` tells
    FinishReason.ERROR: "error",  # OpenRouter's word; OpenAI has none
}


def read_finish(word: object, words: Mapping[str, FinishReason | None], *, called: bool) -> FinishReason | None:
    """Return what a vendor's word means; None for not yet. `called`: tools were called.

    An unknown word is a stop. So is `stop` after tool calls only in OpenAI's forced calls and at vendors that know no
    better: there it means tool calls.
    """
    if type(word) is not str:
        return None
    finish = words[word] if word in words else _READ.get(word, FinishReason.STOP)
    return FinishReason.TOOL_CALLS if called and finish is FinishReason.STOP else finish


def write_finish(finish: FinishReason, *, functions: bool) -> str:
    """Return OpenAI's word; `functions` is for callers of the old functions."""
    if functions and finish is FinishReason.TOOL_CALLS:
        return "function_call"
    return _WRITTEN[finish]
