"""How much to think, in Anthropic's words: `thinking` and `output_config.effort`.

A caller of this format is taken at their word. Others speak of efforts and budgets as their vendors do, and get what
the model has: adaptive thinking with an effort, or a budget.
"""

from typing import Any

from msgspec import Struct

from tokengate.core.chat import Chat, Reasoning
from tokengate.core.wire import Losses
from tokengate.formats.anthropic.abilities import Abilities
from tokengate.formats.anthropic.types import MIN_BUDGET, NAME

# Tokens to think with, at most, and the share of the output's cap that they may take.
_BUDGETS = {
    "minimal": (1024, 0.2),
    "low": (2048, 0.3),
    "medium": (8192, 0.5),
    "high": (16384, 0.8),
    "xhigh": (32768, 0.9),
    "max": (65536, 0.95),
}
_ORDER = tuple(_BUDGETS)
_OFF = {"type": "disabled"}


class ThinkingAsked(Struct, frozen=True):
    """`config` is the `thinking` member, None to leave it out; `effort` goes into `output_config`."""

    config: dict[str, Any] | None = None
    effort: str | None = None

    @property
    def on(self) -> bool:
        return self.config is not None and self.config["type"] != "disabled"


def write_reasoning(chat: Chat, cap: int, abilities: Abilities, losses: Losses) -> ThinkingAsked:
    """Return what to ask for. What forbids thinking in this request is `without_thinking`'s matter."""
    if chat.format == NAME:
        return ThinkingAsked(_as_given(chat.reasoning), chat.reasoning.effort)
    asked = chat.reasoning
    if asked.enabled is False or asked.effort == "none" or asked.budget == 0:
        if abilities.must_think:
            losses.drop("reasoning")
            return ThinkingAsked()
        return ThinkingAsked(dict(_OFF))
    if asked.enabled is None and asked.effort is None and asked.budget is None:
        return ThinkingAsked()
    effort = None if asked.effort is None else _effort(asked.effort, abilities, losses)
    budget = asked.budget if asked.budget is not None and asked.budget > 0 else None
    if abilities.budget and (budget is not None or not abilities.adaptive):
        return ThinkingAsked(_budgeted(asked, budget, cap, losses), effort if abilities.adaptive else None)
    if abilities.adaptive:
        if budget is not None:
            losses.drop("budget")
        display = "omitted" if asked.shown is False else "summarized"
        return ThinkingAsked({"type": "adaptive", "display": display}, effort)
    losses.drop("reasoning")
    return ThinkingAsked()


def _as_given(asked: Reasoning) -> dict[str, Any] | None:
    if asked.enabled is None:
        return None
    config: dict[str, Any]
    if not asked.enabled:
        config = {"type": "disabled"}
    elif asked.budget is None or asked.left_open:
        config = {"type": "adaptive"}
    else:
        config = {"type": "enabled", "budget_tokens": asked.budget}
    if asked.shown is not None:
        config["display"] = "summarized" if asked.shown else "omitted"
    return config


def _budgeted(asked: Reasoning, budget: int | None, cap: int, losses: Losses) -> dict[str, Any] | None:
    """Return thinking with a budget, which must leave room for the answer below the cap."""
    if cap <= MIN_BUDGET:
        losses.drop("reasoning")
        return None
    if budget is not None and not MIN_BUDGET <= budget < cap:
        losses.drop("budget")
        budget = None
    if budget is None:
        most, share = _BUDGETS.get(asked.effort or "medium", _BUDGETS["medium"])
        budget = max(MIN_BUDGET, min(most, int(cap * share)))
    config: dict[str, Any] = {"type": "enabled", "budget_tokens": budget}
    if asked.shown is False:
        config["display"] = "omitted"
    return config


def _effort(effort: str, abilities: Abilities, losses: Losses) -> str | None:
    """Return the model's effort that is nearest: the greatest that is not more, else its least."""
    known = abilities.efforts
    if effort in known or not known:
        return effort if known else None
    losses.drop("effort")
    if effort not in _ORDER:
        return None
    below = [word for word in known if _ORDER.index(word) < _ORDER.index(effort)]
    return below[-1] if below else known[0]
