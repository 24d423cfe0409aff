"""DashScope's services over WebSocket as a plain caller meets them; the judges are its SDK."""

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.hosted import Hosted, hosted
from tokengate.web.surfaces import dashscope_sockets

SPEECH = "POST /api/v1/services/aigc/multimodal-generation/generation"
RECORDINGS = "POST /api/v1/services/audio/asr/transcription"
TASK: dict[str, Any] = {
    "header": {"action": "run-task", "task_id": "0123456789abcdef", "streaming": "duplex"},
    "payload": {"task_group": "audio", "task": "tts", "function": "SpeechSynthesizer", "model": "cosyvoice-v2"},
}
EVENT: dict[str, Any] = {"event_id": "event_1", "type": "session.update", "session": {"voice": "Cherry"}}


def call(gateway: Hosted, path: str, key: str | None = None) -> connect:
    headers = gateway.headers() if key is None else {"authorization": f"Bearer {key}"}
    return connect(f"ws://127.0.0.1:{gateway.port}{path}", additional_headers=headers, proxy=None)


@pytest.mark.parametrize(
    ("path", "asked", "where", "names"),
    [
        ("/api-ws/v1/inference", TASK, "header", {"event": "task-failed", "task_id": "0123456789abcdef"}),
        ("/api-ws/v1/inference/", TASK, "header", {"error_code": "NotFound"}),
        ("/api-ws/v1/realtime?model=qwen3-tts-flash-realtime", EVENT, "error", {"event_id": "event_1"}),
    ],
)
async def test_whoever_has_a_key_is_told_in_the_protocols_words(
    tmp_path: Path, path: str, asked: dict[str, Any], where: str, names: dict[str, str]
) -> None:
    async with hosted(tmp_path, "") as gateway, call(gateway, path) as caller:
        await caller.send(json.dumps(asked))
        told = json.loads(await caller.recv())
        with pytest.raises(ConnectionClosed):
            await caller.recv()

    assert names.items() <= told[where].items()
    message = told[where].get("error_message") or told[where]["message"]
    assert SPEECH in message and RECORDINGS in message
    assert caller.close_code == 1008 and SPEECH in (caller.close_reason or "")


async def test_whoever_waits_to_be_spoken_to_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope_sockets, "_FIRST_MESSAGE_S", 0.01)

    async with hosted(tmp_path, "") as gateway, call(gateway, "/api-ws/v1/realtime") as caller:
        told = json.loads(await caller.recv())

    assert told["type"] == "error" and SPEECH in told["error"]["message"]


@pytest.mark.parametrize("path", ["/api-ws/v1/inference", "/api-ws/v1/realtime"])
async def test_whoever_has_no_key_is_not_let_in(tmp_path: Path, path: str) -> None:
    async with hosted(tmp_path, "") as gateway:
        with pytest.raises(InvalidStatus) as refused:
            async with call(gateway, path, key="sk-tg-wrong"):
                pass

    answer = refused.value.response
    assert answer.status_code == 401 and json.loads(answer.body or b"")["code"] == "InvalidApiKey"


async def test_path_of_no_service_is_not_upgraded(tmp_path: Path) -> None:
    async with hosted(tmp_path, "") as gateway:
        with pytest.raises(InvalidStatus) as refused:
            async with call(gateway, "/api-ws/v1/other"):
                pass

    assert refused.value.response.status_code == 404


@pytest.mark.parametrize("path", ["/api-ws/v1/inference", "/api-ws/v1/realtime?model=qwen3-tts-flash-realtime"])
async def test_whoever_does_not_come_over_websocket_is_told_over_http(tmp_path: Path, path: str) -> None:
    async with hosted(tmp_path, "") as gateway:
        plain = await gateway.get(path)
        half = await gateway.get(path, headers={"connection": "Upgrade", "upgrade": "websocket"})

    for answer in (plain, half):
        assert (answer.status, answer.json["code"]) == (404, "NotFound")
        message = answer.json["message"]
        assert message.startswith(f"{path.partition('?')[0]} is not served, nothing is offered over WebSocket")
        assert SPEECH in message and RECORDINGS in message
