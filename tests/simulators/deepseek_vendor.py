"""DeepSeek's chat completions, simulated: OpenAI's, but for text alone, and with thinking that must come back.

It thinks unless it is told not to, shows that as `reasoning_content`, and answers 400 when an assistant's turn after a
tool call lacks it. A turn whose thinking it wrote itself must bring it back as it was.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.simulators.openai_rules import Json, check_messages, check_type, inner, listed, members, refuse
from tests.simulators.openai_vendor import Answer, OpenAISimulator, pieces_of

MODELS = ("deepseek-v4-pro", "deepseek-v4-flash")
NOT_BACK = "The reasoning_content in the thinking mode must be passed back to the API."

_TOP: dict[str, Any] = {
    "model": str,
    "messages": list,
    "thinking": dict,
    "reasoning_effort": str,
    "frequency_penalty": (int, float),
    "presence_penalty": (int, float),
    "max_tokens": int,
    "response_format": dict,
    "stop": (str, list),
    "stream": bool,
    "stream_options": dict,
    "temperature": (int, float),
    "top_p": (int, float),
    "tools": list,
    "tool_choice": (str, dict),
    "logprobs": bool,
    "top_logprobs": int,
    "user_id": str,
}


class DeepSeekSimulator(OpenAISimulator):
    """The vendor, with what it thought by the ids of the tool calls that came of it."""

    models = MODELS
    paths = ("/chat/completions",)

    def __init__(self) -> None:
        super().__init__()
        self._thoughts: dict[str, str] = {}

    def check(self, body: Json) -> None:
        for name in body.keys() - _TOP.keys():  # what it does not know it leaves out
            del body[name]
        for name in _TOP:
            check_type(body.get(name), _TOP[name], name)
        if inner(body, "response_format").get("type", "text") not in ("text", "json_object"):
            refuse("This response_format type is unavailable now")
        if body.get("reasoning_effort") not in (None, "low", "medium", "high", "xhigh", "max"):
            refuse(f"unknown variant `{body['reasoning_effort']}`")
        messages: list[Json] = body["messages"]
        check_messages([_without_thought(message) for message in messages], _no_parts)
        if thinks(body):
            self._check_thoughts(messages)

    def answer(self, body: Json, text: str) -> Answer:
        answer = DeepSeekAnswer(body, text)
        message, _ = answer.message()
        for call in message.get("tool_calls") or ():
            self._thoughts[call["id"]] = message.get("reasoning_content", "")
        return answer

    def _check_thoughts(self, messages: list[Json]) -> None:
        called = False
        for message in messages:
            if message["role"] != "assistant":
                continue
            calls: list[Json] = listed(message, "tool_calls")
            called = called or bool(calls)
            thought = message.get("reasoning_content") or ""
            if called and not thought:
                refuse(NOT_BACK, None, "invalid_request_error")
            known = {self._thoughts[call["id"]] for call in calls if call["id"] in self._thoughts}
            if known and thought.strip() and thought not in known:  # a blank stands for any
                refuse(NOT_BACK, None, "invalid_request_error")


class DeepSeekAnswer(Answer):
    def thinking_tokens(self) -> int:
        return 9 if thinks(self.body) else 0

    def message(self) -> tuple[Json, str]:
        message, reason = super().message()
        message = {name: value for name, value in message.items() if name not in ("refusal", "annotations")}
        message |= {"content": message["content"] or ""}
        if thinks(self.body):
            message["reasoning_content"] = f"I think about: {self.text or 'what the tools said'}"
        return message, reason

    def deltas(self, message: Json) -> Iterator[Json]:
        thought: str = message.get("reasoning_content", "")
        yield {"role": "assistant", "content": None, "reasoning_content": ""}
        for piece in pieces_of(thought):
            yield {"content": None, "reasoning_content": piece}
        for delta in super().deltas({**message, "refusal": None}):
            if "role" not in delta:
                yield {**delta, "reasoning_content": None}

    def usage(self) -> Json:
        usage = super().usage()
        hit = usage["prompt_tokens_details"]["cached_tokens"]
        return {
            **usage,
            "prompt_tokens_details": {"cached_tokens": hit},
            "completion_tokens_details": {"reasoning_tokens": self.thinking_tokens()},
            "prompt_cache_hit_tokens": hit,
            "prompt_cache_miss_tokens": usage["prompt_tokens"] - hit,
        }


def thinks(body: Json) -> bool:
    """Say whether a request is answered with thinking."""
    return inner(body, "thinking").get("type") != "disabled"


def _without_thought(message: Json) -> Json:
    if message.get("role") == "developer":
        refuse("unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`")
    if message.get("role") == "assistant":
        message = {name: value for name, value in message.items() if name not in ("reasoning_content", "prefix")}
        if message.get("content") is None:
            message = {**message, "content": ""}
    return message


def _no_parts(part: Any, role: str, at: str) -> None:
    members(part, set(), set(), at)
    refuse(f"{at}: invalid type: sequence, expected a string, {json.dumps(role)}")
