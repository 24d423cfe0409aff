"""How much other formats' callers want the model to think, in words that the model takes."""

from typing import Any

import pytest

from tests.formats.anthropic.examples import HI, foreign, written
from tokengate.core.chat import Function, Message, Output, Reasoning, Sampling, ToolChoice
from tokengate.core.parts import Text, Thinking, ToolCall, ToolResult
from tokengate.formats.anthropic.abilities import PLAIN, Abilities

ADAPTIVE = Abilities(adaptive=True, efforts=("low", "medium", "high", "max"))
ADAPTIVE_ONLY = Abilities(adaptive=True, budget=False, efforts=("low", "medium", "high", "xhigh", "max"))


def thinking(asked: Reasoning, abilities: Abilities, cap: int | None = 20_000) -> tuple[Any, Any, list[str]]:
    request, dropped = written(foreign(reasoning=asked, output=Output(cap=cap)), abilities)
    return request.get("thinking"), request.get("output_config", {}).get("effort"), dropped


@pytest.mark.parametrize(
    ("asked", "config", "effort", "dropped"),
    [
        (Reasoning(), None, None, []),
        (Reasoning(effort="none"), {"type": "disabled"}, None, []),
        (Reasoning(enabled=False), {"type": "disabled"}, None, []),
        (Reasoning(budget=0), {"type": "disabled"}, None, []),
        (Reasoning(effort="low"), {"type": "adaptive", "display": "summarized"}, "low", []),
        (Reasoning(effort="xhigh"), {"type": "adaptive", "display": "summarized"}, "high", ["effort"]),
        (Reasoning(effort="minimal"), {"type": "adaptive", "display": "summarized"}, "low", ["effort"]),
        (Reasoning(effort="immense"), {"type": "adaptive", "display": "summarized"}, None, ["effort"]),
        (Reasoning(enabled=True, shown=False), {"type": "adaptive", "display": "omitted"}, None, []),
        (Reasoning(budget=-1), {"type": "adaptive", "display": "summarized"}, None, []),
        (Reasoning(budget=5000), {"type": "enabled", "budget_tokens": 5000}, None, []),
        (Reasoning(budget=5000, effort="high"), {"type": "enabled", "budget_tokens": 5000}, "high", []),
        (Reasoning(budget=500), {"type": "enabled", "budget_tokens": 8192}, None, ["budget"]),
    ],
)
def test_models_that_choose_how_deep_to_think_get_an_effort(
    asked: Reasoning, config: Any, effort: Any, dropped: list[str]
) -> None:
    assert thinking(asked, ADAPTIVE) == (config, effort, dropped)


def test_models_that_take_no_budget_get_none() -> None:
    config = {"type": "adaptive", "display": "summarized"}

    assert thinking(Reasoning(budget=5000), ADAPTIVE_ONLY) == (config, None, ["budget"])
    assert thinking(Reasoning(effort="xhigh"), ADAPTIVE_ONLY) == (config, "xhigh", [])


@pytest.mark.parametrize(
    ("effort", "cap", "budget"),
    [
        ("low", 20_000, 2048),
        ("high", 20_000, 16_000),
        ("high", 100_000, 16_384),
        ("medium", 2000, 1024),
        (None, 4000, 2000),
    ],
)
def test_models_with_budgets_get_a_share_of_the_cap(effort: str | None, cap: int, budget: int) -> None:
    asked = Reasoning(enabled=True, effort=effort)

    assert thinking(asked, PLAIN, cap) == ({"type": "enabled", "budget_tokens": budget}, None, [])


def test_a_cap_that_leaves_no_room_for_thinking_forbids_it() -> None:
    assert thinking(Reasoning(effort="high"), PLAIN, 1024) == (None, None, ["reasoning"])


def test_a_budget_that_is_not_below_the_cap_is_dropped() -> None:
    config = {"type": "enabled", "budget_tokens": 1024}

    assert thinking(Reasoning(budget=8000), PLAIN, 2000) == (config, None, ["budget"])


def test_a_model_that_must_think_is_not_told_otherwise() -> None:
    assert thinking(Reasoning(enabled=False), Abilities(adaptive=True, must_think=True)) == (None, None, ["reasoning"])


def test_a_model_that_cannot_think_is_not_asked_to() -> None:
    assert thinking(Reasoning(effort="low"), Abilities(budget=False)) == (None, None, ["reasoning"])


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", ("f",))])
def test_a_forced_tool_comes_before_thinking(choice: ToolChoice) -> None:
    chat = foreign(tools=(Function("f"),), tool_choice=choice, reasoning=Reasoning(effort="low"))

    request, dropped = written(chat, ADAPTIVE)

    assert "thinking" not in request and request["output_config"] == {"effort": "low"} and dropped == ["reasoning"]


def test_an_answer_that_is_begun_comes_before_thinking() -> None:
    chat = foreign(*HI, Message("assistant", (Text("{"),), partial=True), reasoning=Reasoning(enabled=True))

    assert "thinking" not in written(chat, ADAPTIVE)[0]


def test_what_thinking_does_not_bear_is_dropped() -> None:
    sampling = Sampling(temperature=0.2, top_p=0.5, top_k=5)

    request, dropped = written(foreign(sampling=sampling, reasoning=Reasoning(effort="low")), ADAPTIVE)
    assert sorted(dropped) == ["temperature", "top_k", "top_p"] and "temperature" not in request

    request, dropped = written(foreign(sampling=Sampling(temperature=1, top_p=0.97), reasoning=Reasoning(effort="low")))
    assert (request["temperature"], request["top_p"], dropped) == (1, 0.97, [])


def test_signed_thinking_returns_to_the_vendor_that_signed_it() -> None:
    own = Thinking("hm", "EqQB", "anthropic")
    chat = foreign(
        *HI,
        Message("assistant", (Thinking("x", "AA", "gemini"), own, ToolCall("t", "f", "{}"))),
        Message("user", (ToolResult("t", (Text("1"),)),)),
        reasoning=Reasoning(budget=2000),
        tools=(Function("f"),),
    )

    request, dropped = written(chat)

    assert request["messages"][1]["content"][0] == {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
    assert request["thinking"] == {"type": "enabled", "budget_tokens": 2000} and dropped == ["thinking"]
