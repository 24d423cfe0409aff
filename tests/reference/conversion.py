"""The tables of the guide "What is converted, and what is refused", made by asking every vendor's writer.

`python -m tests.reference.conversion` prints them.
"""

import json
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.errors import Unsupported
from tokengate.core.wire import Losses
from tokengate.formats.openai.chat_reader import read_chat
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.providers.load import provider_of
from tokengate.reference.words import Lang

Verdict = Literal["kept", "dropped", "refused"]


class Column(Struct, frozen=True):
    """A vendor as the table heads it, and a model of it by the vendor's own name."""

    title: str
    provider: str
    format: str
    model: str


class Row(Struct, frozen=True):
    """One thing that a caller can say, in both languages, and a request that says it."""

    en: str
    zh: str
    request: dict[str, Any]


FORMATS = (
    Column("OpenAI chat", "openai", "openai", "gpt-5.4"),
    Column("OpenAI Responses", "openai", "responses", "gpt-5.4"),
    Column("Anthropic", "anthropic", "anthropic", "claude-sonnet-4-6"),
    Column("Gemini", "google", "gemini", "gemini-3.1-pro-preview"),
    Column("DashScope", "dashscope_native", "dashscope", "qwen3.5-plus"),
)
VENDORS = (
    Column("`dashscope`", "dashscope", "openai", "qwen3.5-plus"),
    Column("`deepseek`", "deepseek", "openai", "deepseek-v4-pro"),
    Column("`zhipu`", "zhipu", "openai", "glm-5.1"),
    Column("`minimax`", "minimax", "openai", "MiniMax-M2.7"),
    Column("`xai`", "xai", "openai", "grok-4-1-fast-reasoning"),
    Column("`vllm`", "vllm", "openai", "Qwen/Qwen3-8B"),
    Column("`sglang`", "sglang", "openai", "Qwen/Qwen3-8B"),
    Column("`ollama`", "ollama", "openai", "llama3.2:3b"),
)

_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_ASKED: dict[str, Any] = {"role": "user", "content": "Hello"}
_FUNCTION: dict[str, Any] = {"name": "look", "parameters": {"type": "object", "properties": {}}}
_TOOL: dict[str, Any] = {"type": "function", "function": _FUNCTION}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_CALL: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]}


def _same(words: str, request: dict[str, Any]) -> Row:
    return Row(words, words, request)


