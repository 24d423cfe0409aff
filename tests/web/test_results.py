"""Results over the wire: links, parts, conditions, heads, and files that fail on their way."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.hosted import Hosted, hosted
from tests.raw_http import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = bytes(range(256)) * 4096  # 1 MB
TAG = f'"{sha256(BODY).hexdigest()}"'
LATER_S = 4_000_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Hosted]:
    async with hosted(tmp_path_factory.mktemp("results"), "") as gateway:
        await keep(gateway)
        yield gateway


async def keep(gateway: Hosted, name: str = "film.mp4", body: bytes = BODY, *, media_type: str = "video/mp4") -> str:
    """Store a result and return a link to it."""

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    await gateway.platform.results.put("job_1", name, media_type, pieces(), len(body))
    return link_to(gateway, name)


def link_to(gateway: Hosted, name: str = "film.mp4") -> str:
    return gateway.platform.links.sign("job_1", name, LATER_S)


async def ask(gateway: Hosted, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask as a browser does, without a key; header names are written with underscores."""
    async with gateway.connect() as connection:
        await connection.request(method, path, {name.replace("_", "-"): value for name, value in headers.items()})
        if method == "HEAD":
            return await connection.read_head()
        return await connection.answer()


async def test_a_link_gives_the_file_without_a_key(gateway: Hosted) -> None:
    answer = await ask(gateway, link_to(gateway))

    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(BODY))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == TAG
    assert answer.headers["content-disposition"] == 'inline; filename="film.mp4"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"].startswith("req_")
    assert "transfer-encoding" not in answer.headers


