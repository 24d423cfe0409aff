"""What the SDKs make of these events is the judges' matter."""

import json

import pytest

from tokengate.core.errors import NotFound, Unsupported
from tokengate.formats.dashscope.sockets import write_session_error, write_task_failed

ERROR = NotFound("not here")
DEEP = b'{"header": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def test_refusal_names_the_task_that_it_refuses() -> None:
    asked = b'{"header": {"action": "run-task", "task_id": "abc", "streaming": "duplex"}, "payload": {"model": "m"}}'

    told = json.loads(write_task_failed(ERROR, asked, "req_1"))

    assert told == {
        "header": {
            "task_id": "abc",
            "event": "task-failed",
            "error_code": "NotFound",
            "error_message": "not here",
            "attributes": {"request_uuid": "req_1"},
        },
        "payload": {},
    }


def test_refusal_names_the_event_that_it_refuses() -> None:
    told = json.loads(write_session_error(ERROR, b'{"event_id": "event_7", "type": "session.update"}', "req_1"))

    assert told["type"] == "error" and told["event_id"]
    assert told["error"] == {
        "type": "invalid_request_error",
        "code": "NotFound",
        "message": "not here",
        "param": None,
        "event_id": "event_7",
    }


@pytest.mark.parametrize(
    "asked",
    [b"", b"\xff\x00", b"[]", b"{}", b'{"header": {}}', b'{"header": {"task_id": 7}, "event_id": 7}', DEEP],
)
def test_whatever_was_said_is_refused(asked: bytes) -> None:
    error = Unsupported("DashScope", "this")

    failed = json.loads(write_task_failed(error, asked, "req_1"))["header"]
    ended = json.loads(write_session_error(error, asked, "req_1"))["error"]

    assert (failed["task_id"], failed["error_code"]) == ("req_1", "UnsupportedOperation")
    assert (ended["event_id"], ended["code"]) == (None, "UnsupportedOperation")