PARAMETERS = (
    _same("`temperature`", {"temperature": 0.5}),
    _same("`top_p`", {"top_p": 0.9}),
    _same("`max_tokens`", {"max_tokens": 100}),
    _same("`stop`", {"stop": ["END"]}),
    _same("`stop_token_ids`", {"stop_token_ids": [7]}),
    _same("`n`", {"n": 2}),
    _same("`seed`", {"seed": 7}),
    _same("`frequency_penalty`", {"frequency_penalty": 0.5}),
    _same("`presence_penalty`", {"presence_penalty": 0.5}),
    _same("`repetition_penalty`", {"repetition_penalty": 1.1}),
    _same("`top_k`", {"top_k": 20}),
    _same("`min_p`", {"min_p": 0.1}),
    _same("`logit_bias`", {"logit_bias": {"50256": -100}}),
    _same("`logprobs`", {"logprobs": True, "top_logprobs": 2}),
    _same("`response_format` `json_object`", {"response_format": {"type": "json_object"}}),
    _same(
        "`response_format` `json_schema`",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "trip", "schema": _SCHEMA}}},
    ),
    Row("`tools`: functions", "`tools`：函数", {"tools": [_TOOL]}),
    Row(
        "`tools`: custom, with free text",
        "`tools`：自由文本（custom）",
        {"tools": [{"type": "custom", "custom": {"name": "code"}}]},
    ),
    _same("`tools`: `strict`", {"tools": [{"type": "function", "function": {**_FUNCTION, "strict": True}}]}),
    _same("`tool_choice`: `required`", {"tools": [_TOOL], "tool_choice": "required"}),
    _same("`parallel_tool_calls`: `false`", {"tools": [_TOOL], "parallel_tool_calls": False}),
    _same("`reasoning_effort`", {"reasoning_effort": "high"}),
    _same("`enable_thinking`: `false`", {"enable_thinking": False}),
    _same("`thinking_budget`", {"enable_thinking": True, "thinking_budget": 2048, "max_tokens": 8192}),
    _same("`web_search_options`, `enable_search`", {"web_search_options": {}}),
    _same("`search_options`", {"enable_search": True, "search_options": {"forced_search": True}}),
    _same("`modalities`: `audio`", {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}),
    _same("`verbosity`", {"verbosity": "low"}),
    _same("`user`", {"user": "u-1"}),
    _same("`metadata`", {"metadata": {"job": "7"}}),
    _same("`service_tier`", {"service_tier": "flex"}),
    _same("`translation_options`", {"translation_options": {"source_lang": "auto", "target_lang": "English"}}),
    _same("`vl_high_resolution_images`", {"vl_high_resolution_images": True}),
)
MESSAGES = (
    Row(
        "`system`, `developer`",
        "`system`、`developer`",
        {"messages": [{"role": "developer", "content": "Be brief."}, _ASKED]},
    ),
    Row("`name` of who speaks", "发言者的 `name`", {"messages": [{**_ASKED, "name": "ann"}]}),
    Row("image", "图片", _part({"type": "image_url", "image_url": {"url": _PIXEL}})),
    Row(
        "`detail` of an image",
        "图片的 `detail`",
        _part({"type": "image_url", "image_url": {"url": _PIXEL, "detail": "high"}}),
    ),
    Row("video by address", "视频地址", _part({"type": "video_url", "video_url": {"url": "https://a.example/a.mp4"}})),
    Row(
        "video as pictures",
        "视频帧",
        _part({"type": "video", "video": [f"https://a.example/{number}.png" for number in range(4)]}),
    ),
    Row("sound", "音频", _part({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})),
    Row(
        "PDF",
        "PDF",
        _part({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}),
    ),
    Row(
        "image in a tool's result",
        "工具结果中的图片",
        {
            "tools": [_TOOL],
            "messages": [
                _ASKED,
                {"role": "assistant", "tool_calls": [_CALL]},
                {
                    "role": "tool",
                    "tool_call_id": "call_1",
                    "content": [{"type": "image_url", "image_url": {"url": _PIXEL}}],
                },
            ],
        },
    ),
    Row(
        "beginning of the answer (`partial`)",
        "回答的开头（`partial`）",
        {"messages": [_ASKED, {"role": "assistant", "content": "Once", "partial": True}]},
    ),
    _same(
        "`cache_control`",
        {
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}],
                },
                _ASKED,
            ]
        },
    ),
)
_WORDS: dict[Lang, dict[Verdict, str]] = {
    "en": {"kept": "✓", "dropped": "dropped", "refused": "refused"},
    "zh": {"kept": "✓", "dropped": "去掉", "refused": "拒绝"},
}
_HEADS: dict[Lang, str] = {"en": "a caller says", "zh": "调用方写的"}


def verdict(column: Column, request: dict[str, Any]) -> Verdict:
    """Return what becomes of a request of OpenAI's format when this vendor is asked."""
    chat = read_chat(json.dumps({"model": "m", "messages": [_ASKED], **request}).encode())
    losses = Losses(column.provider, OPENAI_CHAT.names)
    try:
        provider_of(column.provider).formats[column.format].write_chat(replace(chat, model=column.model), losses)
    except Unsupported:
        return "refused"
    return "dropped" if losses.dropped else "kept"


def table(rows: tuple[Row, ...], columns: tuple[Column, ...], lang: Lang) -> str:
    """Return a Markdown table."""
    lines = [
        f"| {' | '.join((_HEADS[lang], *(column.title for column in columns)))} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for row in rows:
        cells = (_WORDS[lang][verdict(column, row.request)] for column in columns)
        lines.append(f"| {' | '.join((row.en if lang == 'en' else row.zh, *cells))} |")
    return "\n".join(lines)


def tables(lang: Lang) -> list[str]:
    """Return the guide's tables."""
    return [
        table(PARAMETERS, FORMATS, lang),
        table(MESSAGES, FORMATS, lang),
        table(PARAMETERS, VENDORS, lang),
        table(MESSAGES, VENDORS, lang),
    ]


if __name__ == "__main__":
    for lang in ("en", "zh"):
        print("\n\n".join(tables(lang)), end="\n\n")
