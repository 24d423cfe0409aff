"""The official SDKs as callers that say the same things, each in its own way."""

import json
from collections.abc import Callable
from typing import Any, Protocol

from anthropic import Anthropic
from msgspec import Struct
from openai import LengthFinishReasonError, OpenAI

from tests.judges.backends import PNG, Through


class Asked(Struct, frozen=True):
    """A function that the model wants to have called."""

    id: str
    name: str
    arguments: dict[str, Any]


class Said(Struct, frozen=True):
    """An answer as an SDK read it. `finish` is one of stop, length, tools, filter."""

    text: str
    finish: str
    input_tokens: int
    output_tokens: int
    calls: tuple[Asked, ...] = ()
    thinking: str = ""


class Caller(Protocol):
    """One SDK. `history` is its own list of turns, which it also extends."""

    def begin(self, text: str, *, system: str = "", image: bool = False) -> list[Any]:
        """Return the turns of a new conversation."""
        ...

    def ask(self, model: str, history: list[Any], *, stream: bool, **options: Any) -> Said:
        """Return the answer. Options: cap, stop, tools (the name of a tool's one argument), schema, thinking."""
        ...

    def results(self, history: list[Any], said: Said, results: list[str]) -> None:
        """Append what the functions gave back."""
        ...


def weather_schema(place: str) -> dict[str, Any]:
    return {"type": "object", "properties": {place: {"type": "string"}}, "required": [place]}


class OpenAICaller:
    """openai-python, chat completions."""

    def __init__(self, through: Through) -> None:
        self.client = OpenAI(base_url=f"{through.url}/v1", api_key=through.key, max_retries=0)

    def begin(self, text: str, *, system: str = "", image: bool = False) -> list[Any]:
        parts: Any = text
        if image:
            parts = [
                {"type": "text", "text": text},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ]
        turns: list[Any] = [{"role": "system", "content": system}] if system else []
        return [*turns, {"role": "user", "content": parts}]

    def ask(self, model: str, history: list[Any], *, stream: bool, **options: Any) -> Said:
        asked: dict[str, Any] = {"model": model, "messages": history}
        if "cap" in options:
            asked["max_tokens"] = options["cap"]
        if "stop" in options:
            asked["stop"] = options["stop"]
        if "tools" in options:
            function = {"name": "get_weather", "description": "The weather.", "parameters": options["tools"]}
            asked |= {"tools": [{"type": "function", "function": function}], "parallel_tool_calls": True}
        if "schema" in options:
            asked["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": options["schema"], "strict": True},
            }
        if options.get("thinking"):
            asked |= {"reasoning_effort": "low", "max_completion_tokens": 4000}
        create: Callable[..., Any] = self.client.chat.completions.create
        if not stream:
            reply = create(**asked)
            history.append(reply.choices[0].message.model_dump(exclude_none=True))
            return self._said(reply.choices[0].message, reply.choices[0].finish_reason, reply.usage)
        open_stream: Callable[..., Any] = self.client.chat.completions.stream
        with open_stream(**asked, stream_options={"include_usage": True}) as events:
            for _ in events:
                pass
            try:
                reply = events.get_final_completion()
            except LengthFinishReasonError as cut:  # the SDK refuses to parse it
                reply = cut.completion
        history.append(reply.choices[0].message.model_dump(exclude_none=True, exclude={"parsed"}))
        for call in history[-1].get("tool_calls", ()):
            call["function"].pop("parsed_arguments", None)
        return self._said(reply.choices[0].message, reply.choices[0].finish_reason, reply.usage)

    def results(self, history: list[Any], said: Said, results: list[str]) -> None:
        for call, result in zip(said.calls, results, strict=True):
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})

    @staticmethod
    def _said(message: Any, finish: str, usage: Any) -> Said:
        calls = tuple(
            Asked(one.id, one.function.name, json.loads(one.function.arguments)) for one in message.tool_calls or ()
        )
        return Said(
            text=message.content or "",
            finish={"tool_calls": "tools", "content_filter": "filter"}.get(finish, finish),
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            calls=calls,
            thinking=getattr(message, "reasoning_content", None) or "",
        )


class AnthropicCaller:
    """anthropic-python, messages. The system prompt stands beside the turns, in front of which it is kept here."""

    def __init__(self, through: Through) -> None:
        self.client = Anthropic(base_url=through.url, api_key=through.key, max_retries=0)

    def begin(self, text: str, *, system: str = "", image: bool = False) -> list[Any]:
        parts: Any = text
        if image:
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            parts = [{"type": "text", "text": text}, {"type": "image", "source": source}]
        turns: list[Any] = [{"role": "system", "content": system}] if system else []
        return [*turns, {"role": "user", "content": parts}]

    def ask(self, model: str, history: list[Any], *, stream: bool, **options: Any) -> Said:
        asked: dict[str, Any] = {"model": model, "max_tokens": options.get("cap", 4000)}
        asked["messages"] = [turn for turn in history if turn["role"] != "system"]
        if history[0]["role"] == "system":
            asked["system"] = history[0]["content"]
        if "stop" in options:
            asked["stop_sequences"] = options["stop"]
        if "tools" in options:
            tool = {"name": "get_weather", "description": "The weather.", "input_schema": options["tools"]}
            asked |= {"tools": [tool], "tool_choice": {"type": "auto", "disable_parallel_tool_use": False}}
        if "schema" in options:
            asked["output_config"] = {"format": {"type": "json_schema", "schema": options["schema"]}}
        if options.get("thinking"):
            asked |= {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "low"},
            }
        create: Callable[..., Any] = self.client.messages.create
        open_stream: Callable[..., Any] = self.client.messages.stream
        if stream:
            with open_stream(**asked) as events:
                message = events.get_final_message()
        else:
            message = create(**asked)
        content = [block.model_dump(exclude_none=True) for block in message.content]
        history.append({"role": "assistant", "content": content})
        return self._said(message)

    def results(self, history: list[Any], said: Said, results: list[str]) -> None:
        blocks = [
            {"type": "tool_result", "tool_use_id": call.id, "content": result}
            for call, result in zip(said.calls, results, strict=True)
        ]
        history.append({"role": "user", "content": blocks})

    @staticmethod
    def _said(message: Any) -> Said:
        finishes = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tools"}
        usage = message.usage
        return Said(
            text="".join(block.text for block in message.content if block.type == "text"),
            finish=finishes.get(message.stop_reason, "filter"),
            input_tokens=usage.input_tokens
            + (usage.cache_read_input_tokens or 0)
            + (usage.cache_creation_input_tokens or 0),
            output_tokens=usage.output_tokens,
            calls=tuple(
                Asked(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"
            ),
            thinking="".join(block.thinking for block in message.content if block.type == "thinking"),
        )


CALLERS: dict[str, Callable[[Through], Caller]] = {"openai": OpenAICaller, "anthropic": AnthropicCaller}
