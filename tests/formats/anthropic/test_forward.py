"""The same-format lane changes the model's name and nothing else."""

import json
from typing import Any

import pytest

from tests.formats.anthropic.examples import CHATS, REPLIES, STREAMS
from tests.formats.anthropic.examples import body as request
from tokengate.core.splice import Members
from tokengate.core.wire import Forwarding
from tokengate.formats.anthropic.forward import FORWARDING, is_foreign
from tokengate.formats.anthropic.read import read_chat

BODY = (
    b'{ "model" : "ours","max_tokens": 9, '
    b'"messages":[{"role":"user","content":"\\u00e9 \\"model\\": 1"}], "odd": [1,2] }'
)


def test_a_request_differs_only_by_its_model() -> None:
    sent = FORWARDING.forward_chat(Members(BODY), model="theirs", output_cap=None)

    assert sent == BODY.replace(b'"ours"', b'"theirs"')


def test_a_lowered_cap_is_written() -> None:
    sent = FORWARDING.forward_chat(Members(BODY), model="ours", output_cap=3)

    assert sent == BODY.replace(b": 9", b": 3")


def test_a_message_is_renamed_wherever_its_model_stands() -> None:
    whole = b'{"id":"msg_1","model":"theirs","content":[{"type":"text","text":"\\"model\\":\\"theirs\\""}]}'
    start = b'{"type":"message_start","message":' + whole + b"}"

    assert FORWARDING.rename_model(whole, "ours") == whole.replace(b'"theirs"', b'"ours"', 1)
    assert FORWARDING.rename_model(start, "ours") == start.replace(b'"theirs"', b'"ours"', 1)


def test_what_has_no_model_stays_as_it_is() -> None:
    for data in (b'{"type":"ping"}', b'{"text":"\\"model\\""}', b'{"model"', b"[]", b'{"message":{"a":"model"}}'):
        assert FORWARDING.rename_model(data, "ours") == data


@pytest.mark.parametrize("name", CHATS)
def test_only_the_model_is_renamed_in_a_request(name: str) -> None:
    forwarding: Forwarding = FORWARDING
    asked = CHATS[name]

    sent = forwarding.forward_chat(Members(asked), model="theirs", output_cap=None)

    assert sent == asked.replace(json.dumps(json.loads(asked)["model"]).encode(), b'"theirs"', 1)


def test_a_cap_that_the_wallet_can_pay_replaces_the_callers() -> None:
    asked = b'{"model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 4000}, "x": 1}'

    assert FORWARDING.forward_chat(Members(asked), model="m", output_cap=4001) == asked.replace(b"9000", b"4001")
    assert (
        FORWARDING.forward_chat(Members(asked), model="m", output_cap=4000)
        == b'{"model": "m", "max_tokens": 4000, "x": 1}'
    )
    no_thinking = b'{"model":"m","max_tokens":9000,"thinking":null}'
    assert FORWARDING.forward_chat(Members(no_thinking), model="m", output_cap=5) == no_thinking.replace(b"9000", b"5")


@pytest.mark.parametrize("name", REPLIES)
def test_only_the_model_is_renamed_in_a_reply(name: str) -> None:
    theirs = json.loads(REPLIES[name])["model"]

    assert FORWARDING.rename_model(REPLIES[name], "ours") == REPLIES[name].replace(theirs.encode(), b"ours", 1)


@pytest.mark.parametrize("name", STREAMS)
def test_only_the_start_of_a_stream_names_the_model(name: str) -> None:
    theirs = json.loads(REPLIES[name])["model"].encode()
    lines = STREAMS[name].splitlines()

    renamed = [
        line[:6] + FORWARDING.rename_model(line[6:], "ours") if line[:6] == b"data: " else line for line in lines
    ]

    assert b"\n".join(renamed) == b"\n".join(lines).replace(b'"model":"%b"' % theirs, b'"model":"ours"', 1)


@pytest.mark.parametrize("name", CHATS)
def test_a_conversation_with_anthropic_alone_is_not_foreign(name: str) -> None:
    assert not is_foreign(read_chat(CHATS[name]))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm", "signature": "gemini:AA"},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "redacted_thinking", "data": "responses:gA"},
        {"type": "text", "text": "x", "citations": [{"type": "web_search_result_location", "encrypted_index": ""}]},
    ],
)
def test_what_another_vendor_said_is_foreign(block: dict[str, Any]) -> None:
    assert is_foreign(read_chat(request(messages=[{"role": "assistant", "content": [block]}])))


def test_a_call_with_another_vendors_proof_is_foreign() -> None:
    blocks: list[Any] = [
        {"type": "thinking", "thinking": "", "signature": "call:AA"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    ]

    assert is_foreign(read_chat(request(messages=[{"role": "assistant", "content": blocks}])))
