"""The guide's configuration of Codex names what the gateway serves."""

import re
import tomllib
from pathlib import Path

import pytest

from tokengate.reference import table

GUIDES = Path(__file__).parents[2] / "docs" / "guide"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_configuration_leads_to_the_responses_api(lang: str) -> None:
    text = (GUIDES / f"codex.{lang}.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    config = tomllib.loads(block)
    provider = config["model_providers"][config["model_provider"]]

    assert (provider["wire_api"], provider["env_key"]) == ("responses", "TOKENGATE_API_KEY")
    assert provider["env_key"] in text.partition("```toml")[0]
    path = provider["base_url"].removeprefix("http://127.0.0.1:8700") + "/responses"
    assert path == table.RESPONSES.first_path
