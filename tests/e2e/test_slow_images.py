"""Pictures that their vendor makes only as jobs, asked for at once: waited for, answered, billed once, and what becomes
of those whose caller leaves.
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, upstream
from tests.raw_http import Answer
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.image_upstream import KEY, ImageSimulator, png
from tests.simulators.openai_upstream import ThreadedUpstream

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
NATIVE = "/api/v1/services/aigc/multimodal-generation/generation"
PRICE = '[[model]]\nid = "painter"\nkind = "image"\nprice = { image = "0.25" }\n'
PRIVATE = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'


@asynccontextmanager
async def drawn(
    folder: Path, model: str = "wan2.5-t2i-preview", provider: str = "dashscope_native", **timeouts: float
) -> AsyncGenerator[tuple[Hosted, DashScope]]:
    with DashScope() as vendor:
        url = vendor.url if provider == "dashscope_native" else vendor.url.replace("/api/v1", "/compatible-mode/v1")
        config = upstream(url, "painter", provider=provider, api_key=vendor.key, timeouts=timeouts)
        config = config.replace('["painter"]', f'{{ painter = "{model}" }}') + PRICE + PRIVATE
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


def body(prompt: str = "a cat", **more: Any) -> dict[str, Any]:
    return {"model": "painter", "prompt": prompt, "size": "640x480", **more}


def data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def submitted(vendor: DashScope) -> list[Any]:
    return [call.json for call in vendor.calls if "/services/" in call.path]


async def balance(gateway: Hosted) -> tuple[str, str]:
    found = await gateway.balance()
    return found["balance"], found["available"]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


async def job_in(gateway: Hosted, *states: str) -> dict[str, Any]:
    """Return the only job, once it is in one of these states."""
    async with asyncio.timeout(60):
        while True:
            found = (await gateway.get("/v1/jobs")).json["data"]
            if found and found[0]["state"] in states:
                return found[0]
            await asyncio.sleep(0.01)


async def abandoned(
    gateway: Hosted, vendor: DashScope, asked: dict[str, Any], *, headers: dict[str, str] | None = None
) -> None:
    """Ask, and leave once the vendor has the job."""
    async with gateway.connect() as connection:
        await gateway.begin(connection, asked, GENERATIONS, headers=headers)
        await until(lambda: bool(vendor.desk.tasks))


@pytest.mark.parametrize("provider", ["dashscope", "dashscope_native"])
async def test_pictures_are_waited_for_and_billed_by_what_was_delivered(tmp_path: Path, provider: str) -> None:
    async with drawn(tmp_path, provider=provider) as (gateway, vendor):
        whole, inside, part = await asyncio.gather(
            gateway.post(body(n=2, quality="high"), GENERATIONS),
            gateway.post(body(response_format="b64_json"), GENERATIONS),
            gateway.post(body("some fail", n=3), GENERATIONS),
        )

        assert (whole.status, inside.status, part.status) == (200, 200, 200), (whole.body, inside.body, part.body)
        assert [one["revised_prompt"] for one in whole.json["data"]] == ["a cat, in oil"] * 2
        for at, one in enumerate(whole.json["data"]):
            url: str = one["url"]
            assert (await gateway.get(url.removeprefix("http://gateway"))).body == png(640, 480, f"a cat{at}")
        assert [base64.b64decode(one["b64_json"]) for one in inside.json["data"]] == [png(640, 480, "a cat0")]
        assert len(part.json["data"]) == 1
        assert [reply.headers["x-request-cost"] for reply in (whole, inside, part)] == ["0.5", "0.25", "0.25"]
        assert whole.headers["x-tokengate-warning"].endswith("no such parameter: quality")
        assert await balance(gateway) == ("9", "9")
        assert len(submitted(vendor)) == 3
        bill = await gateway.bill(whole.headers["x-request-id"])
        assert (bill["endpoint"], bill["cost"], bill["bill"]["lines"][0]["units"]) == ("images.generations", "0.5", 2)


async def test_a_picture_is_changed(tmp_path: Path) -> None:
    async with drawn(tmp_path, "wan2.5-i2i-preview") as (gateway, vendor):
        reply = await gateway.post(body(image=data_url(png(400, 400)), response_format="b64_json"), EDITS)

        assert base64.b64decode(reply.json["data"][0]["b64_json"]) == png(640, 480, "a cat0")
        assert submitted(vendor)[0]["input"] == {"prompt": "a cat", "images": [data_url(png(400, 400))]}


async def test_a_stream_ends_with_the_pictures_or_the_vendors_error(tmp_path: Path) -> None:
    def events(reply: Answer) -> list[Any]:
        lines = reply.body.decode().splitlines()
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    async with drawn(tmp_path) as (gateway, _):
        made, failed = await asyncio.gather(
            gateway.post(body(n=2, stream=True, partial_images=1), GENERATIONS),
            gateway.post(body("fail DataInspectionFailed", stream=True), GENERATIONS),
        )

        assert [one["type"] for one in events(made)] == ["image_generation.completed"] * 2
        assert [base64.b64decode(one["b64_json"]) for one in events(made)] == [
            png(640, 480, f"a cat{at}") for at in (0, 1)
        ]
        assert events(failed)[-1]["error"]["code"] == "DataInspectionFailed"
        assert (await gateway.bill(made.headers["x-request-id"]))["cost"] == "0.5"
        assert await balance(gateway) == ("9.5", "9.5")


async def test_the_vendors_errors_are_told_with_a_status_and_cost_nothing(tmp_path: Path) -> None:
    async with drawn(tmp_path) as (gateway, _):
        prompts = ("fail DataInspectionFailed", "fail InternalError.Timeout", "refuse Throttling.RateQuota", "expire")
        replies = await asyncio.gather(*(gateway.post(body(prompt), GENERATIONS) for prompt in prompts))
        transparent = await gateway.post(body(background="transparent"), GENERATIONS)
        varied = await gateway.post(body(image=data_url(png(64, 64))), EDITS)

        errors = [reply.json["error"] for reply in replies]
        assert [reply.status for reply in replies] == [400, 502, 429, 502]
        assert [error["code"] for error in errors[:3]] == [prompt.partition(" ")[2] for prompt in prompts[:3]]
        assert errors[0]["message"] == "Output data may contain inappropriate content."
        assert errors[0]["type"] == "invalid_request_error"
        assert (transparent.status, transparent.json["error"]["param"]) == (400, "background")
        assert (varied.status, varied.json["error"]["param"]) == (400, "image")
        assert await balance(gateway) == ("10", "10")


async def test_all_pictures_are_held_for(tmp_path: Path) -> None:
    async with drawn(tmp_path) as (gateway, vendor):
        quote = (await gateway.post(body(n=4), f"/v1/quote?path={GENERATIONS}")).json["yuan"]
        await abandoned(gateway, vendor, body("late 99", n=4), headers={"idempotency-key": "k"})

        assert quote["held"] == "1"
        assert await balance(gateway) == ("10", "9")
        await gateway.post(b"{}", f"/v1/jobs/{(await job_in(gateway, 'queued', 'running'))['id']}/cancel")


async def test_who_leaves_has_a_job_cancelled_that_the_vendor_has_not_begun(tmp_path: Path) -> None:
    async with drawn(tmp_path) as (gateway, vendor):
        await abandoned(gateway, vendor, body("queue"))

        job = await job_in(gateway, "cancelled")
        assert job["cost"] == "0"
        assert [task.status for task in vendor.desk.tasks.values()] == ["CANCELED"]
        assert await balance(gateway) == ("10", "10")


async def test_a_job_that_was_begun_goes_on_without_its_caller_and_is_found_among_the_jobs(tmp_path: Path) -> None:
    async with drawn(tmp_path) as (gateway, vendor):
        async with gateway.connect() as connection:
            await gateway.begin(connection, body("late 1"), GENERATIONS)
            await until(lambda: any(task.status == "RUNNING" for task in vendor.desk.tasks.values()))

        job = await job_in(gateway, "succeeded")
        assert (len(job["files"]), job["cost"]) == (1, "0.25")
        assert await balance(gateway) == ("9.75", "9.75")


async def test_who_asks_again_with_the_same_key_waits_for_the_same_job(tmp_path: Path) -> None:
    async with drawn(tmp_path) as (gateway, vendor):
        key = {"idempotency-key": "once"}
        await abandoned(gateway, vendor, body("late 1"), headers=key)

        async with asyncio.timeout(60):
            while (again := await gateway.post(body("late 1"), GENERATIONS, headers=key)).status == 409:
                assert again.headers["retry-after"] == "1"  # the vendor's answer to the submission is on its way
        other = await gateway.post(body("a dog"), GENERATIONS, headers=key)

        assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
        assert other.status == 422
        assert len(submitted(vendor)) == 1
        assert await balance(gateway) == ("9.75", "9.75")


async def test_after_the_deadline_nobody_waits_any_more(tmp_path: Path) -> None:
    async with drawn(tmp_path, total=1) as (gateway, _):
        reply = await gateway.post(body("queue"), GENERATIONS)

        assert (reply.status, reply.json["error"]["code"]) == (504, "upstream_timeout")
        assert reply.headers["x-should-retry"] == "false"
        assert f"/v1/jobs/{reply.headers['x-request-id']}" in reply.json["error"]["message"]
        assert (await job_in(gateway, "cancelled"))["cost"] == "0"


def native(prompt: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    return {"model": "painter", "input": {"messages": messages}, "parameters": {"n": 1, "size": "640*480"}}


async def test_the_vendors_own_callers_wait_too(tmp_path: Path) -> None:
    async with drawn(tmp_path) as (gateway, vendor):
        made = await gateway.post(native("a cat"), NATIVE)
        failed = await gateway.post(native("fail DataInspectionFailed"), NATIVE)

        (choice,) = made.json["output"]["choices"]
        assert "/v1/results/job_" in choice["message"]["content"][0]["image"]
        assert made.json["usage"] == {"image_count": 1, "width": 640, "height": 480}
        assert submitted(vendor)[0] == {
            "model": "wan2.5-t2i-preview",
            "input": {"prompt": "a cat"},
            "parameters": {"n": 1, "size": "640*480"},
        }
        assert (failed.status, failed.json["code"]) == (400, "DataInspectionFailed")


async def test_a_backend_that_draws_at_once_is_asked_before_one_that_does_not(tmp_path: Path) -> None:
    with DashScope() as vendor:
        config = "".join(
            upstream(
                vendor.url, "painter", name=name, provider="dashscope_native", api_key=vendor.key, tier=tier
            ).replace('["painter"]', f'{{ painter = "{model}" }}')
            for tier, (name, model) in enumerate({"slow": "wan2.5-t2i-preview", "quick": "wan2.6-t2i"}.items(), 1)
        )
        async with hosted(tmp_path, config + PRICE + PRIVATE) as gateway:
            reply = await gateway.post(body(size="1024x768"), GENERATIONS)

        assert reply.status == 200, reply.body
        assert [one["model"] for one in submitted(vendor)] == ["wan2.6-t2i"]
        assert not vendor.desk.tasks


async def test_dashscopes_callers_get_addresses_of_what_other_vendors_draw(tmp_path: Path) -> None:
    with ThreadedUpstream(ImageSimulator()) as vendor:
        config = upstream(vendor.url, "painter", provider="openai", api_key=KEY)
        config = config.replace('["painter"]', '{ painter = "gpt-image-2" }') + PRICE
        async with hosted(tmp_path, config) as gateway:
            made = await gateway.post(native("a cat"), NATIVE)

            (choice,) = made.json["output"]["choices"]
            url: str = choice["message"]["content"][0]["image"]
            picture = await gateway.get(url.removeprefix("http://gateway"))
            assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
            assert made.headers["x-request-cost"] == "0.25"
            assert await balance(gateway) == ("9.75", "9.75")
