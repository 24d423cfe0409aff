"""What a vendor's replies say that nobody knows yet reaches callers of its own format, also where an application's
prompt had to be written into the request: members of calls, of messages and of what was thought.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.formats.dashscope.wire import data_of
from tests.hosted import hosted, sells, upstream
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_upstream import Call, Reply, Upstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator
from tokengate.formats.openai.shapes import is_list, is_object

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
# Where a vendor's words are new: members of what these members, or these types, are in.
MARKS = ("function", "finish_reason", "arguments")
TYPES = frozenset({"message", "output_text", "reasoning", "function_call"})
_data = re.compile(rb"(?<=data:) ?(\{.*\})").sub


def app(model: str) -> str:
    return f'[[app]]\nname = "guide"\nmodel = "{model}"\nsystem = "You show people around."\n'


def with_news(value: Any) -> Any:
    """Return what a vendor says with new members, each with a value that says what it is of."""
    if is_list(value):
        return [with_news(one) for one in value]
    if not is_object(value):
        return value
    members = {name: with_news(one) for name, one in value.items()}
    kind = members.get("type")
    of = kind if kind in TYPES else next((mark for mark in MARKS if mark in members), None)
    return {**members, "x_new": of} if of else members


def news_in(value: Any) -> list[str]:
    """Return the values of new members, wherever they are."""
    if is_list(value):
        return [new for one in value for new in news_in(one)]
    if not is_object(value):
        return []
    own = [value["x_new"]] if "x_new" in value else []
    return own + [new for one in value.values() for new in news_in(one)]


def renewed(reply: Reply) -> Reply:
    """Return a vendor's reply with new members."""

    def tell(data: bytes) -> bytes:
        return json.dumps(with_news(json.loads(data))).encode()

    reply.body = tell(reply.body) if reply.body else b""
    reply.pieces = reply.pieces and [_data(lambda found: tell(found[1]), piece) for piece in reply.pieces]
    return reply


class NewDashScope(DashScope):
    def _served(self, path: str, body: Any, request_id: str, *, stream: bool) -> Reply:
        return renewed(super()._served(path, body, request_id, stream=stream))


class NewOpenAI(OpenAISimulator):
    def __call__(self, call: Call) -> Reply:
        return renewed(super().__call__(call))


@pytest.mark.parametrize("stream", ["whole", "pieces", "all so far"])
async def test_new_members_of_dashscopes_calls_reach_its_callers(stream: str, tmp_path: Path) -> None:
    with NewDashScope() as vendor:
        config = upstream(vendor.url, "qwen-plus", provider="dashscope_native", api_key=vendor.key)
        async with hosted(tmp_path, config + sells("qwen-plus") + app("qwen-plus")) as gateway:
            tools = [{"type": "function", "function": WEATHER}]
            body = {
                "model": "app/guide",
                "input": {"messages": [{"role": "user", "content": "weather in Rome and Oslo"}]},
                "parameters": {
                    "result_format": "message",
                    "tools": tools,
                    "parallel_tool_calls": True,
                    "incremental_output": stream == "pieces",
                },
            }
            sse = {} if stream == "whole" else {"x-dashscope-sse": "enable"}
            answer = await gateway.post(body, "/api/v1/services/aigc/text-generation/generation", headers=sse)

        assert answer.status == 200, answer.body
        assert vendor.last["input"]["messages"][0]["role"] == "system"
    told = [answer.json] if stream == "whole" else data_of(answer.body)
    choices = [event["output"]["choices"][0] for event in told]
    assert choices[0]["x_new"] == choices[-1]["x_new"] == "finish_reason"
    calls = [call for choice in choices for call in choice["message"].get("tool_calls", ())]
    for index in (0, 1):  # a piece of the vendor's may be two of ours
        assert set(news_in([call for call in calls if call["index"] == index])) == {"function", "arguments"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_new_members_of_openais_items_reach_its_callers(stream: bool, tmp_path: Path) -> None:
    async with Upstream(NewOpenAI()) as vendor:
        config = upstream(vendor.url, "gpt-5.4", provider="openai", api_key=KEY)
        async with hosted(tmp_path, config + sells("gpt-5.4") + app("gpt-5.4")) as gateway:
            body = {
                "model": "app/guide",
                "input": 'get_weather({"city": "Rome"})',
                "tools": [{"type": "function", **WEATHER}],
                "stream": stream,
            }
            called = await gateway.post(body, "/v1/responses")
            said = await gateway.post({**body, "input": "Hello"}, "/v1/responses")

    assert (called.status, said.status) == (200, 200), called.body + said.body
    output = [reply_of(answer.body, stream=stream)["output"] for answer in (called, said)]
    assert [news_in(items) for items in output] == [
        ["reasoning", "function_call"],
        ["reasoning", "message", "output_text"],
    ]
    if stream:
        events = data_of(said.body)
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        ends = [(event["output_index"], event["item"]["type"]) for event in events if "item" in event]
        assert ends == [(0, "reasoning"), (0, "reasoning"), (1, "message"), (1, "message")]


def reply_of(body: bytes, *, stream: bool) -> Any:
    return data_of(body)[-1]["response"] if stream else json.loads(body)
