"""AI applications that operators publish, change, turn off and delete while the gateway runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model
from tests.web.console_site import Caller, Site
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.catalog.versions import price_history

CONFIG = """
[[app]]
name = "configured"
title = { zh = "写在文件里", en = "In the file" }
model = "ours"
"""
HI: list[Any] = [{"role": "user", "content": "Where to?"}]
GUIDE: dict[str, Any] = {
    "name": "guide",
    "model": "ours",
    "title": {"zh": "城市向导", "en": "City guide"},
    "description": {"zh": "带您游览。", "en": "Shows people around."},
    "system": "You show people around.",
    "parameters": {"temperature": 0.2},
    "allowed": ["max_tokens"],
}


class Place:
    """A gateway with an operator, and the upstream behind it."""

    def __init__(self, site: Site, operator: Caller, simulator: Upstream) -> None:
        self.site = site
        self.operator = operator
        self.simulator = simulator

    async def chat(self, model: str, **body: Any) -> Any:
        return await self.site.gateway.post({"model": model, "messages": HI, **body})


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours", input="0.001", output="0.002") + CONFIG
        config += sells("unoffered")
        async with hosted(tmp_path, config) as gateway:
            site = Site(gateway)
            try:
                yield Place(site, await site.signed_in("root@platform.example", operator=True), simulator)
            finally:
                await site.close()


async def test_what_is_published_can_be_called_at_once_and_is_listed(place: Place) -> None:
    made = await place.operator.post("/admin/apps", GUIDE)

    answer = await place.chat("app/guide", max_tokens=9)
    refused = await place.chat("app/guide", seed=1)
    own = await place.site.gateway.post({"messages": HI}, "/v1/apps/guide/chat/completions")
    listed = (await place.site.gateway.get("/v1/models")).json["data"]
    sent = json.loads(place.simulator.calls[0].body)

    assert (made["state"], made["configured"], made["title"]["en"]) == ("available", False, "City guide")
    assert (answer.status, answer.json["model"], own.status) == (200, "app/guide", 200)
    assert (sent["messages"][0]["content"], sent["temperature"]) == ("You show people around.", 0.2)
    assert (refused.status, refused.json["error"]["param"]) == (400, "seed")
    assert "app/guide" in [model["id"] for model in listed]


@pytest.mark.parametrize(("lang", "name"), [("zh", "城市向导"), ("en", "City guide")])
async def test_the_portal_shows_it_in_the_readers_language(place: Place, lang: str, name: str) -> None:
    reader = place.site.visitor()
    await reader.get(f"/portal/tree?lang={lang}")  # the library is made before
    await place.operator.post("/admin/apps", GUIDE)

    card = await reader.get(f"/portal/models/app/guide?lang={lang}")
    tree = await reader.get(f"/portal/tree?lang={lang}")
    (found, *_) = (await reader.get(f"/portal/models?q={name}&lang={lang}"))["data"]

    assert (card["summary"]["name"], card["summary"]["status"], found["name"]) == (name, "released", name)
    assert card["description"] == GUIDE["description"][lang]
    (folder,) = [node for node in tree["data"] if name in [child["title"] for child in node["children"]]]
    assert folder["title"] in ("万物大模型-公共AI应用接口", "Public AI applications")
    assert str(tree["data"]).count("chat.completions/app/guide") == 1
    assert card["summary"]["series"] == {"zh": "AI 应用", "en": "AI applications"}[lang]


async def test_a_change_counts_from_now_on_and_old_bills_can_be_worked_out_again(place: Place) -> None:
    cheap = {"input": "0.001", "output": "0.002"}
    await place.operator.post("/admin/apps", GUIDE | {"price": cheap})
    first = await place.chat("app/guide")
    form = {key: value for key, value in GUIDE.items() if key != "name"}

    changed = await place.operator.call(
        "PUT", "/admin/apps/guide", form | {"price": {"input": "0.005", "output": "0.010"}, "system": "Be brief."}
    )
    second = await place.chat("app/guide")

    assert changed.status_code == 200
    assert json.loads(place.simulator.calls[-1].body)["messages"][0]["content"] == "Be brief."
    costs = [float(answer.headers["x-request-cost"]) for answer in (first, second)]
    assert costs[1] > 3 * costs[0] > 0
    versions = await price_history(place.site.database, "app/guide")
    assert len(versions) == 2 and all(one.price.source == "console" for one in versions)
    bills = [
        (await place.operator.get(f"/orgs/{DEFAULT_ORG}/calls/{answer.headers['x-request-id']}"))["bill"]
        for answer in (first, second)
    ]
    assert [bill["agrees"] for bill in bills] == [True, True]
    assert [bill["price_version"] for bill in bills] == [one.price.version for one in reversed(versions)]


async def test_changes_at_once_make_one_version_of_the_price_each(place: Place) -> None:
    await place.operator.post("/admin/apps", GUIDE | {"price": {"input": "0.001", "output": "0.002"}})
    form = {key: value for key, value in GUIDE.items() if key != "name"}

    changed = await asyncio.gather(
        *(
            place.operator.call("PUT", "/admin/apps/guide", form | {"price": {"input": "0.001", "output": f"0.00{n}"}})
            for n in range(3, 10)
        )
    )

    assert {answer.status_code for answer in changed} == {200}
    assert len(await price_history(place.site.database, "app/guide")) == 1 + len(changed)


async def test_one_that_is_off_says_so_and_one_that_is_gone_is_unknown(place: Place) -> None:
    await place.operator.post("/admin/apps", GUIDE)

    off = await place.operator.patch("/admin/apps/guide", {"disabled": True})
    refused = await place.chat("app/guide")
    on = await place.operator.patch("/admin/apps/guide", {"disabled": False})
    answered = await place.chat("app/guide")
    await place.operator.delete("/admin/apps/guide")
    gone = await place.chat("app/guide")

    assert (off["state"], on["state"], answered.status) == ("disabled", "available", 200)
    assert (refused.status, refused.json["error"]["code"]) == (404, "model_not_found")
    assert refused.json["error"]["message"] == "The application 'guide' is turned off."
    assert (gone.status, "turned off" in gone.json["error"]["message"]) == (404, False)
    assert await place.operator.refused("GET", "/admin/apps/guide") == (404, "no_such_app")
    actions = [entry["action"] for entry in (await place.operator.get("/admin/audit?action=app"))["data"]]
    assert actions == ["app.delete", "app.enable", "app.disable", "app.create"]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"name": "configured"}, "name_taken"),
        ({"name": "Guide!"}, "invalid_request"),
        ({"model": "nobody"}, "model_gone"),
        ({"model": "app/configured"}, "not_a_chat_model"),
        ({"model": "text-embedding-3-small"}, "not_a_chat_model"),
        ({"model": "qwen2-vl-7b-instruct"}, "price_missing"),
        ({"price": {"input": "0.001"}}, "price_missing"),
        ({"price": {"input": "cheap", "output": "1"}}, "invalid_request"),
        ({"price": {"input": "1", "output": "1", "when": [{"up_to": 5}]}}, "bad_price"),
        ({"parameters": {"temperature": "hot"}}, "bad_parameters"),
        ({"parameters": {"messages": []}}, "bad_parameters"),
        ({"parameters": {"tempreature": 1}}, "bad_parameters"),
        ({"allowed": ["max tokens"]}, "invalid_request"),
        ({"title": {"en": "x" * 101}}, "invalid_request"),
    ],
)
async def test_what_could_not_be_called_is_refused(place: Place, form: dict[str, Any], code: str) -> None:
    refused = await place.operator.refused("POST", "/admin/apps", GUIDE | form)

    assert refused == (409 if code == "name_taken" else 400, code)
    assert [one["name"] for one in (await place.operator.get("/admin/apps"))["data"]] == ["configured"]


async def test_a_name_is_taken_once_and_those_of_the_configuration_stay(place: Place) -> None:
    await place.operator.post("/admin/apps", GUIDE)

    assert await place.operator.refused("POST", "/admin/apps", GUIDE) == (409, "name_taken")
    assert await place.operator.refused("DELETE", "/admin/apps/configured") == (404, "no_such_app")
    shown = await place.operator.get("/admin/apps/configured")
    assert (shown["configured"], shown["state"]) == (True, "available")
    assert shown["title"] == {"zh": "写在文件里", "en": "In the file"}


async def test_a_price_that_moves_more_than_tenfold_must_be_accepted(place: Place) -> None:
    form = {key: value for key, value in GUIDE.items() if key != "name"} | {"price": {"input": "5", "output": "5"}}
    await place.operator.post("/admin/apps", GUIDE)

    refused = await place.operator.refused("PUT", "/admin/apps/guide", form)
    accepted = await place.operator.call("PUT", "/admin/apps/guide", form | {"accept_price": True})

    assert refused == (409, "price_moved")
    assert accepted.status_code == 200
    assert len(await price_history(place.site.database, "app/guide")) == 2


async def test_an_application_over_a_model_that_nobody_offers_says_so(place: Place) -> None:
    made = await place.operator.post("/admin/apps", GUIDE | {"model": "unoffered"})

    refused = await place.chat("app/guide")

    assert made["state"] == "not_offered"
    assert refused.json["error"]["message"] == (
        "The application 'app/guide' is over the model 'unoffered', but no upstream offers it here."
    )


async def test_a_model_that_the_product_pages_promise_becomes_the_application(place: Place) -> None:
    await place.operator.post("/admin/apps", GUIDE | {"name": "xiaowei"})

    answers = [await place.chat(name) for name in ("xiaowei", "小微同学", "app/xiaowei")]
    await place.operator.delete("/admin/apps/xiaowei")

    assert [answer.status for answer in answers] == [200, 200, 200]
    card = await place.site.visitor().get("/portal/models/xiaowei?lang=en")
    assert card["summary"]["status"] == "developing"


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": ("/v1/chat/completions", {"model": "app/guide", "messages": HI}),
    "responses": ("/v1/responses", {"model": "app/guide", "input": "Where to?"}),
    "anthropic": ("/v1/messages", {"model": "app/guide", "messages": HI, "max_tokens": 50}),
    "gemini": (
        "/v1beta/models/app/guide:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Where to?"}]}]},
    ),
    "dashscope": (
        "/api/v1/services/aigc/text-generation/generation",
        {"model": "app/guide", "input": {"messages": HI}},
    ),
}


@pytest.mark.parametrize("format", ASKED)
async def test_it_is_called_in_every_format(place: Place, format: str) -> None:
    path, body = ASKED[format]
    await place.operator.post("/admin/apps", GUIDE)

    answer = await place.site.gateway.post(body, path)

    sent = json.loads(place.simulator.calls[-1].body)
    assert answer.status == 200, answer.body
    assert sent["messages"][0] == {"role": "system", "content": "You show people around."}
    assert (await place.site.gateway.last_call())["model"] == "app/guide"
