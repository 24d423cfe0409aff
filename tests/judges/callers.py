"""The official SDKs as callers that say the same things, each in its own way."""

import base64
import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import dashscope
from anthropic import Anthropic
from dashscope.api_entities.http_request import close_shared_sync_session
from google import genai
from google.genai import types
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

    def __init__(self, client: OpenAI) -> None:
        self.client = client

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
            asked["extra_body"] = {"reasoning": {"exclude": False}}
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


class ResponsesCaller:
    """openai-python, the Responses API with all that was said before in each request."""

    def __init__(self, client: OpenAI) -> None:
        self.client = client

    def begin(self, text: str, *, system: str = "", image: bool = False) -> list[Any]:
        parts: Any = text
        if image:
            picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}
            parts = [{"type": "input_text", "text": text}, picture]
        turns: list[Any] = [{"role": "developer", "content": system}] if system else []
        return [*turns, {"role": "user", "content": parts}]

    def ask(self, model: str, history: list[Any], *, stream: bool, **options: Any) -> Said:
        asked: dict[str, Any] = {"model": model, "input": history, "store": False}
        if "cap" in options:
            asked["max_output_tokens"] = options["cap"]
        if "tools" in options:
            tool = {"type": "function", "name": "get_weather", "description": "The weather.", "strict": False}
            asked |= {"tools": [tool | {"parameters": options["tools"]}], "parallel_tool_calls": True}
        if "schema" in options:
            form = {"type": "json_schema", "name": "reply", "schema": options["schema"], "strict": True}
            asked["text"] = {"format": form}
        if options.get("thinking"):
            asked |= {
                "reasoning": {"effort": "low", "summary": "auto"},
                "include": ["reasoning.encrypted_content"],
                "max_output_tokens": 4000,
            }
        create: Callable[..., Any] = self.client.responses.create
        response = create(**asked) if not stream else self._last(create(**asked, stream=True))
        history.extend(item.model_dump(exclude_none=True, mode="json") for item in response.output)
        return self._said(response)

    def results(self, history: list[Any], said: Said, results: list[str]) -> None:
        for call, result in zip(said.calls, results, strict=True):
            history.append({"type": "function_call_output", "call_id": call.id, "output": result})

    @staticmethod
    def _last(events: Any) -> Any:
        """Return the response of a stream's last event, of which the events before it said the same."""
        heard = list(events)
        response = heard[-1].response
        assert [event.sequence_number for event in heard] == list(range(len(heard)))
        assert "".join(event.delta for event in heard if event.type == "response.output_text.delta") == (
            response.output_text
        )
        return response

    @staticmethod
    def _said(response: Any) -> Said:
        calls = [item for item in response.output if item.type == "function_call"]
        thoughts = [item for item in response.output if item.type == "reasoning"]
        finish = "tools" if calls else "stop"
        if response.status == "incomplete":
            finish = {"max_output_tokens": "length", "content_filter": "filter"}[response.incomplete_details.reason]
        return Said(
            text=response.output_text,
            finish=finish,
            input_tokens=response.usage.input_tokens,
            output_tokens=response.usage.output_tokens,
            calls=tuple(Asked(one.call_id, one.name, json.loads(one.arguments)) for one in calls),
            thinking="".join(part.text for one in thoughts for part in (*one.summary, *(one.content or ()))),
        )


class AnthropicCaller:
    """anthropic-python, messages. The system prompt stands beside the turns, in front of which it is kept here."""

    def __init__(self, client: Anthropic) -> None:
        self.client = client

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


class DashScopeCaller:
    """dashscope-python: multimodal generation for conversations with pictures, text generation for others."""

    def __init__(self, through: Through) -> None:
        self.how: dict[str, Any] = {"base_address": f"{through.url}/api/v1", "api_key": through.key}

    def begin(self, text: str, *, system: str = "", image: bool = False) -> list[Any]:
        content: Any = [{"image": f"data:image/png;base64,{PNG}"}, {"text": text}] if image else text
        turns: list[Any] = [{"role": "system", "content": system}] if system else []
        return [*turns, {"role": "user", "content": content}]

    def ask(self, model: str, history: list[Any], *, stream: bool, **options: Any) -> Said:
        sees = any(isinstance(turn["content"], list) for turn in history)
        asked: dict[str, Any] = {"model": model, "messages": history, **self.how}
        if not sees:
            asked["result_format"] = "message"
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
            asked |= {"enable_thinking": True, "thinking_budget": 2000, "max_tokens": 4000}
        sdk: Any = dashscope  # its own types are loose
        call: Callable[..., Any] = (sdk.MultiModalConversation if sees else sdk.Generation).call
        replies = list(call(**asked, stream=True, incremental_output=True)) if stream else [call(**asked)]
        assert all(reply.status_code == 200 for reply in replies), replies[-1]
        choices = [reply.output.choices[0] for reply in replies]
        message = _summed([dict(choice.message) for choice in choices])
        history.append(message)
        finish: str = choices[-1].finish_reason
        usage = replies[-1].usage
        return Said(
            text=message["content"],
            finish={"tool_calls": "tools", "content_filter": "filter"}.get(finish, finish),
            input_tokens=usage["input_tokens"],
            output_tokens=usage["output_tokens"],
            calls=tuple(
                Asked(one["id"], one["function"]["name"], json.loads(one["function"]["arguments"]))
                for one in message.get("tool_calls", ())
            ),
            thinking=message.get("reasoning_content", ""),
        )

    def results(self, history: list[Any], said: Said, results: list[str]) -> None:
        for call, result in zip(said.calls, results, strict=True):
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})


