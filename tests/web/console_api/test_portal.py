"""What the portal's pages ask for, on a gateway that offers a few models."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from tests.hosted import sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model
from tests.web.console_site import Caller, Site, console_site

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offering(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Site]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "qwen-plus", "ours", "vendor/with/slashes") + sells("ours")
        async with console_site(
            tmp_path_factory.mktemp("portal") / "gateway", config + sells("vendor/with/slashes")
        ) as site:
            yield site


@pytest_asyncio.fixture(loop_scope="module")
async def reader(offering: Site) -> Caller:
    return offering.visitor()


async def test_the_tree_leads_to_pages(reader: Caller):
    tree = await reader.get("/portal/tree?lang=en")

    assert tree["data"][0]["title"] == "Help centre"
    assert tree["help"] and tree["reference"]
    for link in (*tree["help"], *tree["reference"]):
        page = await reader.get(f"/portal/pages/{link['slug']}?lang=en")
        assert page["title"] == link["title"] and page["markdown"]


async def test_a_page_shows_the_state_of_the_running_gateway(reader: Caller, offering: Site):
    offered = await reader.get("/portal/pages/chat.completions/qwen-plus")
    not_offered = await reader.get("/portal/pages/chat.completions/gpt-5")

    assert (offered["status"], not_offered["status"]) == ("released", "developing")
    assert offered["base_urls"][0] == f"{offering.gateway.url}/v1"
    assert offered["parameters"][0]["in"] == "header"
    assert await reader.refused("GET", "/portal/pages/nothing/here") == (404, "not_found")


async def test_models_are_filtered_sorted_and_paged(reader: Caller):
    released = await reader.get("/portal/models?status=released&sort=-name")
    assert [model["id"] for model in released["data"]] == ["qwen-plus", "vendor/with/slashes", "ours"]
    assert released["total"] == 3 and released["next"] is None

    first = await reader.get("/portal/models?vendor=openai&vendor=google&limit=5")
    second = await reader.get(f"/portal/models?vendor=openai&vendor=google&limit=5&after={first['next']}")
    assert len(first["data"]) == len(second["data"]) == 5
    assert not {model["id"] for model in first["data"]} & {model["id"] for model in second["data"]}
    kinds = {count["value"]: count["count"] for count in first["facets"]["kind"]}
    assert kinds["embedding"] == 3

    for query in ("sort=nothing", "limit=0", "after=-1", "lang=fr"):
        status, _ = await reader.refused("GET", f"/portal/models?{query}")
        assert status == 400, query


async def test_a_model_has_a_card_with_its_price_and_history(reader: Caller):
    card = await reader.get("/portal/models/vendor/with/slashes")
    assert card["summary"]["id"] == "vendor/with/slashes"
    assert card["live"] == "available"
    assert len(card["price_history"]) == 1

    qwen = await reader.get("/portal/models/qwen/qwen3-vl-8b-instruct")
    assert qwen["summary"]["price"]["input_per_ktok_yuan"] == "0.0025"
    assert qwen["summary"]["price"]["output_per_ktok_yuan"] == "0.00875"
    assert qwen["introduction"].startswith("Qwen3-VL-8B-Instruct 是来自 Qwen3-VL 系列")
    assert qwen["sample_request"]["path"] == "/v1/chat/completions"
    assert await reader.refused("GET", "/portal/models/nothing") == (404, "model_not_found")


async def test_the_home_page_lists_what_is_called_most_then_what_the_product_page_does(reader: Caller, offering: Site):
    before = await reader.get("/portal/home")
    assert [model["id"] for model in before["followed"]][:2] == ["glm-4.6", "qwen3-vl-30b-a3b-instruct"]
    dates = [model["updated"] for model in before["newest"]]
    assert dates == sorted(dates, reverse=True)

    await offering.gateway.post({"model": "ours", "messages": [{"role": "user", "content": "Hi"}]})
    await offering.gateway.last_call()
    offering.gateway.platform.console.shelf.count_anew()

    after = await reader.get("/portal/home")
    assert [model["id"] for model in after["followed"]][:2] == ["ours", "glm-4.6"]
    assert len(after["followed"]) == len(before["followed"])


async def test_pages_are_found_in_both_languages(reader: Caller):
    chinese = (await reader.get("/portal/search?q=余额不足"))["data"]
    english = (await reader.get("/portal/search?q=insufficient bal&lang=en"))["data"]

    assert chinese[0]["slug"] == "help/status-codes"
    assert any(piece["hit"] and piece["text"] == "余额不足" for piece in chinese[0]["snippet"])
    assert "help/status-codes" in [found["slug"] for found in english]
    assert (await reader.get("/portal/search"))["data"] == []


async def test_lists_say_what_the_gateway_has(reader: Caller):
    prices = (await reader.get("/portal/prices"))["data"]
    assert next(model for model in prices if model["id"] == "qwen-plus")["price"]["input_per_ktok_yuan"] == "0.0025"

    codes = (await reader.get("/portal/status-codes?lang=en"))["data"]
    assert {401, 402, 404, 429, 503} <= {code["status"] for code in codes}

    chat = (await reader.get("/portal/parameters"))["data"][0]
    assert chat["operation"] == "chat.completions" and len(chat["parameters"]) > 40

    groups = (await reader.get("/portal/operations"))["data"]
    entries = {one["id"]: one["status"] for group in groups for one in group["operations"]}
    assert entries["chat.completions"] == entries["suno.create"] == "released"


async def test_a_private_portal_is_for_who_is_signed_in(offering: Site):
    portal = offering.gateway.platform.console.portal
    somebody = await offering.signed_in("reader@ours.example")
    before, portal.now = portal.now, replace(portal.now, portal_public=False)
    try:
        assert await offering.visitor().refused("GET", "/portal/tree") == (401, "not_signed_in")
        assert (await somebody.get("/portal/tree"))["data"]
    finally:
        portal.now = before
