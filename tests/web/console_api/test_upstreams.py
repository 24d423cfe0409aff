"""The upstreams as operators see them: who is well, who is left alone and until when."""

from pathlib import Path

from tests.hosted import sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model
from tests.web.console_api.paying import MESSAGES
from tests.web.console_site import Site, console_site
from tokengate.core.clock import SystemClock, now_ms

KEY = "sk-nobody-sees-this"


async def test_an_upstream_that_fails_is_shown_open_until_its_cooldown_ends(tmp_path: Path):
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours", "error-500", name="main", api_key=KEY) + "".join(
            map(sells, ("ours", "error-500"))
        )
        async with console_site(tmp_path / "gateway", config) as site:
            operator = await site.signed_in("root@platform.example", operator=True)
            before_ms = now_ms(SystemClock())
            for model in ("ours", *["error-500"] * 5):
                await site.gateway.post({"model": model, "messages": MESSAGES})

            answer = await operator.call("GET", "/admin/upstreams")
            (main,) = [one for one in answer.json()["data"] if one["name"] == "main"]

    broken, well = main.pop("models")
    until_ms = broken.pop("open_until_ms")
    assert main == {
        "name": "main",
        "provider": "openai_compatible",
        "address": simulator.url,
        "engine": None,
        "in_flight": 0,
    }
    assert broken == {
        "model": "error-500",
        "state": "open",
        "failures": 5,
        "last_failure": "status",
        "answered": 0,
        "failed": 5,
    }
    assert before_ms < until_ms <= before_ms + 60_000
    assert well == {
        "model": "ours",
        "state": "closed",
        "failures": 0,
        "open_until_ms": None,
        "last_failure": "",
        "answered": 1,
        "failed": 0,
    }
    assert KEY not in answer.text


async def test_a_local_model_says_whether_it_is_loaded(tmp_path: Path):
    config = (
        "[engine.chat]\nenabled = false\n[engine.embedding]\nenabled = false\n[engine.transcription]\nenabled = false\n"
    )
    async with console_site(tmp_path / "gateway", config) as site:
        operator = await site.signed_in("root@platform.example", operator=True)

        (voice,) = (await operator.get("/admin/upstreams"))["data"]

    assert (voice["name"], voice["address"], voice["engine"]) == ("local", "", "missing")
    assert [one["model"] for one in voice["models"]] == ["piper-joe"]


async def test_nobody_else_sees_the_upstreams(site: Site):
    visitor = site.visitor()
    await visitor.begin()

    assert await visitor.refused("GET", "/admin/upstreams") == (401, "not_signed_in")
