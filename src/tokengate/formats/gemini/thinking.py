"""How much a Gemini model thinks: by level from Gemini 3 on, by a budget of tokens before.

https://ai.google.dev/gemini-api/docs/thinking, and for the efforts
https://ai.google.dev/gemini-api/docs/openai#thinking, 2026-11
"""

from typing import Any

from msgspec import Struct

from tokengate.core.chat import OPEN_BUDGET, Reasoning
from tokengate.core.errors import BadRequest
from tokengate.core.wire import Losses
from tokengate.formats.gemini.fields import Fields

_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}


class Series(Struct, frozen=True):
    """Models whose names begin with `prefix`. With `levels` they think by level, else by `budgets`, from least to
    most; without either they do not think. `verified`: their thought signatures must come back with calls."""

    prefix: str
    levels: tuple[str, ...] = ()
    budgets: tuple[int, int] | None = None
    can_stop: bool = False  # whether thinking can be turned off
    verified: bool = False


_FOUR = ("minimal", "low", "medium", "high")

# The first that fits counts. What is newer than this list is taken for the newest that is in it.
SERIES = (
    Series("gemini-2.5-pro", budgets=(128, 32_768)),
    Series("gemini-2.5-flash-lite", budgets=(512, 24_576), can_stop=True),
    Series("gemini-2.5-flash-image"),
    Series("gemini-2.5-flash", budgets=(1, 24_576), can_stop=True),
    Series("gemini-2.5", budgets=(128, 32_768)),
    Series("gemini-2."),
    Series("gemini-1."),
    Series("gemma-3"),
    Series("gemini-3-pro-image", levels=("low", "high")),
    Series("gemini-3-pro", levels=("low", "high"), verified=True),
    Series("gemini-3.1-pro", levels=_FOUR[1:], verified=True),
    Series("gemini-3.7-flash", levels=_FOUR[1:], verified=True),
    Series("gemini-3.8-flash", levels=_FOUR[1:], verified=True),
    Series("", levels=_FOUR, verified=True),
)


def series_of(model: str, known: tuple[Series, ...]) -> Series:
    """Return the series of a model."""
    name = model.rpartition("/")[2].lower()
    for series in known:
        if name.startswith(series.prefix):
            return series
    return known[-1]


def read_thinking(config: Fields) -> Reasoning:
    """Read a thinkingConfig. Raises BadRequest."""
    budget = config.integer("thinkingBudget", least=OPEN_BUDGET)
    level = config.word("thinkingLevel")
    if budget is not None and level is not None:
        raise BadRequest(
            f"'{config.path}' must not have both 'thinkingBudget' and 'thinkingLevel'.",
            param=config.at("thinkingLevel"),
        )
    if level is not None and level.lower() not in _EFFORTS:
        raise BadRequest(f"'{level}' is not a thinking level.", param=config.at("thinkingLevel"))
    return Reasoning(
        enabled=False if budget == 0 else None,
        effort=level.lower() if level else None,
        budget=budget,
        shown=config.boolean("includeThoughts"),
    )


def say_thinking(asked: Reasoning) -> dict[str, Any]:
    """Return a thinkingConfig that says the same as the one that was read."""
    said: dict[str, Any] = {"includeThoughts": asked.shown, "thinkingBudget": asked.budget}
    if asked.effort is not None:
        said["thinkingLevel"] = asked.effort.upper()
    return {name: value for name, value in said.items() if value is not None}


def write_thinking(asked: Reasoning, series: Series, losses: Losses) -> dict[str, Any]:
    """Return a thinkingConfig for what another format asked; empty for what the model does anyway."""
    if not (series.levels or series.budgets):
        if asked.effort not in (None, "none") or asked.budget or asked.enabled:
            losses.drop(_word(asked))
        return {}
    config: dict[str, Any] = {}
    off = asked.enabled is False or asked.effort == "none" or asked.budget == 0
    if off:
        config |= _least(asked, series, losses)
    elif asked.effort is not None and (series.levels or asked.budget is None or asked.left_open):
        config |= _effort(asked.effort, series, losses)
    elif asked.budget is not None:
        config |= _budget(asked.budget, series, losses)
    if asked.summary in ("concise", "detailed"):
        losses.drop("summary")
    wanted = not off and (asked.summary is not None or asked.enabled or bool(config))
    if asked.shown is not None:
        config["includeThoughts"] = asked.shown
    elif wanted:
        config["includeThoughts"] = True
    return config


def _word(asked: Reasoning) -> str:
    if asked.effort is not None:
        return "effort"
    return "budget" if asked.budget is not None else "reasoning"


def _least(asked: Reasoning, series: Series, losses: Losses) -> dict[str, Any]:
    """Return what comes nearest to not thinking."""
    if series.can_stop:
        return {"thinkingBudget": 0}
    losses.drop(_word(asked))
    if series.levels:
        return {"thinkingLevel": series.levels[0].upper()}
    return {"thinkingBudget": series.budgets[0]} if series.budgets else {}


def _effort(effort: str, series: Series, losses: Losses) -> dict[str, Any]:
    """Return the level for an effort, or the budget that stands for it."""
    if series.levels:
        return {"thinkingLevel": _level(effort, series, losses).upper()}
    return {"thinkingBudget": _effort_budget(effort, series, losses)}


def _level(effort: str, series: Series, losses: Losses) -> str:
    """Return the level for an effort. What Google itself takes for another (minimal for low) needs no warning."""
    if effort in series.levels:
        return effort
    if effort == "minimal":
        return series.levels[0]
    losses.drop("effort")
    if effort in _EFFORTS:
        order = _EFFORTS.index(effort)
        return next((one for one in series.levels if _EFFORTS.index(one) >= order), series.levels[-1])
    return series.levels[-1]


def _budget(budget: int, series: Series, losses: Losses) -> dict[str, Any]:
    """Return a budget, or the level that stands for it; one that the series does not have is left to the model."""
    if series.budgets is None:
        if budget == OPEN_BUDGET:
            return {}
        losses.drop("budget")
        effort = next((effort for effort, tokens in _BUDGETS.items() if budget <= tokens), "high")
        return {"thinkingLevel": (effort if effort in series.levels else series.levels[0]).upper()}
    if budget == OPEN_BUDGET or series.budgets[0] <= budget <= series.budgets[1]:
        return {"thinkingBudget": budget}
    losses.drop("budget")
    return {"thinkingBudget": OPEN_BUDGET}


def _effort_budget(effort: str, series: Series, losses: Losses) -> int:
    assert series.budgets is not None
    if effort in _BUDGETS:
        return min(max(_BUDGETS[effort], series.budgets[0]), series.budgets[1])
    losses.drop("effort")
    return series.budgets[1]
