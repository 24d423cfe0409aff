"""The mock upstream: nginx with a whole chat reply and a 40-chunk stream, the same for every prompt, as OpenAI and as
Anthropic send them.

Writes the nginx configurations of the mock and of the plain proxy that is measured beside the gateways.
"""

import json
from pathlib import Path

CONTENT_CHUNKS = 40
WORDS = ("The ", "river ", "Seine ", "divides ", "Paris ", "into ", "two ", "banks, ", "left ", "and ", "right. ")
WHOLE_TEXT = "Paris is the capital of France, and the seat of its government since the tenth century."
PROMPT_TOKENS = 24
WHOLE_TOKENS = 19
STREAM_TEXT = "".join(WORDS[n % len(WORDS)] for n in range(CONTENT_CHUNKS))
CHAT_KINDS = ("whole", "stream", "long", "slow")  # the mock's base paths, which are also the models' names
MESSAGES_KINDS = ("messages", "messages-stream")  # those that speak as Anthropic does
STREAM_KINDS = ("stream", "slow", "messages-stream")
_VARIABLE_BYTES = 3000  # one value in an nginx configuration must be under 4 KiB


def whole_reply() -> str:
    return _json(
        {
            "id": "chatcmpl-Bf3Q7mPzK8wYxV2nLhTjRc5dGaSe1",
            "object": "chat.completion",
            "created": 1790000000,
            "model": "mock-1",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": WHOLE_TEXT, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": _usage(WHOLE_TOKENS),
            "system_fingerprint": "fp_44709d6fcb",
        }
    )


def stream_events(tokens: int = CONTENT_CHUNKS) -> list[str]:
    """Return the stream's events: role, one per token, finish, usage, [DONE]."""
    chunks = [
        _chunk({"role": "assistant", "content": "", "refusal": None}),
        *(_chunk({"content": WORDS[n % len(WORDS)]}) for n in range(tokens)),
        _chunk({}, finish="stop"),
        _chunk(None, usage=_usage(tokens)),
    ]
    return [f"data: {chunk}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]


def whole_message() -> str:
    """Return the whole chat reply as Anthropic sends it."""
    return _json(_message([{"type": "text", "text": WHOLE_TEXT}], "end_turn", WHOLE_TOKENS))


def message_events() -> list[str]:
    """Return the stream's events as Anthropic sends them: start, one delta per token, end, each with its name."""
    block = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": WORDS[n % len(WORDS)]} for n in range(CONTENT_CHUNKS)]
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": _message([], None, 1)},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": CONTENT_CHUNKS}},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {_json(event)}\n\n" for event in events]


def mock_config(folder: Path, port: int) -> str:
    """Return the configuration of the mock upstream.

    `/long/` reads the whole request body before it answers, as a vendor does; nginx alone would answer at the head.
    The stream has no Content-Length (the substitution that never matches takes it away), so it is chunked as vendors'
    streams are. `/requests` is the count that shows that every call really reached the mock.
    """
    whole = f"default_type application/json; return 200 {_quoted(whole_reply())};"
    message = f"default_type application/json; return 200 {_quoted(whole_message())};"
    return _nginx(
        folder,
        f"""
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location /whole/ {{ {whole} }}
        location /long/ {{ proxy_pass http://unix:{folder}/after_body.sock; proxy_pass_request_body off;
                           proxy_set_header Content-Length ""; }}
        location /stream/ {{ {_streamed(stream_events())} }}
        location /messages/ {{ {message} }}
        location /messages-stream/ {{ {_streamed(message_events())} }}
        location = /requests {{ stub_status; }}
    }}
    server {{
        listen unix:{folder}/after_body.sock;
        location / {{ {whole} }}
    }}""",
    )


def proxy_config(folder: Path, port: int, mock_port: int, slow_port: int) -> str:
    """Return the configuration of nginx as a plain proxy in front of the mock."""
    return _nginx(
        folder,
        f"""
    upstream mock {{ server 127.0.0.1:{mock_port}; keepalive 1024; keepalive_requests 1000000000;
                     keepalive_timeout 1h; }}
    upstream slow {{ server 127.0.0.1:{slow_port}; keepalive 1024; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /healthz {{ return 200 "ok"; }}
        location /slow/ {{ proxy_pass http://slow; proxy_buffering off; }}
        location /stream/ {{ proxy_pass http://mock; proxy_buffering off; }}
        location / {{ proxy_pass http://mock; }}
    }}""",
    )


def _nginx(folder: Path, servers: str) -> str:
    return f"""daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_buffer_size 512k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
{servers}
}}
"""


def _chunk(delta: dict[str, str | None] | None, finish: str | None = None, usage: object = None) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return _json(
        {
            "id": "chatcmpl-Bf3Q7mPzK8wYxV2nLhTjRc5dGaSe1",
            "object": "chat.completion.chunk",
            "created": 1790000000,
            "model": "mock-1",
            "system_fingerprint": "fp_44709d6fcb",
            "choices": choices,
            "usage": usage,
        }
    )


def _usage(completion_tokens: int) -> dict[str, object]:
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": completion_tokens,
        "total_tokens": PROMPT_TOKENS + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _message(content: list[dict[str, str]], stop_reason: str | None, output_tokens: int) -> dict[str, object]:
    return {
        "id": "msg_01Bf3Q7mPzK8wYxV2nLhTjRc",
        "type": "message",
        "role": "assistant",
        "model": "mock-1",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": PROMPT_TOKENS,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        },
    }


def _streamed(events: list[str]) -> str:
    """Return what makes a location answer with a chunked stream."""
    pieces = _pieces("".join(events))
    variables = "\n".join(f"            set $part{n} {_quoted(piece)};" for n, piece in enumerate(pieces))
    stream = "".join(f"$part{n}" for n in range(len(pieces)))
    return f"""
            default_type text/event-stream;
            sub_filter_types text/event-stream;
            sub_filter "never in the stream" "";
{variables}
            return 200 "{stream}";
        """


def _pieces(text: str) -> list[str]:
    return [text[start : start + _VARIABLE_BYTES] for start in range(0, len(text), _VARIABLE_BYTES)]


def _quoted(text: str) -> str:
    assert "'" not in text and "$" not in text and "\\" not in text
    return "'" + text.replace("\n", "\\n") + "'"