async def test_the_head_alone_tells_the_same(gateway: Hosted) -> None:
    answer = await ask(gateway, link_to(gateway))
    async with gateway.connect() as connection:
        for headers in ({}, {"range": "bytes=0-9"}):
            await connection.request("HEAD", link_to(gateway), headers)
            head = await connection.read_head()

            assert head.status == 200
            for name in ("content-length", "content-type", "etag", "accept-ranges", "content-disposition"):
                assert head.headers[name] == answer.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=1048570-", 1048570, 1048576), ("bytes=-6", 1048570, 1048576)],
)
async def test_a_part_comes_alone(gateway: Hosted, asked: str, start: int, end: int) -> None:
    answer = await ask(gateway, link_to(gateway), range=asked)

    assert (answer.status, answer.body) == (206, BODY[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(BODY)}"
    assert answer.headers["content-length"] == str(end - start)


async def test_a_part_behind_the_end_is_refused(gateway: Hosted) -> None:
    answer = await ask(gateway, link_to(gateway), range="bytes=1048576-", origin="https://shop.example")

    assert (answer.status, answer.error["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */1048576"
    assert "content-range" in answer.headers["access-control-expose-headers"]


async def test_conditions(gateway: Hosted) -> None:
    link = link_to(gateway)

    assert (await ask(gateway, link, range="bytes=0-9", if_range=TAG)).status == 206
    assert (await ask(gateway, link, range="bytes=0-9", if_range='"old"')).body == BODY
    same = await ask(gateway, link, if_none_match=f'"old", W/{TAG}')
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", TAG)
    assert (await ask(gateway, link, if_none_match='"old"')).status == 200
    assert (await ask(gateway, link, range="bytes=0-9", if_match=TAG)).status == 206
    changed = await ask(gateway, link, range="bytes=0-9", if_match='"old"')
    assert (changed.status, changed.error["code"]) == (412, "precondition_failed")


async def test_only_a_good_link_is_let_in(gateway: Hosted) -> None:
    link = link_to(gateway)
    path, _, query = link.partition("?")
    expired = gateway.platform.links.sign("job_1", "film.mp4", 1_700_000_000)
    for wrong, code in (
        (path, "link_invalid"),
        (f"{path}?expires={LATER_S}", "link_invalid"),
        (link[:-1], "link_invalid"),
        (f"{path}?{query}".replace(str(LATER_S), str(LATER_S + 1)), "link_invalid"),
        (f"/v1/results/job_1/other.mp4?{query}", "link_invalid"),
        (f"/v1/results/job_1/..%2f..%2ftokengate.db?{query}", None),
        (f"/v1/results/..%2f..?{query}", "link_invalid"),
        (f"/v1/results/job_1?{query}", None),
        (expired, "link_expired"),
    ):
        answer = await ask(gateway, wrong)

        assert answer.status == (403 if code else 404), wrong
        assert answer.error["code"] == (code or "not_found")


async def test_a_result_that_is_gone_is_not_found(gateway: Hosted) -> None:
    answer = await ask(gateway, gateway.platform.links.sign("job_2", "film.mp4", LATER_S))

    assert (answer.status, answer.error["code"]) == (404, "result_not_found")


@pytest.mark.parametrize(
    ("media_type", "disposition"),
    [
        ("image/png", "inline"),
        ("audio/mpeg", "inline"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("application/json", "attachment"),
    ],
)
async def test_what_could_run_as_a_page_is_only_for_download(
    gateway: Hosted, media_type: str, disposition: str
) -> None:
    answer = await ask(gateway, await keep(gateway, "file.bin", b"<script>", media_type=media_type))

    assert answer.headers["content-disposition"] == f'{disposition}; filename="file.bin"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_empty_file_is_a_file(gateway: Hosted) -> None:
    answer = await ask(gateway, await keep(gateway, "empty.txt", b"", media_type="text/plain"))

    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "0", b"")


async def test_one_connection_serves_file_after_file(gateway: Hosted) -> None:
    async with gateway.connect() as connection:
        for _ in range(3):
            await connection.request("GET", link_to(gateway), {"range": "bytes=5-9"})
            assert (await connection.answer()).body == BODY[5:10]


async def test_a_browser_of_another_site_may_ask(gateway: Hosted) -> None:
    preflight = await ask(
        gateway,
        link_to(gateway),
        "OPTIONS",
        origin="https://shop.example",
        access_control_request_method="GET",
        access_control_request_headers="range",
    )
    answer = await ask(gateway, link_to(gateway), origin="https://shop.example", range="bytes=0-9")

    assert preflight.headers["access-control-allow-headers"] == "range"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"content-range", "etag", "accept-ranges"} <= set(
        answer.headers["access-control-expose-headers"].split(", ")
    )


async def test_other_methods_are_refused(gateway: Hosted) -> None:
    for method in ("POST", "DELETE", "PUT"):
        answer = await ask(gateway, link_to(gateway), method)

        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_http2_serves_the_same(gateway: Hosted) -> None:
    async with httpx.AsyncClient(http1=False, http2=True, base_url=gateway.url, timeout=60) as client:
        whole = await client.get(link_to(gateway))
        part = await client.get(link_to(gateway), headers={"range": "bytes=100-1000099"})
        head = await client.head(link_to(gateway))

    assert (whole.http_version, whole.content) == ("HTTP/2", BODY)
    assert (part.status_code, part.content) == (206, BODY[100:1000100])
    assert whole.headers["content-length"] == head.headers["content-length"] == str(len(BODY))
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("http2", [False, True])
async def test_a_file_that_is_not_whole_in_its_storage_is_broken_off(gateway: Hosted, http2: bool) -> None:
    link = await keep(gateway, "cut.mp4")
    (body,) = (gateway.platform.settings.server.data / "results" / "job_1" / "cut.mp4").glob("body_*")
    with body.open("r+b") as file:
        file.truncate(600_000)

    async with httpx.AsyncClient(http1=not http2, http2=http2, base_url=gateway.url, timeout=60) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(link)


async def test_a_body_that_is_gone_is_not_found(gateway: Hosted) -> None:
    link = await keep(gateway, "gone.mp4")
    (body,) = (gateway.platform.settings.server.data / "results" / "job_1" / "gone.mp4").glob("body_*")
    Path(body).unlink()

    answer = await ask(gateway, link)

    assert (answer.status, answer.error["code"]) == (404, "result_not_found")


async def test_a_caller_who_leaves_ends_the_reading(gateway: Hosted) -> None:
    link = await keep(gateway, "long.mp4", bytes(8 * 1024 * 1024))

    for _ in range(5):
        async with gateway.connect() as connection:
            await connection.request("GET", link)
            assert (await connection.read_head()).status == 200

    async with asyncio.timeout(60):
        while any(task.get_coro().__qualname__ == "Server._run" for task in asyncio.all_tasks()):  # type: ignore[union-attr]
            await asyncio.sleep(0.005)
