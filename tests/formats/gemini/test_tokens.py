import json

import pytest

from tests.formats.gemini.wire import PLAIN
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.parts import Text
from tokengate.formats.gemini.tokens import read_count, read_count_reply, write_count, write_count_reply


def test_contents_or_a_whole_request_may_be_counted() -> None:
    contents = read_count(json.dumps(PLAIN).encode(), model="m")
    whole = read_count(json.dumps({"generateContentRequest": {**PLAIN, "model": "models/m"}}).encode(), model="m")

    assert contents == whole
    assert whole.messages[0].parts == (Text("Hi"),)


def test_both_at_once_are_refused() -> None:
    with pytest.raises(BadRequest):
        read_count(json.dumps({**PLAIN, "generateContentRequest": PLAIN}).encode(), model="m")


def test_google_is_asked_for_the_whole_request() -> None:
    assert json.loads(write_count(json.dumps(PLAIN).encode(), "m")) == {
        "generateContentRequest": {"model": "models/m", **PLAIN}
    }


def test_counts_are_read_and_written() -> None:
    assert read_count_reply(b'{"totalTokens": 9}') == 9
    assert read_count_reply(write_count_reply(9)) == 9


def test_what_is_no_count_fails() -> None:
    with pytest.raises(UpstreamFailed):
        read_count_reply(b"{}")
