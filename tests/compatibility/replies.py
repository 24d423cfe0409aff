"""Capabilities of what comes with an answer: search and its sources, refusals, reasons, caching, and tiers."""

from tests.compatibility.capability import (
    ANTHROPIC,
    DASHSCOPE,
    GEMINI,
    OPENAI,
    RESPONSES,
    Capability,
    decoded,
    first,
    parts_of,
)
from tests.compatibility.clients import Ask
from tokengate.core.chat import BuiltIn, Chat
from tokengate.core.parts import Opaque, Refusal, Text
from tokengate.core.reply import FinishReason, Reply


def _searches(chat: Chat) -> bool:
    return chat.search.enabled is True or any(isinstance(tool, BuiltIn) and tool.web_search for tool in chat.tools)


def _sources(reply: Reply) -> bool:
    cited = any(part.citations for part in first(reply).parts if isinstance(part, Text))
    found = any(isinstance(part, Opaque) and b"https://" in bytes(part.raw) for part in first(reply).parts)
    return cited or found or bool(reply.searches)


def _marked(chat: Chat) -> bool:
    return chat.cache is not None or any(getattr(part, "cache", None) for part in parts_of(chat))


def _cached(reply: Reply) -> bool:
    usage = reply.usage
    return usage is not None and usage.usage.cache_read + usage.usage.cache_write_5m + usage.usage.cache_write_1h > 0


_MARK = {"type": "ephemeral"}
_ASKS_FOR_USAGE = Ask(members={})
_PLAIN = {client: _ASKS_FOR_USAGE for client in (OPENAI, RESPONSES, ANTHROPIC, GEMINI, DASHSCOPE)}

REPLIES = (
    Capability(
        id="search",
        title=("Web search", "联网搜索"),
        group="replies",
        model="search",
        asks={
            OPENAI: Ask(members={"web_search_options": {}}),
            RESPONSES: Ask(members={"tools": [{"type": "web_search"}]}),
            ANTHROPIC: Ask(members={"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
            GEMINI: Ask(members={"tools": [{"googleSearch": {}}]}),
            DASHSCOPE: Ask(members={"parameters": {"enable_search": True}}),
        },
        text=lambda vendor: "search(the news)",
        arrives=_searches,
    ),
    Capability(
        id="citations",
        title=("Sources of a search", "搜索来源与引用"),
        group="replies",
        model="search",
        asks={
            OPENAI: Ask(members={"web_search_options": {}}),
            RESPONSES: Ask(members={"tools": [{"type": "web_search"}]}),
            ANTHROPIC: Ask(members={"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
            GEMINI: Ask(members={"tools": [{"googleSearch": {}}]}),
            DASHSCOPE: Ask(members={"parameters": {"enable_search": True}}),
        },
        text=lambda vendor: "search(the news)",
        returns=_sources,
    ),
    Capability(
        id="search_options",
        title=("search_options", "search_options"),
        group="replies",
        model="search",
        asks={
            OPENAI: Ask(members={"enable_search": True, "search_options": {"forced_search": True}}),
            DASHSCOPE: Ask(members={"parameters": {"enable_search": True, "search_options": {"forced_search": True}}}),
        },
        arrives=lambda chat: decoded(chat.search.options).get("forced_search") is True,
    ),
    Capability(
        id="refusal",
        title=("Refusals", "模型拒答"),
        group="replies",
        asks={client: Ask() for client in (OPENAI, RESPONSES, ANTHROPIC)},  # the others have only text
        text=lambda vendor: "REFUSE",
        returns=lambda reply: (
            any(isinstance(part, Refusal) for part in first(reply).parts)
            or first(reply).finish is FinishReason.CONTENT_FILTER
        ),
    ),
    Capability(
        id="filtered",
        title=("Answers withheld for safety", "安全拦截"),
        group="replies",
        asks=_PLAIN,
        text=lambda vendor: vendor.filtered,
        returns=lambda reply: first(reply).finish is FinishReason.CONTENT_FILTER,
        slice=True,
    ),
    Capability(
        id="usage",
        title=("Usage", "用量"),
        group="replies",
        asks=_PLAIN | {OPENAI: Ask(members={"stream_options": {"include_usage": True}})},
        returns=lambda reply: (
            reply.usage is not None and reply.usage.usage.input_total > 0 and reply.usage.usage.output_total > 0
        ),
        slice=True,
    ),
    Capability(
        id="cache_marks",
        title=("Prompt-cache markers", "提示缓存标记"),
        group="replies",
        asks={
            OPENAI: Ask(parts=[{"type": "text", "text": "long", "cache_control": _MARK}]),
            ANTHROPIC: Ask(parts=[{"type": "text", "text": "long", "cache_control": _MARK}]),
            DASHSCOPE: Ask(parts=[{"text": "long", "cache_control": _MARK}]),
        },
        model="cache",
        arrives=_marked,
    ),
    Capability(
        id="cache_usage",
        title=("Cached tokens in usage", "缓存用量"),
        group="replies",
        model="cache",
        asks={
            OPENAI: Ask(
                members={"stream_options": {"include_usage": True}},
                parts=[{"type": "text", "text": "long", "cache_control": _MARK}],
            ),
            ANTHROPIC: Ask(parts=[{"type": "text", "text": "long", "cache_control": _MARK}]),
            DASHSCOPE: Ask(parts=[{"text": "long", "cache_control": _MARK}]),
        },
        text=lambda vendor: "a cached prompt",
        returns=_cached,
    ),
    Capability(
        id="cache_auto",
        title=("Tokens that were cached without markers", "自动缓存用量"),
        group="replies",
        model="cache",
        asks=_PLAIN | {OPENAI: Ask(members={"stream_options": {"include_usage": True}})},
        text=lambda vendor: "a cached prompt",
        returns=_cached,
    ),
    Capability(
        id="service_tier",
        title=("Service tier", "服务等级"),
        group="replies",
        asks={
            OPENAI: Ask(members={"service_tier": "priority"}),
            RESPONSES: Ask(members={"service_tier": "priority"}),
            GEMINI: Ask(members={"serviceTier": "priority"}),
        },
        arrives=lambda chat: chat.service_tier == "priority",
    ),
    Capability(
        id="metadata",
        title=("metadata", "metadata"),
        group="replies",
        asks={
            OPENAI: Ask(members={"metadata": {"team": "a"}}),
            RESPONSES: Ask(members={"metadata": {"team": "a"}}),
        },
        arrives=lambda chat: decoded(chat.metadata) == {"team": "a"},
    ),
    Capability(
        id="user",
        title=("The caller's user", "终端用户标识"),
        group="replies",
        asks={
            OPENAI: Ask(members={"user": "u1"}),
            RESPONSES: Ask(members={"user": "u1"}),
            ANTHROPIC: Ask(members={"metadata": {"user_id": "u1"}}),
        },
        arrives=lambda chat: chat.user == "u1",
    ),
)
