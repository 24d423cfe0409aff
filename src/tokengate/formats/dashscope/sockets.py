"""Refusals in the words of DashScope's WebSocket services, as its SDKs parse them.

Tasks (`/api-ws/v1/inference`): https://help.aliyun.com/zh/model-studio/cosyvoice-websocket-api, 2026-11
Sessions (`/api-ws/v1/realtime`): https://help.aliyun.com/zh/model-studio/server-events, 2026-11
"""

import msgspec
from msgspec import Struct

from tokengate.core.errors import GatewayError
from tokengate.formats.dashscope.errors import code_of
from tokengate.formats.dashscope.shapes import encode


class _Header(Struct):
    task_id: str = ""


class _Message(Struct):
    header: _Header


class _Event(Struct):
    event_id: str | None = None


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def write_task_failed(error: GatewayError, asked: bytes, request_id: str) -> bytes:
    """Return the event that ends the task which `asked`, the caller's message, is about."""
    try:
        task_id = _decode_message(asked).header.task_id
    except (ValueError, RecursionError):
        task_id = ""
    header = {
        "task_id": task_id or request_id,
        "event": "task-failed",
        "error_code": code_of(error),
        "error_message": error.message,
        "attributes": {"request_uuid": request_id},
    }
    return encode({"header": header, "payload": {}})


def write_session_error(error: GatewayError, asked: bytes, request_id: str) -> bytes:
    """Return the event that tells of an error, and of the caller's event that it answers."""
    try:
        event_id = _decode_event(asked).event_id
    except (ValueError, RecursionError):
        event_id = None
    told = {
        "type": "invalid_request_error",
        "code": code_of(error),
        "message": error.message,
        "param": None,
        "event_id": event_id,
    }
    return encode({"event_id": f"event_{request_id}", "type": "error", "error": told})
