"""DashScope's own SDK asks for what the vendor offers over WebSocket, and each of its classes tells its user that the
gateway does not, and what it offers instead: none waits in vain."""

import gc
import json
import queue
import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.audio import asr, qwen_omni, qwen_tts_realtime, tts, tts_v2
from dashscope.common.error import RequestFailure
from dashscope.multimodal.multimodal_dialog import MultiModalDialog
from dashscope.multimodal.multimodal_request_params import ClientInfo, Downstream, RequestParameters, Upstream
from dashscope.multimodal.tingwu.tingwu_realtime import TingWuRealtime
from dashscope.v2.errors import DashScopeError
from msgspec import Struct

from tests.e2e.gateway import GatewayProcess

SPEECH = "POST /api/v1/services/aigc/multimodal-generation/generation"
RECORDINGS = "POST /api/v1/services/audio/asr/transcription"

# Whose server closes the connection leaves it to the collector to close the socket: so does the SDK's library.
pytestmark = pytest.mark.filterwarnings("ignore:.*socket:pytest.PytestUnraisableExceptionWarning")

sdk: Any = dashscope  # its own types are loose
sounds: Any = {"asr": asr, "omni": qwen_omni, "session": qwen_tts_realtime, "tts": tts, "tts_v2": tts_v2}


class Place(Struct, frozen=True):
    tasks: str
    sessions: str
    key: str


class Told:
    """A callback of any class of the SDK: keeps what it was told."""

    def __init__(self) -> None:
        self._said: queue.Queue[tuple[str, Any]] = queue.Queue()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(name)

        def keep(*args: Any, **named: Any) -> None:
            self._said.put((name, [*args, *named.values()]))

        return keep

    def until(self, name: str) -> Any:
        """Return what the callback of this name was told first."""
        while True:
            called, told = self._said.get(timeout=10)
            if called == name:
                return told


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with GatewayProcess(tmp_path_factory.mktemp("sockets"), "") as gateway:
        url = gateway.url.replace("http", "ws") + "/api-ws/v1"
        yield Place(f"{url}/inference", f"{url}/realtime", gateway.create_key())


