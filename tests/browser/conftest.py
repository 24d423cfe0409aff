"""One Chromium and one gateway for all tests of the pages; each test opens contexts of its own, which share nothing."""

from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import open_chromium
from tests.browser.main_pages import People
from tests.browser.site import VENDOR_MODEL, Member, Site, busy_member, open_site
from tests.simulators.oidc_provider import OidcProvider


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def provider() -> AsyncGenerator[OidcProvider]:
    async with OidcProvider() as provider:
        yield provider


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, provider: OidcProvider) -> Generator[Site]:
    with open_site(tmp_path_factory.mktemp("portal"), provider.config(create_users=True)) as site:
        yield site


@pytest.fixture(scope="session")
def member(site: Site) -> Member:
    return busy_member(site)


@pytest.fixture(scope="session")
def operator(site: Site) -> Member:
    made = site.gateway.command("users", "create", "--email", "olga@example.com", "--name", "Olga", "--operator")
    return site.sign_in("olga@example.com", made["password"])


@pytest.fixture(scope="session")
def people(member: Member, operator: Member) -> People:
    calls = member.call("GET", f"/orgs/{member.org_id}/calls?model={VENDOR_MODEL}")["data"]
    return People(member, operator, calls[0]["id"])
