"""The formats that callers speak: where a request of each goes, how it is put together, and how its answer is read.

Bodies are raw: what an SDK would send. Answers are read with the product's own readers, which the vendors' fixtures and
the official SDKs judge elsewhere.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tokengate.core.fold import Fold
from tokengate.core.reply import Reply
from tokengate.core.wire import Format
from tokengate.formats.anthropic.format import ANTHROPIC as ANTHROPIC_FORMAT
from tokengate.formats.dashscope.format import DASHSCOPE as DASHSCOPE_FORMAT
from tokengate.formats.gemini.format import GEMINI as GEMINI_FORMAT
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.responses.format import ResponsesFormat

Json = dict[str, Any]

NO_MEMBERS: Json = {}


class Ask(Struct, frozen=True):
    """How one format says something: `members` of the body (joined with what is there), `parts` beside the text of the
    user's turn, `turn` members of that turn, and whole turns `before` it and `after` it."""

    members: Json = NO_MEMBERS
    parts: Sequence[Json] = ()
    turn: Json = NO_MEMBERS
    before: Sequence[Json] = ()
    after: Sequence[Json] = ()


class Client(Struct, frozen=True, kw_only=True):
    """One format. `write` makes a body of model, text and Ask; `goes_on` returns the turns that follow an answer with
    calls: the answer itself, and the results by call id."""

    name: str
    title: str
    format: Format
    path: Callable[[str, bool, Json], str]  # of model, stream and body
    write: Callable[[str, str, Ask], Json]
    goes_on: Callable[[Json, Mapping[str, Any]], list[Json]]
    headers: Callable[[bool], Mapping[str, str]] = lambda stream: {}
    streams_in_body: bool = True

    def body(self, model: str, text: str, ask: Ask, *, stream: bool) -> Json:
        """Return the body of a request."""
        body = self.write(model, text, ask)
        if not stream:
            return {name: value for name, value in body.items() if name != "stream_options"}
        return {**body, "stream": True} if self.streams_in_body else body

    def read(self, data: bytes, *, stream: bool) -> Reply:
        """Read an answer; the events of a stream are added up."""
        if not stream:
            return self.format.read_reply(data)
        reader, fold = self.format.stream_reader(), Fold()
        for event in (*reader.feed(data), *reader.close()):
            fold.add(event)
        assert fold.failure is None, fold.failure
        return fold.reply()


def joined(one: Json, other: Json) -> Json:
    """Return both objects as one; objects in both are joined, everything else is the other's."""
    both = {**one, **other}
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            both[name] = joined(one[name], other[name])
    return both


def _openai(model: str, text: str, ask: Ask) -> Json:
    content: Any = [{"type": "text", "text": text}, *ask.parts] if ask.parts else text
    turns = [*ask.before, {"role": "user", "content": content, **ask.turn}, *ask.after]
    return joined({"model": model, "messages": turns}, ask.members)


def _openai_goes_on(answer: Json, results: Mapping[str, Any]) -> list[Json]:
    message = answer["choices"][0]["message"]
    return [message, *({"role": "tool", "tool_call_id": id, "content": one} for id, one in results.items())]


def _anthropic(model: str, text: str, ask: Ask) -> Json:
    content: Any = [{"type": "text", "text": text}, *ask.parts] if ask.parts else text
    turns = [*ask.before, {"role": "user", "content": content, **ask.turn}, *ask.after]
    return joined({"model": model, "max_tokens": 4000, "messages": turns}, ask.members)


