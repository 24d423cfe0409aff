"""The OpenAI parameters that shape a generation, written as llama.cpp's own.

What llama.cpp cannot express and would change the answer is refused by name; the guide on local models lists
every parameter.
"""

from typing import Any

from tokengate.core.errors import BadRequest, Unsupported
from tokengate.formats.openai.parameters import ChatBody, CompletionBody

Body = ChatBody | CompletionBody

MAX_CHOICES = 16  # generations that one request may start

_SEEDS = 2**32 - 1  # llama.cpp reads 2^32 - 1 as "any seed"
_MIN_REPEAT_PENALTY = 0.01  # llama.cpp divides by it
_MAX_STOPS = 64

# A stream on llama.cpp's side whatever the caller asked for: only a stream can be stopped, and each report on the
# progress of a long prompt is a chance to stop too.
_STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}


def write_sampling(body: Body, backend: str, context: int) -> dict[str, Any]:
    """Return llama.cpp's fields for the request, without the seed. Raises BadRequest or Unsupported."""
    for name in ("top_a", "stop_token_ids", "min_tokens"):
        if getattr(body, name):
            raise Unsupported(backend, name)
    fields: dict[str, Any] = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": body.min_p,
        "frequency_penalty": body.frequency_penalty,
        "presence_penalty": body.presence_penalty,
        "stop": _stops(body.stop, backend),
        "logit_bias": _logit_bias(body.logit_bias),
        "ignore_eos": body.ignore_eos,
        "cache_prompt": not repeatable(body),
    }
    if body.repetition_penalty is not None:
        fields["repeat_penalty"] = max(body.repetition_penalty, _MIN_REPEAT_PENALTY)
    if body.repetition_penalty is not None or body.frequency_penalty or body.presence_penalty:
        fields["repeat_last_n"] = context
    return _STREAMED | {name: value for name, value in fields.items() if value is not None}


def count_choices(prompts: int, n: int | None) -> int:
    """Return how many generations a request starts. Raises BadRequest when they are too many."""
    choices = prompts * (n or 1)
    if choices > MAX_CHOICES:
        raise BadRequest(
            f"A local model writes at most {MAX_CHOICES} choices for one request, and {choices} were asked for.",
            param="n" if prompts == 1 else "prompt",
        )
    return choices


def seed_of(body: Body, choice: int, attempt: int) -> int | None:
    """Return the seed of one choice; None leaves it to chance. The first attempt at the first choice gets the
    caller's own."""
    if body.seed is None:
        return None
    return (body.seed + choice + attempt * MAX_CHOICES) % _SEEDS


def repeatable(body: Body) -> bool:
    """Whether the caller expects the same text again: then no state of earlier calls may be reused."""
    return body.seed is not None or body.temperature == 0


def _stops(stop: str | list[str | int] | None, backend: str) -> list[str] | None:
    if stop is None:
        return None
    stops = [stop] if isinstance(stop, str) else stop
    if len(stops) > _MAX_STOPS:
        raise BadRequest(f"'stop' may have at most {_MAX_STOPS} entries.", param="stop")
    texts: list[str] = []
    for text in stops:
        if isinstance(text, int):
            raise Unsupported(backend, "stop", f"{backend} stops at text only, not at the token ids in 'stop'.")
        if text:
            texts.append(text)
    return texts or None


def _logit_bias(biases: dict[str, float] | None) -> list[tuple[int, float]] | None:
    if not biases:
        return None
    for token in biases:
        if not token.isascii() or not token.isdecimal() or len(token) > 9:
            raise BadRequest(f"'logit_bias' is keyed by token id, and {token[:40]!r} is not one.", param="logit_bias")
    return [(int(token), bias) for token, bias in biases.items()]
