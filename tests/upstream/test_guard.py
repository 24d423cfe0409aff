"""What may be sent to, and that a connection is made only to an address that was looked at."""

import asyncio
from socket import AddressFamily

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.support import FakeClock
from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.settings import UpstreamSettings
from tokengate.upstream.guard import AddressRefused, Guard
from tokengate.upstream.transport import HttpTransport

CLOSED = (
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
)
OPEN = ("8.8.8.8", "1.1.1.1", "223.5.5.5", "2400:3200::1", "2606:4700:4700::1111", "64:ff9b::808:808")


class Names(AbstractResolver):
    """Answers with what it was given."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=_family(address), proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None: ...


def _family(address: str) -> int:
    return AddressFamily.AF_INET6 if ":" in address else AddressFamily.AF_INET


def url(host: str) -> str:
    return f"https://[{host}]/hook" if ":" in host else f"https://{host}/hook"


@pytest.mark.parametrize("address", CLOSED)
async def test_address_that_is_not_public_is_refused_written_or_resolved(address: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().check_url(url(address))
    with pytest.raises(AddressRefused):
        await Guard(resolver=Names("8.8.8.8", address)).resolve("hooks.example.com", 443)


@pytest.mark.parametrize("address", OPEN)
async def test_public_address_is_allowed_written_or_resolved(address: str) -> None:
    Guard().check_url(url(address))

    (found,) = await Guard(resolver=Names(address)).resolve("hooks.example.com", 443)
    assert found["host"] == address


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///hook",
        "https://user:secret@hooks.example.com",
        "https://user@hooks.example.com",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://hooks.example.com:99999/",
        "https://[::1",
    ],
)
def test_what_is_no_plain_address_is_refused(wrong: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().check_url(wrong)


@pytest.mark.parametrize("good", ["https://hooks.example.com/a?b=c", "http://dead.beef:8080", "https://例子.测试/钩"])
def test_host_name_is_looked_up_only_when_it_is_sent_to(good: str) -> None:
    Guard().check_url(good)


async def test_named_private_host_may_be_private_but_no_metadata_service() -> None:
    named = ("Hooks.corp.example.", "10.9.9.9")

    Guard(named).check_url("http://10.9.9.9/hook")
    assert await Guard(named, Names("10.1.2.3")).resolve("hooks.corp.example", 80)
    with pytest.raises(AddressRefused):
        await Guard(named, Names("10.1.2.3")).resolve("other.corp.example", 80)
    for address in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254", "fe80::1"):
        with pytest.raises(AddressRefused):
            await Guard(named, Names(address)).resolve("hooks.corp.example", 80)
    with pytest.raises(AddressRefused):
        Guard(("169.254.169.254",)).check_url("http://169.254.169.254/latest")


class Listener:
    """A server on loopback that counts who connects."""

    def __init__(self, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.answer = answer
        self.connections = 0

    async def __aenter__(self) -> "Listener":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answer)
        await writer.drain()
        writer.close()


async def send(guard: Guard, target: str, clock: FakeClock) -> int:
    transport = HttpTransport(UpstreamSettings(name="The webhook", base_url="https://x"), clock, guard)
    try:
        exchange = await transport.send(HttpRequest("POST", target, {}, b"{}", Timeouts()))
        exchange.close()
        return exchange.status
    finally:
        await transport.close()


async def test_guarded_transport_connects_to_no_private_address(clock: FakeClock) -> None:
    async with Listener() as listener:
        for host in ("127.0.0.1", "localhost", "hooks.example.com"):
            with pytest.raises(UpstreamFailed) as refused:
                await send(Guard(resolver=Names("127.0.0.1")), f"http://{host}:{listener.port}/", clock)
            assert refused.value.message == "The webhook could not be reached: its address is not a public one."

        assert listener.connections == 0


async def test_guarded_transport_connects_to_the_address_that_was_checked(clock: FakeClock) -> None:
    async with Listener() as listener:
        guard = Guard(("hooks.corp.example",), Names("127.0.0.1"))

        assert await send(guard, f"http://hooks.corp.example:{listener.port}/", clock) == 204
        assert listener.connections == 1


async def test_redirect_is_not_followed(clock: FakeClock) -> None:
    async with Listener(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n") as one:
        with pytest.raises(UpstreamFailed) as refused:
            await send(Guard(("127.0.0.1",)), f"http://127.0.0.1:{one.port}/", clock)

        assert refused.value.upstream_status == 302
        assert one.connections == 1
