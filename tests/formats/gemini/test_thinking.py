"""How much to think: levels, budgets, and what a model cannot do."""

from typing import Any

import pytest

from tests.formats.gemini.wire import OLD, chat, write
from tokengate.core.chat import Reasoning

PRO3, PRO25, FLASH3 = "gemini-3.1-pro-preview", "gemini-2.5-pro", "gemini-3-flash-preview"


def config(model: str, **asked: Any) -> tuple[dict[str, Any] | None, list[str]]:
    request, dropped = write(chat(model=model, reasoning=Reasoning(**asked)))
    return request.get("generationConfig", {}).get("thinkingConfig"), dropped


def test_nothing_asked_is_nothing_said() -> None:
    assert config(FLASH3) == (None, [])


@pytest.mark.parametrize(
    ("model", "asked", "said", "dropped"),
    [
        (FLASH3, {"effort": "minimal"}, {"thinkingLevel": "MINIMAL", "includeThoughts": True}, []),
        (FLASH3, {"effort": "high"}, {"thinkingLevel": "HIGH", "includeThoughts": True}, []),
        (PRO3, {"effort": "minimal"}, {"thinkingLevel": "LOW", "includeThoughts": True}, []),
        (PRO3, {"effort": "max"}, {"thinkingLevel": "HIGH", "includeThoughts": True}, ["effort"]),
        ("gemini-3-pro-preview", {"effort": "medium"}, {"thinkingLevel": "HIGH", "includeThoughts": True}, ["effort"]),
        (OLD, {"effort": "low"}, {"thinkingBudget": 1024, "includeThoughts": True}, []),
        (OLD, {"effort": "medium"}, {"thinkingBudget": 8192, "includeThoughts": True}, []),
        (OLD, {"effort": "high"}, {"thinkingBudget": 24576, "includeThoughts": True}, []),
        (OLD, {"effort": "xhigh"}, {"thinkingBudget": 24576, "includeThoughts": True}, ["effort"]),
        (OLD, {"budget": 2000}, {"thinkingBudget": 2000, "includeThoughts": True}, []),
        (OLD, {"budget": -1}, {"thinkingBudget": -1, "includeThoughts": True}, []),
        (OLD, {"budget": -1, "effort": "high"}, {"thinkingBudget": 24576, "includeThoughts": True}, []),
        (OLD, {"budget": 31_999}, {"thinkingBudget": -1, "includeThoughts": True}, ["budget"]),
        (FLASH3, {"budget": 16_000}, {"thinkingLevel": "HIGH", "includeThoughts": True}, ["budget"]),
        (PRO3, {"budget": 500}, {"thinkingLevel": "LOW", "includeThoughts": True}, ["budget"]),
        (FLASH3, {"budget": -1, "enabled": True}, {"includeThoughts": True}, []),
        (OLD, {"effort": "high", "shown": False}, {"thinkingBudget": 24576, "includeThoughts": False}, []),
        (FLASH3, {"effort": "low", "budget": 9}, {"thinkingLevel": "LOW", "includeThoughts": True}, []),
        (FLASH3, {"enabled": True}, {"includeThoughts": True}, []),
        (FLASH3, {"summary": "auto"}, {"includeThoughts": True}, []),
        (FLASH3, {"summary": "concise"}, {"includeThoughts": True}, ["summary"]),
    ],
)
def test_levels_or_budgets_by_the_series(
    model: str, asked: dict[str, Any], said: dict[str, Any], dropped: list[str]
) -> None:
    assert config(model, **asked) == (said, dropped)


@pytest.mark.parametrize("asked", [{"enabled": False}, {"effort": "none"}, {"budget": 0}])
def test_thinking_stops_where_it_can(asked: dict[str, Any]) -> None:
    assert config(OLD, **asked) == ({"thinkingBudget": 0}, [])
    assert config(PRO25, **asked)[0] == {"thinkingBudget": 128}
    assert config(FLASH3, **asked)[0] == {"thinkingLevel": "MINIMAL"}
    assert len(config(PRO3, **asked)[1]) == 1


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    assert config("gemini-2.0-flash", effort="high") == (None, ["effort"])
    assert config("gemini-2.0-flash", effort="none") == (None, [])


def test_its_own_client_is_repeated_word_for_word() -> None:
    asked = chat(model=PRO3, format="gemini", reasoning=Reasoning(effort="minimal", shown=True))

    request, dropped = write(asked)

    assert request["generationConfig"]["thinkingConfig"] == {"includeThoughts": True, "thinkingLevel": "MINIMAL"}
    assert dropped == []
