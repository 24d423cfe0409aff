"""What a first visit costs: little script, few requests, and the next visit next to nothing."""

import pytest
from playwright.async_api import Browser, Response

from tests.browser.site import Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPT_BYTES = 300_000


@pytest.mark.parametrize("path", ["/", "/models", "/docs/guide/using-the-api", "/console/keys"])
async def test_a_first_visit_loads_less_than_300_kb_of_script(browser: Browser, site: Site, path: str):
    async with visit(browser, site) as visitor:
        seen: list[Response] = []
        visitor.page.on("response", lambda one: seen.append(one))

        await visitor.open(path)

        scripts = [one for one in seen if one.url.endswith(".js")]
        sizes = [(await one.request.sizes())["responseBodySize"] for one in scripts]
        assert scripts and sum(sizes) < SCRIPT_BYTES
        assert {await one.header_value("content-encoding") for one in scripts if "/assets/" in one.url} <= {"br", None}
        assert all(one.url.startswith(site.url) for one in seen), "nothing comes from elsewhere"
