"""Talks to a running gateway over HTTP, as any caller would: what `chat` and `upstreams` need of it."""

import http.client
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from tokengate.cli.failures import CommandError
from tokengate.core.settings import ServerSettings, Settings

_TIMEOUT_S = 300  # a model may think this long before its first token
_MAX_BODY = 4_000_000


class _Error(Struct):
    message: str = ""


class _ErrorBody(Struct):
    error: _Error = field(default_factory=_Error)


class _Delta(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Delta = field(default_factory=_Delta)


class _Chunk(Struct):
    choices: list[_Choice] = field(default_factory=list[_Choice])
    error: _Error | None = None


class Message(Struct, frozen=True):
    """One turn of a conversation."""

    role: str
    content: str


class Cost(Struct, frozen=True):
    """What `GET /v1/usage/{id}` says of a call."""

    cost: str
    input_tokens: int
    output_tokens: int
    usage_source: str | None = None


class _ChatBody(Struct):
    model: str
    messages: list[Message]
    stream: bool = True


_read_error = msgspec.json.Decoder(_ErrorBody).decode
_read_chunk = msgspec.json.Decoder(_Chunk).decode
_read_cost = msgspec.json.Decoder(Cost).decode


class Unreachable(CommandError):
    """Nothing answers at the gateway's address."""


class Client:
    """A caller of one gateway. `key` may be empty for paths that need none."""

    def __init__(self, base_url: str, key: str = "") -> None:
        self._url = urlsplit(base_url)
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.last_call = ""  # the id of the newest call

    def get(self, path: str) -> bytes:
        """Return a body. Raises Unreachable, and CommandError with the gateway's own sentence."""
        with self._send("GET", path, None) as response:
            return response.read(_MAX_BODY)

    def chat(self, model: str, messages: list[Message]) -> Iterator[str]:
        """Yield the pieces of the reply as they come. Raises what `get` does."""
        body = msgspec.json.encode(_ChatBody(model, messages))
        with self._send("POST", "/v1/chat/completions", body) as response:
            self.last_call = response.headers.get("x-request-id", "")
            for line in response:
                data = line.removeprefix(b"data:").strip()
                if not line.startswith(b"data:") or data == b"[DONE]":
                    continue
                chunk = _read_chunk(data)
                if chunk.error is not None:
                    raise CommandError(chunk.error.message)
                for choice in chunk.choices:
                    if choice.delta.content:
                        yield choice.delta.content

    def cost_of(self, call_id: str) -> Cost:
        """Return what a finished call came to."""
        return _read_cost(self.get(f"/v1/usage/{call_id}"))

    @contextmanager
    def _send(self, method: str, path: str, body: bytes | None) -> Generator[HTTPResponse]:
        assert self._url.hostname, self._base_url
        make = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = make(self._url.hostname, self._url.port, timeout=_TIMEOUT_S)
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        try:
            connection.request(method, self._url.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise CommandError(_message_of(response))
            yield response
        except ConnectionRefusedError:
            raise Unreachable(
                f"Nothing answers at {self._base_url}: start the gateway with `tokengate serve`"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise CommandError(f"The gateway at {self._base_url} broke off: {error or type(error).__name__}") from None
        finally:
            connection.close()


def local_url(server: ServerSettings) -> str:
    """Return where a gateway with these settings is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    return f"http://[{host}]:{server.port}" if ":" in host else f"http://{host}:{server.port}"


def portal_url(settings: Settings) -> str:
    """Return where people open the portal: as configured, else from this machine."""
    return settings.portal.base_url.rstrip("/") or local_url(settings.server)


def _message_of(response: HTTPResponse) -> str:
    body = response.read(_MAX_BODY)
    try:
        message = _read_error(body).error.message
    except msgspec.DecodeError:
        message = ""
    return message.strip() or f"The gateway answered with status {response.status}"
