"""A request goes to a vendor byte for byte only when everything in it means the same there."""

import json
from typing import Any

import pytest

from tests.formats.openai.chats import HI
from tokengate.formats.openai.format import OPENAI_CHAT, OpenAIChat
from tokengate.formats.openai.requests import read_chat
from tokengate.providers.load import provider_of

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA: dict[str, Any] = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://e.example/a.png"}}
INSIDE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


def vendor(name: str) -> OpenAIChat:
    chat = provider_of(name).formats["openai"]
    assert isinstance(chat, OpenAIChat)
    return chat


def forwards(dialect: OpenAIChat, **members: Any) -> bool:
    request = read_chat(json.dumps({"model": "m", "messages": HI, **members}).encode())
    return dialect.forwards(request.members, request.said)


def says(*parts: Any, role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": list(parts)}]}


PLAIN: dict[str, Any] = {
    "temperature": 0.5,
    "max_tokens": 10,
    "stop": ["a"],
    "tools": [TOOL],
    "tool_choice": "auto",
    "stream": True,
    "stream_options": {"include_usage": True},
    "n": 1,
    "seed": None,
    "logprobs": False,
}


@pytest.mark.parametrize("name", ["openai", "xai", "dashscope", "vllm", "sglang", "ollama"])
def test_plain_requests_are_forwarded(name: str) -> None:
    assert forwards(vendor(name), **PLAIN)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("openai", {"top_k": 5}),
        ("openai", {"enable_thinking": False}),
        ("openai", {"enable_search": True}),
        ("openai", {"structured_outputs": {"regex": "a"}}),
        ("openai", {"stop_token_ids": [1]}),
        ("openai", says({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}})),
        ("xai", {"web_search_options": {}}),
        ("xai", {"tools": [{"type": "custom", "custom": {"name": "c"}}]}),
        ("xai", {"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}),
        ("dashscope", {"reasoning_effort": "low"}),
        ("dashscope", {"temperature": 2}),
        ("dashscope", {"safety_identifier": "me"}),
        ("vllm", {"enable_thinking": True}),
        ("vllm", {"regex": "a"}),
        ("sglang", {"thinking_token_budget": 5}),
        ("ollama", {"tool_choice": "required"}),
        ("ollama", {"parallel_tool_calls": False}),
        ("ollama", {"n": 2}),
        ("ollama", says(PICTURE)),
        ("ollama", {"messages": [{"role": "developer", "content": "a"}]}),
        ("sglang", {"messages": [*HI, {"role": "assistant", "content": "a", "partial": True}]}),
        ("vllm", says({"type": "video", "video": ["https://e.example/1.png"]})),
        ("openai", {"messages": [{"role": "tool", "tool_call_id": "c", "content": [INSIDE]}]}),
    ],
)
def test_what_the_vendor_lacks_or_spells_otherwise_is_converted(name: str, members: dict[str, Any]) -> None:
    assert not forwards(vendor(name), **members)
    assert forwards(OPENAI_CHAT, **members)  # of such a server nothing is known


@pytest.mark.parametrize("name", ["minimax", "deepseek", "zhipu"])
def test_vendors_whose_every_reply_needs_other_words_are_never_forwarded_to(name: str) -> None:
    assert not forwards(vendor(name))


def test_pictures_inside_a_request_and_words_inside_texts_change_nothing() -> None:
    text = {"type": "text", "text": 'he said "developer", "custom" and "video"'}

    assert forwards(vendor("ollama"), **says(text, INSIDE))
    assert forwards(vendor("openai"), **says(text, PICTURE))
    assert forwards(vendor("openai"), response_format=SCHEMA)
