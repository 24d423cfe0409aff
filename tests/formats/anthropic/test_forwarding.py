"""The few edits in bytes that go through as they are."""

import json

import pytest

from tests.formats.anthropic.examples import CHATS, REPLIES, STREAMS
from tokengate.core.splice import Members
from tokengate.core.wire import Forwarding
from tokengate.formats.anthropic.forwarding import FORWARDING


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


@pytest.mark.parametrize("data", [b'{"type":"x","a":{"model":"m"}}', b'{"model"', b'["model"]', b'{"type":"ping"}'])
def test_what_names_no_model_stays(data: bytes) -> None:
    assert FORWARDING.rename_model(data, "ours") == data