@pytest.fixture
def place(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    monkeypatch.setattr(dashscope, "base_websocket_api_url", opened.tasks)
    monkeypatch.setattr(dashscope, "api_key", opened.key)
    before = set(threading.enumerate())
    yield opened
    for thread in set(threading.enumerate()) - before:
        if isinstance(thread, threading.Timer):
            thread.cancel()
        thread.join(1)  # one that has missed that its connection is closed keeps its socket
    gc.collect()


@pytest.fixture
def recording(tmp_path: Path) -> str:
    path = tmp_path / "hello.pcm"
    path.write_bytes(bytes(3_200))
    return str(path)


@pytest.fixture
def audio(place: Place) -> Generator[Any]:
    with sdk.Client(api_key=place.key, base_url=place.tasks) as client, pytest.warns(FutureWarning, match="preview"):
        yield client.audio


def is_reason(text: Any) -> bool:
    return SPEECH in text and RECORDINGS in text


def test_synthesizer_raises_the_reason(place: Place):
    with pytest.raises(RequestFailure) as raised:
        sounds["tts_v2"].SpeechSynthesizer(model="cosyvoice-v2", voice="longxiaochun_v2").call("hello")

    failure: Any = raised.value
    assert failure.name == "NotFound" and is_reason(failure.message)


def test_synthesizer_with_a_callback_raises_the_reason_and_tells_it(place: Place):
    told = Told()
    synthesizer = sounds["tts_v2"].SpeechSynthesizer(model="cosyvoice-v2", voice="longxiaochun_v2", callback=told)

    with pytest.raises(RequestFailure) as raised:
        synthesizer.streaming_call("hello")

    assert is_reason(str(raised.value))
    [message] = told.until("on_error")
    assert is_reason(json.loads(message)["header"]["error_message"])


def test_older_synthesizer_returns_the_reason(place: Place):
    result = sounds["tts"].SpeechSynthesizer.call(model="sambert-zhichu-v1", text="hello")

    assert result.get_response().code == "NotFound" and is_reason(result.get_response().message)


def test_recognition_of_a_file_returns_the_reason(place: Place, recording: str):
    recognition = sounds["asr"].Recognition(
        model="paraformer-realtime-v2", callback=None, format="pcm", sample_rate=16000
    )

    result = recognition.call(recording)

    assert result.code == "NotFound" and is_reason(result.message)


@pytest.mark.parametrize("name", ["Recognition", "TranslationRecognizerRealtime", "TranslationRecognizerChat"])
def test_recognition_of_a_stream_tells_the_reason(place: Place, name: str):
    told = Told()
    recognition = getattr(sounds["asr"], name)(
        model="gummy-realtime-v1", callback=told, format="pcm", sample_rate=16000
    )

    recognition.start()

    [result] = told.until("on_error")
    assert result.code == "NotFound" and is_reason(result.message)
    told.until("on_close")


def test_realtime_speech_tells_the_reason(place: Place):
    told = Told()
    session = sounds["session"].QwenTtsRealtime(model="qwen3-tts-flash-realtime", callback=told, url=place.sessions)

    session.connect()
    session.update_session(voice="Cherry")

    [event] = told.until("on_event")
    assert event["type"] == "error" and is_reason(event["error"]["message"])
    code, reason = told.until("on_close")
    assert code == 1008 and SPEECH in reason


def test_realtime_speech_tells_the_reason_to_whoever_waits(place: Place):
    told = Told()
    session = sounds["session"].QwenTtsRealtime(model="qwen3-tts-flash-realtime", callback=told, url=place.sessions)

    session.connect()

    [event] = told.until("on_event")
    assert is_reason(event["error"]["message"])
    told.until("on_close")


def test_realtime_conversation_raises_the_reason(place: Place):
    told = Told()
    conversation = sounds["omni"].OmniRealtimeConversation(
        model="qwen3-omni-flash-realtime", callback=told, url=place.sessions
    )

    conversation.connect()
    with pytest.raises(RuntimeError) as raised:
        conversation.end_session()

    assert is_reason(str(raised.value))
    [event] = told.until("on_event")
    assert is_reason(event["error"]["message"])


def test_dialog_tells_the_reason(place: Place):
    told = Told()
    asked = RequestParameters(upstream=Upstream(), downstream=Downstream(), client_info=ClientInfo(user_id="someone"))
    dialog: Any = MultiModalDialog(app_id="app", request_params=asked, multimodal_callback=told)  # type: ignore[arg-type]

    dialog.start("")

    [message] = told.until("on_error")
    assert is_reason(json.loads(message)["header"]["error_message"])


def test_meeting_tells_the_reason(place: Place):
    told = Told()
    meeting: Any = TingWuRealtime(model="tingwu-industrial-instruction", callback=told, app_id="app")  # type: ignore[arg-type]

    meeting.start()

    _, message = told.until("on_error")
    assert is_reason(message)


def test_clients_synthesis_raises_the_reason(place: Place, audio: Any):
    with pytest.raises(DashScopeError) as raised:
        audio.tts.synthesize("hello", ws_url=place.tasks)

    assert is_reason(str(raised.value))


def test_clients_recognition_raises_the_reason(place: Place, audio: Any, recording: str):
    with pytest.raises(DashScopeError) as raised:
        list(audio.asr.recognize_file(recording, model="paraformer-realtime-v2", ws_url=place.tasks))

    assert is_reason(str(raised.value))


@pytest.mark.parametrize("speaks", [True, False])
def test_clients_session_raises_the_reason(place: Place, audio: Any, speaks: bool):
    with audio.realtime.connect(model="qwen3-omni-flash-realtime", ws_url=place.sessions) as session:
        if speaks:
            session.send_event({"type": "session.update", "session": {"voice": "Cherry"}})
        with pytest.raises(DashScopeError) as raised:
            list(session.events())

    assert is_reason(str(raised.value))


def test_shared_connection_tells_its_task_the_reason(place: Place, audio: Any):
    with (
        closing(sdk.WsConnection(url=place.tasks, api_key=place.key)) as connection,
        pytest.raises(DashScopeError) as raised,
        audio.tts.connect(connection=connection),
    ):
        pass

    assert is_reason(str(raised.value))


def test_wrong_key_is_not_let_in(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dashscope, "api_key", "sk-tg-wrong")

    result = sounds["tts"].SpeechSynthesizer.call(model="sambert-zhichu-v1", text="hello")

    assert result.get_response().status_code == 401
    assert result.get_response().message == "Unauthorized, your api-key is invalid!"
