"""Reads a completion request (a prompt continued as text) into a plan for llama.cpp."""

from typing import Any, cast

from msgspec import json

from tokengate.core.errors import BadRequest, Unsupported
from tokengate.engines.plan import Plan
from tokengate.engines.sampling import count_choices, write_sampling
from tokengate.formats.openai.parameters import CompletionBody
from tokengate.formats.openai.refusal import must_be, refusal_of

MAX_LOGPROBS = 20

_DEFAULT_MAX_TOKENS = 16  # OpenAI's own default for completions

_decode_body = json.Decoder(CompletionBody).decode


def read_completion(data: bytes, backend: str, *, context: int) -> Plan:
    """Return the plan of a request. Raises BadRequest, or Unsupported for what would change the answer."""
    try:
        body = _decode_body(data)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error) from None
    if body.suffix:
        raise Unsupported(backend, "suffix")
    if body.best_of is not None and body.best_of != (body.n or 1):
        raise Unsupported(backend, "best_of")
    if body.logprobs is not None and body.logprobs > MAX_LOGPROBS:
        raise BadRequest(f"'logprobs' must be an integer from 0 to {MAX_LOGPROBS}.", param="logprobs")
    prompts = _prompts(body.prompt)
    if body.echo and (body.logprobs is not None or not all(isinstance(prompt, str) for prompt in prompts)):
        raise Unsupported(backend, "echo", f"{backend} echoes text prompts only, and without 'logprobs'.")

    fields = write_sampling(body, backend, context)
    fields["max_tokens"] = body.max_tokens or _DEFAULT_MAX_TOKENS
    if body.logprobs is not None:
        fields["logprobs"] = max(body.logprobs, 1)
    return Plan(
        kind="text",
        asked=body,
        prompts=tuple(fields | {"prompt": prompt} for prompt in prompts),
        choices=count_choices(len(prompts), body.n),
        top_logprobs=body.logprobs,
        echo=tuple(prompts) if body.echo else (),
    )


def _prompts(prompt: Any) -> list[Any]:
    """Return the prompts one by one: each is a text, or a list of token ids."""
    prompts = cast(list[Any], prompt) if isinstance(prompt, list) else [prompt]
    if prompts and all(isinstance(token, int) for token in prompts):
        return [prompts]
    if not prompts or not all(prompts) or not all(isinstance(one, str | list) for one in prompts):
        raise must_be("prompt")
    return prompts
