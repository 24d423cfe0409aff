"""A wallet's alert, from setting it to the webhook that is told."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.web.console_api.paying import Paying
from tokengate.tasks.notify import signature


class Hook:
    """A webhook on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self.status = 204
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = dict(line.split(": ", 1) for line in head)
        body = await reader.readexactly(int(headers["content-length"]))
        writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        writer.close()
        await self.got.put((headers, body))


@asynccontextmanager
async def hook() -> AsyncGenerator[Hook]:
    made = Hook()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/low"
    yield made
    server.close()


def genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = signature(key, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    return headers["webhook-signature"] == expected


async def test_a_wallet_that_runs_low_tells_its_webhook_and_shows_that_it_did(paying: Paying):
    billing = await paying.member("billing")
    async with hook() as webhook:
        made: Any = (
            await billing.call("PUT", f"{paying.wallet}/alert", {"threshold_yuan": "9.99", "url": webhook.url})
        ).json()
        await paying.call("b")
        await paying.site.gateway.idle()
        headers, body = await asyncio.wait_for(webhook.got.get(), 10)

        assert genuine(made["secret"], headers, body)
        told = json.loads(body)
        assert (told["type"], told["data"]["wallet_id"]) == ("wallet.low_balance", paying.key.wallet_id)
        assert (told["data"]["threshold_yuan"], told["data"]["available_yuan"]) == ("9.99", "9.985")

    async def ended() -> Any:
        shown = await billing.get(f"{paying.wallet}/alert")
        return shown if shown["messages"][0]["state"] == "sent" else None

    while (shown := await ended()) is None:
        await asyncio.sleep(0.01)
    assert (shown["armed"], "secret" in shown) == (False, False)
    assert [(one["kind"], one["tries"], one["answer"]) for one in shown["messages"]] == [
        ("wallet.low_balance", 1, "status 204")
    ]


async def test_a_test_tells_how_it_went_and_may_not_be_repeated_at_once(paying: Paying):
    admin = await paying.member("admin")
    async with hook() as webhook:
        webhook.status = 500
        await admin.call("PUT", f"{paying.wallet}/alert", {"threshold_yuan": "0", "url": webhook.url})

        tested = await admin.post(f"{paying.wallet}/alert/test")
        again = await admin.refused("POST", f"{paying.wallet}/alert/test")

        _, body = await webhook.got.get()
    assert (tested, again) == ({"delivered": False, "answer": "status 500"}, (429, "too_many_tests"))
    assert json.loads(body)["type"] == "wallet.alert_test"


async def test_an_address_that_may_not_be_sent_to_is_refused(paying: Paying):
    owner = await paying.member("owner")

    for url in (
        "http://localhost.localdomain:x/",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "ftp://a.example",
        "x",
    ):
        form = {"threshold_yuan": "1", "url": url}
        assert await owner.refused("PUT", f"{paying.wallet}/alert", form) == (400, "bad_address"), url
    wrong = {"threshold_yuan": "-1", "url": "https://hooks.example.com"}
    assert await owner.refused("PUT", f"{paying.wallet}/alert", wrong) == (400, "bad_amount")


async def test_an_alert_is_changed_removed_and_audited_without_its_secret(paying: Paying):
    operator = await paying.operator()
    form = {"threshold_yuan": "1", "url": "https://hooks.example.com"}

    assert (await operator.call("GET", f"{paying.wallet}/alert")).json() is None
    first = (await operator.call("PUT", f"{paying.wallet}/alert", form)).json()
    second = (await operator.call("PUT", f"{paying.wallet}/alert", {**form, "threshold_yuan": "2"})).json()
    renewed = (await operator.call("PUT", f"{paying.wallet}/alert", {**form, "new_secret": True})).json()
    await operator.delete(f"{paying.wallet}/alert")

    assert first["secret"].startswith("whsec_") and second["secret"] is None
    assert renewed["secret"] not in (None, first["secret"])
    assert await operator.refused("DELETE", f"{paying.wallet}/alert") == (404, "no_alert")
    entries = (await operator.get(f"{paying.org}/audit?action=alert"))["data"]
    assert [entry["action"] for entry in entries] == ["alert.delete", *["alert.set"] * 3]
    assert first["secret"] not in str(entries) and renewed["secret"] not in str(entries)
