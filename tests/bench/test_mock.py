import json
from pathlib import Path

import msgspec

from bench import mock
from bench.load import streamed_text


def test_stream_carries_its_text_in_forty_chunks_of_realistic_size() -> None:
    events = mock.stream_events()

    assert streamed_text("".join(events)) == mock.STREAM_TEXT
    content = [event for event in events if '"content":"' in event and '"role"' not in event]
    assert len(content) == mock.CONTENT_CHUNKS == 40
    assert all(180 < len(event) < 300 for event in content)


def test_stream_begins_with_the_role_and_ends_with_usage_and_done() -> None:
    events = mock.stream_events()

    first, usage = (json.loads(events[at].removeprefix("data: ")) for at in (0, -2))
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 40
    assert events[-1] == "data: [DONE]\n\n"


def test_whole_reply_has_the_text_and_its_usage() -> None:
    reply = json.loads(mock.whole_reply())

    assert reply["choices"][0]["message"]["content"] == mock.WHOLE_TEXT
    assert reply["usage"]["total_tokens"] == mock.PROMPT_TOKENS + mock.WHOLE_TOKENS


def test_every_value_of_the_configuration_fits_what_nginx_reads() -> None:
    config = mock.mock_config(Path("/run/mock"), 18780)

    values = [line.partition("'")[2].rpartition("'")[0] for line in config.splitlines() if " set $part" in line]
    sent = "".join(mock.stream_events()) + "".join(mock.message_events())
    assert "".join(values).replace("\\n", "\n") == sent
    assert all(len(value) < 4000 for value in values)


def test_messages_say_what_chats_say() -> None:
    message = msgspec.json.decode(mock.whole_message())
    streamed = [msgspec.json.decode(event.partition("data: ")[2]) for event in mock.message_events()]

    assert message["content"] == [{"type": "text", "text": mock.WHOLE_TEXT}]
    texts = [event["delta"]["text"] for event in streamed if event["type"] == "content_block_delta"]
    assert "".join(texts) == mock.STREAM_TEXT
    assert streamed[-2]["usage"]["output_tokens"] == len(texts) == mock.CONTENT_CHUNKS
    assert streamed[-1] == {"type": "message_stop"}
