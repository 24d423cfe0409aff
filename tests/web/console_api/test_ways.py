"""What a model's page shows for each format is answered by the gateway as it stands."""

from pathlib import Path

from tests.hosted import hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream, by_model
from tests.web.console_site import Site


async def test_the_sample_of_every_format_is_answered(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours", input="0.001", output="0.002")
        async with hosted(tmp_path, config) as gateway:
            site = Site(gateway)
            try:
                card = await site.visitor().get("/portal/models/ours?lang=en")
                key = next(iter(gateway.keys.values())).key
                for way in card["ways"]:
                    sample = way["sample_request"]
                    headers = {
                        name.lower(): text.replace("$TOKENGATE_API_KEY", key)
                        for name, text in sample["headers"].items()
                    }
                    answer = await gateway.post(sample["body"].encode(), sample["path"], headers=headers)
                    assert answer.status == 200, (way["way"]["format"], answer.body)
            finally:
                await site.close()

    assert [way["way"]["format"] for way in card["ways"]] == [
        "openai",
        "responses",
        "anthropic",
        "gemini",
        "dashscope",
    ]
