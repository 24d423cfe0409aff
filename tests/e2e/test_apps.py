"""AI applications: a preset over a model, which its callers call like a model."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model

APP = """
[[app]]
name = "guide"
title = "City guide"
model = "ours"
system = "You show people around."
parameters = { temperature = 0.2 }
allowed = ["max_tokens", "stop"]

[[app]]
name = "xiaowei"
model = "ours"
price = { input = "5", output = "5" }
"""
HI: list[Any] = [{"role": "user", "content": "Where to?"}]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Hosted, Upstream]]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours", input="0.001", output="0.002") + APP
        async with hosted(tmp_path, config) as gateway:
            yield gateway, simulator


async def test_an_application_adds_its_prompt_and_its_parameters(served: tuple[Hosted, Upstream]) -> None:
    gateway, simulator = served

    answer = await gateway.post({"model": "app/guide", "messages": HI, "max_tokens": 20})

    told: Any = answer.json
    sent = json.loads(simulator.calls[-1].body)
    assert answer.status == 200 and told["model"] == "app/guide"
    assert sent["messages"] == [{"role": "system", "content": "You show people around."}, *HI]
    assert (sent["model"], sent["temperature"]) == ("ours", 0.2)
    assert 20 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    assert (await gateway.last_call())["model"] == "app/guide"


async def test_an_application_streams(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    answer = await gateway.post({"model": "app/guide", "messages": HI, "stream": True})

    assert answer.status == 200
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert (await gateway.last_call())["cost"] != "0"


async def test_a_parameter_that_is_not_the_callers_is_refused_by_name(served: tuple[Hosted, Upstream]) -> None:
    gateway, simulator = served

    tools = [{"type": "function", "function": {"name": "f"}}]
    given: dict[str, Any] = {"temperature": 1, "seed": 3, "tools": tools, "enable_thinking": True, "odd": 1}

    for name, value in given.items():
        answer = await gateway.post({"model": "app/guide", "messages": HI, name: value})
        assert (answer.status, answer.json["error"]["param"]) == (400, name), answer.json

    assert simulator.calls == []


async def test_an_application_has_an_address_of_its_own(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    named = await gateway.post({"messages": HI}, "/v1/apps/guide/chat/completions")
    other = await gateway.post({"model": "ours", "messages": HI}, "/v1/apps/guide/chat/completions")
    nobody = await gateway.post({"messages": HI}, "/v1/apps/nobody/chat/completions")

    assert (named.status, named.json["model"]) == (200, "app/guide")
    assert (other.status, other.json["error"]["param"]) == (400, "model")
    assert (nobody.status, nobody.json["error"]["code"]) == (404, "model_not_found")


async def test_an_application_may_have_a_price_of_its_own(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    guide = await gateway.post({"model": "app/guide", "messages": HI})
    xiaowei = await gateway.post({"model": "xiaowei", "messages": HI})

    assert xiaowei.json["model"] == "xiaowei"
    assert float(xiaowei.headers["x-request-cost"]) > 100 * float(guide.headers["x-request-cost"]) > 0


async def test_applications_are_listed_with_the_models(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    listed = {model["id"] for model in (await gateway.get("/v1/models")).json["data"]}

    assert listed == {"ours", "app/guide", "app/xiaowei"}
    assert (await gateway.get("/v1/models/xiaowei")).json["id"] == "app/xiaowei"


async def test_an_application_is_no_completion(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    answer = await gateway.post({"model": "app/guide", "prompt": "Once"}, "/v1/completions")

    assert (answer.status, answer.json["error"]["param"]) == (400, "model")