def _summed(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message that DashScope's events add up to: texts and arguments go on, all else comes once."""
    summed: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[int, Any] = {}
    for message in messages:
        content: Any = message.pop("content", "")
        summed["content"] += content if isinstance(content, str) else "".join(entry["text"] for entry in content)
        if thought := message.pop("reasoning_content", ""):
            summed["reasoning_content"] = summed.get("reasoning_content", "") + thought
        for call in message.pop("tool_calls", None) or ():
            known = calls.setdefault(call["index"], call)
            if known is not call:
                known["function"]["arguments"] += call["function"]["arguments"]
        summed.update(message)
    return summed | ({"tool_calls": list(calls.values())} if calls else {})


class GoogleCaller:
    """google-genai, generateContent. The system prompt stands beside the turns, in front of which it is kept here."""

    def __init__(self, client: genai.Client) -> None:
        self.client = client

    def begin(self, text: str, *, system: str = "", image: bool = False) -> list[Any]:
        parts = [types.Part(text=text)]
        if image:
            parts.append(types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png"))
        turns: list[Any] = [types.Content(role="system", parts=[types.Part(text=system)])] if system else []
        return [*turns, types.Content(role="user", parts=parts)]

    def ask(self, model: str, history: list[Any], *, stream: bool, **options: Any) -> Said:
        config = types.GenerateContentConfig(max_output_tokens=options.get("cap"), stop_sequences=options.get("stop"))
        if history[0].role == "system":
            config.system_instruction = history[0].parts[0].text
        if "tools" in options:
            function = types.FunctionDeclaration(
                name="get_weather", description="The weather.", parameters_json_schema=options["tools"]
            )
            config.tools = [types.Tool(function_declarations=[function])]
        if "schema" in options:
            config.response_mime_type = "application/json"
            config.response_json_schema = options["schema"]
        if options.get("thinking"):
            level = types.ThinkingLevel.LOW
            config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_level=level)
        asked: dict[str, Any] = {
            "model": model,
            "contents": [turn for turn in history if turn.role != "system"],
            "config": config,
        }
        models: Any = self.client.models
        replies = list(models.generate_content_stream(**asked)) if stream else [models.generate_content(**asked)]
        candidates = [reply.candidates[0] for reply in replies if reply.candidates]
        parts = [part for one in candidates if one.content for part in one.content.parts or ()]
        history.append(types.Content(role="model", parts=parts))
        usage = replies[-1].usage_metadata
        return self._said(parts, candidates[-1].finish_reason, usage)

    def results(self, history: list[Any], said: Said, results: list[str]) -> None:
        parts = [
            types.Part(
                function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": result})
            )
            for call, result in zip(said.calls, results, strict=True)
        ]
        history.append(types.Content(role="user", parts=parts))

    @staticmethod
    def _said(parts: list[types.Part], reason: Any, usage: Any) -> Said:
        calls = [part.function_call for part in parts if part.function_call]
        finish = {"STOP": "tools" if calls else "stop", "MAX_TOKENS": "length"}.get(reason.value, "filter")
        return Said(
            text="".join(part.text or "" for part in parts if not part.thought),
            finish=finish,
            input_tokens=usage.prompt_token_count,
            output_tokens=usage.candidates_token_count + (usage.thoughts_token_count or 0),
            calls=tuple(Asked(call.id or "", call.name or "", call.args or {}) for call in calls),
            thinking="".join(part.text or "" for part in parts if part.thought),
        )


@contextmanager
def _openai(through: Through, caller: Callable[[OpenAI], Caller]) -> Generator[Caller]:
    with OpenAI(base_url=f"{through.url}/v1", api_key=through.key, max_retries=0) as client:
        yield caller(client)


@contextmanager
def _anthropic(through: Through) -> Generator[Caller]:
    with Anthropic(base_url=through.url, api_key=through.key, max_retries=0) as client:
        yield AnthropicCaller(client)


@contextmanager
def _dashscope(through: Through) -> Generator[Caller]:
    yield DashScopeCaller(through)
    close_shared_sync_session()


@contextmanager
def _google(through: Through) -> Generator[Caller]:
    with genai.Client(api_key=through.key, http_options=types.HttpOptions(base_url=through.url)) as client:
        yield GoogleCaller(client)


CALLERS: dict[str, Callable[[Through], AbstractContextManager[Caller]]] = {
    "openai": lambda through: _openai(through, OpenAICaller),
    "responses": lambda through: _openai(through, ResponsesCaller),
    "anthropic": _anthropic,
    "dashscope": _dashscope,
    "google": _google,
}
