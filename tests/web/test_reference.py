"""The documents for machines, public and not."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENTS = ("/openapi.json", "/collection.json", "/llms.txt", "/docs/guide/billing.md")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Hosted]:
    config = upstream("http://127.0.0.1:1/v1", "ours") + sells("ours")
    async with hosted(tmp_path_factory.mktemp("reference"), config) as gateway:
        yield gateway


async def ask(gateway: Hosted, path: str, **headers: str) -> Answer:
    async with gateway.connect() as connection:
        await connection.request("GET", path, headers)
        return await connection.answer()


async def test_everybody_may_read_a_public_reference(gateway: Hosted) -> None:
    kinds = [(await ask(gateway, path)).headers["content-type"] for path in DOCUMENTS]

    assert kinds == [
        "application/json",
        "application/json",
        "text/plain; charset=utf-8",
        "text/markdown; charset=utf-8",
    ]


async def test_documents_have_the_address_by_which_they_were_asked_for(gateway: Hosted) -> None:
    asked = {"host": "ai.example.com", "x-forwarded-proto": "https"}
    document = (await ask(gateway, "/openapi.json", **asked)).json
    collection = (await ask(gateway, "/collection.json", **asked)).json

    assert document["servers"] == [{"url": "https://ai.example.com"}]
    assert collection["variable"][0]["value"] == "https://ai.example.com"


async def test_each_page_has_a_twin_in_both_languages(gateway: Hosted) -> None:
    zh = await ask(gateway, "/docs/chat.completions/ours.md?lang=zh")
    en = await ask(gateway, "/docs/chat.completions/ours.md")

    assert "# ours" in zh.body.decode() and "请求示例" in zh.body.decode() and "已上线" in zh.body.decode()
    assert "Request example" in en.body.decode() and "Released" in en.body.decode()


@pytest.mark.parametrize(
    "path", ["/docs/none.md", "/docs/guide/billing", "/docs/../x.md", "/docs/guide/none.png", "/docs/.md"]
)
async def test_what_is_no_page_is_a_404(gateway: Hosted, path: str) -> None:
    answer = await ask(gateway, path)

    assert (answer.status, answer.error["code"]) == (404, "not_found")


async def test_an_unknown_language_is_refused(gateway: Hosted) -> None:
    answer = await ask(gateway, "/llms.txt?lang=fr")

    assert (answer.status, answer.error["param"]) == (400, "lang")


async def test_a_private_reference_needs_a_key(gateway: Hosted) -> None:
    portal = gateway.platform.console.portal
    before, portal.now = portal.now, replace(portal.now, portal_public=False)
    try:
        for path in DOCUMENTS:
            assert (await ask(gateway, path)).status == 401
            assert (await ask(gateway, path, cookie="tokengate_session=wrong")).status == 401
            assert (await gateway.get(path)).status == 200
    finally:
        portal.now = before
