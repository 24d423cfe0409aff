"""One step of a generation, as llama.cpp reports it: text, a tool call's parts, log probabilities, an end.

Reads the server's OpenAI-like chunks; what the gateway writes itself (ids, model names, times) is left out.
"""

from typing import Literal

from msgspec import DecodeError, Struct, json

from tokengate.core.errors import BadRequest, GatewayError, Unavailable, UpstreamFailed

Finish = Literal["stop", "length", "tool_calls"]


class TopLogprob(Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob] = []


class ToolCall(Struct, frozen=True):
    """Part of a call: the first part has the id and the name, every part more of the arguments."""

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


class TokenCounts(Struct, frozen=True):
    """Tokens as llama.cpp counted them; `cached` of the prompt's were still in memory from an earlier call."""

    prompt: int
    completion: int
    cached: int


class Piece(Struct, frozen=True):
    choice: int
    content: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish: Finish | None = None
    usage: TokenCounts | None = None


class JsonCheck:
    """Collects the text of one choice that has to be JSON, and checks it when the model says that it is done."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._parts: list[str] = []

    def add(self, piece: Piece) -> None:
        """Raise UpstreamFailed at the end of text that is not JSON."""
        if piece.content:
            self._parts.append(piece.content)
        if piece.finish != "stop":
            return
        try:
            _decode_anything("".join(self._parts))
        except DecodeError:
            raise UpstreamFailed(
                "The local model's output had to be JSON and is not.", kind="invalid", backend=self._backend
            ) from None


class _Function(Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Struct, frozen=True):
    index: int = 0
    id: str | None = None
    function: _Function = _Function()


class _Delta(Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_ToolCall] = []


class _Logprobs(Struct, frozen=True):
    content: list[TokenLogprob] = []


class _Choice(Struct, frozen=True):
    delta: _Delta = _Delta()
    text: str | None = None
    finish_reason: Finish | None = None
    logprobs: _Logprobs | None = None


class _CachedTokens(Struct, frozen=True):
    cached_tokens: int = 0


class _Usage(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _CachedTokens = _CachedTokens()


class _Error(Struct, frozen=True):
    message: str = ""
    code: int = 500
    type: str = ""
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class _Chunk(Struct, frozen=True):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Error | None = None


_decode = json.Decoder(_Chunk).decode
_decode_anything = json.Decoder().decode


def read_chunk(data: bytes, choice: int, backend: str) -> Piece | None:
    """Return the piece; None when the chunk only reports progress. Raises GatewayError."""
    try:
        chunk = _decode(data)
    except DecodeError:
        raise UpstreamFailed("The local model's reply could not be read.", kind="invalid", backend=backend) from None
    if chunk.error is not None:
        raise _failure(chunk.error, backend)
    part = chunk.choices[0] if chunk.choices else _Choice()
    delta = part.delta
    piece = Piece(
        choice=choice,
        content=part.text or delta.content or None,
        reasoning=delta.reasoning_content or None,
        tool_calls=tuple(_tool_call(call) for call in delta.tool_calls),
        logprobs=tuple(part.logprobs.content) if part.logprobs else (),
        finish=part.finish_reason,
        usage=_counts(chunk.usage) if chunk.usage else None,
    )
    return None if piece == Piece(choice=choice) else piece


def _tool_call(call: _ToolCall) -> ToolCall:
    function = call.function
    return ToolCall(index=call.index, arguments=function.arguments or "", id=call.id, name=function.name)


def _counts(usage: _Usage) -> TokenCounts:
    return TokenCounts(usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens)


def _failure(error: _Error, backend: str) -> GatewayError:
    if error.type == "exceed_context_size_error":
        return BadRequest(
            f"This model's context holds {error.n_ctx} tokens, and the prompt has {error.n_prompt_tokens}. "
            "Shorten the prompt.",
            code="context_length_exceeded",
        )
    if error.code == 503:
        return Unavailable(f"The local model '{backend}' is busy.", code="model_busy")
    if 400 <= error.code < 500:
        return BadRequest(error.message)
    return UpstreamFailed(f"The local model failed: {error.message}", kind="status", backend=backend)
