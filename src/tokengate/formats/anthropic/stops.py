"""Why a model stopped, in Anthropic's words and in ours."""

from typing import assert_never

from tokengate.core.reply import FinishReason

_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "pause_turn": FinishReason.PAUSE,
    "refusal": FinishReason.CONTENT_FILTER,
}


def read_stop(reason: str) -> FinishReason:
    """Return the reason; a word that is new is a stop."""
    return _FINISH.get(reason, FinishReason.STOP)


def write_stop(finish: FinishReason | None, native: str, stop_sequence: str | None, *, refused: bool = False) -> str:
    """Return the reason in Anthropic's words: its own if the reply was its own. `refused`: the model declined, after
    which others say that it just stopped."""
    if refused and finish is FinishReason.STOP:
        return "refusal"
    if finish is not None and _FINISH.get(native) is finish:
        return native
    match finish:
        case FinishReason.STOP | FinishReason.ERROR | None:
            return "end_turn" if stop_sequence is None else "stop_sequence"
        case FinishReason.LENGTH:
            return "max_tokens"
        case FinishReason.TOOL_CALLS:
            return "tool_use"
        case FinishReason.CONTENT_FILTER:
            return "refusal"
        case FinishReason.PAUSE:
            return "pause_turn"
        case _:
            assert_never(finish)
