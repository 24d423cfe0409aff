"""The commands that ask a running gateway, against one that answers from a script."""

import io
import json
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import cast

import pytest

from tests.cli.conftest import Run

CHUNKS = [
    b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n',
    b": a comment\n\n",
    b'data: {"choices":[{"delta":{"content":"Rot, "}}]}\n\n',
    'data: {"choices":[{"delta":{"content":"grün."}}]}\n\n'.encode(),
    b'data: {"choices":[],"usage":{"prompt_tokens":13,"completion_tokens":257}}\n\n',
    b"data: [DONE]\n\n",
]
COST = b'{"id":"req_1","cost":"0.00228125","input_tokens":13,"output_tokens":257,"usage_source":"vendor"}'
UPSTREAMS = (
    b'{"upstreams":[{"name":"vllm","provider":"openai_compatible","base_url":"http://gpu/v1","models":["qwen3"],'
    b'"state":"open","failures":5,"cooldown_s":12.5,"last_failure":"timeout","in_flight":0}]}'
)


class StubGateway(HTTPServer):
    """Remembers what it was asked; `refuse` makes it answer calls with that status and message."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.chunks = CHUNKS
        self.refuse: tuple[int, str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        stub = cast(StubGateway, self.server)
        stub.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        stub.keys.append(self.headers["Authorization"])
        if stub.refuse is not None:
            status, message = stub.refuse
            self._send(status, json.dumps({"error": {"message": message}}).encode())
            return
        self._send(200, b"".join(stub.chunks))

    def do_GET(self) -> None:
        self._send(200, UPSTREAMS if self.path == "/internal/upstreams" else COST)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("x-request-id", "req_1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def gateway() -> Generator[StubGateway, None, None]:
    with StubGateway() as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield stub
        stub.shutdown()
        thread.join()


def test_chat_shows_the_answer_and_what_it_cost(run: Run, gateway: StubGateway):
    ran = run("chat", "m", "Two colours?", "--key", "sk-1", "--system", "In German.", "--url", gateway.url)

    assert ran.status == 0
    assert ran.out == "Rot, grün.\n"
    assert ran.err == "[13 + 257 tokens, vendor: ¥0.00228125]\n"
    assert gateway.keys == ["Bearer sk-1"]
    assert gateway.asked[0]["messages"] == [
        {"role": "system", "content": "In German."},
        {"role": "user", "content": "Two colours?"},
    ]


def test_a_conversation_remembers_its_turns(run: Run, gateway: StubGateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", _Terminal("Two colours?\n\nAnd now?\n"))

    ran = run("chat", "m", "--key", "sk-1", "--url", gateway.url)

    assert ran.status == 0
    assert [len(cast("list[object]", asked["messages"])) for asked in gateway.asked] == [1, 3]


def test_text_that_is_piped_in_is_one_message(run: Run, gateway: StubGateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("line one\nline two\n"))
    monkeypatch.setenv("TOKENGATE_API_KEY", "sk-2")

    ran = run("chat", "m", "--url", gateway.url)

    assert ran.status == 0
    assert gateway.keys == ["Bearer sk-2"]
    assert gateway.asked[0]["messages"] == [{"role": "user", "content": "line one\nline two\n"}]


def test_a_refused_call_is_the_gateways_own_sentence(run: Run, gateway: StubGateway):
    gateway.refuse = (402, "Insufficient balance: this call needs up to ¥1.")

    ran = run("chat", "m", "hello", "--key", "sk-1", "--url", gateway.url)

    assert ran.status == 1
    assert ran.err == "tokengate: Insufficient balance: this call needs up to ¥1.\n"


def test_a_stream_that_ends_in_an_error_is_not_taken_for_an_answer(run: Run, gateway: StubGateway):
    gateway.chunks = [*CHUNKS[:3], b'data: {"error":{"message":"The upstream broke off."}}\n\n']

    ran = run("chat", "m", "hello", "--key", "sk-1", "--url", gateway.url)

    assert ran.status == 1
    assert ran.out == "Rot, \n"
    assert ran.err == "tokengate: The upstream broke off.\n"


def test_chat_without_a_key_says_where_to_put_one(run: Run):
    ran = run("chat", "m", "hello")

    assert (ran.status, ran.out) == (1, "")
    assert "--key, or in the environment as TOKENGATE_API_KEY" in ran.err


def test_chat_without_a_gateway_says_how_to_start_one(run: Run, gateway: StubGateway):
    ran = run("chat", "m", "hello", "--key", "sk-1", "--url", "http://127.0.0.1:1")

    assert ran.status == 1
    assert ran.err.endswith("Nothing answers at http://127.0.0.1:1: start the gateway with `tokengate serve`.\n")


def test_upstreams_are_as_the_gateway_sees_them(run: Run, gateway: StubGateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKENGATE_PORT", str(gateway.server_port))

    shown = run("upstreams")
    ran = run("upstreams", "--json")

    assert "vllm" in shown.out
    assert "open" in shown.out
    assert ran.json == json.loads(UPSTREAMS)["upstreams"]


def test_without_a_gateway_upstreams_are_as_configured(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKENGATE_PORT", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-vendor")

    ran = run("upstreams", "--json")

    (row,) = cast("list[dict[str, object]]", ran.json)
    assert (row["name"], row["state"]) == ("openai", "not running")
    assert "sk-vendor" not in ran.out
    assert "This is what is configured" in ran.err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
