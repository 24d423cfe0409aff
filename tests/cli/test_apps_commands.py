"""AI applications at the command line."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def platform(run: Run, tmp_path: Path) -> Run:
    """A platform with one application in its configuration."""
    (tmp_path / "tokengate.toml").write_text('[[app]]\nname = "fixed"\nmodel = "qwen-plus"\ntitle = "Fixed"\n')
    assert run("users", "create", "--email", "root@platform.example", "--operator").status == 0
    return run


def json_of(run: Run, *arguments: str) -> Any:
    ran = run(*arguments, "--json")
    assert ran.status == 0, ran.err
    return cast(Any, ran.json)


def test_an_application_is_published_shown_and_listed(platform: Run, tmp_path: Path):
    (tmp_path / "prompt.txt").write_text("You show people around.\n")

    made = json_of(
        platform,
        *("apps", "create", "guide", "--model", "qwen-plus", "--title", "City guide", "--title-zh", "城市向导"),
        *("--system-file", "prompt.txt", "--parameters", '{"temperature": 0.2}', "--allowed", "stop, max_tokens"),
    )

    assert (made["called_as"], made["system"]) == ("app/guide", "You show people around.\n")
    assert made["title"] == {"zh": "城市向导", "en": "City guide"}
    assert (made["parameters"], made["allowed"], made["price"]) == ({"temperature": 0.2}, ["stop", "max_tokens"], None)
    assert json_of(platform, "apps", "show", "guide") == made
    assert json_of(platform, "apps", "show", "fixed")["source"] == "configuration"
    rows = json_of(platform, "apps", "list")
    assert [(row["name"], row["source"]) for row in rows] == [("fixed", "configuration"), ("guide", "run time")]
    assert "城市向导 / City guide" in platform("apps", "list").out
    listed = {row["id"] for row in json_of(platform, "models", "list")}
    assert {"app/fixed", "app/guide", "qwen-plus"} <= listed
    assert json_of(platform, "models", "show", "app/guide")["name"] == "城市向导"


def test_what_an_update_does_not_name_stays(platform: Run):
    json_of(platform, "apps", "create", "guide", "--model", "qwen-plus", "--title", "Guide", "--allowed", "stop")

    priced = json_of(platform, "apps", "update", "guide", "--price", '{"input": "0.002", "output": "0.006"}')
    renamed = json_of(platform, "apps", "update", "guide", "--title-zh", "向导", "--allowed", "all", "--price", "none")

    assert (priced["price"]["input"], priced["title"], priced["allowed"]) == ("0.002", "Guide", ["stop"])
    assert renamed["title"] == {"zh": "向导", "en": "Guide"}
    assert (renamed["price"], renamed["allowed"], renamed["model"]) == (None, None, "qwen-plus")
    versions = json_of(platform, "models", "prices", "app/guide")
    assert [row["yuan"] for row in versions if row["word"] == "input" and not row["when"]][1].startswith("2 per")


def test_an_application_is_turned_off_and_on_and_deleted(platform: Run):
    json_of(platform, "apps", "create", "guide", "--model", "qwen-plus")

    assert "apps enable guide" in platform("apps", "disable", "guide").out
    assert json_of(platform, "apps", "list")[1]["status"] == "disabled"
    assert platform("apps", "enable", "guide").status == 0
    assert json_of(platform, "apps", "show", "guide")["disabled"] is None
    assert platform("apps", "delete", "guide").out == "guide is deleted.\n"
    assert [row["name"] for row in json_of(platform, "apps", "list")] == ["fixed"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("create", "fixed", "--model", "qwen-plus"), 1, "The name 'fixed' is taken."),
        (("create", "a b", "--model", "qwen-plus"), 1, "The application is wrong: "),
        (("create", "guide", "--model", "nobody"), 1, "over the model 'nobody', which is not here any more."),
        (("create", "guide", "--model", "qwen-plus", "--parameters", "7"), 2, "it is no JSON object"),
        (("create", "guide", "--model", "qwen-plus", "--parameters", '{"n": "x"}'), 1, "'n' must be"),
        (("create", "guide", "--model", "qwen-plus", "--price", '{"input": "1"}'), 1, "its price lacks output."),
        (("delete", "fixed"), 1, "There is no application 'fixed' that was published at run time."),
        (("update", "guide", "--model", "qwen-plus"), 1, "There is no application 'guide'"),
    ],
)
def test_what_cannot_be_published_is_told_in_a_sentence(
    platform: Run, arguments: tuple[str, ...], status: int, words: str
):
    ran = platform("apps", *arguments)

    assert (ran.status, words in ran.err) == (status, True), ran.err


def test_a_price_that_moves_more_than_tenfold_needs_a_flag(platform: Run):
    json_of(platform, "apps", "create", "guide", "--model", "qwen-plus")
    price = '{"input": "9", "output": "9"}'

    refused = platform("apps", "update", "guide", "--price", price)

    assert (refused.status, "more than tenfold" in refused.err) == (1, True)
    assert json_of(platform, "apps", "update", "guide", "--price", price, "--accept-price")["price"]["input"] == "9"
