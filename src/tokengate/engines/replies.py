"""Writes pieces of a generation as OpenAI replies: a whole object, or the data of server-sent events."""

from typing import Any

from msgspec import json

from tokengate.engines.pieces import Piece, TokenCounts, TokenLogprob, ToolCall
from tokengate.engines.plan import Plan

_encode = json.Encoder().encode

DONE = b"data: [DONE]\n\n"


class Reply:
    """What every object of one reply has in common, and the counts of its choices."""

    def __init__(self, plan: Plan, *, reply_id: str, created_s: int, fingerprint: str) -> None:
        self._plan = plan
        prefix, whole, part = (
            ("chatcmpl", "chat.completion", "chat.completion.chunk")
            if plan.kind == "chat"
            else ("cmpl", "text_completion", "text_completion")
        )
        self._object = whole
        self._chunk_object = part
        self._head = {
            "id": f"{prefix}-{reply_id}",
            "created": created_s,
            "model": plan.asked.model,
            "system_fingerprint": fingerprint,
        }
        self._counts: dict[int, TokenCounts] = {}
        self._begun: set[int] = set()
        self._offsets = dict.fromkeys(range(plan.choices), 0)

    def whole(self, choices: list["Choice"]) -> bytes:
        """Return the reply as one object."""
        for choice in choices:
            if choice.usage:
                self._counts[choice.index] = choice.usage
        write = self._whole_chat if self._plan.kind == "chat" else self._whole_text
        return _encode(
            self._head
            | {"object": self._object, "choices": [write(choice) for choice in choices], "usage": self._usage()}
        )

    def event(self, piece: Piece) -> bytes:
        """Return the events of a piece; empty when it has nothing for the caller."""
        if piece.usage:
            self._counts[piece.choice] = piece.usage
        write = self._chat_parts if self._plan.kind == "chat" else self._text_parts
        return b"".join(self._chunk([choice]) for choice in write(piece))

    def end(self) -> bytes:
        """Return the last events: the usage, and the mark of the end."""
        return self._chunk([], usage=self._usage()) + DONE

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return b"data: " + _encode(self._head | {"object": self._chunk_object, "choices": choices} | more) + b"\n\n"

    def _usage(self) -> dict[str, Any]:
        """Return the counts of the request: each prompt once, every choice's output."""
        per_prompt = {
            self._plan.prompt_of(index): counts for index, counts in sorted(self._counts.items(), reverse=True)
        }
        prompt = sum(counts.prompt for counts in per_prompt.values())
        completion = sum(counts.completion for counts in self._counts.values())
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": sum(counts.cached for counts in per_prompt.values())},
        }

    def _whole_chat(self, choice: "Choice") -> dict[str, Any]:
        calls = choice.tool_calls()
        content = "".join(choice.content)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if calls and not content else content,
            "refusal": None,
        }
        if choice.reasoning:
            message["reasoning_content"] = "".join(choice.reasoning)
        if calls:
            message["tool_calls"] = calls
        return {
            "index": choice.index,
            "message": message,
            "logprobs": self._chat_logprobs(choice.logprobs),
            "finish_reason": choice.finish,
        }

    def _whole_text(self, choice: "Choice") -> dict[str, Any]:
        return {
            "index": choice.index,
            "text": self._echo(choice.index) + "".join(choice.content),
            "logprobs": self._text_logprobs(choice.index, choice.logprobs),
            "finish_reason": choice.finish,
        }

    def _chat_parts(self, piece: Piece) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        delta: dict[str, Any] = {}
        if piece.content:
            delta["content"] = piece.content
        if piece.reasoning:
            delta["reasoning_content"] = piece.reasoning
        if piece.tool_calls:
            delta["tool_calls"] = [_call_part(call) for call in piece.tool_calls]
        if piece.choice not in self._begun and (delta or piece.finish):
            self._begun.add(piece.choice)
            first = {"role": "assistant", "content": None if piece.tool_calls else "", "refusal": None}
            parts.append(_part(piece.choice, delta=first))
        if delta or piece.logprobs:
            parts.append(_part(piece.choice, delta=delta, logprobs=self._chat_logprobs(piece.logprobs)))
        if piece.finish:
            parts.append(_part(piece.choice, delta={}, finish=piece.finish))
        return parts

    def _text_parts(self, piece: Piece) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        if piece.choice not in self._begun:
            self._begun.add(piece.choice)
            if echo := self._echo(piece.choice):
                parts.append(_part(piece.choice, text=echo))
        if piece.content or piece.logprobs:
            logprobs = self._text_logprobs(piece.choice, piece.logprobs)
            parts.append(_part(piece.choice, text=piece.content or "", logprobs=logprobs))
        if piece.finish:
            parts.append(_part(piece.choice, text="", finish=piece.finish))
        return parts

    def _echo(self, choice: int) -> str:
        return self._plan.echo[self._plan.prompt_of(choice)] if self._plan.echo else ""

    def _chat_logprobs(self, tokens: tuple[TokenLogprob, ...] | list[TokenLogprob]) -> dict[str, Any] | None:
        top = self._plan.top_logprobs
        if top is None or not tokens:
            return None
        return {
            "content": [
                {
                    "token": token.token,
                    "logprob": token.logprob,
                    "bytes": token.bytes,
                    "top_logprobs": token.top_logprobs[:top],
                }
                for token in tokens
            ],
            "refusal": None,
        }

    def _text_logprobs(
        self, choice: int, tokens: tuple[TokenLogprob, ...] | list[TokenLogprob]
    ) -> dict[str, Any] | None:
        top = self._plan.top_logprobs
        if top is None or not tokens:
            return None
        offsets: list[int] = []
        for token in tokens:
            offsets.append(self._offsets[choice])
            self._offsets[choice] += len(token.token)
        return {
            "tokens": [token.token for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [
                {other.token: other.logprob for other in token.top_logprobs[:top]} | {token.token: token.logprob}
                for token in tokens
            ],
            "text_offset": offsets,
        }


class Choice:
    """The pieces of one choice, folded."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.logprobs: list[TokenLogprob] = []
        self.finish: str | None = None
        self.usage: TokenCounts | None = None
        self._calls: dict[int, list[ToolCall]] = {}

    def add(self, piece: Piece) -> None:
        if piece.content:
            self.content.append(piece.content)
        if piece.reasoning:
            self.reasoning.append(piece.reasoning)
        self.logprobs.extend(piece.logprobs)
        for call in piece.tool_calls:
            self._calls.setdefault(call.index, []).append(call)
        self.finish = piece.finish or self.finish
        self.usage = piece.usage or self.usage

    def tool_calls(self) -> list[dict[str, Any]]:
        """Return the calls, each joined from its parts."""
        return [
            {
                "id": parts[0].id,
                "type": "function",
                "function": {"name": parts[0].name, "arguments": "".join(part.arguments for part in parts)},
            }
            for _, parts in sorted(self._calls.items())
        ]


def _part(choice: int, *, finish: str | None = None, logprobs: Any = None, **what: Any) -> dict[str, Any]:
    return {"index": choice, **what, "logprobs": logprobs, "finish_reason": finish}


def _call_part(call: ToolCall) -> dict[str, Any]:
    if call.id is None:
        return {"index": call.index, "function": {"arguments": call.arguments}}
    function = {"name": call.name, "arguments": call.arguments}
    return {"index": call.index, "id": call.id, "type": "function", "function": function}