def _anthropic_goes_on(answer: Json, results: Mapping[str, Any]) -> list[Json]:
    blocks = [{"type": "tool_result", "tool_use_id": id, "content": one} for id, one in results.items()]
    return [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": blocks}]


def _responses(model: str, text: str, ask: Ask) -> Json:
    content: Any = [{"type": "input_text", "text": text}, *ask.parts]
    items = [*ask.before, {"role": "user", "content": content, **ask.turn}, *ask.after]
    return joined({"model": model, "store": False, "input": items}, ask.members)


def _responses_goes_on(answer: Json, results: Mapping[str, Any]) -> list[Json]:
    outputs = ({"type": "function_call_output", "call_id": id, "output": one} for id, one in results.items())
    return [*answer["output"], *outputs]


def _gemini(model: str, text: str, ask: Ask) -> Json:
    turn = {"role": "user", "parts": [{"text": text}, *ask.parts], **ask.turn}
    return joined({"contents": [*ask.before, turn, *ask.after]}, ask.members)


def _gemini_goes_on(answer: Json, results: Mapping[str, Any]) -> list[Json]:
    content = answer["candidates"][0]["content"]
    calls = {
        part["functionCall"]["id"]: part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part
    }
    parts = [
        {"functionResponse": {"id": id, "name": calls[id], "response": {"result": one}}} for id, one in results.items()
    ]
    return [content, {"role": "user", "parts": parts}]


_TEXT_PATH = "/api/v1/services/aigc/text-generation/generation"
_MULTIMODAL_PATH = "/api/v1/services/aigc/multimodal-generation/generation"


def _dashscope(model: str, text: str, ask: Ask) -> Json:
    content: Any = [{"text": text}, *ask.parts] if ask.parts else text
    turns = [*ask.before, {"role": "user", "content": content, **ask.turn}, *ask.after]
    parameters = {"result_format": "message", "incremental_output": True}
    return joined({"model": model, "input": {"messages": turns}, "parameters": parameters}, ask.members)


def _dashscope_goes_on(answer: Json, results: Mapping[str, Any]) -> list[Json]:
    message = answer["output"]["choices"][0]["message"]
    return [message, *({"role": "tool", "tool_call_id": id, "content": one} for id, one in results.items())]


def _dashscope_path(model: str, stream: bool, body: Json) -> str:
    listed = any(not isinstance(turn["content"], str) for turn in body["input"]["messages"])
    return _MULTIMODAL_PATH if listed else _TEXT_PATH


OPENAI = Client(
    name="openai",
    title="OpenAI chat completions",
    format=OPENAI_CHAT,
    path=lambda model, stream, body: "/v1/chat/completions",
    write=_openai,
    goes_on=_openai_goes_on,
)
RESPONSES = Client(
    name="responses",
    title="OpenAI Responses",
    format=ResponsesFormat(),
    path=lambda model, stream, body: "/v1/responses",
    write=_responses,
    goes_on=_responses_goes_on,
)
ANTHROPIC = Client(
    name="anthropic",
    title="Anthropic Messages",
    format=ANTHROPIC_FORMAT,
    path=lambda model, stream, body: "/v1/messages",
    write=_anthropic,
    goes_on=_anthropic_goes_on,
    headers=lambda stream: {"anthropic-version": "2023-06-01"},
)
GEMINI = Client(
    name="gemini",
    title="Gemini generateContent",
    format=GEMINI_FORMAT,
    path=lambda model, stream, body: (
        f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"
    ),
    write=_gemini,
    goes_on=_gemini_goes_on,
    streams_in_body=False,
)
DASHSCOPE = Client(
    name="dashscope",
    title="DashScope native",
    format=DASHSCOPE_FORMAT,
    path=_dashscope_path,
    write=_dashscope,
    goes_on=_dashscope_goes_on,
    headers=lambda stream: {"x-dashscope-sse": "enable"} if stream else {},
    streams_in_body=False,
)
CLIENTS = (OPENAI, RESPONSES, ANTHROPIC, GEMINI, DASHSCOPE)


def encoded(body: Json, addresses: Mapping[str, str]) -> bytes:
    """Return a body as bytes, in which words such as `$IMAGE` stand for addresses."""
    text = json.dumps(body, ensure_ascii=False)
    for word, address in addresses.items():
        text = text.replace(word, address)
    return text.encode()
